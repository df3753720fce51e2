# SPDX-License-Identifier: GPL-2.0-or-later
# Which kernels there are: images, headers alone, names that are none.

load tree

setup() {
	[[ $EUID == 0 ]] || skip "not root: nothing can be chrooted"
	tree_new
	build_root
	depmod_make
	# the file is of K in every build
	B=$K
}

depmod_make() {
	mkdir -p "$R/sbin"
	printf '#!/bin/sh\nexit 0\n' >"$R/sbin/depmod"
	chmod 755 "$R/sbin/depmod"
}

# image_remove RELEASE: its headers alone are left.
image_remove() { rm -r "${R:?}/lib/modules/$1"/{kernel,modules.order}; }

dkms_in() { dkms --root "$R" "$@"; }

@test "headers without an image are built for when they are named" {
	kernel_make 6.1.0-2-other no-headers
	image_remove $K
	run kmodsmith --root "$R" sync
	[[ $output != *"$K"* ]]
	run dkms_in build acme/1.0 -k $K
	echo "$output"
	[[ $status == 0 && -e $R/var/lib/dkms/acme/1.0/$K/$A/module/acme.ko ]]
	run dkms_in install acme/1.0 -k $K
	echo "$output"
	[[ $status == 0 ]]
	run kmodsmith --root "$R" status --kernel $K
	contains "$output" "acme/1.0 on $K: installed (its kernel has headers and no image)"
	# nor does a later run that is about everything take it for a removed kernel's
	run kmodsmith --root "$R" sync
	echo "$output"
	[[ -e $R/var/lib/dkms/acme/1.0/$K/$A/module/acme.ko ]]
	run dkms_in status -k $K
	contains "$output" "acme/1.0, $K, $A: installed"
	# its headers were only for the build
	rm "$R/lib/modules/$K/build"
	run kmodsmith --root "$R" sync
	run dkms_in status -k $K
	contains "$output" "acme/1.0, $K, $A: installed"
}

@test "every command that names a kernel takes headers without an image" {
	kernel_make 6.1.0-2-other no-headers
	image_remove $K
	run kmodsmith --root "$R" lint --kernel $K /usr/src/acme-1.0
	echo "$output"
	[[ $status == 0 ]]
	run kmodsmith --root "$R" plan --kernel $K
	contains "$output" "build"
	run dkms_in autoinstall -k $K
	echo "$output"
	[[ $status == 0 ]]
	run dkms_in mktarball acme/1.0 -k $K
	echo "$output"
	[[ $status == 0 ]]
	run dkms_in uninstall acme/1.0 -k $K
	[[ $status == 0 ]]
	run kmodsmith --root "$R" install acme/1.0 --kernel $K
	echo "$output"
	[[ $status == 0 ]]
	run kmodsmith --root "$R" sync --kernel $K
	[[ $status == 0 ]]
}

@test "where no kernel has an image, as in a container, those with headers are all there are" {
	image_remove $K
	mkdir "$R/lib/modules/6.1.0-2-left"
	run kmodsmith --root "$R" sync
	contains "$output" "acme/1.0 on $K"
	[[ $status == 0 && $output != *left* ]]
	[[ -e $R/var/lib/dkms/acme/1.0/$K/$A/module/acme.ko ]]
	run dkms_in remove acme/1.0 --all
	echo "$output"
	[[ $status == 0 && ! -e $R/var/lib/dkms/acme/1.0 ]]
}

@test "a kernel that was built for before its image came goes with its image" {
	kernel_make 6.1.0-2-other no-headers
	image_remove $K
	run dkms_in install acme/1.0 -k $K
	[[ $status == 0 ]]
	mkdir "$R/lib/modules/$K/kernel"
	run kmodsmith --root "$R" sync
	run kmodsmith --root "$R" status --kernel $K
	[[ $output == "acme/1.0 on $K: installed" ]]
	rmdir "$R/lib/modules/$K/kernel"
	run kmodsmith --root "$R" sync
	echo "$output"
	[[ ! -e $R/var/lib/dkms/acme/1.0/$K ]]
}

@test "a kernel that is not there is named, with exit code 5" {
	mkdir "$R/lib/modules/6.1.0-2-left"
	for k in 6.1.0-2-left 6.1.0-3-none; do
		for command in "sync --kernel $k" "plan --kernel $k" "status --kernel $k" "install acme/1.0 --kernel $k"; do
			run kmodsmith --root "$R" $command
			echo "$command: $output"
			contains "$output" "there is no kernel '$k'"
			[[ $status == 5 ]]
		done
	done
	run dkms_in install acme/1.0 -k 6.1.0-3-none
	echo "$output"
	contains "$output" "cannot be found at /lib/modules/6.1.0-3-none/build"
	[[ $status == 21 ]]
}

@test "a header tree that is not prepared is not called missing" {
	rm -r "$R/usr/src/linux-headers-$K/include"
	run dkms_in build acme/1.0 -k $K
	echo "$output"
	[[ $status == 21 && $output != *"cannot be found"* ]]
	contains "$output" "/lib/modules/$K/build is not prepared"
	run kmodsmith --root "$R" status
	contains "$output" "'/lib/modules/$K/build' is not prepared"
}

@test "with --kernelsourcedir nothing of the kernel need be in /lib/modules" {
	image_remove $K
	rm -r "$R/lib/modules/$K"
	kernel_make 6.1.0-2-other no-headers
	run dkms_in build acme/1.0 -k $K --kernelsourcedir /usr/src/linux-headers-$K
	echo "$output"
	[[ $status == 0 && -e $R/var/lib/dkms/acme/1.0/$K/$A/module/acme.ko ]]
	run dkms_in install acme/1.0 -k $K --kernelsourcedir /usr/src/linux-headers-$K
	echo "$output"
	contains "$output" "You cannot install a module onto a non-existant kernel"
	[[ $status == 6 && ! -e $R/lib/modules/$K ]]
}
