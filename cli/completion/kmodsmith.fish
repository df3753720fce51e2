# SPDX-License-Identifier: GPL-2.0-or-later
# fish completion for kmodsmith(8). Commands and options come from its --help.

function __kmodsmith_commands
    kmodsmith --help 2>/dev/null | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p'
end

function __kmodsmith_options
    set -l command
    for word in (commandline -opc)[2..-1]
        if contains -- $word (__kmodsmith_commands)
            set command $word
            break
        end
    end
    kmodsmith $command --help 2>/dev/null | grep -o -e '--[a-z-]*' | sort -u
end

function __kmodsmith_modules
    kmodsmith status --json 2>/dev/null | sed -n 's/.*"module": *"\([^"]*\)".*/\1/p' | sort -u
end

function __kmodsmith_kernels
    for directory in /lib/modules/*
        basename $directory
    end
end

complete -c kmodsmith -n 'not __fish_seen_subcommand_from (__kmodsmith_commands)' -f -a '(__kmodsmith_commands)'
complete -c kmodsmith -n 'string match -q -- "-*" (commandline -ct)' -a '(__kmodsmith_options)'
complete -c kmodsmith -n '__fish_seen_subcommand_from status explain remove build install uninstall log export verify' -f -a '(__kmodsmith_modules)'
complete -c kmodsmith -n 'contains -- (commandline -opc)[-1] -k --kernel' -f -a '(__kmodsmith_kernels)'
