# SPDX-License-Identifier: GPL-2.0-or-later
# What differs from one distribution to the next (core/support/distro.c), through the
# binary, in a tree with that distribution's os-release.

load tree

setup() {
	need_root
	tree_new
	T=$R/var/lib/dkms M=$R/lib/modules/$K
	kernel_make $K
	source_make acme 1.0
	# not where any distribution has its own place
	sed -i 's|"/updates"|"/kernel/drivers/acme/"|' "$R/usr/src/acme-1.0/dkms.conf"
	tree_add acme 1.0
}

ds() { dkms "$@" --root "$R"; }

# each_distribution FUNCTION: ID, place, weak program, keys of every row of os-releases
each_distribution() {
	local id like place weak keys n=0
	while IFS=$'\t' read -r id like place weak keys; do
		n=$((n + 1))
		rm -f "$R/etc/os-release"
		[[ $id == - ]] || printf 'NAME="Some Linux"\n%s\n' "$id" >"$R/etc/os-release"
		[[ $like == - ]] || printf '%s\n' "$like" >>"$R/etc/os-release"
		"$1" "$id" "$place" "$weak" "$keys" || fail "of: $id $like"
	done < <(sed '/^#/d; s/\t\t*/\t/g' "$BATS_TEST_DIRNAME/os-releases")
	((n >= 20)) || fail "only $n distributions"
}

installs_there() { # ID, PLACE
	local place=$2
	[[ $place != - ]] || place=kernel/drivers/acme
	tree_built acme 1.0 $K
	run ds install acme/1.0 -k $K --no-depmod
	equal "$status" 0
	contains "$output" "Installing /lib/modules/$K/$place/acme.ko"
	equal "$(find "$M" -name 'acme.ko*')" "$M/$place/acme.ko"
	equal "$(ds status)" "acme/1.0, $K, $A: installed"
	ds uninstall acme/1.0 -k $K --no-depmod >/dev/null
	equal "$(find "$M" -name 'acme.ko*')" ""
	rm -r "$T/acme/1.0/$K"
}

@test "modules go to the distribution's place, or where the conf says" {
	each_distribution installs_there
}

dkms_has_installed() { # ID, PLACE
	local place=$2
	[[ $place != - ]] || place=kernel/drivers/acme
	tree_built acme 1.0 $K
	mkdir -p "$M/$place"
	cp "$T/acme/1.0/$K/$A/module/acme.ko" "$M/$place/"
	ln -sfn "1.0/$K/$A" "$T/acme/kernel-$K-$A"
	equal "$(ds status)" "acme/1.0, $K, $A: installed"
	# taken over as it is
	kmodsmith --root "$R" sync --no-depmod >/dev/null 2>&1 || true
	equal "$(grep ^dest-dir= "$T/acme/1.0/$K/$A/manifest")" "dest-dir=/lib/modules/$K/$place"
	equal "$(find "$M" -name 'acme.ko*')" "$M/$place/acme.ko"
	equal "$(ds status)" "acme/1.0, $K, $A: installed"
	ds uninstall acme/1.0 -k $K --no-depmod >/dev/null
	equal "$(find "$M" -name 'acme.ko*')" ""
	rm -r "$T/acme/1.0/$K" "$T/acme/kernel-$K-$A" "$R/var/lib/kmodsmith" 2>/dev/null || true
}

@test "what dkms has installed is found in the distribution's place" {
	each_distribution dkms_has_installed
}

links_weakly() { # ID, PLACE, WEAK
	local expected=
	case $3 in
	rhel) expected="--no-initramfs --add-modules
/lib/modules/$K/$2/acme.ko" ;;
	suse) expected="--add-kernel-modules $K
/lib/modules/$K/$2/acme.ko" ;;
	esac
	tree_built acme 1.0 $K
	rm -f "$R/weak.log"
	run ds install acme/1.0 -k $K --no-depmod
	equal "$status" 0
	equal "$(cat "$R/weak.log" 2>/dev/null)" "$expected"
	if [[ $expected ]]; then
		contains "$output" "Adding linked weak modules..."
	else
		lacks "$output" "weak"
	fi
	ds uninstall acme/1.0 -k $K --no-depmod >/dev/null
	rm -r "$T/acme/1.0/$K"
}

# both programs are in every tree: their being there does not make it a RHEL
@test "weak modules are RHEL's and SUSE's" {
	weak_modules_make /usr/sbin/weak-modules
	weak_modules_make /usr/lib/module-init-tools/weak-modules2
	each_distribution links_weakly
}
