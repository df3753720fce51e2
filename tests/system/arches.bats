# SPDX-License-Identifier: GPL-2.0-or-later
# set: long
# on: bookworm
# Kernels of two architectures in one system: an arm64 one in an amd64 system, without and with
# Debian's cross compiler; and an i386 system on the machine's 64-bit kernel, without setarch,
# with kernels of both halves.

load ../lib/root

setup_file() {
	root_new arches bookworm-cloud
	R64=$R LOG64=$ROOT_LOG
	K=$(root_kernels)
	root_install_kmodsmith >&2
	source_make "$R/usr/src/vendor-1.0" vendor 1.0
	add_arm64
	root_new arches-i386 bookworm-i386-686
	R32=$R LOG32=$ROOT_LOG
	K32=$(root_kernels)
	cp "$(deb_of bookworm-i386)" "$R/root/kmodsmith.deb"
	root_apt install /root/kmodsmith.deb >&2
	source_make "$R/usr/src/vendor-1.0" vendor 1.0
	export R64 LOG64 K KARM R32 LOG32 K32
}

# The kernel and its headers as they are, past dpkg: their packages would bring arm64's gcc.
add_arm64() {
	root_in dpkg --add-architecture arm64
	root_apt update >&2
	KARM=$(root_exec apt-cache depends linux-headers-cloud-arm64:arm64 |
		sed -n 's/^ *Depends: linux-headers-\([0-9][^:]*\).*/\1/p')
	root_sh 'cd /root && apt-get download -q "linux-headers-$1:arm64" "linux-image-$1-unsigned:arm64" ||
		apt-get download -q "linux-headers-$1:arm64" "linux-image-$1:arm64"
		for deb in linux-*_arm64.deb; do
			dpkg-deb --fsys-tarfile "$deb" | tar -x -C / --keep-directory-symlink
			rm "$deb"
		done' sh "$KARM" >&2
	root_apt install "linux-headers-${KARM%-cloud-arm64}-common" >&2
}

teardown_file() {
	R=$R32 root_end
	R=$R64 root_end
}

in_64() { R=$R64 ROOT_LOG=$LOG64; }
in_32() { R=$R32 ROOT_LOG=$LOG32; }

# machine_of FILE: what an ELF file of the root is for.
machine_of() { readelf -h "$R$1" | sed -n 's/^ *Machine: *//p'; }

@test "a kernel that no compiler serves waits, names the package, and is no failure" {
	in_64
	run root_in kmodsmith sync
	assert_equal "$status" 0 "exit code of sync"
	assert_recorded vendor "$K" vendor
	assert_state vendor "$KARM" waiting
	assert_equal "$(target vendor "$KARM" reason)" toolchain-missing "reason"
	assert_equal "$(target vendor "$KARM" arch)" aarch64 "architecture"
	for _ in again and-again; do
		run root_in kmodsmith status
		assert_equal "$status" 0 "exit code of status"
		assert_contains "$output" "'gcc-aarch64-linux-gnu' has one"
		run root_in kmodsmith sync
		assert_equal "$status" 0 "exit code of sync"
		assert_lacks "$output" "failed"
	done
	run root_in kmodsmith build vendor --kernel "$KARM"
	assert_equal "$status" 4 "exit code when it is named"
	run root_in dkms autoinstall -k "$KARM"
	assert_equal "$status" 0 "exit code of its hook"
}

@test "the cross compiler that is installed then is used, and its module is that machine's" {
	in_64
	run root_apt install gcc-aarch64-linux-gnu
	assert_equal "$status" 0 "exit code of apt"
	root_in kmodsmith sync
	assert_recorded vendor "$KARM" vendor
	assert_equal "$(machine_of "$(module_file "$KARM" vendor)")" AArch64 "machine of the module"
	assert_equal "$(machine_of "$(module_file "$K" vendor)")" \
		"Advanced Micro Devices X86-64" "machine of the other module"
	[[ -d $R/var/lib/dkms/vendor/1.0/$KARM/aarch64 ]]
	run root_in kmodsmith plan
	assert_contains "$output" "nothing to do"
}

@test "in an i386 system nothing needs setarch" {
	in_32
	assert_equal "$(root_exec uname -m)" x86_64 "what uname -m says there"
	run root_in kmodsmith sync
	assert_equal "$status" 0 "exit code of sync"
	assert_recorded vendor "$K32" vendor
	assert_equal "$(machine_of "$(module_file "$K32" vendor)")" "Intel 80386" "machine of the module"
	run root_in dkms status
	assert_contains "$output" "vendor/1.0, $K32, i686: installed"
	# what scripts pass means that kernel
	for arch in x86_64 i386 i686; do
		run root_in dkms install vendor/1.0 -k "$K32" -a "$arch"
		assert_equal "$status" 0 "exit code with -a $arch"
	done
	assert_packages_fine
}

@test "what dkms has built there under the machine's name is taken over" {
	in_32
	root_in kmodsmith uninstall vendor
	rm -r "$R/var/lib/dkms/vendor/1.0/$K32/i686/manifest"
	mv "$R/var/lib/dkms/vendor/1.0/$K32/i686" "$R/var/lib/dkms/vendor/1.0/$K32/x86_64"
	run root_in kmodsmith sync
	[[ ! -e $R/var/lib/dkms/vendor/1.0/$K32/x86_64 ]]
	run root_in kmodsmith install vendor
	assert_recorded vendor "$K32" vendor
}

@test "its 64-bit kernel is built for by the same compiler" {
	in_32
	root_in dpkg --add-architecture amd64
	root_apt update
	run root_apt install linux-image-cloud-amd64:amd64 linux-headers-cloud-amd64:amd64
	assert_equal "$status" 0 "exit code of apt"
	K64=$(root_kernels | grep cloud)
	assert_state vendor "$K64" recorded
	# its record is of its kernel's architecture, and debsums knows only the system's
	assert_equal "$(root_query "$(record_name vendor "$K64"):amd64" '${db:Status-Abbrev}')" "ii " "status"
	assert_equal "$(root_exec dpkg -V "$(record_name vendor "$K64"):amd64")" "" "dpkg -V"
	assert_equal "$(machine_of "$(module_file "$K64" vendor)")" \
		"Advanced Micro Devices X86-64" "machine of the module"
	assert_recorded vendor "$K32" vendor
	run root_in kmodsmith status
	assert_equal "$status" 0 "exit code of status"
	assert_packages_fine
}
