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

@test "a program that bash runs with SIGCHLD ignored is told apart by its exit code" {
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
