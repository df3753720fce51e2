# SPDX-License-Identifier: GPL-2.0-or-later
# --root TREE changes nothing outside of TREE, whatever links TREE has.

load tree

setup() {
	[[ $EUID == 0 ]] || skip "not root: nothing can be chrooted"
	[[ -x $top_builddir/libexec/recorder-dpkg || -x libexec/recorder-dpkg ]] || skip "no recorder for dpkg"
	type -P dpkg >/dev/null || skip "no dpkg"
	tree_new
	build_root
	mkdir -p "$R/sbin" "$R/var/lib/dpkg"/{info,updates} "$R/var/log" "$R/etc/dpkg/dpkg.cfg.d"
	printf '#!/bin/sh\nexit 0\n' >"$R/sbin/depmod"
	chmod 755 "$R/sbin/depmod"
	touch "$R/var/lib/dpkg/status"
	outside=$BATS_TEST_TMPDIR/outside
	mkdir "$outside"
}

# dpkg_make: the tree has a dpkg of its own, and what that runs.
dpkg_make() {
	programs_copy dpkg dpkg-deb dpkg-query dpkg-split tar rm diff
	mkdir -p "$R/usr/share/dpkg"
	cp -r /usr/share/dpkg/*table "$R/usr/share/dpkg/"
	cp "$R/sbin/depmod" "$R/sbin/ldconfig"
	cp "$R/sbin/depmod" "$R/sbin/start-stop-daemon"
}

@test "a tree's own dpkg records what is built for it, inside it" {
	dpkg_make
	run kmodsmith --root "$R" sync
	echo "$output"
	[[ $status == 0 ]]
	run kmodsmith --root "$R" status
	[[ $output == "acme/1.0 on $K: recorded" ]]
	[[ -e $R/var/lib/dpkg/info/kmod-acme-$K.list ]]
}

@test "links out of the tree lead recorders nowhere" {
	dpkg_make
	# where they lead there is something both in the tree and outside of it
	mkdir -p "$R$outside"
	echo 'log /var/log/dpkg.log' >"$R/etc/dpkg/dpkg.cfg"
	ln -s "$outside/dpkg.log" "$R/var/log/dpkg.log"
	ln -s "$outside" "$R/lib/modules/$K/updates"
	run kmodsmith --root "$R" sync
	echo "$output"
	[[ -z $(ls -A "$outside") ]]
	[[ -n $(ls -A "$R$outside") ]]
	rm -r "$R/usr/src/acme-1.0"
	touch "$outside/acme.ko"
	run kmodsmith --root "$R" sync
	[[ $(ls -A "$outside") == acme.ko ]]
}

@test "a database that is another's is not written" {
	dpkg_make
	mv "$R/var/lib/dpkg" "$outside/dpkg"
	ln -s "$outside/dpkg" "$R/var/lib/dpkg"
	mkdir -p "$R$outside"
	cp -a "$outside/dpkg" "$R$outside/"
	before=$(find "$outside" -printf '%p %i %s %T@\n' | sort)
	run kmodsmith --root "$R" sync
	echo "$output"
	[[ $(find "$outside" -printf '%p %i %s %T@\n' | sort) == "$before" ]]
	[[ -e $R$outside/dpkg/info/kmod-acme-$K.list ]]
}

@test "without a dpkg in the tree a link that may leave it is a reason to record nothing" {
	run kmodsmith --root "$R" sync
	echo "$output"
	[[ $status == 0 ]]
	[[ -e $R/var/lib/dpkg/info/kmod-acme-$K.list ]]
	rm -r "$R/usr/src/acme-1.0"
	ln -s "$outside/dpkg.log" "$R/var/log/other"
	rm -f "$R/var/log/dpkg.log"
	ln -s "$outside/dpkg.log" "$R/var/log/dpkg.log"
	run kmodsmith --root "$R" sync
	echo "$output"
	contains "$output" "its links may lead out of it"
	[[ -z $(ls -A "$outside") ]]
}

@test "a package that dkms makes for a tree is written inside it" {
	run kmodsmith --root "$R" sync --no-record
	ln -s "$outside" "$R/var/lib/dkms/acme/1.0/bmdeb"
	run dkms --root "$R" mkbmdeb acme/1.0 -k $K
	echo "$output"
	[[ -z $(ls -A "$outside") ]]
}

# The program, the libraries and the rest of a tree that is entered, without anything mounted.
@test "in a chroot without /proc no key is made, and all else works" {
	programs_copy "$builddir/kmodsmith"
	cp "$builddir/kmodsmith" "$R/usr/bin/kmodsmith"
	mkdir -p "$R/libexec" "$R/proc"
	for file in "$builddir"/libexec/*; do
		[[ -f $file && -x $file ]] || continue
		cp "$file" "$R/libexec/"
		for library in $(ldd "$file" 2>/dev/null | grep -o '/[^ ]*'); do
			mkdir -p "$R$(dirname "$library")"
			[[ -e $R$library ]] || cp -L "$library" "$R$library"
		done
	done
	mkdir -p "$R/dev"
	mknod -m 666 "$R/dev/null" c 1 3
	printf 'CONFIG_MODULES=y\nCONFIG_MODULE_SIG=y\nCONFIG_MODULE_SIG_HASH="sha256"\n' \
		>"$R/usr/src/linux-headers-$K/include/config/auto.conf"
	run unshare --mount --propagation private env KMODSMITH_LIBEXECDIR=/libexec bash -c '
		mount --rbind "$1" "$1" && exec chroot "$1" /usr/bin/kmodsmith sync --no-record' - "$R"
	echo "$output"
	[[ -e $R/var/lib/dkms/acme/1.0/$K/$A/module/acme.ko ]]
	[[ -z $(find "$R" -name 'mok.*') ]]
	grep -q signing=chroot "$R/var/lib/dkms/acme/1.0/$K/$A/manifest"
}
