# SPDX-License-Identifier: GPL-2.0-or-later
# set: quick
# The upgraded kernel boots under QEMU and really loads the modules that apt brought.

load ../lib/root

setup_file() {
	root_new boot bookworm-cloud
	NEW=$(root_candidate_kernel cloud-amd64)
	export NEW
	root_install_kmodsmith >&2
	root_apt install acpi-call-dkms vpoll-dkms dm-writeboost-dkms >&2
	root_in apt -y upgrade >&2
	make_initramfs
}

teardown_file() { root_end; }

make_initramfs() {
	local tree=$R/root/init
	mkdir -p "$tree/dev" "$tree/proc" "$tree/modules"
	mknod "$tree/dev/console" c 5 1
	gcc -static -O1 -Wall -o "$tree/init" "$ks_top/tests/system/boot-init.c"
	for stem in acpi_call vpoll; do
		cp "$R$(module_file "$NEW" "$stem")" "$tree/modules/$stem.ko"
	done
	# one that must be refused, so that a pass means something
	head -c 4096 /bin/true >"$tree/modules/junk.ko"
	root_sh 'cd /root/init && find . | cpio --quiet -o -H newc >/root/init.img'
}

@test "the upgraded kernel boots and loads the built modules" {
	timeout 300 qemu-system-x86_64 -accel tcg -m 512 -nographic -no-reboot -nic none \
		-kernel "$R/boot/vmlinuz-$NEW" -initrd "$R/root/init.img" \
		-append "console=ttyS0 panic=-1 loglevel=4" </dev/null 3>&- >"${R%/root}/console" 2>&1 || true
	cat "${R%/root}/console" >>"$ROOT_LOG"
	output=$(tr -d '\r' <"${R%/root}/console")
	assert_contains "$output" "BOOT: running $NEW"
	assert_contains "$output" "BOOT: loaded acpi_call.ko"
	assert_contains "$output" "BOOT: loaded vpoll.ko"
	assert_contains "$output" "BOOT: cannot load junk.ko"
	assert_contains "$output" "BOOT: live acpi_call"
	assert_contains "$output" "BOOT: end"
}
