# SPDX-License-Identifier: GPL-2.0-or-later
# What dkms 3.4.3 says and how it exits when something does not fit, line by line.

load tree

setup() {
	need_root
	tree_new
	T=$R/var/lib/dkms
	kernel_make $K
	source_make acme 1.0
	echo ID=debian >"$R/etc/os-release"
}

ds() { dkms "$@" --root "$R" --no-depmod; }

# err ARGUMENT...: what comes on stderr
err() { ds "$@" 2>&1 >/dev/null || true; }

headers_words="
Error! Your kernel headers for kernel 9.9 cannot be found at /lib/modules/9.9/build or /lib/modules/9.9/source.
Please install your distribution's kernel headers package matching 9.9, or use the --kernelsourcedir option to tell DKMS where it's located."

@test "exit code 16: an empty kernel or architecture" {
	run ds build acme/1.0 -k ''
	equal "$status" 16
	contains "$output" "Error! Empty kernelver[0]"
	run ds build acme/1.0 -k $K/
	equal "$status" 16
	contains "$output" "Error! Empty arch[0]"
}

@test "exit code 21: a kernel that is not there is one without headers" {
	for action in build install; do
		run ds $action acme/1.0 -k 9.9
		equal "$status" 21
		equal "$(err $action acme/1.0 -k 9.9)" "$headers_words"
	done
}

@test "exit code 21: autoinstall for a kernel that is not there, unless there is nothing to install" {
	tree_add acme 1.0
	run ds autoinstall -k 9.9
	equal "$status" 21
	equal "$(err autoinstall -k 9.9)" "$headers_words"
	rm -r "$T/acme" "$R/usr/src/acme-1.0"
	run ds autoinstall -k 9.9
	equal "$status" 0
	equal "$output" ""
}

@test "8 and 4: a conf that cannot be used, of a module that is added and of one that is not" {
	source_make nuts 1.0 'BUILT_MODULE_NAME[0]="nuts.ko"'
	source_make none 1.0
	rm "$R/usr/src/none-1.0/dkms.conf"
	for action in add build install; do
		run ds $action nuts/1.0 -k $K
		equal "$status" 8
		contains "$output" "dkms.conf: Error! $R/usr/src/nuts-1.0/dkms.conf:5: "
		contains "$output" "Error! Bad conf file.
File: /usr/src/nuts-1.0/dkms.conf does not represent a valid dkms.conf file."
		run ds $action none/1.0 -k $K
		equal "$status" 4
		equal "$(err $action none/1.0 -k $K)" "
Error! Could not locate dkms.conf file.
File: /usr/src/none-1.0/dkms.conf does not exist."
	done
	equal "$(ds status)" ""
	tree_add nuts 1.0
	run ds build nuts/1.0 -k $K
	equal "$status" 8
	contains "$output" "File: /var/lib/dkms/nuts/1.0/source/dkms.conf does not represent a valid"
}

@test "exit code 4: the file of -c is not there" {
	for action in add build install; do
		run ds $action acme/1.0 -k $K -c /nowhere
		equal "$status" 4
		equal "$(err $action acme/1.0 -k $K -c /nowhere)" "
Error! Could not locate dkms.conf file.
File: /nowhere does not exist."
	done
}

@test "a conf without modules is warned of, and added" {
	source_make void 1.0
	sed -i /MODULE/d "$R/usr/src/void-1.0/dkms.conf"
	run ds add void/1.0
	equal "$status" 0
	contains "$output" "dkms.conf: Warning! Zero modules specified."
}

@test "exit code 13: what is missing is listed as in BUILD_DEPENDS" {
	toolchain_make
	source_make needy 1.0 'BUILD_DEPENDS[0]="one"' 'BUILD_DEPENDS[1]="two"'
	run ds build needy/1.0 -k $K
	equal "$status" 13
	contains "$output" "Error! Aborting build of module needy/1.0 for kernel $K ($A) due to missing BUILD_DEPENDS: one two.
You may override by specifying --force."
	contains "$(err build needy/1.0 -k $K --force)" \
		"Warning: Trying to build module needy/1.0 for kernel $K ($A) despite of missing BUILD_DEPENDS: one two."
}

@test "nothing is said of the sources that nobody asked for" {
	source_make nuts 1.0 'BUILT_MODULE_NAME[0]="nuts.ko"'
	tree_add acme 1.0
	tree_built acme 1.0 $K
	equal "$(err install acme/1.0 -k $K)" ""
	equal "$(err uninstall acme/1.0 -k $K)" ""
	equal "$(err remove acme/1.0 --all)" ""
}

@test "a lower version is installed when it is asked for" {
	source_make acme 2.0
	tree_add acme 1.0
	tree_add acme 2.0
	tree_built acme 1.0 $K
	tree_built acme 2.0 $K
	run ds install acme/1.0 -k $K
	equal "$status" 0
	equal "$(ds status)" "acme/1.0, $K, $A: installed
acme/2.0, $K, $A: built"
	run ds install acme/1.0 -k $K
	equal "$status" 0
	equal "$output" "Module acme/1.0 already installed on kernel $K ($A), skip. You may override by specifying --force."
	ds install acme/2.0 -k $K
	run ds install acme/1.0 -k $K --force
	equal "$status" 0
	contains "$(ds status)" "acme/1.0, $K, $A: installed"
}

@test "autoinstall tries what excludes the kernel, and says so" {
	source_make excl 1.0 'AUTOINSTALL="yes"' 'BUILD_EXCLUSIVE_KERNEL="^9"'
	rm -r "$R/usr/src/acme-1.0"
	tree_add excl 1.0
	run ds autoinstall -k $K
	equal "$status" 0
	contains "$output" "Autoinstall of module excl/1.0 for kernel $K ($A)"
	contains "$output" "Warning: The /var/lib/dkms/excl/1.0/$K/$A/dkms.conf
for module excl/1.0 includes BUILD_EXCLUSIVE directives
which do not match this kernel/arch/config for any modules.
This indicates that it should not be built."
	contains "$output" "Autoinstall on $K was skipped for module(s) excl."
}

@test "autoinstall names each module that has no headers" {
	rm "$R/lib/modules/$K/build"
	tree_add acme 1.0
	run ds autoinstall -k $K
	equal "$status" 11
	contains "$output" "Autoinstall of module acme/1.0 for kernel $K ($A)"
	contains "$output" "Error! Your kernel headers for kernel $K cannot be found at /lib/modules/$K/build"
	lacks "$output" "kmodsmith:"
}

@test "--verbose has dkms's name for its depmod" {
	tree_add acme 1.0
	tree_built acme 1.0 $K
	equal "$(ds install acme/1.0 -k $K --verbose)" "Installing /lib/modules/$K/updates/dkms/acme.ko
do_depmod $K
 done."
}

@test "ldtarball: its lines, in their order" {
	tree_add acme 1.0
	tree_built acme 1.0 $K
	ds mktarball acme/1.0 -k $K --archive "$BATS_TEST_TMPDIR/a.tgz"
	ds mktarball acme/1.0 -k $K --archive "$BATS_TEST_TMPDIR/b.tgz" --binaries-only
	rm -r "$T/acme" "$R/usr/src/acme-1.0"
	equal "$(ds ldtarball "$BATS_TEST_TMPDIR/a.tgz")" "
Loading tarball for acme/1.0
Loading /var/lib/dkms/acme/1.0/$K/$A...
Creating symlink /var/lib/dkms/acme/1.0/source -> /usr/src/acme-1.0"
	rm -r "$T/acme" "$R/usr/src/acme-1.0"
	equal "$(ds ldtarball "$BATS_TEST_TMPDIR/b.tgz")" "
Loading tarball for acme/1.0
Creating /var/lib/dkms/acme/1.0/source
Copying dkms.conf to /var/lib/dkms/acme/1.0/source ...
Loading /var/lib/dkms/acme/1.0/$K/$A..."
	# nothing but the conf: there is nothing to build from
	equal "$(ls "$T/acme/1.0/source")" dkms.conf
	rm -r "$T/acme/1.0/$K"
	run ds build acme/1.0 -k $K
	[[ $status == 8 || $status == 2 ]]
}

@test "exit code 2: an .rpm that is not there" {
	run ds ldtarball "$BATS_TEST_TMPDIR/none.rpm"
	equal "$status" 2
	contains "$output" "none.rpm does not exist."
}

@test "add: for a tarball that mktarball has not made only the source is printed" {
	mkdir "$BATS_TEST_TMPDIR/x"
	mv "$R/usr/src/acme-1.0" "$BATS_TEST_TMPDIR/x/acme"
	tar -C "$BATS_TEST_TMPDIR/x" -czf "$BATS_TEST_TMPDIR/a.tgz" acme
	run ds add "$BATS_TEST_TMPDIR/a.tgz"
	equal "$status" 0
	equal "$output" "Creating symlink /var/lib/dkms/acme/1.0/source -> /usr/src/acme-1.0"
}

@test "exit code 6: the kernel has the very same module among its own" {
	tree_add acme 1.0
	tree_built acme 1.0 $K
	printf 'int x;\n' >"$BATS_TEST_TMPDIR/x.c"
	gcc -c -o "$T/acme/1.0/$K/$A/module/acme.ko" "$BATS_TEST_TMPDIR/x.c"
	mkdir -p "$R/lib/modules/$K/kernel/drivers"
	cp "$T/acme/1.0/$K/$A/module/acme.ko" "$R/lib/modules/$K/kernel/drivers/"
	run ds install acme/1.0 -k $K
	equal "$status" 6
	equal "$output" "Module /lib/modules/$K/kernel/drivers/acme.ko already installed (unversioned module), override by specifying --force

Error! Installation aborted."
}

@test "--installtree: a directory is enough, and depmod is another's" {
	depmod_make
	tree_add acme 1.0
	tree_built acme 1.0 $K
	mkdir -p "$R/stage/$K"
	run dkms install acme/1.0 -k $K --installtree /stage --root "$R"
	equal "$status" 0
	equal "$output" "Installing /stage/$K/updates/dkms/acme.ko
Running depmod... done."
	[[ -e $R/stage/$K/updates/dkms/acme.ko && ! -e $R/lib/modules/$K/updates ]]
	[[ ! -e $R/depmod.log ]] || fail "depmod was run: $(cat "$R/depmod.log")"
	run dkms uninstall acme/1.0 -k $K --installtree /stage --root "$R"
	equal "$status" 0
	contains "$output" "Deleting /stage/$K/updates/dkms/acme.ko"
	equal "$(find "$R/stage" -name '*.ko')" ""
	run dkms install acme/1.0 -k 9.9 --installtree /stage --root "$R"
	equal "$status" 21
}

@test "exit code 1: ldtarball by somebody who is not root" {
	run setpriv --reuid=65534 --regid=65534 --clear-groups \
		bash -c 'exec -a dkms "$0" "$@"' "$builddir/kmodsmith" ldtarball /nowhere --force
	equal "$status" 1
	contains "$output" "Error! You must be root to use this command with the --force option."
	run setpriv --reuid=65534 --regid=65534 --clear-groups \
		bash -c 'exec -a dkms "$0" "$@"' "$builddir/kmodsmith" ldtarball /nowhere
	equal "$status" 2
	contains "$output" "Error! /nowhere does not exist."
}
