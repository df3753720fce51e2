# SPDX-License-Identifier: GPL-2.0-or-later
# set: quick
# A module that does not compile for the incoming kernel, and sources that are no sources.

load ../lib/root

setup_file() {
	root_new failure bookworm-cloud
	root_upgrade cloud-amd64
	[[ -z $SKIP ]] || return 0
	root_install_kmodsmith >&2
	# one that is served whatever happens beside it
	deb=$(source_package sturdy 1.0)
	root_apt install "$deb" >&2
}

# what one test has left must not be seen by the next
teardown() {
	rm -rf "${R:?}"/usr/src/{evil,nameless,empty,binary,loop,inner,users,junk,stray}-1.0
}

teardown_file() { root_end; }

# A module that uses what the new kernel no longer has.
fragile_package() {
	local tree
	tree=$(mktemp -d "${R%/root}/package.XXXXXX")
	source_make "$tree/usr/src/fragile-$1" fragile "$1" $'\n#ifdef NEW_KERNEL\nvanished_function();\n#endif'
	printf 'ccflags-$(if $(findstring %s,$(KERNELRELEASE)),y) += -DNEW_KERNEL\n' "$NEW" \
		>>"$tree/usr/src/fragile-$1/Makefile"
	package_make fragile-source "$1" "$tree"
}

motd() { cat "$R"/run/motd.d/*kmodsmith* "$R"/etc/motd.d/*kmodsmith* 2>/dev/null; }

@test "it builds on the kernel that is there" {
	deb=$(fragile_package 1.0)
	root_apt install "$deb"
	assert_recorded fragile "$OLD" fragile
	assert_equal "$(motd)" "" "message of the day"
}

@test "the kernel's upgrade succeeds all the same and names it at the end" {
	run root_in apt -y upgrade
	assert_equal "$status" 0 "exit code of apt"
	end=$(tail -n 12 <<<"$output")
	assert_contains "$end" "fragile/1.0 on $NEW"
	assert_contains "$end" "vanished_function"
	assert_contains "$end" "kmodsmith log"
	assert_packages_fine
}

@test "the new kernel can boot, and has all the other modules" {
	[[ -s $R/boot/vmlinuz-$NEW && -s $R/boot/initrd.img-$NEW ]] || fail "no kernel or no initramfs"
	assert_recorded sturdy "$NEW" sturdy
	assert_recorded fragile "$OLD" fragile
	assert_recorded sturdy "$OLD" sturdy
}

@test "status calls it failed, says why, and exits with 3" {
	run root_in kmodsmith status
	assert_equal "$status" 3 "exit code"
	assert_contains "$output" "fragile/1.0 on $NEW: failed"
	assert_state fragile "$NEW" failed
	run root_in kmodsmith log fragile
	assert_contains "$output" "vanished_function"
}

@test "whoever logs in sees it" {
	assert_contains "$(motd)" fragile
}

@test "it is not compiled again while nothing changes" {
	log=$R/var/lib/dkms/fragile/1.0/build/make.log
	[[ -e $log ]] || fail "no make.log in dkms's place"
	before=$(stat -c '%i %y' "$log")
	root_in kmodsmith sync --trigger test || true
	root_apt install hostname
	assert_equal "$(stat -c '%i %y' "$log")" "$before" "make.log"
	assert_state fragile "$NEW" failed
}

@test "it is compiled again when a person asks" {
	log=$R/var/lib/dkms/fragile/1.0/build/make.log
	before=$(stat -c '%i %y' "$log")
	run root_in kmodsmith sync
	assert_equal "$status" 3 "exit code of sync"
	[[ $(stat -c '%i %y' "$log") != "$before" ]] || fail "it was not tried"
}

@test "it is built when its source is repaired, and all is quiet again" {
	sed -i 's/vanished_function();//' "$R/usr/src/fragile-1.0/fragile.c"
	root_in kmodsmith sync
	assert_recorded fragile "$NEW" fragile
	run root_in kmodsmith status
	assert_equal "$status" 0 "exit code of status"
	assert_equal "$(motd)" "" "message of the day"
}

@test "a failure on two kernels has two logs, gone with the failures" {
	cp "$R/usr/src/fragile-1.0/fragile.c" "$BATS_FILE_TMPDIR/fragile.c"
	echo '#error broken' >>"$R/usr/src/fragile-1.0/fragile.c"
	root_in kmodsmith sync || true
	for kernel in "$OLD" "$NEW"; do
		assert_state fragile "$kernel" failed
		assert_contains "$(root_in kmodsmith -q log fragile -k "$kernel")" \
			"make.log for fragile/1.0 for kernel $kernel ("
	done
	# not as it was: that is built already
	{ cat "$BATS_FILE_TMPDIR/fragile.c" && echo '/* mended */'; } >"$R/usr/src/fragile-1.0/fragile.c"
	root_in kmodsmith sync
	assert_equal "$(find "$R/var/lib/kmodsmith/failed" -type f 2>/dev/null)" "" "what is left of the failures"
	assert_recorded fragile "$OLD" fragile
	assert_recorded fragile "$NEW" fragile
}

# --- bad input: each is named with its file, and nothing else is affected ---------------

# assert_refused WHAT: sync and status name it; the others are as before.
assert_refused() {
	run root_in kmodsmith sync
	assert_contains "$output" "$1"
	run root_in kmodsmith status
	assert_contains "$output" "$1"
	((status != 0)) || fail "status exits with 0"
	assert_recorded sturdy "$NEW" sturdy
	assert_recorded fragile "$NEW" fragile
	assert_packages_fine
}

drop_source() {
	rm -rf "${R:?}/usr/src/$1"
	root_in kmodsmith sync
	run root_in kmodsmith status
	assert_equal "$status" 0 "exit code of status without it"
}

@test "a name that leads out of the tree is refused" {
	source_make "$R/usr/src/evil-1.0" evil 1.0
	sed -i 's|^PACKAGE_NAME=.*|PACKAGE_NAME="../../../etc/evil"|' "$R/usr/src/evil-1.0/dkms.conf"
	assert_refused /usr/src/evil-1.0/dkms.conf:1
	[[ -z $(find "$R/etc" "$R/var/lib" -name '*evil*') ]] || fail "something has been created"
	drop_source evil-1.0
}

@test "a missing PACKAGE_NAME is named" {
	source_make "$R/usr/src/nameless-1.0" nameless 1.0
	sed -i '/^PACKAGE_NAME=/d' "$R/usr/src/nameless-1.0/dkms.conf"
	assert_refused /usr/src/nameless-1.0/dkms.conf
	drop_source nameless-1.0
}

@test "an empty and a binary conf are named" {
	mkdir -p "$R/usr/src/empty-1.0" "$R/usr/src/binary-1.0"
	: >"$R/usr/src/empty-1.0/dkms.conf"
	head -c 4096 "$R/bin/true" >"$R/usr/src/binary-1.0/dkms.conf"
	assert_refused /usr/src/empty-1.0/dkms.conf
	assert_refused /usr/src/binary-1.0/dkms.conf
	rm -r "$R/usr/src/empty-1.0"
	drop_source binary-1.0
}

@test "a loop of symbolic links is named" {
	ln -s loop-1.0 "$R/usr/src/loop-1.0"
	source_make "$R/usr/src/inner-1.0" inner 1.0
	ln -sf dkms.conf "$R/usr/src/inner-1.0/dkms.conf"
	assert_refused /usr/src/inner-1.0
	rm "$R/usr/src/loop-1.0"
	drop_source inner-1.0
}

@test "a source that belongs to a user runs nothing as root" {
	source_make "$R/usr/src/users-1.0" users 1.0
	cat >"$R/usr/src/users-1.0/evil.sh" <<-'EOF'
	#!/bin/sh
	echo gotcha >/etc/evil
	EOF
	chmod 755 "$R/usr/src/users-1.0/evil.sh"
	printf 'POST_INSTALL="evil.sh"\nPRE_BUILD="evil.sh"\n' >>"$R/usr/src/users-1.0/dkms.conf"
	printf '$(shell echo gotcha >/etc/evil)\n' >>"$R/usr/src/users-1.0/Makefile"
	chown -R 1000:1000 "$R/usr/src/users-1.0"
	root_in kmodsmith sync || true
	[[ ! -e $R/etc/evil ]] || fail "it has written to /etc as root"
	run root_in kmodsmith status
	assert_contains "$output" users
	drop_source users-1.0
}

@test "a module file that is none is refused" {
	source_make "$R/usr/src/junk-1.0" junk 1.0
	printf 'MAKE[0]="echo junk >junk.ko"\nCLEAN="true"\n' >>"$R/usr/src/junk-1.0/dkms.conf"
	run root_in kmodsmith sync
	assert_contains "$output" junk
	assert_state junk "$NEW" failed
	[[ -z $(module_file "$NEW" junk) ]] || fail "it has been installed"
	assert_recorded sturdy "$NEW" sturdy
	drop_source junk-1.0
}

@test "a module built for another kernel is refused" {
	source_make "$R/usr/src/stray-1.0" stray 1.0
	printf 'MAKE[0]="make -C /lib/modules/%s/build M=$dkms_tree/$PACKAGE_NAME/$PACKAGE_VERSION/build modules"\n' "$OLD" >>"$R/usr/src/stray-1.0/dkms.conf"
	root_in kmodsmith sync || true
	assert_state stray "$NEW" failed
	[[ -z $(module_file "$NEW" stray) ]] || fail "it has been installed"
	assert_recorded stray "$OLD" stray
	rm -rf "$R/usr/src/stray-1.0"
	root_in kmodsmith sync
}
