# SPDX-License-Identifier: GPL-2.0-or-later
# set: full
# A machine that has dkms and modules built by it: what is there is taken over as it is, and
# the way back is open.

load ../lib/root

setup_file() {
	root_new migration bookworm-cloud
	K=$(root_kernels)
	export K
	root_apt install dkms acpi-call-dkms bbswitch-dkms >&2
}

teardown_file() { root_end; }

@test "dkms has built them" {
	[[ -n $(module_file "$K" acpi_call) && -n $(module_file "$K" bbswitch) ]] || fail "dkms built nothing"
}

@test "kmodsmith takes the place of dkms and keeps the packages" {
	root_install_kmodsmith
	assert_equal "$(root_query dkms '${db:Status-Status}' || true)" config-files "dkms"
	assert_equal "$(root_query acpi-call-dkms '${db:Status-Status}')" installed "acpi-call-dkms"
	assert_recorded acpi-call "$K" acpi_call
	assert_recorded bbswitch "$K" bbswitch
	assert_packages_fine
}

@test "dkms's left-over hooks do no harm in the next upgrade" {
	root_upgrade cloud-amd64
	scenario_skipped
	root_in apt -y upgrade
	assert_recorded acpi-call "$NEW" acpi_call
	assert_recorded acpi-call "$K" acpi_call
	root_apt remove --purge "linux-image-$K"
	assert_gone acpi-call "$K" acpi_call
	assert_recorded acpi-call "$NEW" acpi_call
	assert_packages_fine
}

@test "every module package of the archive can be installed with it" {
	mapfile -t packages < <(root_exec apt-cache search --names-only -- '-dkms$' | awk '{ print $1 }' |
		grep -v -x -e dh-dkms)
	((${#packages[@]} > 20)) || fail "only ${#packages[@]} found"
	for package in "${packages[@]}"; do
		run root_exec apt-get -s -q install "$package"
		assert_equal "$status" 0 "apt-get -s install $package"
		assert_lacks "$output" "Inst dkms "
		assert_lacks "$output" "Remv kmodsmith"
	done
}

@test "the way back: dkms again" {
	root_apt install dkms
	assert_equal "$(root_query acpi-call-dkms '${db:Status-Status}')" installed "acpi-call-dkms"
	run root_in dkms status
	assert_contains "$output" acpi-call
	assert_equal "$(root_exec apt-get check -q >/dev/null 2>&1; echo $?)" 0 "apt-get check"
}
