# SPDX-License-Identifier: GPL-2.0-or-later
# dkms mktree and unmktree: what is made is removed again, and nothing else.

load tree

setup() {
	((EUID == 0)) || skip "not root"
	tree_new
	source=/usr/src/acme-1.0
	entry=/var/lib/dkms/acme/1.0
}

ds() { dkms "$@" --root "$R"; }

@test "a source to begin with" {
	run ds mktree acme/1.0
	equal "$status" 0
	contains "$output" "Creating symlink $entry/source -> $source"
	equal "$(readlink "$R$entry/source")" "$source"
	contains "$(cat "$R$source/dkms.conf")" 'PACKAGE_NAME="acme"'
	[[ -f $R$source/Makefile && -f $R$source/acme.c ]]
	run ds status
	contains "$output" "acme/1.0: added"
}

@test "from a directory" {
	# the word is looked at as a path of the caller, the source is one of the tree
	for dir in "$BATS_TEST_TMPDIR/here" "$R$BATS_TEST_TMPDIR/here"; do
		mkdir -p "$dir"
		printf '%s\n' PACKAGE_NAME=acme PACKAGE_VERSION=1.0 'BUILT_MODULE_NAME[0]=acme' \
			'DEST_MODULE_LOCATION[0]=/updates' >"$dir/dkms.conf"
		printf 'obj-m := acme.o\n' >"$dir/Makefile"
		chmod -R go-w "$dir"
	done
	run ds mktree acme/1.0 "$BATS_TEST_TMPDIR/here"
	equal "$status" 0
	equal "$(cat "$R$source/Makefile")" 'obj-m := acme.o'
	equal "$(readlink "$R$entry/source")" "$source"
	run ds unmktree acme/1.0
	equal "$status" 0
	[[ ! -e $R$source && -f $R$BATS_TEST_TMPDIR/here/dkms.conf ]]
	# one of another name
	run ds mktree acme/2.0 "$BATS_TEST_TMPDIR/here"
	[[ $status -ne 0 ]]
	[[ ! -e $R/usr/src/acme-2.0 && ! -e $R/var/lib/dkms/acme/2.0 ]]
}

@test "what was made is removed, and nothing is left" {
	ds mktree acme/1.0
	run ds unmktree acme/1.0
	equal "$status" 0
	contains "$output" "Deleting $source"
	[[ ! -e $R$source && ! -e $R/var/lib/dkms/acme ]]
	equal "$(find "$R/var/lib/kmodsmith/marks" -type f 2>/dev/null | wc -l)" 0
	run ds mktree acme/1.0
	equal "$status" 0
}

@test "mktree changes nothing that is there" {
	source_make acme 1.0
	before=$(find "$R$source" -type f -exec sha256sum {} + | sort)
	run ds mktree acme/1.0
	equal "$status" 3
	contains "$output" "'$source' is there already"
	equal "$(find "$R$source" -type f -exec sha256sum {} + | sort)" "$before"
	[[ ! -e $R$entry ]]
}

@test "unmktree removes nothing that mktree has not made" {
	source_make acme 1.0
	tree_add acme 1.0
	for force in '' --force; do
		run ds unmktree acme/1.0 $force
		equal "$status" 3
		contains "$output" "it was not made by mktree"
		[[ -f $R$source/dkms.conf && -L $R$entry/source ]]
	done
}

@test "what was changed since is removed by force only" {
	ds mktree acme/1.0
	printf '/* my work */\n' >>"$R$source/acme.c"
	run ds unmktree acme/1.0
	equal "$status" 3
	contains "$output" "it has changed since mktree made it"
	contains "$(cat "$R$source/acme.c")" "my work"
	run ds unmktree acme/1.0 --force
	equal "$status" 0
	[[ ! -e $R$source ]]
}

@test "what is built or installed stays" {
	ds mktree acme/1.0
	kernel_make "$K"
	tree_installed acme 1.0 "$K"
	run ds unmktree acme/1.0 --force
	equal "$status" 3
	contains "$output" "it is installed on $K"
	[[ -f $R$source/dkms.conf && -e $R/lib/modules/$K/updates/dkms/acme.ko ]]
}

@test "a link in its place is not followed" {
	ds mktree acme/1.0
	mv "$R$source" "$R/precious"
	ln -s /precious "$R$source"
	run ds unmktree acme/1.0 --force
	equal "$status" 3
	[[ -f $R/precious/dkms.conf ]]
}

@test "names that lead elsewhere are refused" {
	for name in ../acme acme/../x .acme/1.0 acme/..; do
		run ds mktree "$name"
		[[ $status -ne 0 ]]
		run ds unmktree "$name"
		[[ $status -ne 0 ]]
	done
	equal "$(ls -A "$R/usr/src")" ""
}
