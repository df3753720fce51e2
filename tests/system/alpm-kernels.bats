# SPDX-License-Identifier: GPL-2.0-or-later
# set: full
# on: bookworm trixie
# Two kernels, headers that come later, sources that come, change and go, builds that fail,
# and removals in all combinations, by pacman.

load ../lib/alpmroot

setup_file() {
	alpm_new alpm-kernels
	[[ -z ${SKIP:-} ]] || return 0
	alpm_publish "linux-$(version_of "$NEW")" "linux-headers-$(version_of "$NEW")"
	for args in "vendor 1" "vendor 2" "wrong 1 no_such_function();"; do
		# shellcheck disable=SC2086
		source_pacman $args >&2
	done
	# as packages of the AUR are cut: more files, and a dependency on dkms
	tree=$(mktemp -d "$R/srv/tree.XXXXXX")
	chmod 755 "$tree"
	source_make "$tree/usr/src/aur-3" aur 3
	mkdir -p "$tree/etc/modprobe.d" && echo "options aur x=1" >"$tree/etc/modprobe.d/aur.conf"
	root_in /srv/packages/pack "${tree#"$R"}" aur-dkms 3-1 depend=dkms >&2
	alpm_install_kmodsmith >&2
}

teardown_file() { root_end; }

pkg() { printf '/srv/packages/%s-x86_64.pkg.tar.zst\n' "$1"; }

@test "a kernel without headers: pacman succeeds, and the module waits for a named package" {
	alpm -S linux
	run alpm -U "$(pkg vendor-source-1-1)" "$(pkg aur-dkms-3-1)"
	assert_equal "$status" 0 "exit code of pacman"
	assert_state vendor "$NEW" waiting
	assert_contains "$output" linux-headers
	assert_packages_fine
}

@test "the headers come: the modules are built, and an image without them is reported" {
	run alpm -S linux-headers
	assert_equal "$status" 0 "exit code of pacman"
	assert_recorded vendor "$NEW" vendor
	assert_recorded aur "$NEW" aur
	assert_contains "$output" "the initramfs of $NEW was not made again: 'mkinitcpio -p linux'"
	assert_lacks "$(cat "$R/boot/initramfs-linux.img")" vendor.ko
	assert_packages_fine
}

@test "a second kernel gets the modules as well" {
	[[ -n $LTS ]] || skip "the archive has no third kernel"
	run alpm -U "$(pkg "linux-lts-$(version_of "$LTS")-1")" \
		"$(pkg "linux-lts-headers-$(version_of "$LTS")-1")"
	assert_equal "$status" 0 "exit code of pacman"
	assert_lacks "$output" "was not made again"
	for kernel in "$NEW" "$LTS"; do
		assert_recorded vendor "$kernel" vendor
		assert_recorded aur "$kernel" aur
	done
	assert_contains "$(cat "$R/boot/initramfs-linux-lts.img")" vendor.ko
	assert_packages_fine
}

@test "another version of the source takes the place of the old one everywhere" {
	run alpm -U "$(pkg vendor-source-2-1)"
	assert_equal "$status" 0 "exit code of pacman"
	for kernel in "$NEW" ${LTS:+"$LTS"}; do
		assert_recorded vendor "$kernel" vendor
		assert_equal "$(root_exec modinfo -F version "$(module_file "$kernel" vendor)")" 2
		assert_equal "$(root_exec pacman -Q "$(record_name vendor "$kernel")")" \
			"$(record_name vendor "$kernel") 2-1" "record"
	done
	assert_packages_fine
}

@test "a module that does not compile: the others are recorded, pacman succeeds, it is said last" {
	alpm -Rns vendor-source
	run alpm -U "$(pkg wrong-source-1-1)" "$(pkg vendor-source-1-1)"
	assert_equal "$status" 0 "exit code of pacman"
	assert_state wrong "$NEW" failed
	assert_recorded vendor "$NEW" vendor
	said=${output##*recorded as}
	assert_contains "$said" "wrong/1 on $NEW: build failed"
	assert_contains "$said" no_such_function
	assert_packages_fine
	alpm -Rns wrong-source
}

@test "a file of another package is never taken: the conflict is reported, and its owner named" {
	tree=$(mktemp -d "$R/srv/tree.XXXXXX")
	source_make "$tree/usr/src/taken-1" taken 1
	root_in /srv/packages/pack "${tree#"$R"}" taken-source 1-1
	mkdir -p "$tree.x/usr/lib/modules/$NEW/updates/dkms" && chmod -R 755 "$tree.x"
	suffix=$(module_file "$NEW" vendor) suffix=${suffix##*.ko}
	echo mine >"$tree.x/usr/lib/modules/$NEW/updates/dkms/taken.ko$suffix"
	root_in /srv/packages/pack "${tree#"$R"}.x" owner 1-1
	alpm -U "$(pkg owner-1-1)"
	run alpm -U "$(pkg taken-source-1-1)"
	assert_equal "$status" 0 "exit code of pacman"
	assert_contains "$output" "belongs to package 'owner'"
	assert_equal "$(owner_of "/usr/lib/modules/$NEW/updates/dkms/taken.ko$suffix")" owner
	run root_exec pacman -Qq "$(record_name taken "$NEW")"
	assert_equal "$status" 1 "exit code of pacman -Q for a record of it"
	root_exec pacman -Qkk owner
	root_exec pacman -Dk
	alpm -Rns taken-source owner
	assert_gone taken "$NEW"
	assert_packages_fine
}

@test "a record removed by hand: clean, and built again only when asked for" {
	alpm -Rns "$(record_name vendor "$NEW")"
	assert_gone vendor "$NEW"
	assert_recorded aur "$NEW" aur
	assert_packages_fine
	root_in kmodsmith sync
	assert_recorded vendor "$NEW" vendor
}

@test "pacman -Rns of a kernel takes its modules and records, and its directory" {
	[[ -n $LTS ]] || skip "the archive has no third kernel"
	run alpm -Rns linux-lts linux-lts-headers
	assert_equal "$status" 0 "exit code of pacman"
	assert_lacks "$output" error:
	assert_gone vendor "$LTS"
	assert_gone aur "$LTS"
	[[ ! -e $R/usr/lib/modules/$LTS ]] || fail "left: $(find "$R/usr/lib/modules/$LTS")"
	assert_recorded vendor "$NEW" vendor
	assert_packages_fine
}

@test "kernel, headers, source and kmodsmith removed in one go leave nothing" {
	alpm -Rns aur-dkms
	run alpm -Rns linux linux-headers vendor-source kmodsmith
	assert_equal "$status" 0 "exit code of pacman"
	assert_lacks "$output" error:
	assert_equal "$(root_exec pacman -Qq | grep -c ^kmod-)" 0 "records left"
	[[ ! -e $R/usr/lib/modules/$NEW ]] || fail "left: $(find "$R/usr/lib/modules/$NEW")"
	assert_equal "$(find "$R/usr/share/libalpm/hooks" -name '*kmodsmith*')" "" "hooks left"
	[[ ! -e $R/var/lib/kmodsmith ]] || fail "left: $(find "$R/var/lib/kmodsmith")"
	root_exec pacman -Dk
}
