# SPDX-License-Identifier: GPL-2.0-or-later
# kmodsmith export: what goes into a package, and what is refused.

load tree

setup() {
	tree_new
	kernel_make $K
	out=$BATS_TEST_TMPDIR/out
	export SOURCE_DATE_EPOCH=1700000000
}

ks() { kmodsmith --root "$R" "$@"; }

built() {
	source_make "$1" "$2"
	tree_add "$1" "$2"
	tree_built "$1" "$2" "$3"
	manifest_make "$1" "$2" "$3"
}

need_deb() {
	[[ -x $builddir/libexec/package-deb ]] || skip "built without the apt plugin"
	command -v dpkg-deb >/dev/null || skip "no dpkg-deb"
}

@test "a built module becomes a package that names its kernel and runs depmod" {
	need_deb
	built foo 1.0 $K
	run ks export --format deb --output "$out"
	equal "$status" 0
	equal "$output" "$out/kmod-foo-${K}_1.0-1_$(dpkg --print-architecture).deb"
	contains "$(dpkg-deb -c "$output")" "./lib/modules/$K/updates/dkms/foo.ko"
	equal "$(dpkg-deb -f "$output" Package)" "kmod-foo-$K"
	contains "$(dpkg-deb -I "$output" postinst)" 'depmod "$release"'
	contains "$(dpkg-deb -I "$output" postrm)" 'depmod "$release" || :'
}

@test "the same module gives the same bytes" {
	need_deb
	built foo 1.0 $K
	run ks export --format deb --output "$out/a" foo
	equal "$status" 0
	touch "$R/var/lib/dkms/foo/1.0/$K/$A/module/foo.ko"
	run ks export --format deb --output "$out/b" foo/1.0 -k $K
	equal "$status" 0
	cmp "$out"/a/*.deb "$out"/b/*.deb
}

@test "JSON lists what was made" {
	need_deb
	built foo 1.0 $K
	built bar 2.0 $K
	json=$(ks export --format deb --output "$out" --json)
	equal "$(jq -r '.packages | map(.module + " " + .kernel) | join(",")' <<<"$json")" "bar $K,foo $K"
	[[ -f $(jq -r '.packages[0].path' <<<"$json") ]]
}

@test "a source becomes a package for all architectures, with every file of it" {
	need_deb
	source_make foo 1.0
	mkdir "$R/usr/src/foo-1.0/empty"
	ln -s Makefile "$R/usr/src/foo-1.0/link"
	printf '#!/bin/sh\n' >"$R/usr/src/foo-1.0/run"
	chmod 700 "$R/usr/src/foo-1.0/run"
	chmod 600 "$R/usr/src/foo-1.0/Makefile"
	run ks export --source foo --format deb --output "$out" --revision 7
	equal "$status" 0
	equal "$output" "$out/foo-dkms_1.0-7_all.deb"
	list=$(dpkg-deb -c "$output" | awk '{print $1, $6, $7, $8}')
	contains "$list" "drwxr-xr-x ./usr/src/foo-1.0/empty/"
	contains "$list" "-rw-r--r-- ./usr/src/foo-1.0/Makefile"
	contains "$list" "-rwxr-xr-x ./usr/src/foo-1.0/run"
	contains "$list" "lrwxrwxrwx ./usr/src/foo-1.0/link -> Makefile"
	contains "$(dpkg-deb -I "$output" postinst)" "command -v kmodsmith"
}

@test "what is altered, not built or not ours yet is refused, and nothing is made" {
	built foo 1.0 $K
	printf 'other bytes\n' >"$R/var/lib/dkms/foo/1.0/$K/$A/module/foo.ko"
	run ks export --format deb --output "$out"
	equal "$status" 1
	contains "$output" "is not the file that was built"
	source_make bar 1.0
	run ks export bar/1.0 -k $K --format deb --output "$out"
	equal "$status" 1
	contains "$output" "cannot package bar/1.0 on $K: it is not built"
	tree_add bar 1.0
	tree_built bar 1.0 $K
	run ks export bar --format deb --output "$out"
	equal "$status" 1
	contains "$output" "dkms has built it"
	[[ -z $(ls -A "$out" 2>/dev/null) ]]
}

@test "nothing built, no such module and a FIFO in a source are reported" {
	run ks export --format deb
	equal "$status" 5
	contains "$output" "nothing to package"
	run ks export nosuch --format deb
	equal "$status" 5
	source_make foo 1.0
	mkfifo "$R/usr/src/foo-1.0/pipe"
	run ks export --source foo --format deb --output "$out"
	equal "$status" 1
	contains "$output" "pipe' is neither a file, a directory nor a link"
	[[ -z $(ls -A "$out" 2>/dev/null) ]]
}

@test "a format is the system's own, and one without its writer is reported" {
	built foo 1.0 $K
	run ks export
	equal "$status" 2
	contains "$output" "cannot choose a format"
	run ks export --format msi
	equal "$status" 2
	contains "$output" "unknown format 'msi'"
	mkdir -p "$BATS_TEST_TMPDIR/libexec" "$R/var/lib/rpm"
	KMODSMITH_LIBEXECDIR=$BATS_TEST_TMPDIR/libexec run ks export
	equal "$status" 1
	contains "$output" "cannot make packages of the format 'rpm'"
	contains "$output" "hint: install the part of kmodsmith that supports rpm"
}
