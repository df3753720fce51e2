# SPDX-License-Identifier: GPL-2.0-or-later
# set: full
# What was compiled for one kernel is used for another whose headers compile alike, and for no
# other. The second kernels are copies of a real one's headers under another release, as
# Debian's 6.1.0-56 is of -55; each test changes in one what it is about. Modules are compared
# with those of a build in full.

load ../lib/root

setup_file() {
	root_new objects bookworm-cloud
	root_install_kmodsmith >&2
	root_apt install linux-headers-amd64 >&2
	rm -r "$R"/lib/modules/*-cloud-amd64
	A=$(basename "$(echo "$R"/lib/modules/*[0-9]-amd64)")
	export A
	alive "$A"
	root_in env KMODSMITH=0 apt-get install -y -q xtables-addons-dkms >&2
	many_make "$R/usr/src/many-1.0"
	mkdir -p "$R/etc/kmodsmith/kmodsmith.conf.d"
	setting 'reuse-objects = true'
	sync "$A" >&2
}

teardown_file() { root_end; }

setting() {
	printf '[kmodsmith]\ninitramfs = false\n%s\n' "$1" \
		>"$R/etc/kmodsmith/kmodsmith.conf.d/test.conf"
}

alive() {
	mkdir -p "$R/lib/modules/$1/kernel"
	touch "$R/lib/modules/$1/modules.order" "$R/lib/modules/$1/modules.builtin"
}

sync() {
	local release=$1
	shift
	root_in kmodsmith sync -k "$release" "$@"
}

# Two modules of eight files; one of these names the kernel, one takes in a table.
many_make() {
	local i
	source_make "$1" many 1.0
	printf 'BUILT_MODULE_NAME[1]="more"\nDEST_MODULE_LOCATION[1]="/updates/dkms"\n' \
		>>"$1/dkms.conf"
	printf 'PRE_BUILD="pre.sh"\n' >>"$1/dkms.conf"
	cat >"$1/Makefile" <<-'END'
	obj-m := many.o more.o
	many-y := main.o a1.o a2.o a3.o a4.o a5.o
	more-y := b1.o b2.o
	CFLAGS_b2.o := $(if $(findstring -95-,$(KERNELRELEASE)),-DOTHER)
	ifneq ($(findstring -94-,$(KERNELRELEASE)),)
	$(shell echo '#define VALUE 2' >$(src)/value.h; touch -d 2001-01-01 $(src)/value.h)
	endif
	ifneq ($(findstring -87-,$(KERNELRELEASE)),)
	$(shell [ -e $(src)/passed ] || { : >$(src)/passed; read x </srv/go; })
	endif
	END
	cat >"$1/pre.sh" <<-'END'
	#!/bin/sh
	echo "$kernelver" | tr 0-9 a-j >table
	case $kernelver in *-93-*) echo '#define VALUE 3' >value.h ;; esac
	END
	chmod 755 "$1/pre.sh"
	mv "$1/many.c" "$1/main.c"
	echo '#define VALUE 1' >"$1/value.h"
	for i in 1 2 3 4; do
		printf '#include <linux/module.h>\n#include <linux/list.h>\n#include "value.h"\n' >"$1/a$i.c"
		printf 'int many_a%s(int x);\nint many_a%s(int x) { WARN_ON(x); return x * %s + VALUE; }\n' \
			"$i" "$i" "$i" >>"$1/a$i.c"
		printf 'EXPORT_SYMBOL(many_a%s);\n' "$i" >>"$1/a$i.c"
	done
	printf '#include <linux/module.h>\n#include <generated/utsrelease.h>\nconst char *many_a5(void);\n%s\n' \
		'const char *many_a5(void) { return UTS_RELEASE; }' >"$1/a5.c"
	# what it takes in is told by no dependency, and is another for each kernel
	printf '#include <linux/module.h>\nMODULE_LICENSE("GPL");\n%s\n' \
		'asm(".pushsection .rodata\n.incbin \"/var/lib/dkms/many/1.0/build/table\"\n.popsection");' \
		>"$1/b1.c"
	printf '#include <linux/module.h>\nint more_b(void);\nint more_b(void) { return 1; }\n' >"$1/b2.c"
}

# kernel RELEASE: the headers of $A once more.
kernel() {
	local old=${A%-amd64} new=${1%-amd64} part file
	for part in amd64 common; do
		rm -rf "$R/usr/src/linux-headers-$new-$part"
		cp -a "$R/usr/src/linux-headers-$old-$part" "$R/usr/src/linux-headers-$new-$part"
	done
	for file in Makefile .kernelvariables .config include/config/auto.conf \
		include/generated/{autoconf,utsrelease}.h; do
		sed -i "s/$old-/$new-/g" "$R/usr/src/linux-headers-$new-amd64/$file"
	done
	mkdir -p "$R/lib/modules/$1"
	ln -sfn "/usr/src/linux-headers-$new-amd64" "$R/lib/modules/$1/build"
	ln -sfn "/usr/src/linux-headers-$new-common" "$R/lib/modules/$1/source"
	alive "$1"
	H=$R/usr/src/linux-headers-$new-amd64 C=$R/usr/src/linux-headers-$new-common
}

artifact() { echo "$R/var/lib/dkms/$1/$2/x86_64"; }
built() { grep '^built-sha256' "$(artifact "$1" "$2")/manifest"; }
# How many files the compiler was called for, those that modpost writes left out.
compiled() {
	grep -E '^ +(CC |gcc-[0-9]+ .* -c -o )' "$(artifact "$1" "$2")/log/make.log" |
		grep -vc '\.mod\.o'
}
reused() { sed -n 's/^objects-reused=//p' "$(artifact "$1" "$2")/manifest"; }

# assert_many RELEASE COMPILED: so many are compiled, to what a build in full gives.
assert_many() {
	local with
	sync_many "$1"
	assert_equal "$(compiled many/1.0 "$1")" "$2" "compiled" || return 1
	with=$(built many/1.0 "$1")
	sync_many "$1" --force
	assert_equal "$(compiled many/1.0 "$1")" 8 "compiled in full" || return 1
	assert_equal "$(built many/1.0 "$1")" "$with" "modules"
}

sync_many() {
	local release=$1
	shift
	root_in kmodsmith build many/1.0 -k "$release" "$@" >&2
}

# Each test begins with what the first kernel's build has left.
setup() {
	local store=$R/var/lib/kmodsmith/store
	[[ -e $R/root/store ]] || cp -a "$store" "$R/root/store"
	rm -rf "$store"
	cp -a "$R/root/store" "$store"
}

@test "the first kernel's build keeps its objects" {
	run root_exec kmodsmith cache --json
	assert_equal "$(jq -r '.entries[] | select(.kind == "objects") | .module' <<<"$output" | sort | xargs)" \
		"many xtables-addons" "modules with objects"
	assert_equal "$(compiled many/1.0 "$A")" 8 "compiled"
}

@test "for a kernel with the same headers only what names it, or takes in what is not told, is compiled, to the same bytes" {
	kernel 6.1.0-91-amd64
	sync 6.1.0-91-amd64
	assert_equal "$(compiled many/1.0 6.1.0-91-amd64)" 2 "compiled of many"
	assert_equal "$(reused many/1.0 6.1.0-91-amd64)" 6 "reused of many"
	assert_equal "$(compiled xtables-addons/3.23 6.1.0-91-amd64)" 0 "compiled of xtables-addons"
	assert_contains "$(root_exec kmodsmith explain many/1.0 -k 6.1.0-91-amd64)" "6 of 8 objects"
	local with
	with=$(built many/1.0 6.1.0-91-amd64; built xtables-addons/3.23 6.1.0-91-amd64)
	sync 6.1.0-91-amd64 --force
	assert_equal "$(compiled many/1.0 6.1.0-91-amd64)" 8 "compiled of many in full"
	(($(compiled xtables-addons/3.23 6.1.0-91-amd64) > 20)) || fail "not built in full"
	assert_equal "$(built many/1.0 6.1.0-91-amd64; built xtables-addons/3.23 6.1.0-91-amd64)" \
		"$with" "modules"
}

@test "a header that has changed, by so much as a comment, has all compiled" {
	kernel 6.1.0-92-amd64
	echo '/* changed */' >>"$C/include/linux/list.h"
	assert_many 6.1.0-92-amd64 8
}

@test "what includes a header that PRE_BUILD writes differently is compiled" {
	kernel 6.1.0-93-amd64
	assert_many 6.1.0-93-amd64 6
}

@test "what make itself changes, with an old date, is noticed: all is compiled" {
	kernel 6.1.0-94-amd64
	assert_many 6.1.0-94-amd64 8
}

@test "what is compiled with another flag is compiled" {
	kernel 6.1.0-95-amd64
	assert_many 6.1.0-95-amd64 3
}

@test "another value in the configuration has all compiled" {
	kernel 6.1.0-96-amd64
	sed -i 's/^#define CONFIG_LOG_BUF_SHIFT 17$/#define CONFIG_LOG_BUF_SHIFT 18/' \
		"$H/include/generated/autoconf.h"
	grep -q '^#define CONFIG_LOG_BUF_SHIFT 18$' "$H/include/generated/autoconf.h"
	assert_many 6.1.0-96-amd64 8
}

@test "a header that is new and found first has all compiled" {
	kernel 6.1.0-97-amd64
	mkdir -p "$C/arch/x86/include/linux"
	echo '#include_next <linux/list.h>' >"$C/arch/x86/include/linux/list.h"
	assert_many 6.1.0-97-amd64 8
}

@test "another version of the kernel has all compiled" {
	kernel 6.1.0-98-amd64
	sed -i '/LINUX_VERSION_CODE/s/[0-9]*$/393999/' "$H/include/generated/uapi/linux/version.h"
	grep -q 393999 "$H/include/generated/uapi/linux/version.h"
	assert_many 6.1.0-98-amd64 8
}

@test "objects that are damaged are not used" {
	local file
	kernel 6.1.0-99-amd64
	for file in "$R"/var/lib/kmodsmith/store/*/objects/objects; do
		printf x | dd of="$file" bs=1 seek=5000 conv=notrunc status=none
	done
	run root_in kmodsmith cache verify
	assert_equal "$status" 3 "exit code of cache verify"
	assert_many 6.1.0-99-amd64 8
}

kept() {
	root_exec kmodsmith cache --json |
		jq -r '.entries[] | select(.kind == "objects" and .module == "many") | .kernel'
}

# held_build COMMAND...: many/1.0 for -87, with that in the middle of its make.
held_build() {
	rm -rf "$R/var/lib/kmodsmith/store" "$R/srv/go"
	mkfifo -m 666 "$R/srv/go"
	sync_many 6.1.0-87-amd64 3>&- &
	exec 9>"$R/srv/go"
	"$@"
	echo go >&9
	exec 9>&-
	wait $!
}

@test "headers that are replaced while make runs are not taken for those it has read" {
	kernel 6.1.0-87-amd64
	held_build true
	assert_equal "$(kept)" 6.1.0-87-amd64 "kept"
	root_exec dkms unbuild many/1.0 -k 6.1.0-87-amd64
	held_build sed -i '1s/^/\n/' "$C/include/linux/list.h"
	assert_equal "$(compiled many/1.0 6.1.0-87-amd64)" 8 "compiled"
	assert_equal "$(kept)" "" "kept"
}

@test "another compiler is not taken for the one that compiled them" {
	kernel 6.1.0-89-amd64
	touch -d '2001-01-01' "$R"/usr/lib/gcc/x86_64-linux-gnu/12/cc1
	assert_many 6.1.0-89-amd64 8
}

@test "with reuse-objects = false nothing is kept or used" {
	setting 'reuse-objects = false'
	kernel 6.1.0-90-amd64
	assert_many 6.1.0-90-amd64 8
	root_in kmodsmith cache clean
	kernel 6.1.0-88-amd64
	sync_many 6.1.0-88-amd64
	run root_exec kmodsmith cache --json
	assert_equal "$(jq -r '.entries[].kind' <<<"$output" | sort -u)" modules "kept"
}
