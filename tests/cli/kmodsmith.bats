# SPDX-License-Identifier: GPL-2.0-or-later
# The personality kmodsmith in a scratch tree.

load tree

setup() { tree_new; }

ks() { kmodsmith --root "$R" "$@"; }

commands='sync plan preflight status explain verify add remove build install uninstall log key cache export lint'

# --- the command line itself

@test "help lists every command, and each has its own" {
	run kmodsmith --help
	equal "$status" 0
	for command in $commands; do
		contains "$output" "  $command "
		run kmodsmith "$command" --help
		equal "$status" 0
		contains "$output" "kmodsmith $command [OPTION...]"
		run kmodsmith --help
	done
}

@test "every option of a help text is in the man page and in the completion" {
	for command in $commands; do
		run kmodsmith "$command" --help
		for option in $(grep -oE -e '--[a-z-]+' <<<"$output" | sort -u); do
			grep -q -e "${option//-/\\\\-}" "$BATS_TEST_DIRNAME/../../doc/kmodsmith.8" ||
				fail "$option of $command is not in kmodsmith(8)"
			grep -q -e "$option" "$BATS_TEST_DIRNAME/../../cli/completion/kmodsmith" ||
				fail "$option of $command is not completed"
		done
	done
}

@test "the exit codes are those of the table in core/README.md" {
	table=$(sed -n '/^### Exit codes/,/^### /s/^| \([0-9]*\) |.*/\1/p' "$BATS_TEST_DIRNAME/../../core/README.md")
	page=$(sed -n '/^.SH "EXIT STATUS"/,/^.TE/s/^\([0-9]*\)|.*/\1/p' "$BATS_TEST_DIRNAME/../../doc/kmodsmith.8")
	source=$(sed -n 's/.*KS_EXIT_[A-Z_]* = \([0-9]*\),.*/\1/p' "$BATS_TEST_DIRNAME/../../cli/command.h")
	equal "$page" "$table"
	equal "$source" "$table"
}

@test "an unknown option and an unknown command are usage errors" {
	for command in $commands; do
		run kmodsmith "$command" --no-such-option
		equal "$status" 2
		contains "$output" "kmodsmith: error: unknown option '--no-such-option'"
		contains "$output" "kmodsmith: hint: see 'kmodsmith $command --help'"
	done
	run kmodsmith frobnicate
	equal "$status" 2
	contains "$output" "unknown command 'frobnicate'"
}

@test "without a command there is an overview, and help is a command" {
	kernel_make $K
	tree_installed acme 1.0 $K
	run ks
	contains "$output" "1 module source, 1 kernel"
	contains "$output" "1 of 1 modules on these kernels are in place"
	equal "$(kmodsmith help status)" "$(kmodsmith status --help)"
	equal "$(kmodsmith help)" "$(kmodsmith --help)"
	run kmodsmith help frobnicate
	equal "$status" 2
}

@test "a module is found by its .ko, and with - for _" {
	kernel_make $K
	source_make acme-call 1.0 'BUILT_MODULE_NAME[0]="acme_core"' 'DEST_MODULE_LOCATION[0]="/updates"' AUTOINSTALL=yes
	for name in acme-call acme_call acme_core acme-core acme_core.ko acme_core.ko.xz; do
		run ks explain "$name"
		equal "$status" 4
		contains "$output" "acme-call/1.0"
		run ks plan -m "$name"
		equal "$status" 0
	done
	run ks explain acme_cor.ko
	equal "$status" 5
}

@test "messages are coloured on a terminal, and where that is asked for" {
	lacks "$(kmodsmith frobnicate 2>&1 || true)" $'\033'
	contains "$(kmodsmith --color=always frobnicate 2>&1 || true)" $'\033[1;31merror:\033[0m'
	contains "$(TERM=xterm script -qec 'kmodsmith frobnicate' /dev/null)" $'\033[1;31merror:\033[0m'
	lacks "$(NO_COLOR=1 TERM=xterm script -qec 'kmodsmith frobnicate' /dev/null)" $'\033'
	lacks "$(TERM=dumb script -qec 'kmodsmith frobnicate' /dev/null)" $'\033'
	run kmodsmith --color=green status
	equal "$status" 2
}

@test "arguments too many, too few or malformed are usage errors" {
	run kmodsmith status a b
	equal "$status" 2
	run kmodsmith explain
	equal "$status" 2
	contains "$output" "'explain' needs MODULE[/VERSION]"
	run ks status ../../etc
	equal "$status" 2
	run ks status foo/..
	equal "$status" 2
	run ks status --kernel ../..
	equal "$status" 2
	run ks log --json
	equal "$status" 2
}

@test "global options may stand before and after the command" {
	run kmodsmith --root "$R" --json status
	equal "$status" 0
	valid_json <<<"$output"
	run kmodsmith status --root "$R" --json
	equal "$status" 0
	valid_json <<<"$output"
}

@test "the version is printed" {
	run kmodsmith --version
	equal "$status" 0
	[[ $output =~ ^kmodsmith\ [0-9]+\.[0-9]+\.[0-9]+$ ]] || fail "$output"
}

# --- status, plan, explain

@test "an empty tree has no modules and nothing to do" {
	run ks status
	equal "$status" 0
	equal "$output" "kmodsmith: no modules"
	run ks plan
	equal "$status" 0
	equal "$output" "nothing to do"
	equal "$(ks status --json | jq -c '[.schema, .targets, .problems]')" '[1,[],[]]'
	equal "$(ks plan --json | jq -c '[.schema, .actions]')" '[1,[]]'
}

@test "without headers a module waits, and status exits with 4" {
	kernel_make $K no-headers
	source_make acme 1.0
	run ks status
	equal "$status" 4
	contains "$output" "acme/1.0 on $K: waiting (the kernel's headers are not installed)"
	contains "$output" "kmodsmith: hint: "
	run ks status --json
	equal "$status" 4
}

@test "JSON of status has every field of the manual" {
	kernel_make $K no-headers
	source_make acme 1.0
	run ks status --json
	valid_json <<<"$output"
	equal "$(jq -c '.targets[0] | keys' <<<"$output")" \
		'["arch","detail","foreign","image","installed","kernel","lost_on_next_boot","module","reason","reason_words","record","state","unresolved","version","wanted"]'
	equal "$(jq -c '.targets[0] | [.module, .version, .kernel, .state, .reason, .wanted, .installed, .record]' <<<"$output")" \
		"[\"acme\",\"1.0\",\"$K\",\"waiting\",\"headers-missing\",true,false,null]"
}

@test "plan prints the actions in order with reasons, and changes nothing" {
	kernel_make $K
	toolchain_make
	source_make acme 1.0
	before=$(find "$R" | sort)
	run ks plan
	equal "$status" 0
	equal "${lines[0]%% (*}" "add acme/1.0"
	contains "$output" "build acme/1.0 on $K (it has not been built yet)"
	contains "$output" "install acme/1.0 on $K ("
	contains "$output" "depmod $K ("
	equal "$(ks plan --json | jq -c '[.actions[].kind][0:4]')" '["add","build","install","depmod"]'
	equal "$(ks plan --json | jq -c '.actions[1].needs')" '[0]'
	equal "$(ks sync --dry-run)" "$output"
	equal "$(find "$R" -path "$R/var/lib/kmodsmith" -prune -o -path "$R/run/kmodsmith" -prune -o -print | sort)" \
		"$before"
}

@test "plan and status can be narrowed, and say when there is no such thing" {
	kernel_make $K no-headers
	kernel_make 6.1.0-8-test no-headers
	source_make acme 1.0
	source_make bolt 2.0
	run ks status acme --kernel $K
	equal "$status" 4
	contains "$output" "acme/1.0 on $K"
	lacks "$output" bolt
	lacks "$output" "6.1.0-8-test:"
	run ks status nut
	equal "$status" 5
	contains "$output" "kmodsmith: error: there is no module 'nut'"
	run ks status acme/9
	equal "$status" 5
	run ks plan --kernel 5.0.0-nothing
	equal "$status" 5
	run ks explain nut
	equal "$status" 5
	run ks log nut
	equal "$status" 5
}

@test "explain prints state, reason, source, kernel and what would change it" {
	kernel_make $K no-headers
	source_make acme 1.0
	run ks explain acme
	equal "$status" 4
	equal "${lines[0]}" "acme/1.0 on $K: waiting"
	contains "$output" "(headers-missing)"
	contains "$output" "/usr/src/acme-1.0 (AUTOINSTALL"
	contains "$output" "installing the kernel's headers"
	run ks explain acme --json
	valid_json <<<"$output"
}

@test "symbols that nothing exports are reported for a module that is installed all the same" {
	kernel_make $K no-headers
	source_make acme 1.0
	tree_add acme 1.0
	tree_installed acme 1.0 $K
	manifest_make acme 1.0 $K
	echo "unresolved=symbol 'bolt' is exported by nothing" \
		>>"$R/var/lib/dkms/acme/1.0/$K/$A/manifest"
	run ks status
	contains "$output" "acme/1.0 on $K: installed ('acme.ko': symbol 'bolt' is exported by nothing; "
	run ks explain acme
	contains "$output" "'acme.ko': symbol 'bolt' is exported by nothing"
	run ks status --json
	contains "$(jq -r '.targets[0].unresolved' <<<"$output")" "symbol 'bolt'"
}

@test "a module without AUTOINSTALL is not wanted" {
	kernel_make $K no-headers
	source_make acme 1.0 '# nothing'
	run ks status
	equal "$status" 0
	contains "$output" "acme/1.0 on $K: added ("
	run ks explain acme
	contains "$output" "kmodsmith install acme/1.0 --kernel $K"
}

@test "a kernel's configuration that excludes a module is named" {
	kernel_make $K
	toolchain_make
	source_make acme 1.0 'AUTOINSTALL="yes"' 'BUILD_EXCLUSIVE_CONFIG="CONFIG_ACME_BUS"'
	run ks status
	equal "$status" 0
	contains "$output" "acme/1.0 on $K: excluded ("
	contains "$output" CONFIG_ACME_BUS
}

# --- bad input

@test "a conf that leads out of the tree is named with file and line, others are served" {
	kernel_make $K no-headers
	source_make acme 1.0
	source_make evil 1.0
	sed -i '1s/.*/PACKAGE_NAME="..\/..\/evil"/' "$R/usr/src/evil-1.0/dkms.conf"
	run ks status
	equal "$status" 3
	contains "$output" "/usr/src/evil-1.0/dkms.conf:1"
	contains "$output" "acme/1.0 on $K: waiting"
	run ks status --json
	equal "$status" 3
	contains "$output" "/usr/src/evil-1.0/dkms.conf:1"
}

@test "an empty conf, a binary one and one without a name are named" {
	source_make empty 1.0
	: >"$R/usr/src/empty-1.0/dkms.conf"
	source_make binary 1.0
	head -c 2000 /dev/urandom >"$R/usr/src/binary-1.0/dkms.conf"
	source_make nameless 1.0
	sed -i 1d "$R/usr/src/nameless-1.0/dkms.conf"
	run ks status
	equal "$status" 3
	for name in empty binary nameless; do
		contains "$output" "/usr/src/$name-1.0/dkms.conf"
	done
}

@test "no control character of a conf reaches the terminal" {
	source_make evil 1.0
	printf 'PACKAGE_NAME="a\033]0;owned\007"\n' >"$R/usr/src/evil-1.0/dkms.conf"
	run ks status
	lacks "$output" $'\033'
	lacks "$output" $'\007'
}

@test "an unreadable setting stops everything, with file and line" {
	mkdir -p "$R/etc/kmodsmith"
	printf '[kmodsmith]\nkernels = some\n' >"$R/etc/kmodsmith/kmodsmith.conf"
	run ks status
	equal "$status" 1
	contains "$output" "kmodsmith.conf:2"
	run ks sync
	equal "$status" 1
}

@test "a typo in kmodsmith.conf costs no module: what a hook runs goes on with a warning" {
	build_root
	mkdir -p "$R/etc/kmodsmith"
	printf '[kmodsmith]\njbos = 3\n' >"$R/etc/kmodsmith/kmodsmith.conf"
	run ks sync
	equal "$status" 1
	contains "$output" "kmodsmith.conf:2: unknown setting 'jbos'; did you mean 'jobs'?"
	run ks sync --trigger=kernel-postinst
	equal "$status" 0
	contains "$output" "warning: "
	contains "$output" "kmodsmith.conf:2: unknown setting 'jbos'; did you mean 'jobs'?; the line is ignored"
	[[ -n $(find "$R/lib/modules" -name 'acme.ko*') ]] || fail "it is not installed"
}

@test "who mistypes a command or a module is told the nearest one" {
	tree_built acme 1.0 $K
	run ks statsu
	equal "$status" 2
	contains "$output" "did you mean 'status'?"
	run ks explain amce
	equal "$status" 5
	contains "$output" "did you mean 'acme'?"
}

@test "a setting that has no effect any more is a warning" {
	mkdir -p "$R/etc/kmodsmith"
	printf '[kmodsmith]\nreuse-objects = true\n' >"$R/etc/kmodsmith/kmodsmith.conf"
	run ks status
	equal "$status" 0
	contains "$output" "kmodsmith.conf:2: 'reuse-objects' has no effect any more"
	run ks status --quiet
	lacks "$output" "reuse-objects"
}

# --- sync

@test "sync in an empty tree has nothing to do, and says nothing to a hook" {
	need_root
	run ks sync
	equal "$status" 0
	equal "$output" "kmodsmith: nothing to do"
	run ks sync --trigger=apt
	equal "$status" 0
	equal "$output" ""
}

@test "KMODSMITH=0 disables what changes something, silently for a hook" {
	kernel_make $K no-headers
	source_make acme 1.0
	before=$(find "$R" | sort)
	export KMODSMITH=0
	run ks sync
	equal "$status" 0
	equal "$output" "kmodsmith: disabled by KMODSMITH=0 in the environment"
	run ks sync --trigger=apt
	equal "$status" 0
	equal "$output" ""
	for command in "add acme/1.0" "remove acme/1.0" "install acme" "build acme" "uninstall acme" \
		"key new --force" "cache clean"; do
		# shellcheck disable=SC2086
		run ks $command
		equal "$status" 0
		equal "$output" "kmodsmith: disabled by KMODSMITH=0 in the environment"
	done
	equal "$(find "$R" | sort)" "$before"
	run ks status
	equal "$status" 4
}

@test "a user who is not root gets an error with a hint, and can look" {
	# bats's own directory is for nobody else
	shared=$(mktemp -d)
	chmod 755 "$shared"
	mkdir "$shared/root"
	cp "$builddir/kmodsmith" "$shared/"
	as_user=()
	((EUID != 0)) || as_user=(setpriv --reuid=65534 --regid=65534 --clear-groups)
	run "${as_user[@]}" "$shared/kmodsmith" --root "$shared/root" sync
	equal "$status" 1
	contains "$output" "cannot sync: not root"
	contains "$output" "kmodsmith: hint: run it with sudo"
	for command in "add acme/1" "remove acme/1" "install acme" "uninstall acme"; do
		# shellcheck disable=SC2086
		run "${as_user[@]}" "$shared/kmodsmith" --root "$shared/root" $command
		equal "$status" 1
		contains "$output" "not root"
	done
	run "${as_user[@]}" "$shared/kmodsmith" --root "$shared/root" status
	equal "$status" 0
	run "${as_user[@]}" "$shared/kmodsmith" --root "$shared/root" plan
	equal "$status" 0
	rm -r "$shared"
}

@test "a run that finds another one names it" {
	need_root
	ks sync
	# what a run that dies leaves in the file does not matter; who holds it does
	printf '4242 sync\n' >"$R/run/kmodsmith/lock"
	exec 8<>"$R/run/kmodsmith/lock"
	flock 8
	run ks sync --no-wait 8>&-
	equal "$status" 6
	contains "$output" 4242
	ks sync --wait 20 >"$BATS_TEST_TMPDIR/second" 2>&1 8>&- 3>&- &
	for _ in {1..100}; do
		grep -q "waiting for another run: 4242 sync" "$BATS_TEST_TMPDIR/second" && break
		sleep 0.05
	done
	contains "$(cat "$BATS_TEST_TMPDIR/second")" "waiting for another run: 4242 sync"
	exec 8>&-
	wait $! || fail "the second run did not go on"
}

@test "what waits is reported once to hooks, and always by hand" {
	need_root
	kernel_make $K no-headers
	source_make acme 1.0
	run ks sync --trigger=postinst --no-record
	equal "$status" 0
	contains "$output" "acme/1.0 on $K: waiting"
	run ks sync --trigger=apt
	equal "$status" 0
	contains "$output" "acme/1.0 on $K: waiting"
	run ks sync --trigger=apt
	equal "$status" 0
	equal "$output" ""
	run ks sync
	equal "$status" 4
	contains "$output" "acme/1.0 on $K: waiting"
}

@test "a bad source is reported once to hooks, and is in the log" {
	need_root
	source_make evil 1.0
	: >"$R/usr/src/evil-1.0/dkms.conf"
	run ks sync --trigger=apt
	equal "$status" 0
	contains "$output" "/usr/src/evil-1.0/dkms.conf"
	run ks sync --trigger=apt
	equal "$output" ""
	run ks sync
	equal "$status" 3
}

@test "a source whose conf is none is listed as broken, and its log says why" {
	need_root
	kernel_make $K
	source_make evil 1.0
	: >"$R/usr/src/evil-1.0/dkms.conf"
	run ks status evil
	equal "$status" 3
	contains "$output" broken
	run ks log evil
	contains "$output" "/usr/src/evil-1.0/dkms.conf:1: it is empty"
	run ks explain evil
	contains "$output" "/usr/src/evil-1.0/dkms.conf:1: it is empty"
}

@test "what a user owns is ignored, with what helps, until it is asked for by name" {
	need_root
	kernel_make $K no-headers
	source_make acme 1.0
	chown -R 1000 "$R/usr/src/acme-1.0"
	run ks sync
	equal "$status" 3
	contains "$output" "'/usr/src/acme-1.0': owned by uid 1000, ignored"
	contains "$output" "chown -R root:root /usr/src/acme-1.0"
	run ks install acme
	contains "$output" "a copy that only root can change is used"
	lacks "$output" "no such module"
	equal "$(readlink "$R/var/lib/dkms/acme/1.0/source")" /usr/src/acme-1.0
	equal "$(stat -c %u "$R/var/lib/kmodsmith/sources/acme/1.0/dkms.conf")" 0
	equal "$(ks status --json | jq -r '.targets[0].state')" waiting
	run ks sync
	equal "$status" 4
	lacks "$output" "ignored"
	ks remove acme/1.0
	[[ ! -e $R/var/lib/kmodsmith/sources/acme ]]
}

@test "a dead stdout does not stop a sync" {
	need_root
	kernel_make $K no-headers
	source_make acme 1.0
	ks sync | true
	[[ -L $R/var/lib/dkms/acme/1.0/source ]] || fail "it was not added"
}

# --- add and remove

@test "add registers a source, also from elsewhere, and makes it wanted" {
	need_root
	kernel_make $K no-headers
	source_make acme 1.0 '# no AUTOINSTALL'
	run ks add acme/1.0
	equal "$status" 0
	contains "$output" "acme/1.0: added from '/usr/src/acme-1.0'"
	equal "$(readlink "$R/var/lib/dkms/acme/1.0/source")" /usr/src/acme-1.0
	equal "$(ks status --json | jq -r '.targets[0].state')" waiting
	source_make bolt 2.0
	mkdir "$R/opt"
	mv "$R/usr/src/bolt-2.0" "$R/opt/some-bolt"
	chown -R 65534 "$R/opt/some-bolt"
	run ks add /opt/some-bolt
	equal "$status" 0
	[[ -f $R/usr/src/bolt-2.0/dkms.conf ]] || fail "it was not copied"
	equal "$(stat -c %u "$R/usr/src/bolt-2.0/dkms.conf")" 0
	# the same again is no news, another of that name is
	ks add /opt/some-bolt --quiet
	echo '# changed' >>"$R/opt/some-bolt/Makefile"
	run ks add /opt/some-bolt
	equal "$status" 1
	contains "$output" "already there"
	run ks add nut/1
	equal "$status" 5
}

@test "what was removed stays away though its source stays, until it is added again" {
	need_root
	kernel_make $K no-headers
	source_make acme 1.0
	ks sync || true
	[[ -d $R/var/lib/dkms/acme/1.0 ]] || fail "it was not added"
	run ks remove acme/1.0
	equal "$status" 0
	contains "$output" "acme/1.0: removed"
	contains "$output" "'kmodsmith add acme/1.0' takes it back"
	[[ ! -e $R/var/lib/dkms/acme ]] || fail "it is still there"
	ks sync
	[[ ! -e $R/var/lib/dkms/acme ]] || fail "it came back"
	equal "$(ks status --json | jq -r '.targets[0].reason')" dismissed
	ks add acme/1.0
	equal "$(ks status --json | jq -r '.targets[0].reason')" headers-missing
}

@test "the memory of a removal goes with the source" {
	need_root
	kernel_make $K no-headers
	source_make acme 1.0
	ks sync || true
	ks remove acme/1.0
	rm -r "$R/usr/src/acme-1.0"
	ks sync
	source_make acme 1.0
	ks sync || true
	[[ -d $R/var/lib/dkms/acme/1.0 ]] || fail "it did not come back"
}

# --- log

@test "log prints the log of a build" {
	kernel_make $K no-headers
	source_make acme 1.0
	tree_add acme 1.0
	tree_built acme 1.0 $K
	run ks log --quiet
	equal "$status" 0
	equal "$output" "make.log of acme"
}

@test "sync of what is not there is an error by hand, and nothing to a hook" {
	need_root
	run ks sync --module nut
	equal "$status" 5
	run ks sync --kernel 5.0.0-nothing
	equal "$status" 5
	run ks sync --kernel 5.0.0-nothing --trigger=headers
	equal "$status" 0
	equal "$output" ""
}

@test "output that cannot be written is an error, a reader that went away is none" {
	kernel_make $K no-headers
	source_make acme 1.0
	run bash -c 'kmodsmith --root "$1" plan >/dev/full' - "$R"
	equal "$status" 1
	equal "$output" "kmodsmith: error: cannot write to standard output"
	run bash -c 'kmodsmith --root "$1" plan | :; exit "${PIPESTATUS[0]}"' - "$R"
	equal "$status" 0
	equal "$output" ""
}

@test "a closed standard descriptor is /dev/null, not the next file that is opened" {
	kernel_make $K no-headers
	source_make acme 1.0
	# written to whatever got the number, it would be an error
	run bash -c 'kmodsmith --root "$1" plan <&- >&-' - "$R"
	equal "$status" 0
	equal "$output" ""
}

@test "JSON is all that goes to stdout" {
	need_root
	kernel_make $K no-headers
	source_make acme 1.0
	for command in sync "build acme" "install acme" "uninstall acme" "remove acme/1.0"; do
		# shellcheck disable=SC2086
		ks $command --json 2>/dev/null >"$BATS_TEST_TMPDIR/json" || (($? == 4))
		valid_json <"$BATS_TEST_TMPDIR/json"
	done
}

@test "what is asked for below a run is queued, and the run does it before it ends" {
	need_root
	kernel_make $K no-headers
	mkdir -p "$R/run/kmodsmith"
	cat >"$BATS_TEST_TMPDIR/holder" <<-'EOF'
	exec 8>"$1/run/kmodsmith/lock"
	flock 8
	printf '%s holder\n' $$ >&8
	export KMODSMITH_LOCKED=$$
	timeout 20 kmodsmith --root "$1" sync
	echo "code $?"
	timeout 20 dkms --root "$1" autoinstall -k "$2"
	echo "code $?"
	EOF
	run bash "$BATS_TEST_TMPDIR/holder" "$R" $K
	contains "$output" "sync: queued"
	contains "$output" "dkms autoinstall: queued"
	lacks "$output" "code 124"
	[[ -e $R/run/kmodsmith/queued ]] || fail "no mark"
	ks sync
	[[ ! -e $R/run/kmodsmith/queued ]] || fail "the mark is still there"
}

@test "records prints what the database should hold, and nothing when that is unknown" {
	run kmodsmith --root "$R" records
	equal "$status" 8
	contains "$output" "cannot know what is to be recorded"
	kernel_make $K
	equal "$(kmodsmith --root "$R" records; echo end)" "protocol=1
records=0

end"
}

@test "preflight wants a kernel, and packages that are some" {
	run ks preflight
	equal "$status" 4
	contains "$output" "the package manager cannot be asked which kernel comes next"
	run ks preflight -k 9.9.9
	equal "$status" 5
	contains "$output" "nothing of a kernel '9.9.9' is installed"
	run ks preflight --with /nowhere.deb
	equal "$status" 1
	contains "$output" "cannot open '/nowhere.deb': No such file or directory"
	echo '!<arch>' >"$BATS_TEST_TMPDIR/cut.deb"
	run ks preflight "$BATS_TEST_TMPDIR/cut.deb"
	equal "$status" 1
	contains "$output" "cut.deb: not a Debian package"
	[[ ! -e $R/var/lib/kmodsmith/incoming ]] || fail "something is left"
}
