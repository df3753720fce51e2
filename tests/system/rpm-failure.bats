# SPDX-License-Identifier: GPL-2.0-or-later
# set: full
# on: bookworm trixie
# Builds that fail, processes that are killed, a database that cannot be written: the
# transaction goes through, nothing is lost, and the next run of anything heals the rest.

load ../lib/rpmroot

setup_file() {
	rpmroot_new rpm-failure
	[[ -z ${SKIP:-} ]] || return 0
	rpm_source_package sturdy 1.0
	rpmroot_install_kmodsmith >&2
	root_dnf install sturdy-source >&2
	assert_rpm_recorded sturdy "$K1" sturdy
	# what dnf runs, with something between it and the engine: /root/engine decides
	PLUGIN=$(root_exec rpm --eval %__plugindir)/kmodsmith.so
	export PLUGIN
}

teardown_file() { root_end; }

# A module that uses what the kernel K2 no longer has.
fragile_package() {
	local tree
	tree=$(mktemp -d "${R%/root}/package.XXXXXX")
	source_make "$tree/usr/src/fragile-$1" fragile "$1" $'\n#ifdef NEW_KERNEL\n'"$2"$'\n#endif'
	printf 'ccflags-$(if $(findstring %s,$(KERNELRELEASE)),y) += -DNEW_KERNEL\n' "$K2" \
		>>"$tree/usr/src/fragile-$1/Makefile"
	rpm_make fragile-source "$1" "$tree"
}

# engine SCRIPT: rpm's plugin runs this instead, which may run the engine proper.
engine() {
	printf '#!/bin/sh\n%s\n' "$1" >"$R/root/engine"
	chmod 755 "$R/root/engine"
	printf '%%__transaction_kmodsmith %s /root/engine\n' "$PLUGIN" >"$R/etc/rpm/macros.zz-test"
}

engine_again() { rm -f "$R/etc/rpm/macros.zz-test" "$R/root/engine"; }

rpm_of() { printf '/srv/rpm/modules/%s-1.rpm\n' "$1"; }

@test "a build that fails does not fail dnf, and is named at the end" {
	fragile_package 1.0 'vanished_function();'
	root_dnf install fragile-source
	assert_rpm_recorded fragile "$K1" fragile
	run root_dnf install "kernel-core-$(kernel_evr "$K2")" "kernel-devel-$(kernel_evr "$K2")"
	assert_equal "$status" 0 "exit code of dnf"
	assert_contains "$output" "fragile/1.0 on $K2"
	assert_contains "$output" vanished_function
	assert_state fragile "$K2" failed
	assert_rpm_recorded sturdy "$K2" sturdy
	assert_rpm_recorded fragile "$K1" fragile
	assert_rpm_fine
}

@test "it is built when a repaired source comes" {
	fragile_package 1.1 ';'
	root_dnf upgrade fragile-source
	assert_rpm_recorded fragile/1.1 "$K2" fragile
	assert_rpm_recorded fragile/1.1 "$K1" fragile
	assert_rpm_fine
}

@test "an engine that dies, says nonsense or is not there: a warning, and the next run heals" {
	rpm_source_package one 1.0
	for script in 'kill -KILL $$' 'echo nonsense' 'exit 1' \
		'[ "$1" != records ] || { echo protocol=1; exit 0; }; exec /usr/sbin/kmodsmith "$@"'; do
		engine "$script"
		run root_in rpm -i "$(rpm_of one-source-1.0)"
		engine_again
		assert_equal "$status" 0 "exit code of rpm with '$script'"
		assert_contains "$output" "warning: "
		! rpm_has "$(rpm_record one "$K2")" || fail "recorded nonetheless"
		assert_rpm_recorded sturdy "$K2" sturdy
		root_in kmodsmith sync
		assert_rpm_recorded one "$K2" one
		run root_in rpm -e one-source
		assert_equal "$status" 0 "exit code of rpm -e"
		assert_rpm_gone one "$K2"
	done
	assert_rpm_fine
}

@test "rpm killed together with the engine while that builds" {
	rpm_source_package two 1.0
	engine 'kmodsmith "$@" & n=0
		until pgrep -x make >/dev/null || [ $((n += 1)) -gt 5000 ]; do :; done
		kill -KILL $PPID $! $$'
	run root_in rpm -i "$(rpm_of two-source-1.0)"
	((status != 0)) || fail "rpm was not killed"
	engine_again
	root_in kmodsmith sync
	assert_rpm_recorded two "$K1" two
	assert_rpm_recorded two "$K2" two
	assert_rpm_fine
}

@test "rpm killed in tsm_post, before it records" {
	rpm_source_package three 1.0
	engine '[ "$1" != records ] || kill -KILL $PPID; exec /usr/sbin/kmodsmith "$@"'
	run root_in rpm -i "$(rpm_of three-source-1.0)"
	((status != 0)) || fail "rpm was not killed"
	engine_again
	assert_state three "$K2" installed
	rpm_source_package four 1.0
	root_in rpm -i "$(rpm_of four-source-1.0)"
	assert_rpm_recorded three "$K1" three
	assert_rpm_recorded three "$K2" three
	assert_rpm_recorded four "$K2" four
	assert_rpm_fine
}

# rpm alone is traced; at the n-th write to its database it dies.
traced_rpm() {
	strace -qq -o "${R%/root}/calls" -e trace=pwrite64 "$@" \
		chroot "$R" rpm -i "$(rpm_of five-source-1.0)" </dev/null >>"$ROOT_LOG" 2>&1 3>&-
}

@test "rpm killed while it records" {
	rpm_source_package five 1.0
	# twice, because the first has more to write
	traced_rpm && root_in rpm -e five-source && traced_rpm
	total=$(grep -c pwrite64 "${R%/root}/calls")
	((total > 10)) || fail "only $total writes"
	for nth in $((total * 9 / 10)) $((total * 3 / 4)) $((total * 2 / 3)); do
		root_in rpm -e five-source
		! traced_rpm -e "inject=pwrite64:signal=KILL:when=$nth" || fail "write $nth did not kill"
		root_in rpmdb --verifydb
		root_in kmodsmith sync
		assert_rpm_recorded five "$K1" five
		assert_rpm_recorded five "$K2" five
		assert_equal "$(rpm_query -a "$(rpm_record five "$K2")" | wc -l)" 1 "copies of the record"
		# the package itself may have been lost with the transaction, not its files
		root_in rpm -U --replacepkgs "$(rpm_of five-source-1.0)"
	done
	assert_rpm_fine
}

@test "a database that is read-only: built, pending, recorded later" {
	source_make "$R/usr/src/six-1.0" six 1.0
	mount --bind "$R/var/lib/rpm" "$R/var/lib/rpm"
	mount -o remount,bind,ro "$R/var/lib/rpm"
	run root_in kmodsmith sync
	umount "$R/var/lib/rpm"
	((status != 0)) || fail "sync has nothing to say"
	assert_state six "$K2" installed
	assert_rpm_recorded sturdy "$K2" sturdy
	root_in kmodsmith sync
	assert_rpm_recorded six "$K2" six
	assert_rpm_fine
}

@test "rpm's lock is never waited for outside of a transaction" {
	source_make "$R/usr/src/seven-1.0" seven 1.0
	lock=$R/var/lib/rpm/.rpm.lock
	coproc holder { exec python3 -c '
import fcntl, sys
f = open(sys.argv[1], "a+")
fcntl.lockf(f, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()' "$lock" 3>&-; }
	read -r line <&"${holder[0]}"
	assert_equal "$line" held "lock"
	run timeout 120 chroot "$R" kmodsmith sync
	kill "$holder_PID"
	assert_equal "$status" 8 "exit code of sync"
	root_in kmodsmith sync
	assert_rpm_recorded seven "$K2" seven
}
