# SPDX-License-Identifier: GPL-2.0-or-later
# set: quick
# The product's main promise: apt upgrades a real kernel, and when it returns every module
# package has been rebuilt, was in place before the initramfs was made, and is owned.

load ../lib/root

packages=(acpi-call-dkms bbswitch-dkms tp-smapi-dkms vpoll-dkms dm-writeboost-dkms
	falcosecurity-scap-dkms evdi-dkms v4l2loopback-dkms openrazer-driver-dkms)

setup_file() {
	root_new cloud-upgrade bookworm-cloud
	root_upgrade cloud-amd64
	[[ -z $SKIP ]] || return 0
	# a driver that is needed early, and a witness of what is there when initramfs-tools runs
	echo acpi_call >>"$R/etc/initramfs-tools/modules"
	cat >"$R/etc/kernel/postinst.d/50-witness" <<-'EOF'
	#!/bin/sh
	ls "/lib/modules/$1/updates/dkms" >"/var/log/witness-$1" 2>&1 || true
	EOF
	chmod 755 "$R/etc/kernel/postinst.d/50-witness"
	root_install_kmodsmith >&2
	# not a failure of setup: a test says what went wrong
	root_apt install "${packages[@]}" >&2 && rc=0 || rc=$?
	echo "$rc" >"${R%/root}/rc-packages"
	root_in apt -y upgrade >"${R%/root}/apt-upgrade.log" 2>&1 && rc=0 || rc=$?
	echo "$rc" >"${R%/root}/rc-upgrade"
}

teardown_file() { root_end; }

# module, then its files
for_each_module() {
	"$1" acpi-call "$2" acpi_call &&
		"$1" bbswitch "$2" bbswitch &&
		"$1" tp_smapi "$2" tp_smapi thinkpad_ec hdaps &&
		"$1" vpoll "$2" vpoll &&
		"$1" dm-writeboost "$2" dm-writeboost &&
		"$1" scap "$2" scap
}

@test "installing the packages succeeds" {
	assert_equal "$(cat "${R%/root}/rc-packages")" 0 "exit code of apt"
	assert_packages_fine
}

@test "all modules are recorded on the kernel that was there" {
	for_each_module assert_recorded "$OLD"
}

@test "apt upgrade brings the new kernel and succeeds" {
	assert_equal "$(cat "${R%/root}/rc-upgrade")" 0 "exit code of apt"
	assert_contains "$(root_kernels)" "$NEW"
	assert_packages_fine
}

@test "all modules are recorded on the new kernel, and still on the old one" {
	for_each_module assert_recorded "$NEW"
	for_each_module assert_recorded "$OLD"
}

@test "the records are automatic, as their kernels are" {
	run root_exec apt-mark showauto
	assert_contains "$output" "kmod-acpi-call-$NEW"
	assert_contains "$output" "kmod-acpi-call-$OLD"
	run root_exec apt-get -s -q autoremove
	assert_lacks "$output" "Remv"
}

@test "the modules were in place before the initramfs was made, once" {
	run cat "$R/var/log/witness-$NEW"
	for stem in acpi_call bbswitch tp_smapi vpoll dm-writeboost scap; do
		assert_contains "$output" "$stem.ko"
	done
	assert_in_initramfs "$NEW" acpi_call
	assert_in_initramfs "$OLD" acpi_call
	assert_equal "$(grep -c "Generating /boot/initrd.img-$NEW" "${R%/root}/apt-upgrade.log")" 1 \
		"initramfs generations of the new kernel"
}

@test "what this kernel cannot have is excluded, naming the symbol it lacks" {
	for module in evdi v4l2loopback openrazer-driver; do
		assert_state "$module" "$NEW" excluded
		assert_contains "$(target "$module" "$NEW" reason) $(target "$module" "$NEW" detail)" CONFIG_
	done
}

@test "status says so in words and exits with 0" {
	run root_in kmodsmith status
	assert_equal "$status" 0 "exit code"
	assert_contains "$output" "acpi-call/1.2.2 on $NEW: recorded"
	assert_contains "$output" "evdi/1.12.0+dfsg on $NEW: excluded"
}

@test "doing it again does nothing" {
	before=$(find "$R/lib/modules/$NEW/updates" -name '*.ko' -printf '%i %p\n' | sort)
	run root_in kmodsmith sync
	assert_equal "$status" 0 "exit code"
	assert_equal "$(find "$R/lib/modules/$NEW/updates" -name '*.ko' -printf '%i %p\n' | sort)" "$before"
	run root_in kmodsmith plan --json
	assert_equal "$(jq '.actions | length' <<<"$output")" 0 "actions left"
}

@test "tampering with a module is seen by dpkg -V and repaired by sync" {
	file=$(module_file "$NEW" vpoll)
	printf x >>"$R$file"
	run root_exec dpkg -V "$(record_name vpoll "$NEW")"
	assert_contains "$output" "$file"
	root_in kmodsmith sync
	assert_recorded vpoll "$NEW" vpoll
}

@test "a kernel that has become old goes with its records by autoremove" {
	# one older than the two that apt protects, as left by an earlier upgrade
	older=$(root_exec apt-cache search --names-only '^linux-image-6\.1\.0-[0-9]+-cloud-amd64$' |
		sed -n 's/^linux-image-\([^ ]*\) .*/\1/p' | sort -V | head -n 1)
	[[ $older != "$OLD" ]] || skip "the archive has no kernel older than $OLD"
	root_apt install "linux-image-$older" "linux-headers-$older"
	for_each_module assert_recorded "$older"
	root_in apt-mark auto "linux-image-$older" "linux-headers-$older"
	root_in kmodsmith sync
	root_apt autoremove --purge
	[[ ! -e $R/boot/vmlinuz-$older ]] || fail "the kernel has not been removed"
	for module in acpi-call bbswitch tp_smapi vpoll dm-writeboost scap; do
		assert_gone "$module" "$older"
		[[ ! -e $R/var/lib/dkms/$module/kernel-$older-x86_64 ]] || fail "$module's link is left"
	done
	[[ ! -e $R/lib/modules/$older ]] || fail "left: $(find "$R/lib/modules/$older")"
	for_each_module assert_recorded "$NEW"
	for_each_module assert_recorded "$OLD"
	assert_packages_fine
}

@test "removing a module's package removes its modules, records and state" {
	root_apt remove --purge vpoll-dkms
	for kernel in "$OLD" "$NEW"; do
		assert_gone vpoll "$kernel"
	done
	[[ ! -e $R/var/lib/dkms/vpoll ]] || fail "left: $(find "$R/var/lib/dkms/vpoll")"
	assert_packages_fine
	assert_recorded bbswitch "$NEW" bbswitch
}

@test "a kernel removed by name takes its records along" {
	root_apt remove --purge "linux-image-$OLD"
	assert_gone acpi-call "$OLD" acpi_call
	assert_packages_fine
	[[ -z $(find "$R/lib/modules/$OLD" -name '*.ko*' 2>/dev/null) ]] ||
		fail "left: $(find "$R/lib/modules/$OLD")"
	assert_recorded acpi-call "$NEW" acpi_call
}

@test "removing kmodsmith leaves nothing that breaks apt" {
	run root_apt remove kmodsmith
	assert_equal "$status" 0 "exit code"
	# the packages that need it go along, and their modules stay: all that is said is true
	assert_contains "$output" "kept until the end of the transaction; kmodsmith, if it is there then,"
	assert_contains "$(grep 'apt-mark manual' <<<"$output")" "$(record_name bbswitch "$NEW")"
	assert_equal "$(root_exec apt-get check -q >/dev/null 2>&1; echo $?)" 0 "apt-get check"
	root_apt install hostname
	root_in dpkg --configure -a
}

@test "purging it leaves dkms's state, the modules, and nothing of its own" {
	[[ -d $R/etc/kmodsmith && -d $R/var/lib/kmodsmith && -d $R/var/log/kmodsmith ]] ||
		fail "removed before"
	root_apt purge kmodsmith
	out=$(find "$R/etc" "$R/var/lib/kmodsmith" "$R/var/log/kmodsmith" \
		-name '*kmodsmith*' 2>/dev/null || true)
	[[ -z $out ]] || fail "left: $out"
	[[ -e $R/var/lib/dkms/bbswitch/kernel-$NEW-x86_64 ]] || fail "dkms's state is gone"
	[[ -n $(module_file "$NEW" bbswitch) ]] || fail "a module is gone"
	assert_equal "$(root_query "$(record_name bbswitch "$NEW")" '${db:Status-Status}')" \
		installed "its owner"
	assert_equal "$(root_exec apt-get check -q >/dev/null 2>&1; echo $?)" 0 "apt-get check"
}
