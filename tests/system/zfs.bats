# SPDX-License-Identifier: GPL-2.0-or-later
# set: long
# OpenZFS of Debian's contrib: a PRE_BUILD that runs an autoconf configure with hundreds of
# makes, a MAKE for eight modules, and a POST_BUILD that copies files into the state tree for
# those who build upon it.

. tests/lib/root.bash

setup_file() {
	root_new zfs bookworm-cloud
	K=$(root_kernels)
	export K
	root_components contrib non-free non-free-firmware
	root_install_kmodsmith
	root_in apt-get -y -q -o Dpkg::Options::=--force-confnew install zfs-dkms
	V=$(basename "$R"/usr/src/zfs-*)
	export V=${V#zfs-}
}

teardown_file() { root_end; }

@test "apt install zfs-dkms leaves all of its modules recorded" {
	run root_exec modprobe -n -S "$K" --show-depends zfs
	((status == 0))
	assert_contains "$output" "updates/dkms/zfs.ko"
	assert_state zfs "$K" recorded
	[[ -n $(module_file "$K" zfs) && -n $(module_file "$K" spl) ]]
	assert_packages_fine
}

@test "what POST_BUILD copied for others is in the tree" {
	local dir=$R/var/lib/dkms/zfs/$V/$K/x86_64
	grep -q '#define ZFS_META_NAME' "$dir/zfs_config.h"
	grep -q spl_kmem_alloc "$dir/Module.symvers"
}

@test "it is there again when the store gives the module back" {
	root_in dkms unbuild "zfs/$V" -k "$K"
	[[ ! -e $R/var/lib/dkms/zfs/$V/$K ]]
	root_in kmodsmith sync
	assert_state zfs "$K" recorded
	grep -q '#define ZFS_META_NAME' "$R/var/lib/dkms/zfs/$V/$K/x86_64/zfs_config.h"
}

@test "it goes with the package" {
	root_apt purge zfs-dkms
	[[ ! -e $R/var/lib/dkms/zfs ]]
	assert_gone zfs "$K"
	assert_packages_fine
}
