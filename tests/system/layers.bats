# SPDX-License-Identifier: GPL-2.0-or-later
# set: full
# A module of a lower layer, as in the image of a container: overlayfs does not rename its
# directories (EXDEV). It is built again, upgraded and removed in the layer above.

load ../lib/root

setup_file() {
	local package
	root_new layers-image bookworm-cloud
	K=$(root_kernels)
	export K
	root_install_kmodsmith >&2
	package=$(source_package acme 1.0)
	root_apt install "$package" >&2
	assert_recorded acme/1.0 "$K" acme
	KEEP_ROOT=1 root_end
	root_new layers bookworm-cloud layers-image
}

teardown_file() {
	root_end
	ks_remove "$ks_out/scenarios/layers-image"
}

@test "built again it replaces the image's module" {
	before=$(sed -n 2p "$R/var/lib/dkms/acme/1.0/$K/x86_64/log/make.log")
	root_in kmodsmith sync --force
	[[ $(sed -n 2p "$R/var/lib/dkms/acme/1.0/$K/x86_64/log/make.log") != "$before" ]] || fail "not built"
	assert_recorded acme/1.0 "$K" acme
}

@test "an upgrade leaves nothing of it" {
	package=$(source_package acme 2.0)
	run root_apt install "$package"
	assert_equal "$status" 0 "exit code"
	assert_lacks "$output" "error:"
	assert_recorded acme/2.0 "$K" acme
	[[ ! -e $R/var/lib/dkms/acme/1.0 ]] || fail "the old version is still there"
	assert_packages_fine
}

@test "removed it leaves nothing" {
	root_apt purge acme-source
	assert_gone acme "$K"
	assert_equal "$(find "$R/var/lib/dkms" -mindepth 1 -maxdepth 1 -type d)" "" "trees"
	assert_packages_fine
}
