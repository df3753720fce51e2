# SPDX-License-Identifier: GPL-2.0-or-later
# What a dkms that was killed leaves, state by state: read without harm, and healed.

load tree

setup() {
	need_root
	tree_new
	T=$R/var/lib/dkms M=$R/lib/modules/$K
	kernel_make $K
	source_make acme 1.0
}

ds() { dkms "$@" --root "$R" --no-depmod; }

# Nothing of acme is left anywhere, and the kernel's own files are as they were.
gone() {
	equal "$(find "$T" -mindepth 1)" ""
	equal "$(find "$M" -name 'acme.ko*')" "${1:-}"
}

remove_all() {
	run ds remove acme/1.0 --all
	equal "$status" 0
	gone "$@"
}

@test "add: between mkdir and link" {
	mkdir -p "$T/acme/1.0/build"
	equal "$(ds status 2>/dev/null)" "acme/1.0: broken"
	run ds add acme/1.0
	equal "$status" 0
	equal "$(ds status)" "acme/1.0: added"
	remove_all
}

@test "build: killed while it compiled" {
	tree_add acme 1.0
	mkdir -p "$T/acme/1.0/build/sub"
	echo half >"$T/acme/1.0/build/acme.o"
	echo log >"$T/acme/1.0/build/make.log"
	equal "$(ds status)" "acme/1.0: added"
	remove_all
}

@test "build: between the staging directory and its rename" {
	tree_add acme 1.0
	mkdir -p "$T/acme/1.0/$K/.tmp_${A}_a1B2c3/module"
	echo staged >"$T/acme/1.0/$K/.tmp_${A}_a1B2c3/module/acme.ko"
	equal "$(ds status)" "acme/1.0: added"
	remove_all
}

@test "build: renamed, without its log" {
	tree_add acme 1.0
	tree_built acme 1.0 $K
	rm -r "$T/acme/1.0/$K/$A/log"
	mkdir -p "$T/acme/1.0/build"
	equal "$(ds status)" "acme/1.0, $K, $A: built"
	run ds install acme/1.0 -k $K
	equal "$status" 0
	equal "$(ds status)" "acme/1.0, $K, $A: installed"
	remove_all
}

@test "install: the original moved away, the new one not there yet" {
	tree_add acme 1.0
	tree_built acme 1.0 $K
	mkdir -p "$T/acme/original_module/$K/$A" "$M/kernel/drivers"
	echo original >"$T/acme/original_module/$K/$A/acme.ko"
	echo "/lib/modules/$K/kernel/drivers/acme.ko" >"$T/acme/original_module/$K/$A/acme.ko.origin"
	equal "$(ds status)" "acme/1.0, $K, $A: built (Original modules exist)"
	remove_all "$M/kernel/drivers/acme.ko"
	equal "$(cat "$M/kernel/drivers/acme.ko")" original
}

@test "install: a truncated copy, also where other packages install" {
	for id in debian rhel; do
		echo "ID=$id" >"$R/etc/os-release"
		dir=updates/dkms
		[[ $id != rhel ]] || dir=extra
		tree_add acme 1.0
		tree_built acme 1.0 $K
		mkdir -p "$M/$dir"
		head -c 5 "$T/acme/1.0/$K/$A/module/acme.ko" >"$M/$dir/acme.ko"
		equal "$(ds status)" "acme/1.0, $K, $A: built"
		run ds install acme/1.0 -k $K
		equal "$status" 0
		cmp "$M/$dir/acme.ko" "$T/acme/1.0/$K/$A/module/acme.ko"
		remove_all
	done
}

@test "install: copied, no link yet" {
	tree_add acme 1.0
	tree_installed acme 1.0 $K
	rm "$T/acme/kernel-$K-$A"
	equal "$(ds status)" "acme/1.0, $K, $A: built"
	run ds install acme/1.0 -k $K
	equal "$status" 0
	lacks "$output" "already installed at version"
	equal "$(ds status)" "acme/1.0, $K, $A: installed"
	[[ ! -e $T/acme/original_module ]] || fail "its own file was taken for the kernel's"
	remove_all
}

@test "install: before depmod" {
	depmod_make
	tree_add acme 1.0
	echo old >"$M/modules.dep"
	touch -d '1 hour ago' "$M/modules.dep"
	tree_installed acme 1.0 $K
	run kmodsmith --root "$R" sync
	contains "$(cat "$R/depmod.log")" "-a $K"
}

@test "uninstall: the file is gone, the link is not" {
	tree_add acme 1.0
	tree_installed acme 1.0 $K
	rm "$M/updates/dkms/acme.ko"
	equal "$(ds status)" \
		"acme/1.0, $K, $A: installed (Differences between built and installed modules)"
	run ds uninstall acme/1.0 -k $K
	equal "$status" 0
	equal "$(ds status)" "acme/1.0, $K, $A: built"
	remove_all
}

@test "unbuild: half of the artifact is gone" {
	tree_add acme 1.0
	tree_installed acme 1.0 $K
	rm -r "$T/acme/1.0/$K/$A/module"
	ds status
	remove_all
}

@test "remove: the source link is gone" {
	tree_add acme 1.0
	tree_built acme 1.0 $K
	rm "$T/acme/1.0/source"
	rm -r "$R/usr/src/acme-1.0"
	equal "$(ds status)" ""
	remove_all
}

@test "a forced build that failed has left a link to nothing, and the file" {
	tree_add acme 1.0
	tree_installed acme 1.0 $K
	rm -r "$T/acme/1.0/$K"
	remove_all
}
