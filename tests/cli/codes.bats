# SPDX-License-Identifier: GPL-2.0-or-later
# The table "Which state gives which exit code" of core/README.md, row by row.

load tree

TABLE=$BATS_TEST_DIRNAME/../../core/README.md

setup() {
	[[ $EUID == 0 ]] || skip "not root: nothing can be chrooted"
	tree_new
	build_root
	depmod_make
	dir=$R/usr/src/acme-1.0
}

ks() { kmodsmith --root "$R" "$@"; }

table() { sed -n '/^### Which state/,/^### Manifest/p' "$TABLE"; }

# row STATE: the codes of that row are what the commands give for the tree as it is.
row() {
	local status_code sync_code autoinstall_code line
	line=$(table | grep -F "| $1 |") || fail "no row '$1'"
	IFS='|' read -r _ _ status_code sync_code autoinstall_code _ <<<"$line"
	run ks status
	echo "status: $output"
	equal "$status" "${status_code// /}"
	run ks explain acme
	equal "$status" "${status_code// /}"
	run ks plan
	equal "$status" 0
	run dkms --root "$R" status
	equal "$status" 0
	cp -a "$R" "$R.copy"
	run dkms --root "$R.copy" autoinstall -k "$K"
	echo "autoinstall: $output"
	equal "$status" "${autoinstall_code// /}"
	run ks sync
	echo "sync: $output"
	equal "$status" "${sync_code// /}"
	# what it says and what status says then is one thing
	run ks status
	equal "$status" "${sync_code// /}"
}

fails() { printf 'all:; @echo "acme.c:1: error: no" >&2; exit 1\n' >"$R/usr/src/acme-$1/Makefile"; }

version_2() {
	cp -a "$dir" "$R/usr/src/acme-2.0"
	sed -i 's/1\.0/2.0/' "$R/usr/src/acme-2.0/dkms.conf"
}

@test "installed" {
	ks sync
	row '`recorded`, `installed` (nothing to record)'
}

@test "not wanted" {
	sed -i '/AUTOINSTALL/d' "$dir/dkms.conf"
	row '`added` (not wanted)'
}

@test "excluded" {
	echo 'BUILD_EXCLUSIVE_KERNEL="^5"' >>"$dir/dkms.conf"
	row '`excluded`'
}

@test "excluded for another source's module" {
	source_make zacme 1.0 AUTOINSTALL=yes 'BUILT_MODULE_NAME[0]="acme"'
	ks sync
	row '`excluded` (`rival`)'
}

@test "in place, and needs symbols that nothing exports" {
	cp "$builddir/tests/unit/modules/play-user.ko" "$dir/made"
	ks sync || true
	row '`recorded`, `installed` (`unresolved`)'
}

@test "stale and not in place" {
	row '`stale`, and nothing of it is in place'
}

@test "stale and in place" {
	ks sync
	echo '# changed' >>"$dir/Makefile"
	row '`stale`, and what was built before is in place'
}

@test "built" {
	ks build acme/1.0
	row '`built`'
}

@test "waiting for headers" {
	rm "$R/lib/modules/$K/build"
	row '`waiting` (headers, compiler)'
}

@test "waiting for a compiler" {
	rm "$R/usr/bin/gcc"
	row '`waiting` (headers, compiler)'
}

@test "waiting for a compiler for a kernel that nobody boots here" {
	echo CONFIG_ALPHA=y >>"$R/usr/src/linux-headers-$K/include/config/auto.conf"
	cp -L "$(type -P true)" "$R/usr/bin/gcc"
	row '`waiting`, and its kernel cannot run this system'
	run ks status --kernel $K
	equal "$status" 4
}

@test "waiting for another module" {
	echo 'BUILD_DEPENDS="other"' >>"$dir/dkms.conf"
	row '`waiting` (`depends-missing`, of no source)'
}

@test "failed" {
	fails 1.0
	ks sync || true
	row '`failed`'
}

@test "its place is taken" {
	ks build acme/1.0
	mkdir -p "$R/lib/modules/$K/updates"
	echo another >"$R/lib/modules/$K/updates/acme.ko"
	row '`failed` (`occupied`)'
}

@test "failed, an older version in place" {
	version_2
	fails 2.0
	ks sync || true
	row '`failed`, and an older version is in place'
}

@test "broken" {
	echo 'AUTOINSTALL="maybe"' >>"$dir/dkms.conf"
	row '`broken`'
}

@test "built, and nothing can be put in place" {
	ks build acme/1.0
	mount --bind "$R/lib/modules" "$R/lib/modules" || skip "nothing can be mounted"
	mount -o remount,bind,ro "$R/lib/modules"
	row_read_only=0
	(row '`built` (`read-only`)') || row_read_only=1
	umount "$R/lib/modules"
	[[ $row_read_only == 0 ]]
}

@test "a state tree that is mounted read-only is reported once, and nothing is lost" {
	source_make other 1.0
	mount --bind "$R/var/lib" "$R/var/lib" || skip "nothing can be mounted"
	mount -o remount,bind,ro "$R/var/lib"
	run ks sync
	by_hand=$status said=$output
	run ks sync --trigger test
	by_hook=$status
	run dkms --root "$R" autoinstall -k $K
	by_dkms=$status
	umount "$R/var/lib"
	echo "$said"
	[[ $by_hand == 8 && $by_hook == 0 && $by_dkms == 1 ]]
	equal "$(grep -c 'read-only' <<<"$said")" 1
	contains "$said" "'$R/var/lib/dkms' is mounted read-only"
	rm -r "$R/usr/src/other-1.0"
	run ks sync
	echo "$output"
	equal "$status" 0
}

# Of these the world is made in tests/spec/plan; the recorder's are in tests/unit/test-engine.
elsewhere='`installed` (`not-recorded`, `record-stale`)
`satisfied`
any, and the driver is lost on the next boot'

@test "every row of the table is gone through" {
	table | sed -n 's/^| \([^|]*\) | [0-9] | .*/\1/p' >"$BATS_TEST_TMPDIR/rows" || true
	[[ -s $BATS_TEST_TMPDIR/rows ]] || fail "no rows"
	while read -r state; do
		grep -qxF "$state" <<<"$elsewhere" && continue
		grep -qF "row '$state'" "$BATS_TEST_FILENAME" || fail "no test of '$state'"
	done <"$BATS_TEST_TMPDIR/rows"
}
