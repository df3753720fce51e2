# SPDX-License-Identifier: GPL-2.0-or-later
# dkms mktarball, ldtarball, add TARBALL, mkdeb and mkbmdeb in a scratch tree.

load tree

setup() {
	tree_new
	kernel_make $K
	T=$BATS_TEST_TMPDIR/t
	mkdir "$T"
}

dk() { dkms --root "$R" "$@"; }

# What a failing ldtarball must leave as it is.
snapshot() {
	(cd "$R" && find usr/src var/lib/dkms -printf '%p %m %s %l\n' 2>/dev/null |
		grep -v '^var/lib/dkms 755' | sort)
}

built() { # NAME VERSION RELEASE...
	local release
	source_make "$1" "$2"
	tree_add "$1" "$2"
	for release in "${@:3}"; do
		tree_built "$1" "$2" "$release"
	done
}

# pack DIR NAME: as any tar of a stranger
pack() { tar -C "$1" -czf "$T/$2" .; }

stranger() { # a tarball's tree in $T/x
	rm -rf "$T/x"
	mkdir -p "$T/x/dkms_main_tree/$K/$A/module" "$T/x/dkms_source_tree"
	printf 'PACKAGE_NAME="foo"\nPACKAGE_VERSION="1.0"\nBUILT_MODULE_NAME[0]="foo"\nDEST_MODULE_LOCATION[0]="/updates"\n' \
		>"$T/x/dkms_source_tree/dkms.conf"
	printf 'all:\n' >"$T/x/dkms_source_tree/Makefile"
	printf 'module\n' >"$T/x/dkms_main_tree/$K/$A/module/foo.ko"
}

@test "mktarball has dkms's words, layout and place" {
	built foo 1.0 $K
	run dk mktarball foo/1.0 -k $K
	equal "$status" 0
	equal "$output" "Marking modules for $K ($A) for archiving...

Marking /var/lib/dkms/foo/1.0/source for archiving...

Tarball location: /var/lib/dkms/foo/1.0/tarball//foo-1.0-kernel$K-$A.dkms.tar.gz"
	list=$(tar -tzf "$R/var/lib/dkms/foo/1.0/tarball/foo-1.0-kernel$K-$A.dkms.tar.gz")
	contains "$list" "./dkms_main_tree/$K/$A/module/foo.ko"
	contains "$list" "./dkms_main_tree/$K/$A/log/make.log"
	contains "$list" "./dkms_source_tree/dkms.conf"
}

@test "mktarball takes several kernels, all of them, only the source or only what is built" {
	built foo 1.0 $K 6.2.0-1-test
	run dk mktarball foo/1.0 --all
	equal "$status" 0
	contains "$output" "foo-1.0-kernel$K-$A-kernel6.2.0-1-test-$A.dkms.tar.gz"
	run dk mktarball foo/1.0 --source-only
	equal "$status" 0
	contains "$output" "foo-1.0-source-only.dkms.tar.gz"
	lacks "$(tar -tzf "$R/var/lib/dkms/foo/1.0/tarball/foo-1.0-source-only.dkms.tar.gz")" foo.ko
	run dk mktarball foo/1.0 -k $K --binaries-only --archive "$T/b.dkms.tar.xz"
	equal "$status" 0
	contains "$output" "Creating tarball structure to specifically accomodate binaries."
	contains "$output" "Tarball location: $T/b.dkms.tar.xz"
	list=$(tar -tJf "$T/b.dkms.tar.xz")
	contains "$list" "./dkms_binaries_only/PACKAGE_NAME"
	lacks "$list" dkms_source_tree
	run dk mktarball foo/1.0 --binaries-only --source-only
	equal "$status" 8
}

@test "mktarball of what is not built exits with 6, into a place of nobody with 9" {
	built foo 1.0
	run dk mktarball foo/1.0 -k $K
	equal "$status" 6
	contains "$output" "No modules built for $K ($A)."
	run dk mktarball foo/1.0 --source-only --archive /proc/nowhere/a.tar.gz
	equal "$status" 9
	contains "$output" "Missing write permissions for /proc/nowhere."
}

@test "the same contents give the same archive, in each compression" {
	built foo 1.0 $K
	for suffix in gz xz zst bz2; do
		dk mktarball foo/1.0 -k $K --archive "$T/a.tar.$suffix"
		dk mktarball foo/1.0 -k $K --archive "$T/b.tar.$suffix"
		cmp "$T/a.tar.$suffix" "$T/b.tar.$suffix"
		tar -taf "$T/a.tar.$suffix" >/dev/null
	done
}

@test "what mktarball writes, ldtarball loads, with every kernel (B4)" {
	need_root
	built foo 1.0 $K 6.2.0-1-test 6.3.0-1-test
	dk mktarball foo/1.0 --all --archive "$T/all.dkms.tar.zst"
	rm -rf "$R/var/lib/dkms/foo" "$R/usr/src/foo-1.0"
	run dk ldtarball "$T/all.dkms.tar.zst"
	equal "$status" 0
	contains "$output" "Loading tarball for foo/1.0"
	contains "$output" "Creating symlink /var/lib/dkms/foo/1.0/source -> /usr/src/foo-1.0"
	for release in $K 6.2.0-1-test 6.3.0-1-test; do
		contains "$output" "Loading /var/lib/dkms/foo/1.0/$release/$A..."
		equal "$(cat "$R/var/lib/dkms/foo/1.0/$release/$A/module/foo.ko")" "module foo 1.0"
	done
	contains "$(dk status)" "foo/1.0, 6.3.0-1-test, $A: built"
	[[ -f $R/usr/src/foo-1.0/Makefile ]]
	[[ -z $(find "$R/var/lib/dkms" -name '.kmodsmith-tmp*') ]]
}

@test "ldtarball refuses what is added already, and overwrites it with --force" {
	need_root
	stranger
	pack "$T/x" a.tar.gz
	dk ldtarball "$T/a.tar.gz"
	printf 'other\n' >"$T/x/dkms_main_tree/$K/$A/module/foo.ko"
	printf 'other:\n' >"$T/x/dkms_source_tree/Makefile"
	pack "$T/x" b.tar.gz
	before=$(snapshot)
	run dk ldtarball "$T/b.tar.gz"
	equal "$status" 8
	contains "$output" "foo/1.0 is already added!"
	equal "$(snapshot)" "$before"
	run dk ldtarball "$T/b.tar.gz" --force
	equal "$status" 0
	equal "$(cat "$R/var/lib/dkms/foo/1.0/$K/$A/module/foo.ko")" other
	equal "$(cat "$R/usr/src/foo-1.0/Makefile")" other:
}

@test "binaries only make a stub where there is no source" {
	need_root
	built foo 1.0 $K
	dk mktarball foo/1.0 -k $K --binaries-only --archive "$T/b.tar.gz"
	rm -rf "$R/var/lib/dkms/foo" "$R/usr/src/foo-1.0"
	run dk ldtarball "$T/b.tar.gz"
	equal "$status" 0
	[[ -d $R/var/lib/dkms/foo/1.0/source && ! -L $R/var/lib/dkms/foo/1.0/source ]]
	[[ ! -e $R/usr/src/foo-1.0 ]]
	contains "$(dk status)" "foo/1.0, $K, $A: built"
}

@test "add takes any tarball with a dkms.conf in it" {
	need_root
	stranger
	mkdir -p "$T/y/foo-src/deep"
	mv "$T/x/dkms_source_tree"/* "$T/y/foo-src/"
	pack "$T/y" src.tar.gz
	run dk add "$T/src.tar.gz"
	equal "$status" 0
	contains "$output" "Creating symlink /var/lib/dkms/foo/1.0/source -> /usr/src/foo-1.0"
	[[ -d $R/usr/src/foo-1.0/deep ]]
}

# hostile TEXT: the tarball of $T/x is refused with it, and nothing changes
hostile() {
	local before
	before=$(snapshot)
	run dk ldtarball "$T/h.tar.gz"
	[[ $status == 7 ]] || fail "exits with $status for '$1': $output"
	contains "$output" "$1"
	equal "$(snapshot)" "$before"
}

@test "hostile tarballs are refused with one error, and nothing is changed" {
	need_root
	stranger
	tar -C "$T/x" -czf "$T/h.tar.gz" --transform 's,^./dkms_source_tree/Makefile,../../../../usr/src/evil,' .
	hostile "is no name inside the tarball"
	tar -C "$T/x" -czPf "$T/h.tar.gz" --transform 's,^./dkms_source_tree/Makefile,/usr/src/evil,' .
	hostile "is no name inside the tarball"
	ln -s /etc/passwd "$T/x/dkms_source_tree/link"
	pack "$T/x" h.tar.gz
	hostile "may lead outside"
	ln -sfn ../dkms_main_tree "$T/x/dkms_source_tree/link"
	pack "$T/x" h.tar.gz
	hostile "may lead outside"
	rm "$T/x/dkms_source_tree/link"
	mkfifo "$T/x/dkms_source_tree/pipe"
	pack "$T/x" h.tar.gz
	hostile "neither a file, a directory nor a link"
	rm "$T/x/dkms_source_tree/pipe"
	head -c 100M /dev/zero >"$T/x/dkms_source_tree/zeros"
	pack "$T/x" h.tar.gz
	hostile "too much for its size"
	rm "$T/x/dkms_source_tree/zeros"
	mkdir "$T/x/dkms_main_tree/$K/$A/module/dir"
	pack "$T/x" h.tar.gz
	hostile "has no place in a build"
	rmdir "$T/x/dkms_main_tree/$K/$A/module/dir"
	ln -s foo.ko "$T/x/dkms_main_tree/$K/$A/module/bar.ko"
	pack "$T/x" h.tar.gz
	hostile "has no place in a build"
	rm "$T/x/dkms_main_tree/$K/$A/module/bar.ko"
	mkdir -p "$T/x/dkms_main_tree/..x/$A/module"
	pack "$T/x" h.tar.gz
	hostile "can be no kernel"
	rm -r "$T/x/dkms_main_tree/..x"
	sed -i 's,"foo",../../evil,' "$T/x/dkms_source_tree/dkms.conf"
	pack "$T/x" h.tar.gz
	hostile "PACKAGE_NAME"
	stranger
	pack "$T/x" h.tar.gz
	truncate -s -20 "$T/h.tar.gz"
	hostile "not a readable tarball"
	[[ -z $(find "$R/var/lib/dkms" -name '.kmodsmith-tmp*') ]]
}

@test "an archive that is not there, and one without a dkms.conf, have dkms's exit codes" {
	need_root
	run dk ldtarball "$T/missing.tar.gz"
	equal "$status" 2
	contains "$output" "$T/missing.tar.gz does not exist."
	mkdir "$T/x"
	touch "$T/x/file"
	pack "$T/x" h.tar.gz
	run dk ldtarball "$T/h.tar.gz"
	equal "$status" 3
	contains "$output" "No dkms.conf found within it."
	mkdir "$T/x/dkms_main_tree"
	pack "$T/x" h.tar.gz
	run dk ldtarball "$T/h.tar.gz"
	equal "$status" 7
}

@test "what a killed ldtarball left is swept by the next one" {
	need_root
	mkdir -p "$R/var/lib/dkms/.kmodsmith-tmp-tarball-999999999/x"
	stranger
	pack "$T/x" a.tar.gz
	run dk ldtarball "$T/a.tar.gz"
	equal "$status" 0
	[[ -z $(find "$R/var/lib/dkms" -name '.kmodsmith-tmp*') ]]
}

@test "mkdeb packages the source, mkbmdeb and --binaries-only what is built" {
	[[ -x $builddir/libexec/package-deb ]] || skip "built without the apt plugin"
	command -v dpkg-deb >/dev/null || skip "no dpkg-deb"
	built foo 1.0 $K
	manifest_make foo 1.0 $K
	run dk mkdeb foo/1.0
	equal "$status" 0
	equal "$output" "Package location: $R/var/lib/dkms/foo/1.0/deb/foo-dkms_1.0-1_all.deb"
	run dk mkbmdeb foo/1.0 -k $K
	equal "$status" 0
	contains "$output" "/var/lib/dkms/foo/1.0/bmdeb/kmod-foo-${K}_1.0-1_"
	run dk mkbmdeb foo/1.0 -k 9.9.9
	equal "$status" 6
	contains "$output" "No modules built for 9.9.9 ($A)."
}

@test "mkrpm's package installs with rpm, of the source and of what is built" {
	[[ -x $builddir/libexec/package-rpm ]] || skip "built without the rpm plugin"
	command -v rpm >/dev/null || skip "no rpm"
	need_root # rpm --root
	built foo 1.0 $K
	manifest_make foo 1.0 $K
	run dk mkrpm foo/1.0
	equal "$status" 0
	source=${output#Package location: }
	run dk mkrpm foo/1.0 --binaries-only -k $K
	equal "$status" 0
	modules=${output#Package location: }
	rpm -K --nosignature "$source" "$modules"
	rpm --root "$T/rpm" --initdb
	rpm --root "$T/rpm" -i --nodeps --noscripts "$source" "$modules"
	cmp "$R/usr/src/foo-1.0/dkms.conf" "$T/rpm/usr/src/foo-1.0/dkms.conf"
	cmp "$R/var/lib/dkms/foo/1.0/$K/$A/module/foo.ko" "$(find "$T/rpm" -name foo.ko)"
	rpm --root "$T/rpm" -V --nodeps --noscripts -a
}

@test "ldtarball below another run refuses instead of waiting for it" {
	need_root
	stranger
	pack "$T/x" a.tar.gz
	mkdir -p "$R/run/kmodsmith"
	exec 9>"$R/run/kmodsmith/lock"
	flock 9
	printf '%s test\n' "$BASHPID" >&9
	run timeout 20 dkms --root "$R" ldtarball "$T/a.tar.gz"
	exec 9>&-
	equal "$status" 1
	contains "$output" "from inside another run"
	[[ ! -e $R/usr/src/foo-1.0 ]]
}
