# SPDX-License-Identifier: GPL-2.0-or-later
# set: quick
# Headers that are not there, that come later and alone, and that go.

load ../lib/root

setup_file() {
	root_new headers bookworm-cloud
	root_upgrade cloud-amd64
	[[ -z $SKIP ]] || return 0
	echo vendor >>"$R/etc/initramfs-tools/modules"
	root_install_kmodsmith >&2
	root_apt remove --purge linux-headers-cloud-amd64 "linux-headers-$OLD" >&2
	root_apt autoremove --purge >&2
}

teardown_file() { root_end; }

@test "without headers a source waits, and the package to install is named" {
	deb=$(source_package vendor 1.0)
	run root_apt install "$deb"
	assert_equal "$status" 0 "exit code of apt"
	assert_contains "$output" "linux-headers-$OLD"
	assert_state vendor "$OLD" waiting
	assert_equal "$(target vendor "$OLD" reason)" headers-missing "reason"
	run root_in kmodsmith status
	assert_equal "$status" 4 "exit code of status"
	assert_contains "$output" "linux-headers-$OLD"
	assert_packages_fine
}

@test "headers that arrive alone complete the job, and refresh the initramfs" {
	root_apt install "linux-headers-$OLD"
	assert_recorded vendor "$OLD" vendor
	assert_in_initramfs "$OLD" vendor
	run root_in kmodsmith status
	assert_equal "$status" 0 "exit code of status"
}

@test "an image that comes without headers is waited for, and named" {
	run root_apt install "linux-image-$NEW"
	assert_equal "$status" 0 "exit code of apt"
	assert_contains "$output" "linux-headers-$NEW"
	assert_state vendor "$NEW" waiting
	assert_recorded vendor "$OLD" vendor
	assert_packages_fine
}

@test "its headers, installed by plain dpkg, complete it" {
	root_apt install --download-only "linux-headers-$NEW"
	mapfile -t debs < <(cd "$R" && find var/cache/apt/archives -maxdepth 1 \
		\( -name "linux-headers-${NEW}_*.deb" -o -name "linux-headers-${NEW%-cloud-amd64}-common_*.deb" \
		-o -name 'linux-kbuild-6.1_*_amd64.deb' \) -printf '/%p\n')
	root_in dpkg -i --skip-same-version "${debs[@]}"
	assert_recorded vendor "$NEW" vendor
	assert_in_initramfs "$NEW" vendor
	assert_packages_fine
}

@test "removing headers takes no module away" {
	root_apt remove --purge "linux-headers-$OLD"
	assert_recorded vendor "$OLD" vendor
	assert_packages_fine
}

@test "a new version waits where headers are gone, and the old module stays there" {
	deb=$(source_package vendor 1.1)
	run root_apt install "$deb"
	assert_equal "$status" 0 "exit code of apt"
	assert_recorded vendor/1.1 "$NEW" vendor
	assert_state vendor/1.1 "$OLD" waiting
	assert_equal "$(root_exec modinfo -F version "$(module_file "$OLD" vendor)")" 1.0 \
		"version on $OLD"
	run root_exec dpkg -S "$(module_file "$OLD" vendor)"
	assert_contains "$output" "$(record_name vendor "$OLD")"
	assert_packages_fine
}

@test "a kernel of another maker: its headers are named, and what keeps them coming" {
	local release=6.8.12-4-pve repo=$R/srv/repo tree deb
	mkdir -p "$repo"
	package() { # NAME [FIELD...]
		tree=$(mktemp -d "${R%/root}/package.XXXXXX")
		[[ $1 != *-signed ]] || {
			mkdir -p "$tree/lib/modules/$release/kernel"
			touch "$tree/lib/modules/$release/"{modules.order,kernel/README}
		}
		deb=$(package_make "$1" 1.0 "$tree" "${@:2}")
	}
	package "proxmox-headers-$release" && mv "$R$deb" "$repo"
	package proxmox-default-headers "Depends: proxmox-headers-$release" && mv "$R$deb" "$repo"
	(cd "$repo" && dpkg-scanpackages -m . >Packages)
	echo 'deb [trusted=yes] file:/srv/repo ./' >"$R/etc/apt/sources.list.d/local.list"
	root_apt update
	source_make "$R/usr/src/late-1.0" late 1.0
	package "proxmox-kernel-$release-signed"
	run root_in dpkg -i "$deb"
	assert_contains "$output" "install the package 'proxmox-headers-$release'; the rest"
	package proxmox-default-kernel "Depends: proxmox-kernel-$release-signed"
	root_in dpkg -i "$deb"
	run root_in kmodsmith sync --kernel "$release"
	assert_equal "$status" 4 "exit code of sync"
	assert_contains "$output" "'proxmox-headers-$release', or 'proxmox-default-headers'"
}
