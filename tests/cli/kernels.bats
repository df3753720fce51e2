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

@test "where no kernel has an image, as in a container, one with headers is built for by name" {
	image_remove $K
	mkdir "$R/lib/modules/6.1.0-2-left"
	run kmodsmith --root "$R" sync -k $K
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

# alias_of MACHINE: dpkg's name of it.
alias_of() {
	case $1 in
	x86_64) echo amd64 ;;
	aarch64) echo arm64 ;;
	*) skip "no other name of $1 is known here" ;;
	esac
}

@test "dpkg's name of the architecture is a name of this machine" {
	other=$(alias_of "$A")
	run dkms_in install -m acme -v 1.0 -k $K -a "$other"
	echo "$output"
	[[ $status == 0 && -e $R/var/lib/dkms/acme/1.0/$K/$A/module/acme.ko ]]
	run dkms_in status -m acme -k $K -a "$other"
	contains "$output" "acme/1.0, $K, $A: installed"
	run dkms_in uninstall acme/1.0 -k "$K/$other"
	[[ $status == 0 && -z $(find "$R/lib/modules/$K" -name 'acme.ko*') ]]
	run dkms_in remove acme/1.0 --all
	[[ $status == 0 && ! -e $R/var/lib/dkms/acme/1.0 ]]
	run dkms_in build acme/1.0 -k $K -a sparc64
	[[ $status == 12 ]]
}

# as "dkms install -a amd64" of dkms's leaves it, with what it has put aside
installed_elsewhere() {
	tree_installed acme 1.0 "$1"
	mv "$R/var/lib/dkms/acme/1.0/$1/$A" "$R/var/lib/dkms/acme/1.0/$1/$other"
	rm "$R/var/lib/dkms/acme/kernel-$1-$A"
	ln -s "1.0/$1/$other" "$R/var/lib/dkms/acme/kernel-$1-$other"
	mkdir -p "$R/var/lib/dkms/acme/original_module/$1/$other"
	echo original >"$R/var/lib/dkms/acme/original_module/$1/$other/acme.ko"
}

@test "what dkms left below dpkg's name of the architecture is taken over below the machine's" {
	other=$(alias_of "$A")
	installed_elsewhere $K
	run kmodsmith --root "$R" sync
	echo "$output"
	[[ $output == *"1 module(s) built by dkms taken over"* && $output != *"built in"* ]]
	[[ -e $R/var/lib/dkms/acme/1.0/$K/$A/manifest && ! -e $R/var/lib/dkms/acme/1.0/$K/$other ]]
	[[ $(readlink "$R/var/lib/dkms/acme/kernel-$K-$A") == "1.0/$K/$A" ]]
	[[ ! -L $R/var/lib/dkms/acme/kernel-$K-$other ]]
	[[ $(cat "$R/var/lib/dkms/acme/original_module/$K/$A/acme.ko") == original ]]
	run dkms_in status
	[[ $output == *"acme/1.0, $K, $A: installed"* && $output != *"$other"* ]]
	run dkms_in remove acme/1.0 --all
	echo "$output"
	[[ $status == 0 && -z $(find "$R/var/lib/dkms" -name "*$other*") && ! -e $R/var/lib/dkms/acme/1.0 ]]
}

@test "dkms remove takes off what is below dpkg's name of the architecture, as the first command" {
	other=$(alias_of "$A")
	installed_elsewhere $K
	rm "$R/lib/modules/$K/build"
	run dkms_in remove -m acme -v 1.0 --all
	echo "$output"
	[[ $status == 0 && ! -e $R/var/lib/dkms/acme/1.0 && ! -L $R/var/lib/dkms/acme/kernel-$K-$other ]]
}

@test "of two names of the architecture the active build stays, and an interrupted move goes on" {
	other=$(alias_of "$A")
	rm "$R/lib/modules/$K/build"
	installed_elsewhere $K
	tree_built acme 1.0 $K
	echo other >"$R/var/lib/dkms/acme/1.0/$K/$A/module/acme.ko"
	run kmodsmith --root "$R" sync
	[[ $(cat "$R/var/lib/dkms/acme/1.0/$K/$A/module/acme.ko") == "module acme 1.0" ]]
	[[ -L $R/var/lib/dkms/acme/kernel-$K-$A && ! -e $R/var/lib/dkms/acme/1.0/$K/$other ]]
	# moved, and killed before its link was
	mv "$R/var/lib/dkms/acme/kernel-$K-$A" "$R/var/lib/dkms/acme/kernel-$K-$other"
	ln -sfn "1.0/$K/$other" "$R/var/lib/dkms/acme/kernel-$K-$other"
	run kmodsmith --root "$R" sync
	[[ $(readlink "$R/var/lib/dkms/acme/kernel-$K-$A") == "1.0/$K/$A" ]]
	[[ ! -L $R/var/lib/dkms/acme/kernel-$K-$other ]]
}
