# SPDX-License-Identifier: GPL-2.0-or-later
# The personality dkms in a scratch tree.

load tree

setup() { tree_new; }

ds() { dkms "$@" --root "$R"; }

world() {
	kernel_make $K
	kernel_make 6.1.0-8-test
	source_make acme 1.0
	source_make bolt 2.0
	source_make cog 3.0
	tree_add acme 1.0
	tree_installed acme 1.0 $K
	tree_built acme 1.0 6.1.0-8-test
	tree_add bolt 2.0
	tree_add cog 3.0
}

# --- status, byte for byte

@test "status prints dkms's lines" {
	world
	run ds status
	equal "$status" 0
	equal "$output" "acme/1.0, 6.1.0-8-test, $A: built
acme/1.0, $K, $A: installed
bolt/2.0: added
cog/3.0: added"
}

@test "status filters by module, version and kernel" {
	world
	equal "$(ds status -m bolt -v 2.0)" "bolt/2.0: added"
	equal "$(ds status bolt/2.0)" "bolt/2.0: added"
	equal "$(ds status -m acme -k $K)" "acme/1.0, $K, $A: installed"
	equal "$(ds status -m acme -k $K -a "$A")" "acme/1.0, $K, $A: installed"
	equal "$(ds status -m acme --kernelver=$K/"$A")" "acme/1.0, $K, $A: installed"
	equal "$(ds status --moduleversion acme -k '6.1.0-8*')" "acme/1.0, 6.1.0-8-test, $A: built"
	equal "$(ds status -m nut)" ""
	# not built for that kernel: dkms calls it added
	equal "$(ds status -m acme -k 5.0)" "acme/1.0: added"
}

@test "status prints a missing and a changed file" {
	world
	echo changed >"$R/lib/modules/$K/updates/dkms/acme.ko"
	equal "$(ds status -m acme -k $K)" \
		"acme/1.0, $K, $A: installed (Differences between built and installed modules)"
	rm "$R/lib/modules/$K/updates/dkms/acme.ko"
	equal "$(ds status -m acme -k $K)" \
		"acme/1.0, $K, $A: installed (Differences between built and installed modules)"
	mkdir -p "$R/var/lib/dkms/acme/original_module/$K/$A"
	equal "$(ds status -m acme -k $K)" "acme/1.0, $K, $A: installed (Original modules exist)\
 (Differences between built and installed modules)"
}

@test "a module whose source is gone is broken, and status exits with 0" {
	world
	rm -r "$R/usr/src/bolt-2.0"
	run ds status -m bolt
	equal "$status" 0
	equal "$(ds status -m bolt 2>/dev/null)" "bolt/2.0: broken"
	equal "$(ds status -m bolt 2>&1 >/dev/null)" "
Error! bolt/2.0: Missing the module source directory or the symbolic link pointing to it.
Manual intervention is required!"
}

# --- the command line

@test "the version is dkms's" {
	equal "$(dkms --version)" dkms-3.4.3
	equal "$(dkms -V)" dkms-3.4.3
}

@test "misuse has dkms's exit codes" {
	run dkms status --frobnicate
	equal "$status" 2
	contains "$output" "Error! Unknown option: --frobnicate"
	run dkms add build
	equal "$status" 4
	contains "$output" "Cannot specify more than one action."
	run dkms remove acme/1.0 --all -k $K
	equal "$status" 2
	run dkms remove acme/1.0 --all -a x86_64
	equal "$status" 3
	run dkms
	equal "$status" 0
	contains "$output" 'Error! Unknown action specified: ""'
}

@test "a directive of the command line is reported, and has to be NAME=value" {
	run ds status --directive MAKE='make all' --directive=X=
	equal "$status" 0
	contains "$output" 'DIRECTIVE: MAKE="make all"'
	contains "$output" 'DIRECTIVE: X=""'
	run ds build acme/1.0 -k 6.1.0-1 --directive 'MAKE[0]=x'
	equal "$status" 2
	contains "$output" "'MAKE[0]=x' is no directive"
}

@test "names that lead out of the tree are refused" {
	for name in '../../tmp/x' 'a b' '.hidden'; do
		run ds add -m "$name" -v 1
		equal "$status" 1
		run ds remove -m acme -v "$name" --all
		equal "$status" 1
	done
}

@test "quiet is quiet" {
	world
	equal "$(ds -q status 2>&1)" ""
}

# --- add and remove

@test "add registers, and says so once" {
	need_root
	kernel_make $K
	source_make acme 1.0
	run ds add -m acme -v 1.0
	equal "$status" 0
	equal "$output" "Creating symlink /var/lib/dkms/acme/1.0/source -> /usr/src/acme-1.0"
	run ds add acme/1.0
	equal "$status" 3
	contains "$output" "DKMS tree already contains: acme/1.0"
	run ds add nut/1.0
	equal "$status" 2
	contains "$output" "Could not find module source directory."
}

@test "add does not make a module without AUTOINSTALL wanted" {
	need_root
	kernel_make $K
	source_make acme 1.0 '# nothing'
	ds add acme/1.0
	equal "$(kmodsmith --root "$R" status --json | jq -r '.targets[0].wanted')" false
}

@test "remove in a package's script takes nothing away" {
	need_root
	world
	before=$(find "$R/lib/modules" "$R/var/lib/dkms" | sort)
	DPKG_MAINTSCRIPT_PACKAGE=acme-dkms run ds remove -m acme -v 1.0 --all
	equal "$status" 0
	contains "$output" "kept until the end of the transaction"
	equal "$(find "$R/lib/modules" "$R/var/lib/dkms" | sort)" "$before"
	DPKG_MAINTSCRIPT_PACKAGE=linux-image run ds remove -m acme -v 1.0 -k $K -a "$A"
	equal "$status" 0
	equal "$(find "$R/lib/modules" "$R/var/lib/dkms" | sort)" "$before"
}

@test "a scriptlet of rpm registers, and leaves the rest to the end of the transaction" {
	need_root
	kernel_make $K
	toolchain_make
	source_make acme 1.0 '# not installed by itself'
	export KMODSMITH_TRANSACTION=rpm
	run ds add -m acme -v 1.0
	equal "$status" 0
	[[ -L $R/var/lib/dkms/acme/1.0/source ]]
	for action in build install; do
		run ds $action -m acme -v 1.0 -k $K
		equal "$status" 0
		equal "$output" "dkms $action acme/1.0: left to the end of the transaction"
	done
	run ds autoinstall -k $K
	equal "$status" 0
	equal "$output" "dkms autoinstall: left to the end of the transaction"
	run kmodsmith --root "$R" sync
	equal "$status" 0
	contains "$output" "left to the end of the transaction"
	[[ ! -e $R/var/lib/dkms/acme/1.0/$K ]]
	run ds remove -m acme -v 1.0 --all
	equal "$status" 0
	contains "$output" "kept until the end of the transaction"
	unset KMODSMITH_TRANSACTION
	equal "$(kmodsmith --root "$R" status --json | jq -r '.targets[0].wanted')" true
}

@test "remove of what is not there exits with 3" {
	need_root
	run ds remove -m nut -v 1 --all
	equal "$status" 3
	contains "$output" "Error! The module/version combo: nut/1 is not located in the DKMS tree."
}

@test "remove by hand takes everything away, and it stays away" {
	need_root
	world
	run ds remove -m bolt -v 2.0 --all
	equal "$status" 0
	contains "$output" "Deleting module bolt/2.0 completely from the DKMS tree."
	[[ ! -e $R/var/lib/dkms/bolt ]] || fail "bolt is still there"
	equal "$(ds status -m bolt)" ""
	run ds remove -m bolt -v 2.0 --all
	equal "$status" 3
}

@test "autoinstall honours no-autoinstall" {
	need_root
	mkdir -p "$R/etc/dkms"
	touch "$R/etc/dkms/no-autoinstall"
	run ds autoinstall -k $K
	equal "$status" 0
	equal "$output" "Automatic installation of modules has been disabled."
}

@test "missing headers have dkms's exit codes" {
	need_root
	kernel_make $K no-headers
	source_make acme 1.0
	run ds install acme/1.0 -k $K
	equal "$status" 21
	contains "$output" "Your kernel headers for kernel $K cannot be found"
	run ds autoinstall -k $K
	equal "$status" 11
	contains "$output" "Autoinstall on $K failed for module(s) acme(21)."
}

@test "KMODSMITH=0 disables it" {
	need_root
	world
	KMODSMITH=0 run ds remove acme/1.0 --all
	equal "$status" 0
	contains "$(ds status -m acme -k $K)" installed
}

@test "no escape sequence reaches the terminal" {
	need_root
	kernel_make $K
	source_make acme 1.0
	run ds add -m $'ac\e[31mme' -v 1.0
	[[ $status != 0 ]] || fail "it was added"
	lacks "$output" $'\e'
	contains "$output" "Error!"
}

# --- links instead of copies

@test "install --symlink-modules installs links into the tree, and uninstall takes them away" {
	need_root
	world
	tree_built cog 3.0 $K
	echo ID=debian >"$R/etc/os-release"
	installed=$R/lib/modules/$K/updates/dkms/cog.ko
	run ds install cog/3.0 -k $K --no-depmod --symlink-modules
	equal "$status" 0
	contains "$output" "Installing /lib/modules/$K/updates/dkms/cog.ko"
	equal "$(readlink "$installed")" "/var/lib/dkms/cog/3.0/$K/$A/module/cog.ko"
	equal "$(ds status -m cog)" "cog/3.0, $K, $A: installed"
	contains "$(cat "$R/var/lib/dkms/cog/3.0/$K/$A/manifest")" \
		"link=/var/lib/dkms/cog/3.0/$K/$A/module/cog.ko"
	equal "$(kmodsmith --root "$R" verify cog)" "cog/3.0 on $K: its files are as built"
	ln -sf /elsewhere "$installed"
	contains "$(ds status -m cog)" "(Differences between built and installed modules)"
	run kmodsmith --root "$R" verify cog
	equal "$status" 3
	# somebody else's link stays
	ds uninstall cog/3.0 -k $K --no-depmod | grep "^Module cog.ko was not found"
	equal "$(readlink "$installed")" /elsewhere
	rm "$installed"
	ds install cog/3.0 -k $K --no-depmod --symlink-modules
	ds uninstall cog/3.0 -k $K --no-depmod | grep "^Deleting .*/cog.ko"
	[[ ! -L $installed ]]
}

@test "symlink_modules of framework.conf is --symlink-modules, and copies replace links" {
	need_root
	world
	tree_built cog 3.0 $K
	echo ID=debian >"$R/etc/os-release"
	installed=$R/lib/modules/$K/updates/dkms/cog.ko
	mkdir -p "$R/etc/dkms"
	echo symlink_modules=yes >"$R/etc/dkms/framework.conf"
	ds install cog/3.0 -k $K --no-depmod
	[[ -L $installed ]]
	rm "$R/etc/dkms/framework.conf"
	ds install cog/3.0 -k $K --no-depmod --force
	[[ -f $installed && ! -L $installed ]]
}

@test "a link that dkms has installed is taken over as one" {
	need_root
	world
	link=/var/lib/dkms/acme/1.0/$K/$A/module/acme.ko
	ln -sf "$link" "$R/lib/modules/$K/updates/dkms/acme.ko"
	ds uninstall acme/1.0 -k $K --no-depmod | grep "^Deleting .*/acme.ko"
	[[ ! -L $R/lib/modules/$K/updates/dkms/acme.ko ]]
	[[ -f $R$link ]]
}

# --- what it says of confs

@test "deprecated directives are reported once, on stderr" {
	need_root
	kernel_make $K
	source_make acme 1.0 CLEAN=true REMAKE_INITRD=yes 'MODULES_CONF[0]="alias x acme"'
	source_make bolt 1.0 'CLEAN="make clean"'
	told="Deprecated feature: REMAKE_INITRD (/usr/src/acme-1.0/dkms.conf)
Deprecated feature: MODULES_CONF (/usr/src/acme-1.0/dkms.conf)"
	equal "$(ds add acme/1.0 2>&1 >/dev/null)" "$told"
	tree_built acme 1.0 $K
	ds install acme/1.0 -k $K --no-depmod >/dev/null 2>"$BATS_TEST_TMPDIR/err"
	equal "$(cat "$BATS_TEST_TMPDIR/err")" "${told//usr\/src\/acme-1.0/var\/lib\/dkms\/acme\/1.0\/source}"
	equal "$(ds add bolt/1.0 2>&1 >/dev/null)" \
		"Deprecated feature: CLEAN (/usr/src/bolt-1.0/dkms.conf)"
	# not on lenient reads
	equal "$(ds remove acme/1.0 --all --no-depmod 2>&1 >/dev/null)" ""
}

@test "the post-transaction command is printed where it runs" {
	need_root
	world
	tree_built cog 3.0 $K
	mkdir -p "$R/etc/dkms"
	chmod go-w "$R/etc/dkms"
	echo 'post_transaction="true $kernelver"' >"$R/etc/dkms/framework.conf"
	run ds install cog/3.0 -k $K --no-depmod
	contains "$output" "Running depmod... done.
Executing post-transaction command..."
	ds uninstall cog/3.0 -k $K --no-depmod
	run ds install cog/3.0 -k $K --no-depmod --verbose
	contains "$output" "
true $K
"
}

# --- the kernel's own modules

@test "where modules go as written, the kernel's own is archived and put back" {
	need_root
	kernel_make $K
	source_make acme 1.0 'DEST_MODULE_LOCATION[0]="/kernel/drivers/acme"'
	tree_add acme 1.0
	tree_built acme 1.0 $K
	own=/lib/modules/$K/kernel/drivers/acme/acme.ko
	mkdir -p "$R${own%/*}"
	echo "the kernel's" >"$R$own"
	touch -d @1000000000 "$R$own"
	run ds install acme/1.0 -k $K --no-depmod
	equal "$status" 0
	equal "$output" "Found pre-existing $own, archiving for uninstallation
Installing $own
Running depmod... done."
	equal "$(cat "$R$own")" "module acme 1.0"
	equal "$(cat "$R/var/lib/dkms/acme/original_module/$K/$A/acme.ko.origin")" "$own"
	equal "$(ds status)" "acme/1.0, $K, $A: installed (Original modules exist)"
	run ds install acme/1.0 -k $K --no-depmod --force
	equal "$status" 0
	equal "$(cat "$R/var/lib/dkms/acme/original_module/$K/$A/acme.ko")" "the kernel's"
	run ds uninstall acme/1.0 -k $K --no-depmod
	equal "$status" 0
	contains "$output" "Deleting $own
Restoring archived original module $own"
	contains "$output" "Removing original module(s) from DKMS tree for kernel $K ($A)"
	equal "$(cat "$R$own")" "the kernel's"
	equal "$(stat -c %Y "$R$own")" 1000000000
	equal "$(ds status)" "acme/1.0, $K, $A: built"
}

# --- framework.conf's variables elsewhere

@test "ADDON_MODULES_DIR is where modules go, and the environment has what is harmless" {
	need_root
	world
	tree_built cog 3.0 $K
	echo ID=debian >"$R/etc/os-release"
	mkdir -p "$R/etc/sysconfig"
	echo 'ADDON_MODULES_DIR=/addon/deep' >"$R/etc/sysconfig/module-init-tools"
	symlink_modules=yes verbose='' run ds install cog/3.0 -k $K --no-depmod
	equal "$status" 0
	contains "$output" "Installing /lib/modules/$K/addon/deep/cog.ko"
	[[ -L $R/lib/modules/$K/addon/deep/cog.ko ]] || fail "no link"
	symlink_modules=no run ds install cog/3.0 -k $K --no-depmod --force
	[[ ! -L $R/lib/modules/$K/addon/deep/cog.ko ]] || fail "still a link"
	mkdir -p "$R/etc/dkms"
	echo symlink_modules=no >"$R/etc/dkms/framework.conf"
	symlink_modules=yes run ds install cog/3.0 -k $K --no-depmod --force
	[[ ! -L $R/lib/modules/$K/addon/deep/cog.ko ]] || fail "a link, against the file"
	rm "$R/etc/dkms/framework.conf"
	post_transaction='touch /ran' sign_file=/bin/false dkms_tree=/elsewhere \
		run ds uninstall cog/3.0 -k $K --no-depmod
	equal "$status" 0
	lacks "$output" "post-transaction"
	equal "$(ds status -m cog)" "cog/3.0, $K, $A: built"
}

@test "NO_WEAK_MODULES of the environment leaves weak modules alone" {
	need_root
	world
	tree_built cog 3.0 $K
	printf 'ID="almalinux"\nID_LIKE="rhel centos fedora"\n' >"$R/etc/os-release"
	weak_modules_make /usr/sbin/weak-modules
	NO_WEAK_MODULES=yes run ds install cog/3.0 -k $K --no-depmod
	equal "$status" 0
	lacks "$output" "weak"
	NO_WEAK_MODULES='' run ds install cog/3.0 -k $K --no-depmod --force
	contains "$output" "Adding linked weak modules..."
}
