# SPDX-License-Identifier: GPL-2.0-or-later
# set: full
# Debian's dkms and kmodsmith's take turns on one tree: what one has added, built or
# installed, the other goes on with and takes away.

load ../lib/root

setup_file() {
	root_new turns bookworm-cloud
	K=$(root_kernels)
	export K
	root_apt install dkms >&2
	# beside it: kmodsmith's package would take its place
	root_exec dpkg-deb -x "/root/$(deb=$(deb_of bookworm) && cp "$deb" "$R/root/" && echo "${deb##*/}")" /opt/kmodsmith
	mkdir "$R/opt/bin"
	cat >"$R/opt/bin/dkms" <<-'END'
	#!/bin/bash
	KMODSMITH_LIBEXECDIR=$(echo /opt/kmodsmith/usr/libexec/kmodsmith) exec -a dkms /opt/kmodsmith/usr/sbin/kmodsmith "$@"
	END
	chmod 755 "$R/opt/bin/dkms"
	source_make "$R/usr/src/acme-1.0" acme 1.0
	chmod -R go-w "$R/usr/src/acme-1.0"
}

teardown_file() { root_end; }

theirs() { root_in /usr/sbin/dkms "$@"; }
ours() { root_in /opt/bin/dkms "$@"; }

# Both say the same of the tree.
agree() {
	assert_equal "$(ours status)" "$1" "status of kmodsmith"
	assert_equal "$(theirs status)" "$1" "status of dkms"
}

@test "what dkms adds, kmodsmith builds, dkms installs and kmodsmith removes" {
	theirs add acme/1.0
	agree "acme/1.0: added"
	ours build acme/1.0 -k "$K"
	agree "acme/1.0, $K, x86_64: built"
	theirs install acme/1.0 -k "$K"
	agree "acme/1.0, $K, x86_64: installed"
	root_exec modinfo -k "$K" acme >/dev/null
	ours remove acme/1.0 --all
	agree ""
	[[ ! -e $R/lib/modules/$K/updates/dkms/acme.ko ]] || fail "the file is still there"
	[[ ! -e $R/var/lib/dkms/acme ]] || fail "the tree is still there"
}

@test "what kmodsmith adds, dkms builds, kmodsmith installs and dkms removes" {
	ours add acme/1.0
	agree "acme/1.0: added"
	theirs build acme/1.0 -k "$K"
	agree "acme/1.0, $K, x86_64: built"
	ours install acme/1.0 -k "$K"
	agree "acme/1.0, $K, x86_64: installed"
	root_exec modinfo -k "$K" acme >/dev/null
	theirs remove acme/1.0 --all
	agree ""
	[[ ! -e $R/lib/modules/$K/updates/dkms/acme.ko ]] || fail "the file is still there"
	[[ ! -e $R/var/lib/dkms/acme ]] || fail "the tree is still there"
}

@test "each uninstalls what the other has installed, and installs it again" {
	theirs install acme/1.0 -k "$K"
	ours uninstall acme/1.0 -k "$K"
	agree "acme/1.0, $K, x86_64: built"
	theirs install acme/1.0 -k "$K"
	agree "acme/1.0, $K, x86_64: installed"
	theirs uninstall acme/1.0 -k "$K"
	ours install acme/1.0 -k "$K"
	agree "acme/1.0, $K, x86_64: installed"
	theirs uninstall acme/1.0 -k "$K"
	agree "acme/1.0, $K, x86_64: built"
	theirs remove acme/1.0 --all
	agree ""
}

@test "links that one has installed are the other's, and a package owns ours" {
	local installed=$R/lib/modules/$K/updates/dkms/acme.ko
	local built=/var/lib/dkms/acme/1.0/$K/x86_64/module/acme.ko
	ours install acme/1.0 -k "$K" --symlink-modules
	assert_equal "$(readlink "$installed")" "$built" "the link"
	agree "acme/1.0, $K, x86_64: installed"
	root_exec modprobe -S "$K" -n -v acme
	root_exec dpkg -S "/lib/modules/$K/updates/dkms/acme.ko" | grep "^kmod-acme-"
	root_exec dpkg -V "kmod-acme-$K"
	theirs uninstall acme/1.0 -k "$K"
	[[ ! -L $installed ]] || fail "dkms left the link"
	# dkms puts a copy where the manifest has a link
	theirs install acme/1.0 -k "$K"
	[[ ! -L $installed ]] || fail "dkms left a link"
	agree "acme/1.0, $K, x86_64: installed"
	ours uninstall acme/1.0 -k "$K" | grep "^Deleting .*/acme.ko"
	[[ ! -e $installed ]] || fail "kmodsmith left the copy"
	# a copy takes the place of a link, as framework.conf has it for all
	echo symlink_modules=yes >"$R/etc/dkms/framework.conf.d/links.conf"
	ours install acme/1.0 -k "$K"
	[[ -L $installed ]] || fail "framework.conf does not count"
	rm "$R/etc/dkms/framework.conf.d/links.conf"
	ours install acme/1.0 -k "$K" --force
	[[ -f $installed && ! -L $installed ]] || fail "no copy"
	root_exec dpkg -V "kmod-acme-$K"
	ours remove acme/1.0 --all
	agree ""
}

@test "a build log has the same form" {
	theirs build acme/1.0 -k "$K"
	form() { sed -e '1s/(.*) make.log/() make.log/' -e 2d -e '/^# command/d' -e '/elapsed/s/[0-9]//g' "$R/var/lib/dkms/acme/1.0/$K/x86_64/log/make.log" | grep -c -e '^DKMS () make.log' -e '^# exit code: 0' -e '^# elapsed time:' -e '^-\{64\}$'; }
	theirs=$(head -n 1 "$R/var/lib/dkms/acme/1.0/$K/x86_64/log/make.log")
	ours remove acme/1.0 --all
	ours build acme/1.0 -k "$K"
	ours=$(head -n 1 "$R/var/lib/dkms/acme/1.0/$K/x86_64/log/make.log")
	assert_equal "${ours##* for kernel}" "${theirs##* for kernel}" "first line"
	(($(form) >= 4)) || fail "no steps in the log"
	ours remove acme/1.0 --all
}
