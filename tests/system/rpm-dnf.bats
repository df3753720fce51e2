# SPDX-License-Identifier: GPL-2.0-or-later
# set: quick
# on: bookworm trixie
# An rpm system with source-only packages: "dnf upgrade" brings a kernel, and everything
# about modules is done in that transaction.

load ../lib/rpmroot

setup_file() {
	rpmroot_new rpm-dnf
	[[ -z ${SKIP:-} ]] || return 0
	repo_hide "$K3"
	rpm_source_package alpha 1.0
	rpm_source_package beta_b 2.5
	rpmroot_install_kmodsmith >&2
	root_dnf install alpha-source beta_b-source >&2
	# dnf has its images; what the next transaction makes is what counts
	: >"$R/var/log/dracut.log"
	root_dnf upgrade >"${R%/root}/upgrade.log" && rc=0 || rc=$?
	echo "$rc" >"${R%/root}/rc-upgrade"
}

teardown_file() { root_end; }

@test "dnf install of a source builds and records it on the kernel that is there" {
	assert_rpm_recorded alpha "$K1" alpha
	assert_rpm_recorded beta_b "$K1" beta_b
}

@test "dnf upgrade brings the new kernel with all modules recorded" {
	assert_equal "$(cat "${R%/root}/rc-upgrade")" 0 "exit code of dnf"
	assert_rpm_recorded alpha "$K2" alpha
	assert_rpm_recorded beta_b "$K2" beta_b
	assert_rpm_recorded alpha "$K1" alpha
}

@test "they are in place before dracut makes the image" {
	assert_dracut_saw "$K2" alpha beta_b
	assert_equal "$(grep -c -F "$K2: " "$R/var/log/dracut.log")" 1 "images made of $K2"
}

@test "rpm, dnf and zypper are content, and dnf finds nothing altered" {
	assert_rpm_fine
	assert_dnf_history_clean
	run root_zypper search --installed-only
	assert_contains "$output" "$(rpm_record alpha "$K2")"
}

@test "dnf remove of a kernel takes its modules along" {
	root_dnf remove "kernel-core-$(kernel_evr "$K1")" "kernel-devel-$(kernel_evr "$K1")"
	assert_rpm_gone alpha "$K1"
	assert_rpm_gone beta_b "$K1"
	[[ ! -e $R/lib/modules/$K1 ]] || fail "left: $(find "$R/lib/modules/$K1")"
	assert_rpm_recorded alpha "$K2" alpha
	assert_dnf_history_clean
}

@test "dnf remove of a source package takes its modules along" {
	root_dnf remove beta_b-source
	assert_rpm_gone beta_b "$K2"
	assert_rpm_recorded alpha "$K2" alpha
	assert_rpm_fine
	assert_dnf_history_clean
}
