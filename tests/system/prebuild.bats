# SPDX-License-Identifier: GPL-2.0-or-later
# set: full
# When apt installs a kernel, the modules are built for it while dpkg unpacks; and nothing is
# begun where no kernel comes.

load ../lib/root

setup_file() {
	root_new prebuild bookworm-cloud
	root_upgrade cloud-amd64
	[[ -z $SKIP ]] || return 0
	echo 'update_initramfs=no' >"$R/etc/initramfs-tools/update-initramfs.conf"
	root_install_kmodsmith >&2
	source_make "$R/usr/src/good-1.0" good 1.0
	source_make "$R/usr/src/broken-1.0" broken 1.0
	printf '#if defined(BROKEN)\n#error the kernel is too new\n#endif\n' \
		>>"$R/usr/src/broken-1.0/broken.c"
	printf 'ccflags-$(if $(filter %s,$(KERNELRELEASE)),y) += -DBROKEN\n' "$NEW" \
		>>"$R/usr/src/broken-1.0/Makefile"
	root_in kmodsmith sync >&2
	root_apt install --download-only linux-image-cloud-amd64 linux-headers-cloud-amd64 >&2
	mkdir -p "${R%/root}/empty"
	EMPTY=$(package_make empty 1.0 "${R%/root}/empty")
	export EMPTY
}

teardown_file() { root_end; }

log() { grep -h "$@" "$R/var/log/kmodsmith/kmodsmith.log"; }

# Processes of the root that are kmodsmith.
running() {
	local pid
	for pid in /proc/[0-9]*; do
		[[ $(readlink "$pid/root" 2>/dev/null) != "$R"* ||
			$(cat "$pid/comm" 2>/dev/null) != kmodsmith ]] || echo "$pid"
	done
}

@test "nothing is begun for a dry run, another package, or who wants none" {
	root_apt install -o Debug::pkgDPkgPM=1 linux-image-cloud-amd64 linux-headers-cloud-amd64
	assert_equal "$(running)" "" "processes"
	root_apt install "$EMPTY"
	assert_equal "$(running)" "" "processes"
	root_apt install --reinstall -o Kmodsmith::Preflight=off "$EMPTY"
	run log preflight
	assert_equal "$output" "" "log"
}

@test "the modules are built before the kernel is configured, and taken from the store then" {
	run root_apt install linux-image-cloud-amd64 linux-headers-cloud-amd64
	assert_equal "$status" 0 "exit code of apt"
	assert_contains "$output" "error: broken/1.0 on $NEW: build failed"
	assert_recorded good "$NEW" good
	assert_recorded good "$OLD" good
	assert_state broken "$NEW" failed
	run log -n "good/1.0 on $NEW"
	assert_contains "${lines[0]}" "preflight: good/1.0 on $NEW: fits (it is built"
	assert_contains "${lines[1]}" "good/1.0 on $NEW: built"
	assert_equal "$(running)" "" "processes"
	[[ ! -e $R/var/lib/kmodsmith/incoming ]] || fail "the unpacked packages are left"
	assert_packages_fine
}

@test "when kmodsmith is removed apt works on, and says nothing of it" {
	root_apt remove kmodsmith
	[[ -e $R/etc/apt/apt.conf.d/05kmodsmith ]] || fail "the hook is gone: nothing is tested"
	run root_apt install --reinstall "$EMPTY"
	assert_equal "$status" 0 "exit code of apt"
	assert_lacks "$output" apt-hook
	assert_lacks "$output" "not found"
}
