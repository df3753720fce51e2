# SPDX-License-Identifier: GPL-2.0-or-later
# A scratch system tree with kernels and sources made of a few files; nothing in it can be
# built. For tests of what the command line reads and prints.

# shellcheck disable=SC2034 # R and K are the tests'
tree_new() {
	builddir=${top_builddir:-$(cd "$BATS_TEST_DIRNAME/../.." && pwd)}
	[[ -x $builddir/kmodsmith ]] || {
		echo "no $builddir/kmodsmith: build it, or set top_builddir" >&2
		return 1
	}
	PATH=$BATS_TEST_TMPDIR/bin:$PATH
	mkdir -p "$BATS_TEST_TMPDIR/bin"
	ln -s "$builddir/kmodsmith" "$BATS_TEST_TMPDIR/bin/kmodsmith"
	ln -s "$builddir/kmodsmith" "$BATS_TEST_TMPDIR/bin/dkms"
	export KMODSMITH_LIBEXECDIR=$builddir/libexec
	R=$BATS_TEST_TMPDIR/root K=6.1.0-9-test
	A=$(uname -m)
	mkdir -p "$R"/{etc,run,usr/src,usr/bin,lib/modules,var/lib/dkms}
	unset KMODSMITH DPKG_MAINTSCRIPT_PACKAGE KMODSMITH_TRANSACTION
}

# kernel_make RELEASE [no-headers]
kernel_make() {
	local dir=$R/lib/modules/$1
	mkdir -p "$dir/kernel"
	touch "$dir/modules.order"
	[[ ${2:-} != no-headers ]] || return 0
	mkdir -p "$R/usr/src/linux-headers-$1/include/config"
	printf 'all:\n' >"$R/usr/src/linux-headers-$1/Makefile"
	printf 'CONFIG_MODULES=y\n' >"$R/usr/src/linux-headers-$1/include/config/auto.conf"
	ln -s "/usr/src/linux-headers-$1" "$dir/build"
}

# What is looked for before a build is planned.
toolchain_make() {
	local name
	for name in make gcc as ld strip; do
		printf '#!/bin/sh\nexit 1\n' >"$R/usr/bin/$name"
		chmod 755 "$R/usr/bin/$name"
	done
}

# programs_copy NAME...: programs of this machine and their libraries, for the tree.
programs_copy() {
	local name path file
	for name in "$@"; do
		path=$(type -P "$name") || fail "no program $name" || return 1
		mkdir -p "$R/usr/bin"
		cp -L "$path" "$R/usr/bin/"
		for file in $(ldd "$path" 2>/dev/null | grep -o '/[^ ]*'); do
			mkdir -p "$R$(dirname "$file")"
			[[ -e $R$file ]] || cp -L "$file" "$R$file"
		done
	done
}

# build_root [MODULE]: a tree in which acme/1.0 is really built, for K: the playground's
# play-good, or that one.
build_root() {
	local headers dir=$R/usr/src/acme-1.0 module=$builddir/tests/unit/modules/${1:-play-good}.ko
	[[ -e $module ]] || skip "no playground modules"
	K=6.1.0-1-play
	kernel_make $K
	headers=$R/usr/src/linux-headers-$K
	printf '%s\n' 'CONFIG_MODULES=y' 'CONFIG_MODULE_SIG_HASH="sha256"' >"$headers/include/config/auto.conf"
	printf '0x%s\t%s\tvmlinux\tEXPORT_SYMBOL\t\n' 11111111 module_layout 22222222 play_kernel_call \
		00000000 play_kernel_call_without_crc >"$headers/Module.symvers"
	toolchain_make
	mkdir -p "$R"/{tmp,dev,proc}
	chmod 1777 "$R/tmp"
	programs_copy bash make cp sh
	ln -s usr/bin "$R/bin"
	printf '#!/bin/sh\nexit 0\n' >"$R/usr/bin/strip"
	source_make acme 1.0 AUTOINSTALL=yes 'MAKE[0]="make -C $dkms_tree/acme/1.0/build"' 'CLEAN="true"'
	cp "$module" "$dir/made"
	printf 'all:\n\tcp made acme.ko\n' >"$dir/Makefile"
	chmod -R go-w "$R"
	tree_add acme 1.0
}

# source_make NAME VERSION [LINE...]: without lines one module with AUTOINSTALL.
source_make() {
	local dir=$R/usr/src/$1-$2
	mkdir -p "$dir"
	{
		printf 'PACKAGE_NAME="%s"\nPACKAGE_VERSION="%s"\n' "$1" "$2"
		printf 'BUILT_MODULE_NAME[0]="%s"\nDEST_MODULE_LOCATION[0]="/updates"\n' "$1"
		if (($# > 2)); then
			printf '%s\n' "${@:3}"
		else
			printf 'AUTOINSTALL="yes"\n'
		fi
	} >"$dir/dkms.conf"
	printf 'obj-m := %s.o\n' "$1" >"$dir/Makefile"
	chmod -R go-w "$dir"
}

# tree_add NAME VERSION: as "dkms add" leaves it.
tree_add() {
	mkdir -p "$R/var/lib/dkms/$1/$2/build"
	ln -s "/usr/src/$1-$2" "$R/var/lib/dkms/$1/$2/source"
}

# tree_built NAME VERSION RELEASE: as "dkms build" leaves it.
tree_built() {
	local dir=$R/var/lib/dkms/$1/$2/$3/$A
	mkdir -p "$dir/module" "$dir/log"
	printf 'module %s %s\n' "$1" "$2" >"$dir/module/$1.ko"
	printf 'make.log of %s\n' "$1" >"$dir/log/make.log"
}

# manifest_make NAME VERSION RELEASE: as a build of ours leaves it.
manifest_make() {
	local dir=$R/var/lib/dkms/$1/$2/$3/$A
	cat >"$dir/manifest" <<-EOF
		[manifest]
		schema=1
		module=$1
		version=$2
		release=$3
		arch=$A
		build-fingerprint=abc
		finish-fingerprint=abc
		sandbox-layers=none
		built-at-us=1700000000000000
		installed-at-us=0
		build-duration-ms=1
		n-files=1

		[file 0]
		name=$1.ko
		dest-dir=/lib/modules/$3/updates/dkms
		sha256=$(sha256sum "$dir/module/$1.ko" | cut -d' ' -f1)
		size=$(stat -c %s "$dir/module/$1.ko")
		aliases=
		exports=
	EOF
}

# tree_installed NAME VERSION RELEASE: as "dkms install" leaves it.
tree_installed() {
	tree_built "$@"
	mkdir -p "$R/lib/modules/$3/updates/dkms"
	cp "$R/var/lib/dkms/$1/$2/$3/$A/module/$1.ko" "$R/lib/modules/$3/updates/dkms/"
	ln -sfn "$2/$3/$A" "$R/var/lib/dkms/$1/kernel-$3-$A"
}

need_root() { ((EUID == 0)) || skip "needs root"; }

fail() {
	printf '%s\n' "$@" >&2
	return 1
}

# equal ACTUAL EXPECTED
equal() { [[ $1 == "$2" ]] || fail "is:       $1" "expected: $2"; }

# contains TEXT PART
contains() { [[ $1 == *"$2"* ]] || fail "has no: $2" "in:     $1"; }
lacks() { [[ $1 != *"$2"* ]] || fail "has: $2" "in:  $1"; }

# The JSON on stdin, if it is some.
valid_json() { jq -e . >/dev/null || fail "no JSON"; }

# depmod_make [STATUS]: a depmod in the tree that notes its arguments in /depmod.log.
depmod_make() {
	mkdir -p "$R/usr/sbin"
	cat >"$BATS_TEST_TMPDIR/depmod.c" <<-'END'
	#include <stdio.h>
	int main(int argc, char **argv)
	{
		FILE *log = fopen("/depmod.log", "a");
		for (int i = 1; log && i < argc; i++)
			fprintf(log, "%s%s", argv[i], i + 1 < argc ? " " : "\n");
		return !log || fclose(log) || STATUS;
	}
	END
	gcc -static -DSTATUS="${1:-0}" -o "$R/usr/sbin/depmod" "$BATS_TEST_TMPDIR/depmod.c"
}

# weak_modules_make PATH: a program in the tree that notes arguments and input in /weak.log.
weak_modules_make() {
	mkdir -p "$R$(dirname "$1")"
	cat >"$BATS_TEST_TMPDIR/weak.c" <<-'END'
	#include <stdio.h>
	int main(int argc, char **argv)
	{
		FILE *log = fopen("/weak.log", "a");
		int c;
		for (int i = 1; log && i < argc; i++)
			fprintf(log, "%s%s", argv[i], i + 1 < argc ? " " : "\n");
		while (log && (c = getchar()) != EOF)
			fputc(c, log);
		return !log || fclose(log);
	}
	END
	gcc -static -o "$R$1" "$BATS_TEST_TMPDIR/weak.c"
}
