# SPDX-License-Identifier: GPL-2.0-or-later
# The tables of actions and options are what --help prints; man pages and completions must
# know all that is there, and nothing else.

load tree

setup() {
	tree_new
	top=$BATS_TEST_DIRNAME/../..
}

dkms_actions() { dkms --help | sed -n '/^Actions:/,/^$/s/^  \([a-z_]*\) .*/\1/p'; }
dkms_options() { dkms --help | sed -n '/^Options:/,$p' | grep -o -e '^  -[a-zA-Z]' -e '--[a-z_-]*' | tr -d ' '; }
kmodsmith_commands() { kmodsmith --help | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p'; }
command_options() { kmodsmith "$1" --help | grep -o -e '--[a-z-]*' | sort -u; }

# The words of a manual page, without its markup; of its source on standard input.
man_words() { words_of <"$top/doc/$1"; }
words_of() { sed -e 's/\\f.//g' -e 's/\\-/-/g' -e 's/[],.;:()"]/ /g' -e 's/\[/ /g' | tr -s ' \t' '\n\n' | sort -u; }

# What kmodsmith.8 says of a command where it says what commands there are.
man_command() {
	sed -n '/^\.SH COMMANDS/,/^\.SH OPTIONS/p' "$top/doc/kmodsmith.8" | awk -v command="$1" '
		/^\.RS/ { depth++ }
		/^\.RE/ { depth-- }
		is_tag { gsub(/[",]/, " "); is_its = 0; for (i = 2; i <= NF; i++) is_its = is_its || $i == command }
		{ is_tag = /^\.TP/ && !depth }
		is_its'
}

# complete_bash FILE FUNCTION WORD...: what bash offers for the last word.
complete_bash() {
	bash -c '. "$1"; f=$2; shift 2; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); "$f"; printf "%s\n" "${COMPREPLY[@]}"' \
		x "$@"
}

@test "dkms: the manual has every action and option" {
	words=$(man_words dkms.8)
	((  $(dkms_actions | wc -l) > 15 && $(dkms_options | wc -l) > 25 ))
	for word in $(dkms_actions) $(dkms_options); do
		grep -qxF -e "$word" <<<"$words" || fail "dkms.8 does not have '$word'"
	done
}

@test "dkms: the manual has no option that is not there" {
	for word in $(man_words dkms.8 | grep -x -e '--[a-z][a-z_-]*'); do
		case $word in
		--no-initrd | --no-clean-kernel | --no-prepare-kernel | --moduleversion | --import) continue ;;
		esac
		dkms_options | grep -qxF -e "$word" || fail "dkms.8 has '$word', which is no option"
	done
}

@test "dkms: every action and option is known to the parser" {
	for word in $(dkms_actions); do
		run dkms "$word" status
		if [[ $word == status ]]; then continue; fi
		equal "$status" 4
	done
	for word in $(dkms_options); do
		case $word in -q | --quiet) continue ;; esac
		run dkms "$word" x --root "$R" --version
		lacks "$output" "Unknown option"
	done
}

@test "dkms: bash completes actions and options" {
	equal "$(complete_bash "$top/cli/completion/dkms" _kmodsmith_dkms dkms '' | sort)" "$(dkms_actions | sort)"
	equal "$(complete_bash "$top/cli/completion/dkms" _kmodsmith_dkms dkms - | sort -u)" "$(dkms_options | sort -u)"
}

@test "kmodsmith: the manual has every command and its options" {
	global=$(sed -n '/^\.SH OPTIONS/,/^\.SH STATES/p' "$top/doc/kmodsmith.8" | words_of)
	for command in $(kmodsmith_commands); do
		words=$(man_command "$command" | words_of)
		grep -qxF -e "$command" <<<"$words" || fail "kmodsmith.8 does not have '$command'"
		for option in $(command_options "$command"); do
			grep -qxF -e "$option" <<<"$words"$'\n'"$global" ||
				fail "kmodsmith.8 does not have '$option' of '$command'"
		done
	done
}

@test "kmodsmith: the manual says what JSON there is" {
	headings=$(sed -n '/^\.SH JSON/,/^\.SH RPM/p' "$top/doc/kmodsmith.8" | grep '^\.SS' | words_of)
	for command in $(kmodsmith_commands); do
		! command_options "$command" | grep -qx -e --json ||
			grep -qxF -e "$command" <<<"$headings" || fail "kmodsmith.8 does not have the JSON of '$command'"
	done
}

@test "kmodsmith: bash completes commands and their options" {
	offered=$(complete_bash "$top/cli/completion/kmodsmith" _kmodsmith kmodsmith '')
	for command in $(kmodsmith_commands); do
		grep -qxF -e "$command" <<<"$offered" || fail "'$command' is not completed"
		options=$(complete_bash "$top/cli/completion/kmodsmith" _kmodsmith kmodsmith "$command" -)
		for option in $(command_options "$command"); do
			grep -qxF -e "$option" <<<"$options" || fail "'$option' of '$command' is not completed"
		done
	done
}

# complete_fish LINE, complete_zsh LINE: what the shell offers at its end.
complete_fish() {
	HOME=$BATS_TEST_TMPDIR timeout 60 fish --no-config -c 'source $argv[1]; complete -C $argv[2]' \
		"$top/cli/completion/${1%% *}.fish" "$1" </dev/null | cut -f 1
}

complete_zsh() {
	HOME=$BATS_TEST_TMPDIR TERM=dumb timeout 60 zsh -f "$BATS_TEST_DIRNAME/complete.zsh" "$top/cli/completion" "$1"
}

# completes SHELL: the same as its help, neither less nor more.
completes() {
	local ask=complete_$1
	type "$1" >/dev/null 2>&1 || skip "no $1"
	equal "$("$ask" 'dkms ' | sort)" "$(dkms_actions | sort)"
	equal "$("$ask" 'dkms s')" status
	equal "$("$ask" 'dkms status -' | sort -u)" "$(dkms_options | sort -u)"
	equal "$("$ask" 'kmodsmith ' | sort)" "$(kmodsmith_commands | sort)"
	equal "$("$ask" 'kmodsmith plan --' | sort)" "$(command_options plan)"
	equal "$("$ask" 'kmodsmith key ' | sort | xargs)" "new show"
	equal "$("$ask" 'kmodsmith cache ' | sort | xargs)" "clean list verify"
	equal "$("$ask" 'kmodsmith sync ')" ""
	mkdir -p "$BATS_TEST_TMPDIR/here/tree"
	cd "$BATS_TEST_TMPDIR/here"
	touch file
	contains "$("$ask" 'kmodsmith lint ')" tree
	lacks "$("$ask" 'kmodsmith lint ')" file
	contains "$("$ask" 'kmodsmith plan --root ')" tree
}

@test "fish completes actions, commands and options" {
	completes fish
}

@test "zsh completes actions, commands and options" {
	completes zsh
}
