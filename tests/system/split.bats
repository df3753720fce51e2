# SPDX-License-Identifier: GPL-2.0-or-later
# set: long
# on: sid
# A kernel that Debian splits: its directory and the lists of its modules come with a package
# that the headers need as well, the modules with another, and the hooks are called by a third.

load ../lib/root

setup_file() {
	root_new split sid-amd64
	OLD=$(root_kernels)
	export OLD R_PREFIX=/usr
	ks_sources sid | sed 's/ sid / experimental /' >"$R/etc/apt/sources.list.d/next.list"
	root_apt update >&2
	NEW=$(root_exec apt-cache search --names-only '^linux-image-[0-9][^-]*(-[a-z0-9]+)?-amd64$' \
		</dev/null | sed 's/^linux-image-\([^ ]*\) .*/\1/' |
		grep -v -e "^$OLD$" -e cloud -e -rt- | sort -V | tail -n 1)
	[[ -n $NEW ]] || {
		export SKIP="the archive has only one kernel"
		return
	}
	CLOUD=${OLD%-amd64}-cloud-amd64
	export NEW CLOUD
	echo acpi_call >>"$R/etc/initramfs-tools/modules"
	root_install_kmodsmith >&2
	root_apt install acpi-call-dkms >&2
}

teardown_file() { root_end; }

# The record goes with the modules.
assert_recorded_with_modules() {
	assert_recorded acpi-call "$1" acpi_call || return 1
	assert_equal "$(root_query "$(record_name acpi-call "$1")" '${Depends}')" \
		"linux-modules-$1" "depends" || return 1
	assert_packages_fine
}

@test "modules are recorded with the package that has the kernel's own" {
	assert_recorded_with_modules "$OLD"
	assert_in_initramfs "$OLD" acpi_call
}

@test "a new kernel has its modules when its first image is made" {
	run root_apt install "linux-image-$NEW" "linux-headers-$NEW"
	assert_equal "$status" 0 "exit code of apt"
	assert_recorded_with_modules "$NEW"
	assert_in_initramfs "$NEW" acpi_call
	assert_equal "$(grep -c "Generating /boot/initrd.img-$NEW" <<<"$output")" 1 "images made"
	assert_recorded_with_modules "$OLD"
}

@test "headers alone are no kernel, though they bring lists of modules" {
	root_apt install "linux-headers-$CLOUD"
	[[ -s $R/lib/modules/$CLOUD/modules.order ]] || fail "no list: this tests nothing"
	assert_gone acpi-call "$CLOUD" acpi_call
	run root_in kmodsmith status
	assert_equal "$status" 0 "exit code"
	assert_lacks "$output" "$CLOUD: "
}

@test "a kernel whose headers were there first gets its modules" {
	root_apt install "linux-image-$CLOUD"
	assert_recorded_with_modules "$CLOUD"
	assert_in_initramfs "$CLOUD" acpi_call
}

@test "its packages installed again keep them" {
	root_apt install --reinstall "linux-modules-$CLOUD" "linux-base-$CLOUD" "linux-image-$CLOUD"
	assert_recorded_with_modules "$CLOUD"
	assert_in_initramfs "$CLOUD" acpi_call
}

@test "they go with the kernel's own modules, though its headers stay" {
	root_apt remove --purge "linux-image-$CLOUD" "linux-modules-$CLOUD"
	[[ -s $R/lib/modules/$CLOUD/modules.order ]] || fail "no list: this tests nothing"
	assert_gone acpi-call "$CLOUD" acpi_call
	run root_in kmodsmith status
	assert_equal "$status" 0 "exit code"
	assert_lacks "$output" "$CLOUD: "
	root_in dpkg-query -W -f '${Package} ${db:Status-Abbrev}\n' "*$CLOUD*"
	assert_packages_fine
}

@test "they go with a kernel that apt finds to be unused" {
	root_apt remove --purge "linux-image-$NEW" "linux-headers-$NEW"
	root_apt autoremove --purge
	assert_gone acpi-call "$NEW" acpi_call
	[[ ! -e $R/lib/modules/$NEW ]] || fail "left: $(find "$R/lib/modules/$NEW")"
	assert_recorded_with_modules "$OLD"
}
