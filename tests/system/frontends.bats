# SPDX-License-Identifier: GPL-2.0-or-later
# set: full
# The same upgrade through everything that people, desktops and timers use.

load ../lib/root

setup() {
	root_new "frontend-$BATS_TEST_NUMBER" bookworm-cloud
	root_upgrade cloud-amd64
	scenario_skipped
	root_install_kmodsmith >&2
	deb=$(source_package vendor 1.0)
	root_apt install acpi-call-dkms "$deb" >&2
	assert_recorded vendor "$OLD" vendor
}

teardown() { root_end; }

assert_upgraded() {
	assert_recorded acpi-call "$NEW" acpi_call
	assert_recorded vendor "$NEW" vendor
	assert_recorded vendor "$OLD" vendor
	assert_packages_fine
}

@test "apt-get dist-upgrade" {
	root_apt dist-upgrade
	assert_upgraded
}

@test "apt full-upgrade, with the output going nowhere" {
	root_exec apt -y full-upgrade </dev/null >/dev/null 2>&1 3>&-
	assert_upgraded
}

@test "aptitude full-upgrade" {
	root_apt install aptitude
	root_in aptitude -y full-upgrade
	assert_upgraded
	# aptitude removes unused packages unasked: the records must not look unused
	assert_recorded acpi-call "$OLD" acpi_call
}

@test "unattended-upgrades, which also removes old kernels with their modules" {
	older=$(root_exec apt-cache search --names-only '^linux-image-6\.1\.0-[0-9]+-cloud-amd64$' |
		sed -n 's/^linux-image-\([^ ]*\) .*/\1/p' | sort -V | head -n 1)
	root_apt install unattended-upgrades
	if [[ $older != "$OLD" ]]; then
		root_apt install "linux-image-$older" "linux-headers-$older"
		root_in apt-mark auto "linux-image-$older" "linux-headers-$older"
		root_in kmodsmith sync
		assert_recorded vendor "$older" vendor
	fi
	root_in unattended-upgrade -v
	assert_upgraded
	# it removes what its own run has made unused; a second run removes what was so before
	root_in unattended-upgrade -v
	if [[ $older != "$OLD" ]]; then
		[[ ! -e $R/boot/vmlinuz-$older ]] || fail "$older has been kept"
		assert_gone vendor "$older"
	fi
	assert_packages_fine
}

@test "plain dpkg -i, -r and -P" {
	root_apt install --download-only "linux-image-$NEW" "linux-headers-$NEW"
	mapfile -t debs < <(cd "$R" && find var/cache/apt/archives -maxdepth 1 \
		\( -name "linux-image-${NEW}_*.deb" -o -name "linux-headers-${NEW}_*.deb" \
		-o -name "linux-headers-${NEW%-cloud-amd64}-common_*.deb" \
		-o -name 'linux-kbuild-6.1_*_amd64.deb' \) -printf '/%p\n')
	root_in dpkg -i --skip-same-version "${debs[@]}"
	assert_upgraded
	root_in dpkg -r "linux-image-$NEW" "$(record_name vendor "$NEW")" "$(record_name acpi-call "$NEW")"
	assert_gone vendor "$NEW"
	assert_gone acpi-call "$NEW" acpi_call
	root_in dpkg -P "linux-image-$NEW"
	[[ -z $(find "$R/lib/modules/$NEW" -name '*.ko*' 2>/dev/null) ]] || fail "modules are left"
	root_in dpkg -P acpi-call-dkms
	assert_gone acpi-call "$OLD" acpi_call
	assert_recorded vendor "$OLD" vendor
	assert_packages_fine
}

@test "a record purged by hand comes back" {
	root_in dpkg -P "$(record_name vendor "$OLD")"
	assert_recorded vendor "$OLD" vendor
}
