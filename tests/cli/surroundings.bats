# SPDX-License-Identifier: GPL-2.0-or-later
# Whoever calls us: what a program inherits, and what the system refuses to all of them.

load tree

setup() {
	[[ $EUID == 0 ]] || skip "not root: nothing can be chrooted"
	tree_new
	build_root
	depmod_make
}

depmod_make() {
	mkdir -p "$R/sbin"
	printf '#!/bin/sh\nexit 0\n' >"$R/sbin/depmod"
	chmod 755 "$R/sbin/depmod"
}

synced() {
	echo "$output"
	[[ $status == 0 && $output != *warning* ]]
	run kmodsmith --root "$R" status
	[[ $output == "acme/1.0 on $K: installed" && $status == 0 ]]
}

@test "ignored and blocked signals of the caller make no difference" {
	run env --ignore-signal=CHLD --ignore-signal=ALRM --block-signal kmodsmith --root "$R" sync --no-record
	synced
}

@test "a program that bash runs with SIGCHLD ignored is recognised by its exit code" {
	run bash -c 'trap "" CHLD; exec kmodsmith --root "$1" sync --no-record' - "$R"
	synced
}

@test "a pending alarm of the caller does not end a run" {
	run perl -e 'alarm 1; exec @ARGV' kmodsmith --root "$R" sync --no-record
	synced
}

@test "soft limits of the caller make no difference" {
	run bash -c 'ulimit -S -f 1 -n 12 -v 400000; exec kmodsmith --root "$1" sync --no-record' - "$R"
	synced
}

@test "closed standard descriptors and a narrow umask make no difference" {
	(umask 077 && exec kmodsmith --root "$R" sync --no-record <&- >&- 2>&-)
	run kmodsmith --root "$R" status
	[[ $output == "acme/1.0 on $K: installed" ]]
	[[ -z $(find "$R/lib/modules/$K/updates" ! -perm -444) ]]
	[[ $(stat -c %a "$R/var/log/kmodsmith/kmodsmith.log") == 644 ]]
}

refused=(openat2 pidfd_open faccessat2 statx close_range name_to_handle_at landlock_create_ruleset
	mount_setattr open_tree move_mount)

# where_refused ERROR COMMAND...: every new system call is answered with it.
where_refused() {
	local clone3=()
	# with another error than ENOSYS the C library makes no thread at all
	[[ $1 != ENOSYS ]] || clone3=(clone3)
	"$builddir/tests/unit/refuse" "$1" "${refused[@]}" "${clone3[@]}" -- "${@:2}"
}

@test "system calls of the last ten years are not needed: less of a sandbox, and all else the same" {
	[[ -x $builddir/tests/unit/refuse ]] || skip "no tests/unit/refuse"
	for err in ENOSYS EPERM; do
		run where_refused $err kmodsmith --root "$R" sync
		echo "$output"
		[[ $status == 0 && $output == *"acme/1.0 on $K: built, installed"* ]]
		[[ $output != *"not implemented"* && $output != *"not permitted"* ]]
		run where_refused $err kmodsmith --root "$R" status
		[[ $status == 0 && $output == "acme/1.0 on $K: installed" ]]
		run where_refused $err dkms --root "$R" status
		contains "$output" "acme/1.0, $K, $A: installed"
		run where_refused $err dkms --root "$R" uninstall acme/1.0 -k $K
		[[ $status == 0 ]]
		run where_refused $err dkms --root "$R" install acme/1.0 -k $K
		[[ $status == 0 ]]
		run where_refused $err dkms --root "$R" unbuild acme/1.0 -k $K
		echo "$output"
		[[ $status == 0 && ! -e $R/var/lib/dkms/acme/1.0/$K ]]
	done
}

@test "without openat2 a tree's links still lead nowhere outside of it" {
	[[ -x $builddir/tests/unit/refuse ]] || skip "no tests/unit/refuse"
	mkdir "$BATS_TEST_TMPDIR/outside"
	rm -rf "$R/var/lib/dkms"
	ln -s "$BATS_TEST_TMPDIR/outside" "$R/var/lib/dkms"
	ln -s "../../../../../../../../../../..$BATS_TEST_TMPDIR/outside" "$R/lib/modules/$K/updates"
	run where_refused ENOSYS kmodsmith --root "$R" sync
	echo "$output"
	[[ -z $(ls -A "$BATS_TEST_TMPDIR/outside") ]]
}
