# SPDX-License-Identifier: GPL-2.0-or-later
# fish completion for kmodsmith(8). Commands, options and arguments come from its --help.

function __kmodsmith_commands
    kmodsmith --help 2>/dev/null | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p'
end

function __kmodsmith_command
    for word in (commandline -opc)[2..-1]
        if contains -- $word (__kmodsmith_commands)
            echo $word
            return
        end
    end
end

function __kmodsmith_options
    set -l command (__kmodsmith_command)
    kmodsmith $command --help 2>/dev/null | grep -o -e '--[a-z-]*' | sort -u
end

function __kmodsmith_modules
    kmodsmith status --json 2>/dev/null | sed -n 's/.*"module": *"\([^"]*\)".*/\1/p' | sort -u
end

# "DIR|MODULE/VERSION" by what is there, "[list|clean]" as it is.
function __kmodsmith_arguments
    set -l command (__kmodsmith_command)
    set -l arguments (kmodsmith $command --help 2>/dev/null | sed -n 's/^  kmodsmith .*\[OPTION\.\.\.\] *//p')
    if string match -q -- '*MODULE*' $arguments
        __kmodsmith_modules
    end
    if string match -q -- '*DIR*' $arguments
        __fish_complete_directories (commandline -ct)
    end
    if string match -q -- '*FILE*' $arguments
        __fish_complete_path (commandline -ct)
    end
    if not string match -qr -- '[A-Z]' $arguments
        string split '|' (string trim -c '[]' $arguments)
    end
end

function __kmodsmith_offer
    switch (commandline -opc)[-1]
        case -k --kernel
            for directory in /lib/modules/*
                basename $directory
            end
        case -m --module
            __kmodsmith_modules
        case --format
            printf '%s\n' deb rpm pacman
        case --color
            printf '%s\n' auto always never
        case --with
            __fish_complete_path (commandline -ct)
        case --root -o --output
            __fish_complete_directories (commandline -ct)
        case '*'
            if string match -q -- '-*' (commandline -ct)
                __kmodsmith_options
            else if test -n "$(__kmodsmith_command)"
                __kmodsmith_arguments
            else
                __kmodsmith_commands
            end
    end
end

complete -c kmodsmith -f -a '(__kmodsmith_offer)'
