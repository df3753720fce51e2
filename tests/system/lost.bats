# SPDX-License-Identifier: GPL-2.0-or-later
# set: full
# A driver that works on the running kernel and will not be on the one that boots next: it is
# never lost in silence, whatever the reason is. The machine's own kernel is not in the root,
# so that uname(2) is answered by a library for all that runs in it.

load ../lib/root

setup_file() {
	root_new lost bookworm-cloud
	root_upgrade cloud-amd64
	[[ -z $SKIP ]] || return 0
	root_install_kmodsmith >&2
	mkdir -p "$R/etc/kmodsmith/kmodsmith.conf.d"
	printf '[kmodsmith]\ninitramfs = false\n' >"$R/etc/kmodsmith/kmodsmith.conf.d/test.conf"
	make_uname
	# the old kernel is the one that runs
	root_apt install "$(driver_package acme 1.0)" "$(driver_package bolt 1.0)" \
		"$(driver_package chip 1.0)" "$(driver_package dock 1.0)" >&2
	root_apt install "linux-image-$NEW" "linux-headers-$NEW" >&2
}

teardown_file() { root_end; }

# Replaces uname(2) with one that says the old kernel's release.
make_uname() {
	cat >"$R/root/uname.c" <<-EOF2
	#define _GNU_SOURCE
	#include <string.h>
	#include <sys/syscall.h>
	#include <sys/utsname.h>
	#include <unistd.h>
	int uname(struct utsname *names)
	{
		long result = syscall(SYS_uname, names);

		strcpy(names->release, "$OLD");
		return (int)result;
	}
	EOF2
	root_in gcc -shared -fPIC -o /usr/lib/uname.so /root/uname.c
	echo /usr/lib/uname.so >"$R/etc/ld.so.preload"
}

# driver_package NAME VERSION [LINE...]: with these lines in its dkms.conf.
driver_package() {
	local tree
	tree=$(mktemp -d "${R%/root}/package.XXXXXX")
	source_make "$tree/usr/src/$1-$2" "$1" "$2"
	printf '%s\n' "${@:3}" >>"$tree/usr/src/$1-$2/dkms.conf"
	package_make "$1-source" "$2" "$tree"
}

motd() { cat "$R"/run/motd.d/*kmodsmith* "$R"/etc/motd.d/*kmodsmith* 2>/dev/null; }

lost_words() { printf '%s is on %s (running), and will not be on %s (booted next)' "$1" "$OLD" "$NEW"; }

# lost NAME CODE: what is said of it everywhere.
lost() {
	assert_equal "$(target "$1" "$NEW" lost_on_next_boot)" true "JSON of $1"
	run root_in kmodsmith status "$1"
	assert_equal "$status" "$2" "exit code of status"
	assert_contains "$output" "$(lost_words "$1")"
	assert_contains "$(motd)" "$(lost_words "$1")"
}

@test "all drivers are on both kernels: nothing is lost, and nothing is said" {
	for name in acme bolt chip dock; do
		assert_recorded "$name" "$OLD" "$name"
		assert_recorded "$name" "$NEW" "$name"
		assert_equal "$(target "$name" "$NEW" lost_on_next_boot)" "" "JSON of $name"
	done
	run root_in kmodsmith status
	assert_equal "$status" 0 "exit code of status"
	assert_lacks "$output" "booted next"
	assert_equal "$(motd)" "" "message of the day"
}

@test "one that an upgrade excludes from the new kernel: apt's last lines say it" {
	root_in kmodsmith uninstall acme -k "$NEW"
	run root_apt install "$(driver_package acme 1.1 "BUILD_EXCLUSIVE_KERNEL=\"^$OLD\$\"")"
	assert_equal "$status" 0 "exit code of apt"
	assert_contains "$(tail -n 12 <<<"$output")" "$(lost_words acme)"
	lost acme 4
}

@test "it is said once, and not at every transaction" {
	assert_lacks "$(root_apt install --reinstall hostname)" "booted next"
	lost acme 4
}

@test "one that does not build there" {
	root_in kmodsmith uninstall bolt -k "$NEW"
	printf '#error "not for this one"\n' >"$R/usr/src/bolt-1.0/new.h"
	printf 'ccflags-$(if $(findstring %s,$(KERNELRELEASE)),y) += -include $(src)/new.h\n' "$NEW" \
		>>"$R/usr/src/bolt-1.0/Makefile"
	run root_in kmodsmith sync
	assert_contains "$output" "$(lost_words bolt)"
	lost bolt 3
}

@test "one whose headers are missing" {
	root_apt remove "linux-headers-$NEW"
	root_in dkms unbuild chip/1.0 -k "$NEW"
	root_in kmodsmith sync || true
	assert_state chip "$NEW" waiting
	lost chip 4
	root_apt install "linux-headers-$NEW"
	assert_recorded chip "$NEW" chip
	assert_equal "$(target chip "$NEW" lost_on_next_boot)" "" "JSON of chip"
}

@test "one that the settings hold back" {
	root_in kmodsmith uninstall dock -k "$NEW"
	printf '[module dock]\nskip = true\n' >"$R/etc/kmodsmith/kmodsmith.conf"
	root_in kmodsmith sync || true
	lost dock 4
}
