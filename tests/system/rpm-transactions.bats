# SPDX-License-Identifier: GPL-2.0-or-later
# set: full
# on: bookworm trixie
# What can come in one transaction, or in the wrong order, with dnf and plain rpm.

load ../lib/rpmroot

setup_file() {
	rpmroot_new rpm-transactions
	[[ -z ${SKIP:-} ]] || return 0
	rpm_source_package alpha 1.0
	rpm_source_package alpha 1.1
	rpm_source_package beta 2.5
	rpmroot_install_kmodsmith >&2
}

teardown_file() { root_end; }

@test "two kernels and two modules in one transaction" {
	root_dnf install "kernel-core-$(kernel_evr "$K2")" "kernel-devel-$(kernel_evr "$K2")" \
		"kernel-core-$(kernel_evr "$K3")" "kernel-devel-$(kernel_evr "$K3")" \
		alpha-source-1.0 beta-source
	for K in "$K1" "$K2" "$K3"; do
		assert_rpm_recorded alpha "$K" alpha
		assert_rpm_recorded beta "$K" beta
	done
	assert_dracut_saw "$K2" alpha beta
	assert_dracut_saw "$K3" alpha beta
	assert_rpm_fine
	assert_dnf_history_clean
}

@test "another version of a source takes the place of the first" {
	root_dnf upgrade alpha-source
	for K in "$K1" "$K2" "$K3"; do
		assert_rpm_recorded alpha/1.1 "$K" alpha
		assert_equal "$(rpm_query -a --qf '%{version}\n' "$(rpm_record alpha "$K")")" 1.1 version
	done
	run root_exec modinfo -F version "$(rpm_module_file "$K2" alpha)"
	assert_equal "$output" 1.1 "version of the module"
	root_dnf downgrade alpha-source
	assert_rpm_recorded alpha/1.0 "$K2" alpha
	root_dnf reinstall alpha-source
	assert_rpm_recorded alpha/1.0 "$K2" alpha
	assert_rpm_fine
	assert_dnf_history_clean
}

@test "rpm --test and --justdb change nothing of ours" {
	before=$(rpm_query -qa 'kmod-*' | sort)
	root_sh 'rpm -U --test "$@"' rpm /srv/rpm/modules/alpha-source-1.1-1.rpm
	root_sh 'rpm -e --test beta-source'
	assert_equal "$(rpm_query -qa 'kmod-*' | sort)" "$before" "records"
	assert_rpm_recorded beta "$K2" beta
	root_sh 'rpm -e --justdb beta-source && rpm -i --justdb /srv/rpm/modules/beta-source-2.5-1.rpm'
	assert_equal "$(rpm_query -qa 'kmod-*' | sort)" "$before" "records"
	assert_rpm_recorded beta "$K2" beta
}

@test "what --noplugins left undone, the next transaction heals" {
	root_sh 'rpm -e --noplugins beta-source'
	rpm_has "$(rpm_record beta "$K2")" || fail "the plugin ran"
	root_sh 'rpm -U --noplugins /srv/rpm/modules/alpha-source-1.1-1.rpm'
	assert_lacks "$(target alpha/1.1 "$K2" state)" recorded
	rpm_source_package gamma 0.1
	root_sh 'rpm -i /srv/rpm/modules/gamma-source-0.1-1.rpm'
	assert_rpm_gone beta "$K2"
	assert_rpm_recorded alpha/1.1 "$K2" alpha
	assert_rpm_recorded gamma "$K2" gamma
	assert_rpm_fine
}

@test "what --noplugins left undone, kmodsmith sync heals" {
	root_sh 'rpm -e --noplugins gamma-source'
	root_in kmodsmith sync
	assert_rpm_gone gamma "$K2"
	root_sh 'rpm -i --noplugins /srv/rpm/modules/beta-source-2.5-1.rpm'
	root_in kmodsmith sync
	assert_rpm_recorded beta "$K2" beta
	assert_rpm_fine
}

@test "plain rpm -e of a kernel takes its modules along" {
	root_sh 'rpm -e "$@"' rpm "kernel-core-$(kernel_evr "$K2")" "kernel-devel-$(kernel_evr "$K2")"
	assert_rpm_gone alpha "$K2"
	assert_rpm_gone beta "$K2"
	[[ ! -e $R/lib/modules/$K2 ]] || fail "left: $(find "$R/lib/modules/$K2")"
	root_sh 'rpm -e "$@"' rpm "kernel-core-$(kernel_evr "$K3")" "kernel-devel-$(kernel_evr "$K3")"
	assert_rpm_gone alpha "$K3"
	assert_rpm_recorded alpha "$K1" alpha
	assert_rpm_fine
}

@test "the kernel first, its headers in a later transaction" {
	: >"$R/var/log/dracut.log"
	root_dnf install "kernel-core-$(kernel_evr "$K2")"
	assert_state alpha "$K2" waiting
	assert_rpm_gone alpha "$K2"
	root_dnf install "kernel-devel-$(kernel_evr "$K2")"
	assert_rpm_recorded alpha "$K2" alpha
	assert_rpm_recorded beta "$K2" beta
	assert_contains "$(cat "$R/boot/initramfs-$K2.img")" extra/alpha.ko
	assert_rpm_fine
}

@test "the limit on kernels pushes out the oldest with its modules" {
	root_dnf --setopt=installonly_limit=2 install "kernel-core-$(kernel_evr "$K3")" \
		"kernel-devel-$(kernel_evr "$K3")"
	assert_rpm_gone alpha "$K1"
	assert_rpm_gone beta "$K1"
	[[ ! -e $R/lib/modules/$K1 ]] || fail "left: $(find "$R/lib/modules/$K1")"
	assert_rpm_recorded alpha "$K3" alpha
	assert_rpm_recorded alpha "$K2" alpha
	assert_dracut_saw "$K3" alpha beta
	assert_rpm_fine
}
