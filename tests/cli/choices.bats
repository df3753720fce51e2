# SPDX-License-Identifier: GPL-2.0-or-later
# What is used where several sources, versions or files want one place; really built in a
# scratch tree.

load tree

setup() {
	[[ $EUID == 0 ]] || skip "not root: nothing can be chrooted"
	tree_new
	build_root
	depmod_make
	mkdir -p "$R/etc/kmodsmith"
}

ks() { kmodsmith --root "$R" "$@"; }

# What depmod leaves; the tree's own only notes that it was called.
indexed() { touch "$R/lib/modules/$K/modules.dep"; }

# another_source NAME VERSION: brings acme.ko, too.
another_source() {
	local dir=$R/usr/src/$1-$2
	source_make "$1" "$2" AUTOINSTALL=yes "MAKE[0]=\"make -C \$dkms_tree/$1/$2/build\"" 'BUILT_MODULE_NAME[0]="acme"'
	cp "$R/usr/src/acme-1.0/made" "$dir/"
	printf 'all:\n\techo compiled >&2; cp made acme.ko\n' >"$dir/Makefile"
	chmod -R go-w "$dir"
}

fails() { printf 'all:; @echo "acme.c:1: error: no" >&2; exit 1\n' >"$R/usr/src/acme-$1/Makefile"; }

builds() { printf 'all:; cp made acme.ko\n' >"$R/usr/src/acme-$1/Makefile"; }

# --- two sources with a module of the same name

@test "of two sources with the same module one is used, both are named, and nothing is wrong" {
	another_source rival 1.0
	run ks sync
	echo "$output"
	equal "$status" 0
	[[ $output != *error* ]]
	run ks status
	equal "$status" 0
	contains "$output" "acme/1.0 on $K: installed"
	contains "$output" "rival/1.0 on $K: excluded (another source brings the same module; acme.ko is brought by acme/1.0)"
	run ks explain rival
	contains "$output" "acme.ko is brought by acme/1.0"
	contains "$output" "kmodsmith install rival/1.0 --kernel $K"
	indexed
	run ks plan
	equal "$output" "nothing to do"
	run ks sync
	equal "$status" 0
	contains "$output" "nothing to do"
	run dkms --root "$R" autoinstall -k $K
	equal "$status" 0
}

@test "the module of the other source comes as soon as the first one is removed" {
	another_source rival 1.0
	run ks sync
	run ks remove acme/1.0
	echo "$output"
	run ks status
	equal "$status" 0
	contains "$output" "rival/1.0 on $K: installed"
	[[ -e $R/lib/modules/$K/updates/acme.ko ]]
}

@test "who asks for the other source by name gets its module" {
	another_source rival 1.0
	run ks sync
	run ks install rival/1.0
	echo "$output"
	equal "$status" 0
	run ks status
	equal "$status" 0
	contains "$output" "rival/1.0 on $K: installed"
	contains "$output" "acme/1.0 on $K: excluded"
	run ks sync
	contains "$output" "nothing to do"
}

# --- a newer version that fails

@test "where the newest version fails an older one is built in the same run" {
	another_source acme 2.0
	fails 2.0
	run ks sync
	echo "$output"
	equal "$status" 3
	run ks status
	equal "$status" 3
	contains "$output" "acme/1.0 on $K: installed (a higher version cannot be provided on this kernel; version 2.0 is failed"
	contains "$output" "acme/2.0 on $K: failed"
	[[ -e $R/lib/modules/$K/updates/acme.ko ]]
	run ks sync --trigger test
	equal "$output" ""
	builds 2.0
	run ks sync --trigger test
	run ks status
	equal "$status" 0
	contains "$output" "acme/2.0 on $K: installed"
	contains "$output" "acme/1.0 on $K: excluded"
}

# --- a file of somebody else's

@test "a place that somebody else's file has is a state and no error of every run" {
	place=$R/lib/modules/$K/updates
	mkdir -p "$place"
	printf 'not ours\n' >"$place/acme.ko"
	run ks sync
	echo "$output"
	equal "$status" 3
	contains "$output" "'/lib/modules/$K/updates/acme.ko' is there already and belongs to somebody else"
	[[ ! -e $R/var/lib/kmodsmith/changed/$K ]]
	run ks status
	equal "$status" 3
	contains "$output" "acme/1.0 on $K: failed (a file of that name belongs to another; "
	indexed
	run ks plan
	equal "$output" "nothing to do"
	run ks sync --trigger test
	equal "$output" ""
	rm "$place/acme.ko"
	run ks sync
	equal "$status" 0
	cmp "$place/acme.ko" "$R/usr/src/acme-1.0/made"
}

# --- a module that needs another one's symbols, without BUILD_DEPENDS

# user_make: its module imports what acme's exports.
user_make() {
	source_make auser 1.0 AUTOINSTALL=yes 'MAKE[0]="make -C $dkms_tree/auser/1.0/build"'
	cp "$builddir/tests/unit/modules/play-user.ko" "$R/usr/src/auser-1.0/made"
	printf 'all:; cp made auser.ko\n' >"$R/usr/src/auser-1.0/Makefile"
	chmod -R go-w "$R/usr/src"
}

@test "a module is installed before the one that exports its symbols, and heals when that comes" {
	user_make
	mv "$R/usr/src/acme-1.0" "$R/later"
	rm -r "$R/var/lib/dkms/acme"
	run ks sync
	echo "$output"
	equal "$status" 4
	contains "$output" "auser/1.0 on $K: installed ('auser.ko': symbol 'play_good_call' is exported by nothing)"
	run ks status
	equal "$status" 4
	[[ -e $R/lib/modules/$K/updates/auser.ko ]]
	mv "$R/later" "$R/usr/src/acme-1.0"
	run ks sync
	echo "$output"
	equal "$status" 0
	run ks status
	equal "$status" 0
	contains "$output" "auser/1.0 on $K: installed"
	[[ $output != *"exported by nothing"* ]]
}

@test "in one run it does not matter which of the two is built first" {
	user_make
	run ks sync
	echo "$output"
	equal "$status" 0
	[[ $output != *"exported by nothing"* ]]
}

@test "another maker's module that is installed resolves symbols as well" {
	user_make
	mkdir -p "$R/lib/modules/$K/extra"
	cp "$R/usr/src/acme-1.0/made" "$R/lib/modules/$K/extra/play-good.ko"
	rm -r "$R/usr/src/acme-1.0" "$R/var/lib/dkms/acme"
	run ks sync
	equal "$status" 4
	# as depmod writes them
	echo 'extra/play-good.ko:' >"$R/lib/modules/$K/modules.dep"
	echo 'alias symbol:play_good_call play_good' >"$R/lib/modules/$K/modules.symbols"
	run ks status
	echo "$output"
	equal "$status" 0
}
