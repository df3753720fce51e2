# SPDX-License-Identifier: GPL-2.0-or-later
# set: full
# The plain kernel, where more modules are available, and the natural failure: openrazer 3.5.1
# compiles for 6.1.0-47 and no more for those from -50 on.

load ../lib/root

setup_file() {
	root_new plain bookworm
	OLD=6.1.0-47-amd64
	NEW=$(root_candidate_kernel amd64)
	export OLD NEW
	[[ -n $(root_exec apt-cache madison "linux-image-$OLD" "linux-headers-$OLD") ]] || {
		export SKIP="the archive no longer has linux-image-$OLD"
		return
	}
	root_apt install "linux-image-$OLD" "linux-headers-$OLD" >&2
	root_install_kmodsmith >&2
	root_apt install acpi-call-dkms evdi-dkms v4l2loopback-dkms openrazer-driver-dkms >&2
	run root_apt install linux-image-amd64 linux-headers-amd64
	echo "$status" >"${R%/root}/rc-upgrade"
	printf '%s\n' "$output" >"${R%/root}/apt-upgrade.log"
}

teardown_file() { root_end; }

@test "all are recorded on the kernel that was there" {
	assert_recorded acpi-call "$OLD" acpi_call
	assert_recorded evdi "$OLD" evdi
	assert_recorded v4l2loopback "$OLD" v4l2loopback
	assert_recorded openrazer-driver "$OLD" razerkbd razermouse razerkraken razeraccessory
}

@test "apt succeeds, every package is configured, and openrazer is named at the end" {
	assert_equal "$(cat "${R%/root}/rc-upgrade")" 0 "exit code of apt"
	end=$(tail -n 12 "${R%/root}/apt-upgrade.log")
	assert_contains "$end" "openrazer-driver/3.5.1 on $NEW"
	assert_contains "$end" "hid_report_raw_event"
	assert_contains "$end" "kmodsmith log"
	assert_packages_fine
	[[ -s $R/boot/initrd.img-$NEW ]] || fail "no initramfs"
}

@test "the others are recorded on the new kernel, openrazer still on the old one" {
	assert_recorded acpi-call "$NEW" acpi_call
	assert_recorded evdi "$NEW" evdi
	assert_recorded v4l2loopback "$NEW" v4l2loopback
	assert_recorded openrazer-driver "$OLD" razerkbd razermouse razerkraken razeraccessory
}

@test "status calls it failed and exits with 3; a hook does not try it again, a person does" {
	run root_in kmodsmith status
	assert_equal "$status" 3 "exit code"
	assert_contains "$output" "openrazer-driver/3.5.1 on $NEW: failed"
	log=$R/var/lib/dkms/openrazer-driver/3.5.1/build/make.log
	before=$(stat -c '%i %y' "$log")
	root_in kmodsmith sync --trigger test
	assert_equal "$(stat -c '%i %y' "$log")" "$before" "make.log"
	root_in kmodsmith sync || true
	[ "$(stat -c '%i %y' "$log")" != "$before" ]
}
