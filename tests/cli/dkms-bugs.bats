# SPDX-License-Identifier: GPL-2.0-or-later
# Bugs of dkms 3.4.3 that lose data, lie about success or open holes, and are not here.
# dkms(8), "WHERE IT DIFFERS FROM DKMS", has a line for each. K5 and what a killed dkms
# leaves are in dkms-halfstates.bats.

load tree

setup() {
	need_root
	tree_new
	T=$R/var/lib/dkms M=$R/lib/modules/$K
	kernel_make $K
	source_make acme 1.0
	tree_add acme 1.0
}

ds() { dkms "$@" --root "$R"; }

@test "kernel_prerm runs the depmod that it announces" {
	depmod_make
	tree_installed acme 1.0 $K
	run ds kernel_prerm -k $K
	equal "$status" 0
	contains "$output" "dkms: removing module acme/1.0 for kernel $K ($A)"
	contains "$output" "Running depmod... done."
	equal "$(cat "$R/depmod.log")" "-a $K"
	[[ ! -e $M/updates/dkms/acme.ko ]] || fail "it is still installed"
}

@test "several kernels give the status of the first that failed" {
	kernel_make 6.1.0-8-test no-headers
	tree_built acme 1.0 $K
	run ds build acme/1.0 -k 6.1.0-8-test -k $K
	equal "$status" 21
	contains "$output" "Module acme/1.0 already built for kernel $K ($A), skip."
}

@test "weak modules are listed, without a setting in any dkms.conf" {
	tree_installed acme 1.0 $K
	kmodsmith --root "$R" sync --no-depmod >/dev/null 2>&1 || true
	kernel_make 6.1.0-8-test no-headers
	mkdir "$R/lib/modules/6.1.0-8-test/weak-updates"
	ln -s "/lib/modules/$K/updates/dkms/acme.ko" "$R/lib/modules/6.1.0-8-test/weak-updates/"
	equal "$(ds status)" "acme/1.0, $K, $A: installed
acme, 1.0, 6.1.0-8-test, $A: installed-weak from $K"
	equal "$(ds status -k 6.1.0-8-test)" "acme/1.0: added
acme, 1.0, 6.1.0-8-test, $A: installed-weak from $K"
}

@test "missing headers do not end autoinstall for what is built" {
	rm "$M/build"
	tree_built acme 1.0 $K
	source_make bolt 2.0
	tree_add bolt 2.0
	run ds autoinstall -k $K --no-depmod
	equal "$status" 11
	contains "$output" "Autoinstall on $K succeeded for module(s) acme."
	contains "$output" "Autoinstall on $K failed for module(s) bolt(21)."
}

@test "--debug prints on stderr what is done and why, and changes nothing on stdout" {
	tree_built acme 1.0 $K
	ds install acme/1.0 -k $K --no-depmod --debug >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err"
	contains "$(cat "$BATS_TEST_TMPDIR/err")" "+ install acme/1.0 on $K: "
	equal "$(cat "$BATS_TEST_TMPDIR/out")" "Installing /lib/modules/$K/updates/acme.ko
Running depmod... done."
}

@test "exit code 6: depmod fails: the module is taken off again, but not one that was installed" {
	tree_built acme 1.0 $K
	depmod_make 1
	run ds install acme/1.0 -k $K
	equal "$status" 6
	contains "$output" "Error! Problems with depmod detected. Automatically uninstalling this module."
	contains "$output" "Deleting /lib/modules/$K/updates/acme.ko"
	contains "$output" "Error! Install Failed (depmod problems). Module rolled back to built state."
	equal "$(ds status)" "acme/1.0, $K, $A: built"
	[[ ! -e $M/updates/acme.ko ]] || fail "it is installed"
	ds install acme/1.0 -k $K --no-depmod
	run ds install acme/1.0 -k $K --force
	equal "$status" 6
	lacks "$output" "rolled back"
	[[ -e $M/updates/acme.ko ]] || fail "it was taken away"
}

@test "two at a time wait for each other" {
	kernel_make 6.1.0-8-test
	tree_built acme 1.0 $K
	tree_built acme 1.0 6.1.0-8-test
	ds install acme/1.0 -k $K --no-depmod &
	first=$!
	ds install acme/1.0 -k 6.1.0-8-test --no-depmod &
	wait "$first"
	wait $!
	equal "$(ds status)" "acme/1.0, 6.1.0-8-test, $A: installed
acme/1.0, $K, $A: installed"
}

@test "kernel_preinst takes nothing away before its replacement is built" {
	tree_installed acme 1.0 $K
	before=$(find "$R/lib/modules" "$T" | sort)
	run ds kernel_preinst -k $K
	equal "$status" 0
	contains "$output" "dkms: module acme/1.0 for kernel $K ($A) is kept until it is built again"
	equal "$(find "$R/lib/modules" "$T" | sort)" "$before"
}

@test "status executes no dkms.conf" {
	echo 'touch /pwned; eval "X=$(touch /pwned2)"' >>"$R/usr/src/acme-1.0/dkms.conf"
	tree_installed acme 1.0 $K
	equal "$(ds status)" "acme/1.0, $K, $A: installed"
	[[ ! -e $R/pwned && ! -e $R/pwned2 && ! -e /pwned && ! -e /pwned2 ]] || fail "it was executed"
}

@test "nobody else can cancel a removal by rpm" {
	tree_built acme 1.0 $K
	mkdir "$R/tmp"
	# what dkms goes by: a file that anybody can write, with rpm's start time
	run bash -c 'name=dkms_rpm_safe_upgrade_lock.$$.kmodsmith-test
		for dir in "${TMPDIR:-/tmp}" "$0/tmp"; do
			printf "%s\n" acme-1.0 "$(ps -o lstart --no-headers -p $$)" >"$dir/$name"
		done
		bash -c "dkms remove acme/1.0 --all --root $0 --rpm_safe_upgrade; exit \$?"
		status=$?
		rm "${TMPDIR:-/tmp}/$name" && exit $status' "$R"
	equal "$status" 0
	contains "$output" "Deleting module acme/1.0 completely from the DKMS tree."
}

@test "the rpm that added a module does not remove it" {
	rm -r "$T/acme"
	# rpm, and below it the shell of each scriptlet
	run bash -c 'for action in "add acme/1.0" "remove acme/1.0 --all"; do
		bash -c "dkms $action --root $0 --rpm_safe_upgrade; exit \$?"; done' "$R"
	equal "$status" 0
	contains "$output" "Remove cancelled because --rpm_safe_upgrade scenario detected."
	[[ -L $T/acme/1.0/source ]] || fail "it was removed"
	# once
	run ds remove acme/1.0 --all --rpm_safe_upgrade
	equal "$status" 0
	[[ ! -e $T/acme ]] || fail "it was not removed"
}

@test "weak modules are linked for the kernel, as the distribution does it" {
	tree_built acme 1.0 $K
	printf 'ID="almalinux"\nID_LIKE="rhel centos fedora"\n' >"$R/etc/os-release"
	weak_modules_make /usr/sbin/weak-modules
	run ds install acme/1.0 -k $K --no-depmod
	equal "$status" 0
	contains "$output" "Installing /lib/modules/$K/extra/acme.ko
Adding linked weak modules..."
	run ds uninstall acme/1.0 -k $K --no-depmod
	equal "$status" 0
	contains "$output" "Removing linked weak modules..."
	equal "$(cat "$R/weak.log")" "--no-initramfs --add-modules
/lib/modules/$K/extra/acme.ko
--no-initramfs --remove-modules
/lib/modules/$K/extra/acme.ko"
}

@test "on SUSE the kernel is named" {
	tree_built acme 1.0 $K
	printf 'ID="opensuse-leap"\nID_LIKE="suse opensuse"\n' >"$R/etc/os-release"
	weak_modules_make /usr/lib/module-init-tools/weak-modules2
	ds install acme/1.0 -k $K --no-depmod
	equal "$(cat "$R/weak.log")" "--add-kernel-modules $K
/lib/modules/$K/updates/acme.ko"
}

@test "NO_WEAK_MODULES is heeded" {
	echo 'NO_WEAK_MODULES="yes"' >>"$R/usr/src/acme-1.0/dkms.conf"
	tree_built acme 1.0 $K
	echo 'ID=rhel' >"$R/etc/os-release"
	weak_modules_make /usr/sbin/weak-modules
	ds install acme/1.0 -k $K --no-depmod
	[[ ! -e $R/weak.log ]] || fail "it was called"
}
