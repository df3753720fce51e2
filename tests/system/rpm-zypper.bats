# SPDX-License-Identifier: GPL-2.0-or-later
# set: full
# on: bookworm trixie
# The same with zypper, which runs rpm once for each package: a kernel comes before its
# headers, and all its scriptlets for the end are run by zypper itself. The system calls
# itself openSUSE, whose modules go to updates/.

load ../lib/rpmroot

setup_file() {
	rpmroot_new rpm-zypper
	[[ -z ${SKIP:-} ]] || return 0
	sed -i 's/^ID=.*/ID=opensuse-leap/' "$R/etc/os-release"
	repo_hide "$K3"
	rpm_source_package alpha 1.0
	rpm_source_package beta 2.5
	rpmroot_offer_kmodsmith >&2
	root_zypper install kmodsmith-dkms >&2
	root_zypper install alpha-source beta-source >&2
	: >"$R/var/log/dracut.log"
	root_zypper update >"${R%/root}/update.log" && rc=0 || rc=$?
	echo "$rc" >"${R%/root}/rc-update"
}

teardown_file() { root_end; }

@test "zypper install of a source builds and records it" {
	assert_rpm_recorded alpha "$K1" alpha
	assert_contains "$(rpm_module_file "$K1" alpha)" "/lib/modules/$K1/updates/alpha.ko"
}

@test "zypper update brings the new kernel with all modules recorded" {
	assert_equal "$(cat "${R%/root}/rc-update")" 0 "exit code of zypper"
	assert_rpm_recorded alpha "$K2" alpha
	assert_rpm_recorded beta "$K2" beta
	assert_rpm_recorded alpha "$K1" alpha
	assert_rpm_fine
}

@test "the image has them" {
	assert_contains "$(cat "$R/boot/initramfs-$K2.img")" updates/alpha.ko
	assert_contains "$(cat "$R/boot/initramfs-$K2.img")" updates/beta.ko
}

@test "zypper sees the packages" {
	run root_zypper search --installed-only
	assert_contains "$output" "$(rpm_record alpha "$K2")"
	run root_zypper verify
	assert_equal "$status" 0 "zypper verify"
}

@test "zypper remove of a kernel takes its modules along" {
	root_zypper remove "kernel-core = $(kernel_evr "$K1")" "kernel-devel = $(kernel_evr "$K1")"
	assert_rpm_gone alpha "$K1"
	assert_rpm_gone beta "$K1"
	[[ ! -e $R/lib/modules/$K1 ]] || fail "left: $(find "$R/lib/modules/$K1")"
	assert_rpm_recorded alpha "$K2" alpha
	assert_rpm_fine
}

@test "zypper remove of a source package takes its modules along" {
	root_zypper remove beta-source
	assert_rpm_gone beta "$K2"
	assert_rpm_recorded alpha "$K2" alpha
	assert_rpm_fine
}
