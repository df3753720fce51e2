# SPDX-License-Identifier: GPL-2.0-or-later
# fish completion for kmodsmith's dkms(8). Actions and options come from 'dkms --help'.

function __kmodsmith_dkms_actions
    dkms --help 2>/dev/null | sed -n '/^Actions:/,/^$/s/^  \([a-z_]*\) .*/\1/p'
end

function __kmodsmith_dkms_options
    dkms --help 2>/dev/null | sed -n '/^Options:/,$p' |
        grep -o -e '^  -[a-zA-Z]' -e '--[a-z_-]*' | string trim
end

function __kmodsmith_dkms_modules
    dkms status 2>/dev/null | sed 's/[,:].*//' | sort -u
end

function __kmodsmith_dkms_kernels
    for directory in /lib/modules/*
        basename $directory
    end
end

complete -c dkms -f
complete -c dkms -n 'not __fish_seen_subcommand_from (__kmodsmith_dkms_actions)' -a '(__kmodsmith_dkms_actions)'
complete -c dkms -n '__fish_seen_subcommand_from (__kmodsmith_dkms_actions)' -a '(__kmodsmith_dkms_modules)'
complete -c dkms -n '__fish_seen_subcommand_from add ldtarball' -F
complete -c dkms -n 'string match -q -- "-*" (commandline -ct)' -a '(__kmodsmith_dkms_options)'
complete -c dkms -n 'contains -- (commandline -opc)[-1] -k --kernelver --templatekernel' -a '(__kmodsmith_dkms_kernels)'
