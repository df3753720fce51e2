# SPDX-License-Identifier: GPL-2.0-or-later
# set: full
# The sandbox where cgroup v2 has all controllers, which the machine that runs this need not
# have: a real kernel under QEMU with nothing but the test program in it.

load ../lib/root

setup_file() {
	root_new cgroup bookworm-cloud
	KERNEL=$(root_kernels)
	export KERNEL
}

teardown_file() { root_end; }

# with_libraries TREE PROGRAM: into TREE/t, and what it is linked with.
with_libraries() {
	local library
	cp "$2" "$1/t/"
	ldd "$2" | grep -o '/[^ ]*' | while read -r library; do
		mkdir -p "$1${library%/*}"
		cp -L "$library" "$1$library"
	done
}

make_initramfs() {
	local tree=$1 applet
	mkdir -p "$tree"/{bin,dev,etc,proc,run,sys,t,tmp}
	cp /bin/busybox "$tree/bin/"
	for applet in sh cat sed sleep dd mount chmod poweroff rm; do
		ln -s busybox "$tree/bin/$applet"
	done
	with_libraries "$tree" "$ks_out/build/tests/unit/test-sandbox"
	with_libraries "$tree" "$ks_out/build/libexec/sandbox"
	printf 'root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n' >"$tree/etc/passwd"
	cat >"$tree/init" <<-'END'
	#!/bin/sh
	mount -t proc proc /proc
	mount -t sysfs sys /sys
	mount -t devtmpfs dev /dev
	mount -t tmpfs tmp /tmp && chmod 1777 /tmp
	mount -t cgroup2 cgroup /sys/fs/cgroup
	echo "+memory +pids" >/sys/fs/cgroup/cgroup.subtree_control
	export KMODSMITH_LIBEXECDIR=/t PATH=/bin
	/t/test-sandbox -p "/sandbox/the command is in a cgroup of its own, which goes with it" \
		-p "/sandbox/a cgroup limits memory and processes of all together"
	echo "END $?"
	poweroff -f
	END
	chmod 755 "$tree/init"
	(cd "$tree" && find . | cpio --quiet -o -H newc)
}

@test "memory and processes of a build are limited together" {
	[[ -x $ks_out/build/tests/unit/test-sandbox ]] ||
		skip "there is no out/build/tests/unit/test-sandbox; ./runtests without a scenario makes it"
	make_initramfs "${R%/root}/init" >"${R%/root}/init.img"
	timeout 300 qemu-system-x86_64 -accel tcg -m 1024 -nographic -no-reboot -nic none \
		-kernel "$R/boot/vmlinuz-$KERNEL" -initrd "${R%/root}/init.img" \
		-append "console=ttyS0 panic=-1 loglevel=4" </dev/null 3>&- >"${R%/root}/console" 2>&1 || true
	cat "${R%/root}/console" >>"$ROOT_LOG"
	output=$(tr -d '\r' <"${R%/root}/console")
	for name in "a cgroup limits memory and processes of all together" \
		"the command is in a cgroup of its own, which goes with it"; do
		grep -q "^ok [0-9]* /sandbox/$name\$" <<<"$output" || fail "$output"
	done
	assert_contains "$output" "END 0"
}
