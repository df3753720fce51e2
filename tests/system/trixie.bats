# SPDX-License-Identifier: GPL-2.0-or-later
# set: full
# Debian 13: its packages ship /usr/lib/modules, its kernels compressed modules, its apt is 3.

load ../lib/root

setup_file() {
	root_new trixie trixie-cloud
	root_upgrade cloud-amd64
	[[ -z $SKIP ]] || return 0
	export R_PREFIX=/usr
	echo acpi_call >>"$R/etc/initramfs-tools/modules"
	root_install_kmodsmith >&2
	root_apt install acpi-call-dkms bbswitch-dkms vpoll-dkms dm-writeboost-dkms evdi-dkms >&2
	root_in apt -y upgrade >&2 && rc=0 || rc=$?
	echo "$rc" >"${R%/root}/rc-upgrade"
}

teardown_file() { root_end; }

for_each_module() {
	"$1" acpi-call "$2" acpi_call &&
		"$1" bbswitch "$2" bbswitch &&
		"$1" vpoll "$2" vpoll &&
		"$1" dm-writeboost "$2" dm-writeboost
}

@test "apt upgrade brings the new kernel with all modules recorded" {
	assert_equal "$(cat "${R%/root}/rc-upgrade")" 0 "exit code of apt"
	for_each_module assert_recorded "$NEW"
	for_each_module assert_recorded "$OLD"
	assert_packages_fine
}

@test "modules are compressed as this kernel's own are" {
	assert_contains "$(module_file "$NEW" acpi_call)" .ko.xz
	xz -t "$R$(module_file "$NEW" acpi_call)"
	assert_in_initramfs "$NEW" acpi_call
}

@test "the kernel's own tools resolve them" {
	run root_exec modprobe --set-version "$NEW" --show-depends acpi_call
	assert_equal "$status" 0 "exit code of modprobe"
	assert_contains "$output" "/updates/dkms/acpi_call.ko.xz"
}

@test "what this kernel cannot have is excluded" {
	assert_state evdi "$NEW" excluded
}

@test "removing packages and kernels takes everything along" {
	# without its headers, which want an image, apt would bring the unsigned one
	root_apt remove --purge vpoll-dkms "linux-image-$OLD" "linux-headers-$OLD"
	assert_gone vpoll "$NEW"
	assert_gone acpi-call "$OLD" acpi_call
	assert_recorded acpi-call "$NEW" acpi_call
	assert_packages_fine
}
