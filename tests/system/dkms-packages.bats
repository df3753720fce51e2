# SPDX-License-Identifier: GPL-2.0-or-later
# set: long
# Debian's own *-dkms packages through kmodsmith: installed, installed again (which to
# their maintainer scripts is an upgrade) and removed. The ones that take long are left
# out here: dahdi-dkms, lttng-modules-dkms, xtables-addons-dkms, evdi-dkms,
# falcosecurity-scap-dkms; librem-ec-acpi-dkms, nvidia-fs-dkms, openrazer-driver-dkms
# and west-chamber-dkms do not build on this kernel.

load ../lib/root

PACKAGES="acpi-call-dkms bbswitch-dkms dm-writeboost-dkms dpdk-kmods-dkms tp-smapi-dkms
	v4l2loopback-dkms vpoll-dkms"

setup_file() {
	root_new dkms-packages bookworm-amd64
	K=$(root_kernels)
	export K
	root_install_kmodsmith >&2
}

teardown_file() { root_end; }

# Every module package has its modules in place, owned, and nothing failed.
all_in_place() {
	local package name
	for package in $PACKAGES; do
		assert_equal "$(root_query "$package" '${db:Status-Status}')" installed "$package"
	done
	run root_in dkms status
	assert_lacks "$output" broken
	assert_equal "$(grep -c ": installed$" <<<"$output")" 7 "modules installed"
	for name in acpi_call bbswitch dm-writeboost igb_uio thinkpad_ec v4l2loopback vpoll; do
		[[ -n $(module_file "$K" "$name") ]] || fail "no $name"
		root_exec dpkg -S "$(module_file "$K" "$name")" >/dev/null || fail "nobody owns $name"
	done
	assert_packages_fine
}

@test "they install" {
	# shellcheck disable=SC2086
	root_apt install $PACKAGES
	all_in_place
}

@test "they are installed again" {
	# shellcheck disable=SC2086
	root_apt install --reinstall $PACKAGES
	all_in_place
}

@test "they are removed" {
	# shellcheck disable=SC2086
	root_apt purge $PACKAGES
	assert_equal "$(root_in dkms status)" "" "dkms status"
	assert_equal "$(find "$R/lib/modules/$K" -path '*updates*' -name '*.ko*')" "" "files"
	assert_packages_fine
}
