# SPDX-License-Identifier: GPL-2.0-or-later
# What differs from one distribution to the next (core/platform/distro.c), through the
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
	printf '%s\n' kernel/b.ko: "$place/acme.ko: kernel/b.ko" >"$M/modules.dep"
	equal "$(ds status)" "acme/1.0, $K, $A: installed"
	# taken over as it is
	kmodsmith --root "$R" sync --no-depmod >/dev/null 2>&1 || true
	equal "$(grep ^dest-dir= "$T/acme/1.0/$K/$A/manifest")" "dest-dir=/lib/modules/$K/$place"
	equal "$(find "$M" -name 'acme.ko*')" "$M/$place/acme.ko"
	equal "$(ds status)" "acme/1.0, $K, $A: installed"
	ds uninstall acme/1.0 -k $K --no-depmod >/dev/null
	equal "$(find "$M" -name 'acme.ko*')" ""
	rm -r "$T/acme/1.0/$K" "$T/acme/kernel-$K-$A" "$R/var/lib/kmodsmith" "$M/modules.dep" 2>/dev/null || true
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

@test "a place that a conf writes with a slash at its end is one" {
	setup_weak
	echo ID=gentoo >"$R/etc/os-release"
	sed -i 's|"/updates"|"/kernel//drivers/acme/"|' "$R/usr/src/acme-1.0/dkms.conf"
	run ds install acme/1.0 -k $K --no-depmod
	equal "$status" 0
	contains "$output" "Installing /lib/modules/$K/kernel/drivers/acme/acme.ko"
	equal "$(ds status)" "acme/1.0, $K, $A: installed"
	run ds uninstall acme/1.0 -k $K --no-depmod
	contains "$output" "Deleting /lib/modules/$K/kernel/drivers/acme/acme.ko"
	equal "$(find "$R/lib/modules" -name 'acme*')" ""
}

# weak_kernels PATH PLACE: a program that links acme.ko to three other kernels, which have
# the same symbols, one with another CRC, and none that anybody knows; below PLACE
weak_kernels() {
	local other
	for other in 6.1.0-2-play 6.1.0-3-play 6.1.0-4-play; do
		kernel_make $other no-headers
	done
	sed 's/22222222/2222dead/' "$R/usr/src/linux-headers-$K/Module.symvers" |
		gzip -c >"$R/lib/modules/6.1.0-3-play/symvers.gz"
	mkdir -p "$R/boot"
	xz -c "$R/usr/src/linux-headers-$K/Module.symvers" >"$R/boot/symvers-6.1.0-2-play.xz"
	mkdir -p "$R$(dirname "$1")"
	cat >"$R$1" <<-END
	#!/bin/bash
	read -r file
	for other in 6.1.0-2-play 6.1.0-3-play 6.1.0-4-play; do
		case "\$*" in
		*--add*) ln -s "\$file" /lib/modules/\$other/weak-updates/$2acme.ko ;;
		*) rm -f /lib/modules/\$other/weak-updates/$2acme.ko ;;
		esac
	done
	END
	chmod 755 "$R$1"
	mkdir -p "$R"/lib/modules/6.1.0-{2,3,4}-play/weak-updates/"$2"
	programs_copy ln rm
}

only_what_fits_is_linked() { # PLACE
	cp "$builddir/tests/unit/modules/play-weak.ko" "$BATS_TEST_TMPDIR/weak.ko"
	run ds install acme/1.0 -k $K --no-depmod
	equal "$status" 0
	contains "$output" "Adding linked weak modules..."
	contains "$output" "acme/1.0 on $K is linked to 6.1.0-3-play no more, which it does not fit: 'acme': symbol 'play_kernel_call' has CRC 0x22222222 here and 0x2222dead in the kernel"
	contains "$output" "acme/1.0 on $K is linked to 6.1.0-4-play, and whether it fits is not known: the kernel's Module.symvers is not there"
	lacks "$output" "6.1.0-2-play"
	cmp "$R/lib/modules/$K/$1/acme.ko" "$BATS_TEST_TMPDIR/weak.ko"
	equal "$(cd "$R/lib/modules"; find . -path '*/weak-updates/*' -type l | sort | cut -d / -f 2 | tr '\n' ' ')" \
		"6.1.0-2-play 6.1.0-4-play "
	[[ -e $R/var/lib/kmodsmith/changed/6.1.0-3-play ]] || fail "its depmod is not asked for"
	equal "$(ds status)" "acme/1.0, $K, $A: installed
acme, 1.0, 6.1.0-2-play, $A: installed-weak from $K
acme, 1.0, 6.1.0-4-play, $A: installed-weak from $K"
	run ds uninstall acme/1.0 -k $K --no-depmod
	contains "$output" "Removing linked weak modules..."
	equal "$(find "$R/lib/modules" -path '*/weak-updates/*' -type l)" ""
}

setup_weak() {
	rm -r "$R/usr/src/acme-1.0" "$T/acme" "$R/lib/modules/$K" "$R/usr/src/linux-headers-$K"
	build_root play-weak
}

@test "RHEL: links to what does not have the CRCs of the other kernel are taken away" {
	setup_weak
	printf 'ID="rocky"\nID_LIKE="rhel centos fedora"\n' >"$R/etc/os-release"
	weak_kernels /usr/sbin/weak-modules ""
	only_what_fits_is_linked extra
}

@test "SUSE: links to what does not have the CRCs of the other kernel are taken away" {
	setup_weak
	printf 'ID="opensuse-leap"\nID_LIKE="suse opensuse"\n' >"$R/etc/os-release"
	weak_kernels /usr/lib/module-init-tools/weak-modules2 updates/
	only_what_fits_is_linked updates
}

@test "without the distribution's program nothing is linked" {
	setup_weak
	echo 'ID="rhel"' >"$R/etc/os-release"
	kernel_make 6.1.0-2-play no-headers
	mkdir "$R/lib/modules/6.1.0-2-play/weak-updates"
	run ds install acme/1.0 -k $K --no-depmod
	equal "$status" 0
	lacks "$output" "weak"
	equal "$(find "$R/lib/modules" -type l ! -name build)" ""
}
