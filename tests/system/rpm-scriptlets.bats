# SPDX-License-Identifier: GPL-2.0-or-later
# set: full
# on: bookworm trixie
# Packages written for dkms: they call it in their scriptlets, as Fedora's, RPM Fusion's and
# negativo17's do. Inside a transaction that only registers; all is built once, at its end.

load ../lib/rpmroot

setup_file() {
	rpmroot_new rpm-scriptlets
	[[ -z ${SKIP:-} ]] || return 0
	tree=$(mktemp -d "${R%/root}/package.XXXXXX")
	source_make "$tree/usr/src/fedora-1.0" fedora 1.0
	rpm_make fedora-dkms 1.0 "$tree" 'Requires: dkms' \
		'%post' 'dkms add -m fedora -v 1.0 -q --rpm_safe_upgrade' \
		'for kver in $(ls /lib/modules); do' \
		'  dkms build -m fedora -v 1.0 -k $kver -q && dkms install -m fedora -v 1.0 -k $kver -q --force' \
		'done' 'echo "post: $?" >>/var/log/scriptlets' \
		'%preun' 'dkms remove -m fedora -v 1.0 -q --all --rpm_safe_upgrade' \
		'echo "preun: $?" >>/var/log/scriptlets'
	tree=$(mktemp -d "${R%/root}/package.XXXXXX")
	source_make "$tree/usr/src/negativo-2.0" negativo 2.0
	rpm_make dkms-negativo 2.0 "$tree" 'Requires: dkms' \
		'%post' 'dkms add -m negativo -v 2.0 -q --rpm_safe_upgrade || :' \
		'dkms build -m negativo -v 2.0 -q --force || :' \
		'dkms install -m negativo -v 2.0 -q --force || :' \
		'%preun' 'dkms remove -m negativo -v 2.0 -q --all --rpm_safe_upgrade || :'
	rpmroot_offer_kmodsmith >&2
	# kmodsmith comes because it provides dkms, in the same transaction
	root_dnf install fedora-dkms dkms-negativo "kernel-core-$(kernel_evr "$K2")" \
		"kernel-devel-$(kernel_evr "$K2")" >"${R%/root}/install.log" && rc=0 || rc=$?
	echo "$rc" >"${R%/root}/rc"
	root_in kmodsmith status >&2 || true
}

teardown_file() { root_end; }

@test "they install together with what stands for dkms" {
	assert_equal "$(cat "${R%/root}/rc")" 0 "exit code of dnf"
	rpm_has kmodsmith-dkms || fail "kmodsmith-dkms was not installed"
	# built, before the image was made; recorded later, since rpm had no plugin yet
	assert_state fedora "$K1" installed
	assert_state negativo "$K2" installed
	assert_dracut_saw "$K2" fedora negativo
}

@test "the next transaction records them" {
	root_dnf reinstall dkms-negativo
	for K in "$K1" "$K2"; do
		assert_rpm_recorded fedora "$K" fedora
		assert_rpm_recorded negativo "$K" negativo
	done
	assert_rpm_fine
}

@test "with a new kernel each is built once" {
	root_dnf install "kernel-core-$(kernel_evr "$K3")" "kernel-devel-$(kernel_evr "$K3")"
	assert_rpm_recorded fedora "$K3" fedora
	assert_rpm_recorded negativo "$K3" negativo
	assert_dracut_saw "$K3" fedora negativo
	assert_dnf_history_clean last
}

@test "scriptlets only register, and all is built at the end" {
	# kmodsmith came as a dependency, and would go as one
	root_dnf mark install kmodsmith-dkms
	root_dnf remove fedora-dkms dkms-negativo
	for K in "$K1" "$K2" "$K3"; do
		assert_rpm_gone fedora "$K"
		assert_rpm_gone negativo "$K"
	done
	: >"$R/var/log/scriptlets"
	run root_dnf install fedora-dkms dkms-negativo
	assert_equal "$status" 0 "exit code of dnf"
	assert_equal "$(cat "$R/var/log/scriptlets")" "post: 0" "what the scriptlet saw"
	for K in "$K1" "$K2" "$K3"; do
		assert_rpm_recorded fedora "$K" fedora
		assert_rpm_recorded negativo "$K" negativo
	done
	assert_rpm_fine
}

@test "removed together with kmodsmith, nothing of them is left" {
	root_dnf mark remove kmodsmith-dkms
	root_dnf remove fedora-dkms dkms-negativo
	! rpm_has kmodsmith || fail "kmodsmith is still there"
	for K in "$K1" "$K2" "$K3"; do
		assert_rpm_gone fedora "$K"
		assert_rpm_gone negativo "$K"
	done
	assert_rpm_fine
}
