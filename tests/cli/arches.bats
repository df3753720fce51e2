# SPDX-License-Identifier: GPL-2.0-or-later
# Kernels of another architecture than the machine's, beside the machine's own. alpha is one
# that no machine of today is.

load tree

setup() {
	[[ $EUID == 0 ]] || skip "not root: nothing can be chrooted"
	tree_new
	build_root
	depmod_make
	# compiles for this machine, by what it is
	cp -L "$(type -P true)" "$R/usr/bin/gcc"
	OTHER=6.6.31-alpha
	kernel_make $OTHER
	echo CONFIG_ALPHA=y >>"$R/usr/src/linux-headers-$OTHER/include/config/auto.conf"
	cp "$R/usr/src/linux-headers-$K/Module.symvers" "$R/usr/src/linux-headers-$OTHER/"
}

depmod_make() {
	mkdir -p "$R/sbin"
	printf '#!/bin/sh\nexit 0\n' >"$R/sbin/depmod"
	chmod 755 "$R/sbin/depmod"
}

ks() { kmodsmith --root "$R" "$@"; }

cross_make() {
	printf '#!/bin/sh\nexit 1\n' >"$R/usr/bin/alpha-linux-gnu-gcc"
	cp "$R/usr/bin/strip" "$R/usr/bin/alpha-linux-gnu-strip"
	chmod 755 "$R"/usr/bin/alpha-*
}

@test "a kernel that no compiler here serves waits, says for which, and is no failure" {
	run ks sync
	echo "$output"
	[[ $status == 0 ]]
	[[ $output != *failed* ]]
	run ks status
	echo "$output"
	[[ $status == 0 ]]
	contains "$output" "acme/1.0 on $K: installed"
	contains "$output" "acme/1.0 on $OTHER: waiting"
	contains "$output" "no compiler for alpha in"
	contains "$output" "'gcc-alpha-linux-gnu' has one"
	contains "$output" "its kernel cannot run this system"
	run ks explain acme --kernel $OTHER
	contains "$output" "alive, alpha (cannot run this system)"
	run ks status --json
	contains "$(jq -r '.targets[] | "\(.kernel) \(.arch) \(.foreign)"' <<<"$output")" "$OTHER alpha true"
}

@test "who names such a kernel is told that it could not be built for" {
	run ks sync --kernel $OTHER
	echo "$output"
	[[ $status == 4 ]]
	run dkms --root "$R" install acme/1.0 -k $OTHER
	echo "$output"
	[[ $status != 0 ]]
	contains "$output" "no compiler for alpha"
}

@test "the hook of its package is not told of a failure" {
	run dkms --root "$R" kernel_postinst -k $OTHER
	echo "$output"
	[[ $status == 0 ]]
	contains "$output" "was skipped for module(s) acme"
}

@test "a cross compiler is called by the names that kbuild has, and what it makes is checked" {
	cross_make
	echo 'STRIP="no"' >>"$R/usr/src/acme-1.0/dkms.conf"
	printf 'all:\n\t@echo "[$(ARCH)] [$(CROSS_COMPILE)] [$$arch] [$$CC] [`uname -m`]"\n\tcp made acme.ko\n' \
		>"$R/usr/src/acme-1.0/Makefile"
	run ks build acme --kernel $OTHER
	echo "$output"
	[[ $status == 3 ]]
	contains "$output" "acme.ko"
	contains "$output" "alpha"
	run ks log acme --kernel $OTHER
	contains "$output" "[alpha] [alpha-linux-gnu-] [alpha] [alpha-linux-gnu-gcc] [alpha]"
	run ks status --kernel $OTHER
	contains "$output" "failed (what was built does not fit this kernel"
}

@test "a compiler that comes is used" {
	ks sync
	cross_make
	run ks plan
	contains "$output" "build acme/1.0 on $OTHER"
}

@test "the administrator's CROSS_COMPILE is taken for what it says" {
	cross_make
	programs_copy env
	mv "$R/usr/bin/alpha-linux-gnu-gcc" "$R/usr/bin/mine-gcc"
	mkdir -p "$R/etc/dkms"
	echo 'export CROSS_COMPILE=mine-' >"$R/etc/dkms/environment"
	echo 'build_environment=/etc/dkms/environment' >"$R/etc/dkms/framework.conf"
	run ks plan
	contains "$output" "build acme/1.0 on $OTHER"
}

@test "what dkms has put under the machine's name is taken over by the kernel's" {
	cross_make
	tree_built acme 1.0 $OTHER
	mkdir -p "$R/lib/modules/$OTHER/updates"
	cp "$R/var/lib/dkms/acme/1.0/$OTHER/$A/module/acme.ko" "$R/lib/modules/$OTHER/updates/"
	ln -s "1.0/$OTHER/$A" "$R/var/lib/dkms/acme/kernel-$OTHER-$A"
	run ks sync
	echo "$output"
	[[ ! -e $R/var/lib/dkms/acme/1.0/$OTHER/$A ]]
	[[ ! -L $R/var/lib/dkms/acme/kernel-$OTHER-$A ]]
	[[ -d $R/var/lib/dkms/acme/1.0/$OTHER/alpha ]]
	# who passes what uname -m prints means the kernel
	run dkms --root "$R" status -k $OTHER -a "$A"
	echo "$output"
	contains "$output" "acme/1.0, $OTHER, alpha"
	run dkms --root "$R" build acme/1.0 -k $OTHER -a "$A"
	echo "$output"
	[[ $status != 12 ]]
	run dkms --root "$R" build acme/1.0 -k $OTHER -a sparc64
	[[ $status == 12 ]]
	contains "$output" "Cannot build for the architecture sparc64 on alpha."
	run dkms --root "$R" uninstall acme/1.0 -k $OTHER
	echo "$output"
	[[ $status == 0 ]]
	run dkms --root "$R" remove acme/1.0 -k $OTHER
	echo "$output"
	[[ $status == 0 ]]
	[[ ! -e $R/var/lib/dkms/acme/1.0/$OTHER ]]
}

@test "a kernel that is gone is known by the name that its artifacts have" {
	A=alpha tree_built acme 1.0 6.6.30-alpha
	run dkms --root "$R" remove acme/1.0 -k 6.6.30-alpha
	echo "$output"
	[[ $status == 0 ]]
	[[ ! -e $R/var/lib/dkms/acme/1.0/6.6.30-alpha ]]
}
