# SPDX-License-Identifier: GPL-2.0-or-later
# set: quick
# A vendor ships /usr/src/NAME-VERSION/ with a dkms.conf in a package without any maintainer
# script, and that is enough.

load ../lib/root

setup_file() {
	root_new source-only bookworm-cloud
	K=$(root_kernels)
	export K
	root_install_kmodsmith >&2
}

teardown_file() { root_end; }

loaded_version() { root_exec modinfo -F version "$(module_file "$K" "$1")"; }

@test "installing a package that brings only a source builds and records its module" {
	deb=$(source_package vendor 1.0)
	root_apt install "$deb"
	assert_recorded vendor "$K" vendor
	assert_packages_fine
}

@test "its upgrade replaces module, record and state" {
	deb=$(source_package vendor 1.1)
	root_apt install "$deb"
	assert_recorded vendor "$K" vendor
	assert_equal "$(loaded_version vendor)" 1.1 "version of the installed module"
	[[ ! -e $R/var/lib/dkms/vendor/1.0 ]] || fail "the old version's state is left"
	assert_packages_fine
}

@test "plain dpkg -i does the same" {
	deb=$(source_package vendor 1.2)
	root_in dpkg -i "$deb"
	assert_recorded vendor "$K" vendor
	assert_equal "$(loaded_version vendor)" 1.2 "version of the installed module"
}

@test "an upgrade that does not compile keeps the module that worked" {
	deb=$(source_package vendor 2.0 'no_such_function();')
	run root_apt install "$deb"
	assert_equal "$status" 0 "exit code of apt"
	assert_contains "$output" "vendor/2.0 on $K"
	assert_contains "$output" no_such_function
	assert_equal "$(loaded_version vendor)" 1.2 "version of the installed module"
	run root_exec dpkg -S "$(module_file "$K" vendor)"
	assert_contains "$output" "$(record_name vendor "$K")"
	run root_in kmodsmith status
	assert_equal "$status" 3 "exit code of status"
	assert_contains "$output" "vendor/2.0 on $K: failed"
	assert_packages_fine
}

@test "the repaired version takes its place" {
	deb=$(source_package vendor 2.1)
	root_apt install "$deb"
	assert_recorded vendor "$K" vendor
	assert_equal "$(loaded_version vendor)" 2.1 "version of the installed module"
	run root_in kmodsmith status
	assert_equal "$status" 0 "exit code of status"
	for version in 1.2 2.0; do
		[[ ! -e $R/var/lib/dkms/vendor/$version ]] || fail "state of $version is left"
	done
}

@test "two packages in one transaction are built and recorded together" {
	one=$(source_package one 1) two=$(source_package two 1)
	root_apt install "$one" "$two"
	assert_recorded one "$K" one
	assert_recorded two "$K" two
}

@test "a source put there by hand is served by sync, and pruned when it goes" {
	source_make "$R/usr/src/byhand-1" byhand 1
	root_in kmodsmith sync
	assert_recorded byhand "$K" byhand
	rm -r "$R/usr/src/byhand-1"
	root_in kmodsmith sync
	assert_gone byhand "$K"
	[[ ! -e $R/var/lib/dkms/byhand ]] || fail "left: $(find "$R/var/lib/dkms/byhand")"
}

@test "the highest of several versions is used" {
	source_make "$R/usr/src/several-1.9" several 1.9
	source_make "$R/usr/src/several-1.10" several 1.10
	root_in kmodsmith sync
	assert_equal "$(loaded_version several)" 1.10 "version of the installed module"
	rm -r "$R/usr/src/several-1.10"
	root_in kmodsmith sync
	assert_equal "$(loaded_version several)" 1.9 "version after the higher one has gone"
	rm -r "$R/usr/src/several-1.9"
	root_in kmodsmith sync
	assert_gone several "$K"
}

@test "KMODSMITH=0 leaves a transaction alone, the next one catches up" {
	deb=$(source_package later 1)
	root_in env KMODSMITH=0 apt-get -y -q install "$deb"
	[[ -z $(module_file "$K" later) ]] || fail "built although KMODSMITH=0"
	root_in kmodsmith sync
	assert_recorded later "$K" later
}

@test "removing a package with apt removes module, record and state" {
	root_apt remove one-source
	assert_gone one "$K"
	[[ ! -e $R/var/lib/dkms/one ]] || fail "left: $(find "$R/var/lib/dkms/one")"
	assert_packages_fine
}

@test "plain dpkg -r and dpkg -P do the same" {
	root_in dpkg -r two-source
	assert_gone two "$K"
	root_in dpkg -P vendor-source
	assert_gone vendor "$K"
	assert_packages_fine
}
