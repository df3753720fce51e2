# SPDX-License-Identifier: GPL-2.0-or-later
# set: full
# What dkms's actions do, print and exit with when there is something to build: the codes
# that need a real build, match, a directory instead of a module, --all, and the loading
# of modules after an installation.

load ../lib/root

setup_file() {
	root_new dkmscodes bookworm-cloud
	root_install_kmodsmith
	K=$(root_kernels)
	export K A=x86_64
	# an image at each installation would be most of the time; and each test builds again
	mkdir -p "$R/etc/kmodsmith/kmodsmith.conf.d"
	printf '[kmodsmith]\ninitramfs = false\ncache-size = 0\n' >"$R/etc/kmodsmith/kmodsmith.conf.d/test.conf"
	T=$R/var/lib/dkms
	export T
}

teardown_file() { root_end; }

teardown() {
	local name
	for name in "$T"/*/*/source; do
		[[ ! -L $name ]] || root_in dkms remove "$(cut -d/ -f1,2 <<<"${name#"$T/"}")" --all
	done
	rm -rf "$R"/usr/src/{acme,bolt}-1.0 "$R/root/src"
}

# source NAME [CONF-LINE...]
source_with() {
	source_make "$R/usr/src/$1-1.0" "$1" 1.0
	(($# == 1)) || printf '%s\n' "${@:2}" >>"$R/usr/src/$1-1.0/dkms.conf"
	chmod -R go-w "$R/usr/src/$1-1.0"
}

script() {
	printf '#!/bin/sh\n%s\n' "$3" >"$R/usr/src/$1-1.0/$2"
	chmod 755 "$R/usr/src/$1-1.0/$2"
}

# ends TEXT CODE COMMAND...: it exits with CODE and prints TEXT. The dots that stand for
# seconds are left out.
ends() {
	local text=$1 code=$2
	shift 2
	run root_in "$@"
	output=$(sed 's/\.\.\.\.*\( done\|(bad\)/...\1/' <<<"$output")
	assert_equal "$status" "$code" "status of $*"
	assert_contains "$output" "$text"
}

@test "exit code 5: a patch is missing" {
	source_with acme 'PATCH[0]="none.patch"'
	ends "Error! Patch none.patch as specified in dkms.conf cannot be
found in /var/lib/dkms/acme/1.0/build/patches/." 5 dkms build acme/1.0 -k "$K"
}

@test "exit code 6: a patch does not apply" {
	source_with acme 'PATCH[0]="bad.patch"'
	mkdir "$R/usr/src/acme-1.0/patches"
	printf -- '--- a/acme.c\n+++ b/acme.c\n@@ -1 +1 @@\n-nothing like it\n+other\n' \
		>"$R/usr/src/acme-1.0/patches/bad.patch"
	ends "Error! Application of patch bad.patch failed." 6 dkms build acme/1.0 -k "$K"
}

@test "exit code 7: make does not produce the module" {
	source_with acme 'BUILT_MODULE_NAME[0]="other"'
	ends "Error! Build of other.ko failed for: $K ($A)" 7 dkms build acme/1.0 -k "$K"
}

@test "exit code 10: make fails" {
	source_with acme
	echo '#error no' >>"$R/usr/src/acme-1.0/acme.c"
	ends "Error! Bad return status for module build on kernel: $K ($A)" 10 dkms build acme/1.0 -k "$K"
}

@test "the status of PRE_BUILD and POST_BUILD is that of dkms" {
	source_with acme 'PRE_BUILD="pre.sh"'
	script acme pre.sh 'exit 41'
	ends "Running the pre_build script...(bad exit status: 41)" 41 dkms build acme/1.0 -k "$K"
	rm -r "$R/usr/src/acme-1.0"
	source_with acme 'POST_BUILD="post.sh"'
	script acme post.sh 'exit 42'
	ends "Running the post_build script...(bad exit status: 42)" 42 dkms build acme/1.0 -k "$K"
}

@test "PRE_BUILD and POST_BUILD that cannot be executed are passed over in dkms's words" {
	source_with acme 'PRE_BUILD="pre.sh"' 'POST_BUILD="none.sh"'
	script acme pre.sh 'exit 1'
	chmod 644 "$R/usr/src/acme-1.0/pre.sh"
	ends "Warning: The pre_build script is not executable." 0 dkms build acme/1.0 -k "$K"
	assert_contains "$output" "Warning: The post_build script is not executable."
	assert_lacks "$output" "Running the"
	assert_contains "$output" "Building module(s)... done."
	# an /etc/dkms/M/SCRIPT stands in for it
	mkdir -p "$R/etc/dkms/acme"
	printf '#!/bin/sh\nexit 0\n' >"$R/etc/dkms/acme/pre.sh"
	chmod 755 "$R/etc/dkms/acme/pre.sh"
	ends "Running the pre_build script... done." 0 dkms build acme/1.0 -k "$K" --force
	rm -r "$R/etc/dkms/acme"
}

@test "exit code 101: PRE_INSTALL fails, and --force goes on" {
	source_with acme 'PRE_INSTALL="pre.sh"'
	script acme pre.sh 'exit 1'
	ends "Error! pre_install failed, aborting install." 101 dkms install acme/1.0 -k "$K"
	assert_lacks "$output" "Running depmod"
	[[ -z $(module_file "$K" acme) ]] || fail "it is installed"
	ends "Installing /lib/modules/$K/updates/dkms/acme.ko" 0 dkms install acme/1.0 -k "$K" --force
}

@test "the status of POST_INSTALL and POST_REMOVE is nobody's" {
	source_with acme 'POST_INSTALL="post.sh"' 'POST_REMOVE="post.sh"'
	script acme post.sh 'exit 9'
	ends "Running the post_install script:" 0 dkms install acme/1.0 -k "$K"
	ends "Running the post_remove script:" 0 dkms uninstall acme/1.0 -k "$K"
}

@test "a directory is built, and installed, as it is" {
	source_make "$R/root/src" acme 1.0
	chmod -R go-w "$R/root/src"
	ends "Building module(s)... done." 0 dkms build /root/src -k "$K"
	assert_contains "$output" "Creating symlink /var/lib/dkms/acme/1.0/source -> /usr/src/acme-1.0"
	ends "Installing /lib/modules/$K/updates/dkms/acme.ko" 0 dkms install acme/1.0 -k "$K"
	root_in dkms remove acme/1.0 --all
	rm -r "$R/usr/src/acme-1.0"
	ends "Installing /lib/modules/$K/updates/dkms/acme.ko" 0 dkms install /root/src/dkms.conf -k "$K"
}

@test "add DIR: what is at its place already is taken if it is the same, or with --force" {
	source_make "$R/root/src" acme 1.0
	chmod -R go-w "$R/root/src"
	root_in dkms add /root/src
	root_in dkms remove acme/1.0 --all
	run root_in dkms add /root/src
	assert_equal "$status" 0
	assert_equal "$output" "Creating symlink /var/lib/dkms/acme/1.0/source -> /usr/src/acme-1.0"
	root_in dkms remove acme/1.0 --all
	echo '# another' >>"$R/root/src/Makefile"
	ends "'/usr/src/acme-1.0' is already there
You may override by specifying --force." 1 dkms add /root/src
	ends "
Forcing install of acme/1.0
Creating symlink /var/lib/dkms/acme/1.0/source -> /usr/src/acme-1.0" 0 dkms add /root/src --force
	grep -q another "$R/usr/src/acme-1.0/Makefile"
}

@test "root's scripts run in source/, called by its name; those of a build in build/" {
	source_with acme PRE_BUILD='"pre.sh a b"' POST_INSTALL='"post.sh c"'
	script acme pre.sh 'echo "$0 $PWD $*"'
	script acme post.sh 'echo "$0 $PWD $* $kernelver $arch $module $module_version"'
	ends "/var/lib/dkms/acme/1.0/source/post.sh /var/lib/dkms/acme/1.0/source c $K $A acme 1.0" 0 \
		dkms install acme/1.0 -k "$K"
	assert_contains "$(cat "$T/acme/1.0/$K/$A/log/make.log")" "
Running the pre_build script
# command: cd /var/lib/dkms/acme/1.0/build/ && /var/lib/dkms/acme/1.0/build/pre.sh a b
/var/lib/dkms/acme/1.0/build/pre.sh /var/lib/dkms/acme/1.0/build a b

# exit code: 0"
}

@test "a build that failed says what dkms says, and no more" {
	source_with acme
	echo '#error no' >>"$R/usr/src/acme-1.0/acme.c"
	# another source that nobody asked for
	source_with bolt 'BUILT_MODULE_NAME[0]="bolt.ko"'
	root_in dkms add acme/1.0
	run root_in dkms build acme/1.0 -k "$K"
	assert_equal "$status" 10
	assert_lacks "$output" kmodsmith:
	assert_contains "$output" "Building module(s)..."
	assert_contains "$output" "(bad exit status: 2)
Failed command:
make -j"
	assert_contains "$output" "

Error! Bad return status for module build on kernel: $K ($A)
Consult /var/lib/dkms/acme/1.0/build/make.log for more information."
}

@test "a module that make did not make is named, and not signed" {
	source_with acme 'BUILT_MODULE_NAME[0]="other"'
	ends "
Error! Build of other.ko failed for: $K ($A)
Make sure the name and location of the generated module are correct,
or consult /var/lib/dkms/acme/1.0/build/make.log for more information." 7 dkms build acme/1.0 -k "$K"
	assert_lacks "$output" "Signing module"
}

@test "a lower version is built and installed when it is asked for" {
	source_make "$R/usr/src/acme-2.0" acme 2.0
	chmod -R go-w "$R/usr/src/acme-2.0"
	source_with acme
	root_in dkms install acme/2.0 -k "$K"
	ends "Building module(s)... done." 0 dkms build acme/1.0 -k "$K"
	ends "is not newer than what is already found in kernel $K (2.0)." 6 dkms install acme/1.0 -k "$K"
	ends "Installing /lib/modules/$K/updates/dkms/acme.ko" 0 dkms install acme/1.0 -k "$K" --force
	assert_contains "$(root_exec dkms status)" "acme/1.0, $K, $A: installed"
	root_in dkms remove acme/2.0 --all
	rm -r "$R/usr/src/acme-2.0"
}

@test "install --all brings every module to every kernel" {
	source_with acme
	source_with bolt
	root_in dkms add acme/1.0
	root_in dkms add bolt/1.0
	ends "" 0 dkms install --all
	assert_equal "$(root_exec dkms status)" "acme/1.0, $K, $A: installed
bolt/1.0, $K, $A: installed"
	echo '#error no' >>"$R/usr/src/bolt-1.0/bolt.c"
	ends "" 11 dkms install --all
}

@test "match builds and installs what another kernel has" {
	local other=$K-match
	source_with acme
	source_with bolt
	root_in dkms install acme/1.0 -k "$K"
	root_in dkms add bolt/1.0
	# a kernel of the same headers under another name would be none; the words and the code
	mkdir -p "$R/lib/modules/$other/kernel"
	ends "Matching modules in kernel: $other ($A)
to the configuration of kernel: $K ($A)" 21 dkms match --templatekernel "$K" -k "$other"
	rm -r "$R/lib/modules/$other"
	assert_contains "$output" "Module:  acme"
	assert_lacks "$output" "bolt"
	# and back: what a kernel that is gone had is built for the one that is there
	root_in dkms uninstall acme/1.0 -k "$K"
	root_in dkms unbuild acme/1.0 -k "$K"
	mkdir -p "$T/acme/1.0/$other/$A/module"
	echo module >"$T/acme/1.0/$other/$A/module/acme.ko"
	ln -s "1.0/$other/$A" "$T/acme/kernel-$other-$A"
	mkdir -p "$R/lib/modules/$other"/{kernel,updates/dkms}
	cp "$T/acme/1.0/$other/$A/module/acme.ko" "$R/lib/modules/$other/updates/dkms/"
	ends "Module:  acme
Version: 1.0" 0 dkms match --templatekernel "$other" -k "$K"
	assert_contains "$output" "Building module(s)... done."
	assert_contains "$output" "Installing /lib/modules/$K/updates/dkms/acme.ko"
	rm -r "$R/lib/modules/$other"
}

@test "exit code 6: depmod fails: the module is taken off again, but not one that was installed" {
	source_with acme
	root_in dkms build acme/1.0 -k "$K"
	mv "$R/usr/sbin/depmod" "$R/usr/sbin/depmod.real"
	printf '#!/bin/sh\nexit 1\n' >"$R/usr/sbin/depmod"
	chmod 755 "$R/usr/sbin/depmod"
	run root_in dkms install acme/1.0 -k "$K"
	mv "$R/usr/sbin/depmod.real" "$R/usr/sbin/depmod"
	assert_equal "$status" 6
	assert_contains "$output" "Error! Problems with depmod detected. Automatically uninstalling this module."
	assert_contains "$output" "Error! Install Failed (depmod problems). Module rolled back to built state."
	[[ -z $(module_file "$K" acme) ]] || fail "it is installed"
	assert_contains "$(root_exec dkms status)" "acme/1.0, $K, $A: built"
	root_in dkms install acme/1.0 -k "$K"
	mv "$R/usr/sbin/depmod" "$R/usr/sbin/depmod.real"
	printf '#!/bin/sh\nexit 1\n' >"$R/usr/sbin/depmod"
	chmod 755 "$R/usr/sbin/depmod"
	run root_in dkms install acme/1.0 -k "$K" --force
	mv "$R/usr/sbin/depmod.real" "$R/usr/sbin/depmod"
	assert_equal "$status" 6
	[[ -n $(module_file "$K" acme) ]] || fail "it was taken away"
}

@test "a module that the kernel has in a newer version is left out, the others are installed" {
	local own=$R/lib/modules/$K/kernel/bolt.ko
	source_make "$R/usr/src/bolt-2.0" bolt 2.0
	chmod -R go-w "$R/usr/src/bolt-2.0"
	root_in dkms build bolt/2.0 -k "$K"
	cp "$T/bolt/2.0/$K/$A/module/bolt.ko" "$own"
	root_in dkms remove bolt/2.0 --all
	rm -r "$R/usr/src/bolt-2.0"
	source_with acme 'BUILT_MODULE_NAME[1]="bolt"' 'DEST_MODULE_LOCATION[1]="/updates/dkms"'
	sed 's/acme/bolt/' "$R/usr/src/acme-1.0/acme.c" >"$R/usr/src/acme-1.0/bolt.c"
	echo 'obj-m += bolt.o' >>"$R/usr/src/acme-1.0/Makefile"
	ends "Error! Module version 1.0 for bolt.ko
is not newer than what is already found in kernel $K (2.0).
You may override by specifying --force." 0 dkms install acme/1.0 -k "$K"
	assert_contains "$output" "Installing /lib/modules/$K/updates/dkms/acme.ko"
	assert_lacks "$output" "Installing /lib/modules/$K/updates/dkms/bolt.ko"
	assert_recorded acme "$K" acme
	# it stays so
	root_in kmodsmith sync
	assert_recorded acme "$K" acme
	[[ -z $(module_file "$K" bolt) ]] || fail "bolt was installed later"
	# until it is forced
	ends "Installing /lib/modules/$K/updates/dkms/bolt.ko" 0 dkms install acme/1.0 -k "$K" --force
	assert_recorded acme "$K" acme bolt
	root_in dkms remove acme/1.0 --all
	# none at all is 6
	source_with bolt
	ends "Error! Installation aborted." 6 dkms install bolt/1.0 -k "$K"
	rm "$own"
}

# B7 of dkms: a quoted value loses the directive, and the default make is used.
@test "quotes within MAKE are part of it" {
	source_with acme "MAKE[0]=\"make -C \$kernel_source_dir M=\$dkms_tree/acme/1.0/build KCFLAGS=\\\"-DA=1 -DB=2\\\" modules\""
	sed -i '1i #if !defined(A) || B != 2\n#error lost\n#endif' "$R/usr/src/acme-1.0/acme.c"
	ends "Building module(s)... done." 0 dkms build acme/1.0 -k "$K"
}

# B5 of dkms: with a MAKE_MATCH that does not match, the command of the conf read before.
@test "a module is not built with another's MAKE" {
	source_with acme 'MAKE[0]="touch /nothing; false"' 'MAKE_MATCH[0]="^9\."'
	source_with bolt 'MAKE[0]="make KERNELRELEASE=$kernelver -C $kernel_source_dir M=$dkms_tree/bolt/1.0/build EXTRA=bolt modules"'
	root_in dkms add acme/1.0
	root_in dkms add bolt/1.0
	ends "Autoinstall on $K succeeded for module(s) acme bolt." 0 dkms autoinstall -k "$K"
	grep -q '^# command: make .*-C .*M=/var/lib/dkms/acme/1.0/build' "$T/acme/1.0/$K/$A/log/make.log"
	! grep -q EXTRA=bolt "$T/acme/1.0/$K/$A/log/make.log" || fail "it was built with bolt's"
	grep -q EXTRA=bolt "$T/bolt/1.0/$K/$A/log/make.log"
}

# In a PID namespace whose first process is in the root: no chroot, as far as anybody can
# tell. Devices are those of a /sys made here; the kernel is the one that runs.
as_machine() {
	local sys=$R/root/sys
	mkdir -p "$sys/devices/pci0/1" "$sys/devices/pci0/2"
	echo "pci:v00001234d00000001" >"$sys/devices/pci0/1/modalias"
	echo "acpi:ACME0001:" >"$sys/devices/pci0/2/modalias"
	unshare --mount --pid --fork chroot "$R" /bin/bash -c '
		mount -t proc proc /proc && mount --bind /root/sys /sys && exec "$@"' bash "$@" 2>&1
}

@test "modprobe_on_install loads what the devices ask for, on the running kernel alone" {
	local running
	running=$(uname -r)
	[[ ! -e $R/lib/modules/$running ]] || skip "the running kernel is in the root"
	mv "$R/usr/sbin/modprobe" "$R/usr/sbin/modprobe.real"
	printf '#!/bin/sh\necho "$*" >>/root/modprobe.log\nexit 1\n' >"$R/usr/sbin/modprobe"
	chmod 755 "$R/usr/sbin/modprobe"
	source_with acme
	root_in dkms add acme/1.0
	mkdir -p "$R/lib/modules/$running/kernel" "$T/acme/1.0/$running/$A/module"
	touch "$R/lib/modules/$running/modules.order"
	echo module >"$T/acme/1.0/$running/$A/module/acme.ko"
	as_machine dkms install acme/1.0
	[[ -e $R/lib/modules/$running/updates/dkms/acme.ko ]] || fail "it is not installed"
	[[ ! -e $R/root/modprobe.log ]] || fail "not asked for: $(cat "$R/root/modprobe.log")"
	as_machine dkms install acme/1.0 --force --modprobe-on-install
	assert_equal "$(cat "$R/root/modprobe.log")" "-a -b -q -- pci:v00001234d00000001 acpi:ACME0001:"
	rm "$R/root/modprobe.log"
	mkdir -p "$R/etc/dkms/framework.conf.d"
	echo 'modprobe_on_install="true"' >"$R/etc/dkms/framework.conf.d/test.conf"
	as_machine dkms install acme/1.0 --force
	assert_equal "$(cat "$R/root/modprobe.log")" "-a -b -q -- pci:v00001234d00000001 acpi:ACME0001:"
	rm "$R/root/modprobe.log"
	# another kernel's installation is nothing for this machine, nor one in a chroot
	as_machine dkms install acme/1.0 -k "$K"
	root_in dkms install acme/1.0 -k "$running" --force
	[[ ! -e $R/root/modprobe.log ]] || fail "$(cat "$R/root/modprobe.log")"
	mv "$R/usr/sbin/modprobe.real" "$R/usr/sbin/modprobe"
	rm -r "$R/etc/dkms/framework.conf.d" "$R/lib/modules/$running"
}

@test "another --dkmstree and --installtree are nothing to the package database" {
	source_with acme
	root_in dkms install acme/1.0 -k "$K"
	assert_recorded acme "$K" acme
	source_make "$R/srv/s/bolt-1.0" bolt 1.0
	chmod -R go-w "$R/srv/s"
	mkdir -p "$R/srv/t" "$R/srv/i/$K"
	ends "Installing /srv/i/$K/updates/dkms/bolt.ko" 0 dkms install bolt/1.0 -k "$K" \
		--dkmstree /srv/t --sourcetree /srv/s --installtree /srv/i \
		--kernelsourcedir "/lib/modules/$K/build"
	assert_lacks "$output" kmodsmith:
	assert_equal "$(root_exec dkms status --dkmstree /srv/t)" "bolt/1.0, $K, $A: installed"
	assert_equal "$(root_exec dkms status)" "acme/1.0, $K, $A: installed"
	assert_recorded acme "$K" acme
	[[ -z $(root_exec dpkg-query -W "$(record_name bolt "$K")" 2>/dev/null) ]] || fail "bolt is recorded"
	root_in dkms remove bolt/1.0 --all --dkmstree /srv/t --sourcetree /srv/s --installtree /srv/i
	assert_equal "$(find "$R/srv/i" -name '*.ko*')" ""
	assert_recorded acme "$K" acme
	rm -r "$R/srv"/{s,t,i}
}

# The licence is changed in what was built: the kernel's build refuses the others.
@test "ltdk: by licence, and by the GPL-only symbols that are used" {
	local built=$T/acme/1.0/$K/$A/module/acme.ko
	source_with acme
	sed -i -e 's/MODULE_LICENSE("GPL")/MODULE_LICENSE("GPL v2")/' \
		-e 's/return 0;/return ktime_get() ? 0 : -1;/' \
		-e '1i #include <linux/ktime.h>' "$R/usr/src/acme-1.0/acme.c"
	sed -e 's/acme/bolt/' -e 's/ktime_get() ? 0 : -1/0/' \
		"$R/usr/src/acme-1.0/acme.c" >"$R/usr/src/acme-1.0/bolt.c"
	printf '%s\n' 'BUILT_MODULE_NAME[1]="bolt"' 'DEST_MODULE_LOCATION[1]="/updates"' \
		>>"$R/usr/src/acme-1.0/dkms.conf"
	echo 'obj-m += bolt.o' >>"$R/usr/src/acme-1.0/Makefile"
	root_in dkms build acme/1.0 -k "$K"
	ends "acme.ko: yes: licence 'GPL v2'; " 0 dkms ltdk acme/1.0 -k "$K"
	sed -i 's/license=GPL v2/license=Closed/' "$built" "${built%acme.ko}bolt.ko"
	ends "bolt.ko: no: licence 'Closed' is not compatible with the GPL; it can be loaded, and taints the kernel: it uses no GPL-only symbol" \
		6 dkms ltdk acme/1.0 -k "$K"
	grep -q "acme.ko: no: licence 'Closed' is not compatible with the GPL, and the module cannot be loaded with it: it uses [0-9]* GPL-only symbol(s): .*ktime_get" <<<"$output" ||
		fail "$output"
}

@test "BUILD_DEPENDS_REBUILD: a module built upon another version is built again" {
	source_with acme
	source_make "$R/usr/src/acme-2.0" acme 2.0
	chmod -R go-w "$R/usr/src/acme-2.0"
	source_with bolt 'BUILD_DEPENDS[0]="acme"' 'BUILD_DEPENDS_REBUILD="yes"'
	root_in dkms install acme/1.0 -k "$K"
	# a newer version that nobody has asked for stays where it is
	run root_in dkms install bolt/1.0 -k "$K"
	assert_equal "$status" 0
	assert_lacks "$output" acme
	assert_equal "$(cat "$T/bolt/1.0/$K/$A/.dep_acme")" 1.0
	ends "
Rebuilding module bolt/1.0 due to updated dependencies

" 0 dkms install acme/2.0 -k "$K"
	assert_contains "$output" "Installing /lib/modules/$K/updates/dkms/bolt.ko"
	assert_equal "$(cat "$T/bolt/1.0/$K/$A/.dep_acme")" 2.0
	assert_recorded acme/2.0 "$K" acme
	assert_recorded bolt "$K" bolt
	root_in dkms remove bolt/1.0 --all
	root_in dkms remove acme/2.0 --all
	rm -r "$R/usr/src/acme-2.0"
}

@test "tree and source removed behind its back: reported once, and the driver stays" {
	source_with acme
	root_in dkms install acme/1.0 -k "$K"
	assert_recorded acme "$K" acme
	rm -rf "$T/acme" "$R/usr/src/acme-1.0"
	run root_in kmodsmith sync
	assert_equal "$status" 0 "exit code"
	assert_contains "$output" "'dpkg -P kmod-acme-$K' removes both"
	assert_equal "$(root_exec dkms status)" "" "status"
	run root_in kmodsmith sync
	assert_equal "$status" 0 "exit code"
	assert_lacks "$output" "dpkg -P"
	assert_lacks "$(root_apt install --reinstall hostname)" "kmod-acme"
	[[ -n $(module_file "$K" acme) ]] || fail "the driver is gone"
	# and as ever when it comes back
	source_with acme
	root_in kmodsmith sync
	assert_recorded acme "$K" acme
}
