# SPDX-License-Identifier: GPL-2.0-or-later
# set: full
# Packages and tarballs that go from one machine to another: one with kmodsmith (S), one
# with Debian's dkms (D), both with the same kernel.

load ../lib/root

setup_file() {
	root_new packages-dkms bookworm-cloud
	D=$R D_LOG=$ROOT_LOG
	root_apt install dkms >&2
	root_new packages-own bookworm-cloud
	S=$R S_LOG=$ROOT_LOG
	K=$(root_kernels)
	export D D_LOG S S_LOG K
	root_install_kmodsmith >&2
	source_make "$S/usr/src/vendor-1.0" vendor 1.0
	root_in kmodsmith sync >&2
}

teardown_file() {
	root_end
	R=$D root_end
}

on_dkms() { R=$D ROOT_LOG=$D_LOG "$@"; }

@test "an exported package works where there is no kmodsmith" {
	assert_recorded vendor "$K" vendor
	root_in kmodsmith export --format deb -o /root/out vendor
	cp "$S"/root/out/kmod-vendor-*.deb "$D/root/kmod.deb"
	on_dkms root_in dpkg -i /root/kmod.deb
	grep -q '^updates/dkms/vendor\.ko' "$D/lib/modules/$K/modules.dep" || fail "not in modules.dep"
	assert_equal "$(on_dkms root_exec modinfo -k "$K" -F version vendor)" 1.0 "version"
	assert_equal "$(on_dkms root_exec dpkg -V "kmod-vendor-$K")" "" "dpkg -V"
	on_dkms root_in dpkg -r "kmod-vendor-$K"
	! grep -q vendor "$D/lib/modules/$K/modules.dep" || fail "still in modules.dep"
	[[ ! -e $D/lib/modules/$K/updates/dkms/vendor.ko ]] || fail "still there"
}

@test "exported twice it is the same file" {
	root_in kmodsmith export --format deb -o /root/again vendor
	cmp "$S"/root/out/kmod-vendor-*.deb "$S"/root/again/kmod-vendor-*.deb
}

@test "dkms loads a tarball of kmodsmith and installs from it" {
	root_in dkms mktarball vendor/1.0 -k "$K" --archive /root/v.dkms.tar.gz
	cp "$S/root/v.dkms.tar.gz" "$D/root/"
	# dkms 3.0 exits with the last command's status: only the tree shows it
	on_dkms root_in dkms ldtarball /root/v.dkms.tar.gz || true
	assert_contains "$(on_dkms root_exec dkms status)" "vendor/1.0, $K, x86_64: built"
	on_dkms root_in dkms install vendor/1.0 -k "$K"
	assert_equal "$(on_dkms root_exec modinfo -k "$K" -F version vendor)" 1.0 "version"
	on_dkms root_in dkms remove vendor/1.0 --all
	rm -r "$D/usr/src/vendor-1.0"
}

@test "kmodsmith loads a tarball of dkms and installs it without building" {
	source_make "$D/usr/src/other-2.0" other 2.0
	on_dkms root_in dkms build other/2.0 -k "$K"
	on_dkms root_in dkms mktarball other/2.0 -k "$K" --archive /root/o.dkms.tar.gz
	cp "$D/root/o.dkms.tar.gz" "$S/root/"
	root_in dkms ldtarball /root/o.dkms.tar.gz
	assert_contains "$(root_exec dkms status)" "other/2.0, $K, x86_64: built"
	before=$(sha256sum <"$S/var/lib/dkms/other/2.0/$K/x86_64/module/other.ko")
	root_in dkms install other/2.0 -k "$K"
	assert_recorded other "$K" other
	assert_equal "$(sha256sum <"$S/lib/modules/$K/updates/dkms/other.ko")" "$before" "the module"
}

@test "mkdeb's package is built by dkms where there is dkms, by kmodsmith where that is" {
	root_in dkms mkdeb vendor/1.0
	deb=$(echo "$S"/var/lib/dkms/vendor/1.0/deb/*.deb)
	cp "$deb" "$D/root/vendor.deb"
	cp "$deb" "$S/root/vendor.deb"
	on_dkms root_in dpkg -i /root/vendor.deb
	assert_contains "$(on_dkms root_exec dkms status)" "vendor/1.0, $K, x86_64: installed"
	on_dkms root_in dpkg -r vendor-dkms
	assert_lacks "$(on_dkms root_exec dkms status)" vendor
	rm -r "$S/usr/src/vendor-1.0"
	root_in kmodsmith sync
	assert_gone vendor "$K"
	root_apt install /root/vendor.deb
	assert_recorded vendor "$K" vendor
	assert_packages_fine
	root_apt remove vendor-dkms
	assert_gone vendor "$K"
}

# mkdeb_of_old NAME SUFFIX: what an older dkms's mkdeb made of NAME's archive in /root.
mkdeb_of_old() {
	local tree=${R%/root}/old-$1
	mkdir -p "$tree/usr/share/$1-dkms" "$tree/DEBIAN"
	cp "$R/root/$1.dkms.tar.gz" "$tree/usr/share/$1-dkms/$1-1.0.dkms.tar.gz"
	printf '#!/bin/sh\nset -e\n/usr/lib/dkms/common.postinst %s 1.0 /usr/share/%s-dkms "" "$2"\n' "$1" "$1" >"$tree/DEBIAN/postinst"
	printf '#!/bin/sh\ncase $1 in remove|upgrade|deconfigure) dkms remove -m %s -v 1.0 --all ;; esac\n' "$1" >"$tree/DEBIAN/prerm"
	chmod 755 "$tree"/DEBIAN/*
	package_make "$1-dkms" "$2" "$tree"
}

@test "a package with nothing but an archive of its source is loaded, built, and goes with it" {
	source_make "$S/usr/src/old-1.0" old 1.0
	root_in dkms add old/1.0
	root_in dkms mktarball old/1.0 --source-only --archive /root/old.dkms.tar.gz
	root_in dkms remove old/1.0 --all
	rm -r "$S/usr/src/old-1.0"
	deb=$(mkdeb_of_old old 1)
	root_apt install "$deb"
	assert_recorded old "$K" old
	root_apt install --reinstall "$deb"
	assert_recorded old "$K" old
	root_apt remove old-dkms
	assert_gone old "$K"
	assert_packages_fine
}

@test "a package with nothing but an archive of what was built is loaded and installed" {
	source_make "$S/usr/src/bin-1.0" bin 1.0
	root_in dkms build bin/1.0 -k "$K"
	root_in dkms mktarball bin/1.0 -k "$K" --binaries-only --archive /root/bin.dkms.tar.gz
	root_in dkms remove bin/1.0 --all
	rm -r "$S/usr/src/bin-1.0"
	deb=$(mkdeb_of_old bin 1)
	root_apt install "$deb"
	assert_recorded bin "$K" bin
	root_apt remove bin-dkms
	assert_gone bin "$K"
}

@test "lint builds for the kernel and leaves no trace" {
	source_make "$S/root/good" good 1.0
	source_make "$S/root/bad" bad 1.0 'no_such_function();'
	chmod -R go-w "$S/root/good" "$S/root/bad"
	before=$(cd "$S" && find var/lib/dkms var/lib/kmodsmith/failed lib/modules usr/src/ var/tmp 2>/dev/null | sort)
	run root_in kmodsmith lint /root/good
	assert_equal "$status" 0 "exit code"
	assert_contains "$output" "good/1.0 on $K: builds"
	run root_in kmodsmith lint /root/bad
	assert_equal "$status" 3 "exit code"
	assert_contains "$output" "bad/1.0 on $K: failed"
	assert_contains "$output" no_such_function
	assert_equal "$(cd "$S" && find var/lib/dkms var/lib/kmodsmith/failed lib/modules usr/src/ var/tmp 2>/dev/null | sort)" "$before"
}

# --- the templates of doc/vendors.md

templates=${BATS_TEST_DIRNAME:-.}/../../packaging/vendor

@test "the template of a .deb builds, and its package is all that is needed" {
	root_new packages-deb bookworm-build
	mkdir -p "$R/root/acme"
	cp -r "$templates/deb/debian" "$R/root/acme/"
	source_make "$R/root/acme/src" acme 1.0
	root_sh 'cd /root/acme && dpkg-buildpackage -b -us -uc'
	cp "$R/root/acme-dkms_1.0-1_all.deb" "$S/root/"
	root_end
	R=$S ROOT_LOG=$S_LOG
	root_apt install /root/acme-dkms_1.0-1_all.deb
	assert_recorded acme "$K" acme
	assert_equal "$(root_exec sh -c 'ls /var/lib/dpkg/info/acme-dkms.*' | grep -cE 'inst$|rm$')" 0 "scripts"
}

acme_tarball() { # DIR
	source_make "$1/acme-1.0" acme 1.0
	tar -C "$1" -czf "$1/acme-1.0.tar.gz" acme-1.0
	rm -r "$1/acme-1.0"
}

@test "the template of an .rpm builds and installs" {
	on_dkms root_apt install rpm
	mkdir -p "$D/root/rpm/SOURCES"
	cp "$templates/rpm/acme.spec" "$D/root/rpm/"
	acme_tarball "$D/root/rpm/SOURCES"
	on_dkms root_in rpmbuild --define '_topdir /root/rpm' -bb /root/rpm/acme.spec
	on_dkms root_in rpm --root /root/rpmroot --initdb
	on_dkms root_sh 'rpm --root /root/rpmroot -i --nodeps /root/rpm/RPMS/noarch/acme-dkms-1.0-1.noarch.rpm'
	[[ -f $D/root/rpmroot/usr/src/acme-1.0/dkms.conf ]] || fail "no dkms.conf"
	assert_equal "$(on_dkms root_exec rpm --root /root/rpmroot -q --scripts acme-dkms)" "" "scripts"
}

@test "the template of a pacman package builds and installs" {
	on_dkms root_apt install pacman-package-manager makepkg fakeroot libarchive-tools
	mkdir -p "$D/build" "$D/root/pacroot/var/lib/pacman"
	cp "$templates/pacman/PKGBUILD" "$D/build/"
	acme_tarball "$D/build"
	chown -R nobody "$D/build"
	on_dkms root_sh 'cd /build && setpriv --reuid=65534 --clear-groups env HOME=/build PKGEXT=.pkg.tar.zst makepkg --nodeps'
	on_dkms root_sh 'pacman --root /root/pacroot --config /dev/null --noconfirm -U /build/acme-dkms-1.0-1-any.pkg.tar.zst'
	[[ -f $D/root/pacroot/usr/src/acme-1.0/dkms.conf ]] || fail "no dkms.conf"
}
