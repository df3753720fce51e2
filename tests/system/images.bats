# SPDX-License-Identifier: GPL-2.0-or-later
# set: full
# on: trixie
# What a kernel boots with is renewed by the program that owns it: initramfs-tools, dracut,
# kernel-install with entries and with unified images, mkinitcpio's presets (its program is a
# stand-in, as Debian has none). What nobody makes is reported, once.

load ../lib/root

setup_file() {
	root_new images trixie-cloud
	K=$(root_kernels)
	export K
	echo acme >>"$R/etc/initramfs-tools/modules"
	root_install_kmodsmith >&2
	root_apt install systemd >&2
	mkdir -p "$R/efi/debian" "$R/etc/kernel" "$R/etc/dracut.conf.d"
	echo debian >"$R/etc/kernel/entry-token"
	echo root=/dev/vda >"$R/etc/kernel/cmdline"
	# nothing is mounted there, so it has to be named
	set_layout bls
	root_in kernel-install add "$K" "/boot/vmlinuz-$K" >&2
	# what dracut makes is small, and can be read by cpio
	cat >"$R/etc/dracut.conf.d/test.conf" <<-'EOF2'
	dracutmodules+=" base "
	hostonly=no
	early_microcode=no
	add_drivers+=" acme "
	compress=cat
	EOF2
	source_make "$R/usr/src/acme-1.0" acme 1.0
}

teardown_file() { root_end; }

set_layout() { printf 'BOOT_ROOT=/efi\nlayout=%s\n' "$1" >"$R/etc/kernel/install.conf"; }

# It is of 2020 from now on.
age() { root_in touch -d 2020-01-01 "$@"; }

assert_new() { # PATH...
	local path
	for path; do
		[[ $(stat -c %Y "$R$path") -gt 1600000000 ]] || fail "$path is as old as before"
	done
}

# The modules are put in place once more.
install_again() { root_in kmodsmith install --force acme/1.0 --kernel "$K"; }

assert_made_by_dracut_with_acme() { # IMAGE
	root_sh 'cpio -t --quiet <"$0" 2>/dev/null | grep "updates/dkms/acme\.ko"' "$1" ||
		fail "no acme in $1"
}

@test "the image in /boot is made, and then the boot loader's copy of it" {
	age "/boot/initrd.img-$K" "/efi/debian/$K/initrd.img-$K"
	run root_in dkms install acme/1.0 -k "$K"
	assert_equal "$status" 0 "exit code of dkms"
	assert_in_initramfs "$K" acme
	root_in cmp "/boot/initrd.img-$K" "/efi/debian/$K/initrd.img-$K"
	run root_in kmodsmith sync
	assert_contains "$output" "nothing to do"
}

@test "a program that fails is reported with what to do, and tried again" {
	age "/boot/initrd.img-$K" "/efi/debian/$K/initrd.img-$K"
	mkdir -p "$R/etc/kernel/install.d"
	printf '#!/bin/sh\necho no room >&2\nexit 1\n' >"$R/etc/kernel/install.d/10-fail.install"
	chmod 755 "$R/etc/kernel/install.d/10-fail.install"
	run install_again
	assert_equal "$status" 3 "exit code"
	assert_contains "$output" "cannot make the initramfs of $K: '/usr/bin/kernel-install'"
	assert_contains "$output" "'kmodsmith sync' tries it again"
	assert_contains "$(cat "$R/var/log/kmodsmith/initramfs.log")" "no room"
	assert_new "/boot/initrd.img-$K"
	run root_in kmodsmith plan
	assert_equal "$output" "initramfs $K (its initramfs is older than its modules)"
	run root_in kmodsmith explain acme
	assert_contains "$output" "initramfs older than the modules; the next sync renews it"
	rm "$R/etc/kernel/install.d/10-fail.install"
	age "/efi/debian/$K/initrd.img-$K"
	run root_in kmodsmith sync
	assert_equal "$status" 0 "exit code"
	assert_contains "$output" "$K: initramfs refreshed"
	assert_new "/efi/debian/$K/initrd.img-$K"
	run root_in kmodsmith plan
	assert_equal "$output" "nothing to do"
}

@test "a program that leaves its image as it was is reported once for each change" {
	rm "$R/etc/kernel/install.conf"
	age "/efi/debian/$K/initrd.img-$K"
	run install_again
	assert_equal "$status" 0 "exit code"
	assert_contains "$output" "warning: cannot make the initramfs of $K: '/usr/bin/kernel-install' has left '/efi/debian/$K/initrd.img-$K' as it was"
	assert_lacks "$output" "initramfs refreshed"
	run root_in kmodsmith sync
	assert_equal "$status" 0 "exit code"
	assert_contains "$output" "nothing to do"
	run root_in kmodsmith explain acme
	assert_contains "$output" "the program that makes it has left it as it was"
	set_layout bls
	install_again
	assert_new "/efi/debian/$K/initrd.img-$K"
	run root_in kmodsmith explain acme
	assert_lacks "$output" "older than the modules"
}

@test "dracut and its plugin of kernel-install make what they have made" {
	set_layout bls
	root_apt install dracut cpio
	rm -rf "$R/efi/debian/$K" "$R/boot/initrd.img-$K"
	root_in kernel-install add "$K" "/boot/vmlinuz-$K"
	age "/efi/debian/$K/initrd"
	install_again
	assert_made_by_dracut_with_acme "/efi/debian/$K/initrd"
	[[ ! -e $R/boot/initrd.img-$K ]] || fail "an image that was not there was made"

	root_in dracut --force "/boot/initrd.img-$K" "$K"
	age "/boot/initrd.img-$K" "/efi/debian/$K/initrd"
	install_again
	assert_made_by_dracut_with_acme "/boot/initrd.img-$K"
	assert_made_by_dracut_with_acme "/efi/debian/$K/initrd"
}

@test "in a kernel package's transaction nothing is run or missed before the distribution's own" {
	rm -rf "$R/efi/debian/$K" "$R/boot/initrd.img-$K"
	run root_apt install --reinstall "linux-image-$K"
	assert_equal "$status" 0 "exit code of apt"
	assert_lacks "$output" "no initramfs"
	assert_made_by_dracut_with_acme "/boot/initrd.img-$K"
	run root_in kmodsmith sync
	assert_contains "$output" "nothing to do"
}

@test "a unified image is made by ukify, through kernel-install" {
	root_apt install systemd-ukify systemd-boot-efi
	rm -f "$R/boot/initrd.img-$K"
	set_layout uki
	mkdir -p "$R/efi/EFI/Linux"
	root_in kernel-install add "$K" "/boot/vmlinuz-$K"
	age "/efi/EFI/Linux/debian-$K.efi"
	run install_again
	assert_equal "$status" 0 "exit code"
	root_in objcopy -O binary --dump-section .initrd=/root/initrd "/efi/EFI/Linux/debian-$K.efi" /dev/null
	assert_made_by_dracut_with_acme /root/initrd
	# another path of the same file
	ln -s ../efi "$R/boot/efi"
	age "/efi/EFI/Linux/debian-$K.efi"
	install_again
	assert_new "/efi/EFI/Linux/debian-$K.efi"
}

@test "an image that nobody makes is reported once for each change" {
	local words="nothing that is known here makes '/efi/EFI/Linux/custom.efi' of $K: renew it by hand"
	mv "$R/efi/EFI/Linux/debian-$K.efi" "$R/efi/EFI/Linux/custom.efi"
	age /efi/EFI/Linux/custom.efi
	root_in kmodsmith uninstall acme/1.0 --no-initramfs
	run root_in kmodsmith plan
	assert_contains "$output" "unrenewed $K (nobody here renews its initramfs; $words)"
	run root_in kmodsmith sync
	assert_equal "$status" 0 "exit code"
	assert_contains "$output" "warning: $words"
	run root_in kmodsmith sync
	assert_contains "$output" "nothing to do"
	run root_in kmodsmith explain acme
	assert_contains "$output" "initramfs $words"
	run root_in kmodsmith sync --trigger=boot
	assert_equal "$output" ""
	root_in touch /efi/EFI/Linux/custom.efi
	run root_in kmodsmith explain acme
	assert_lacks "$output" "custom.efi"
}

@test "a package's build is reported at the end of its transaction, and not again" {
	deb=$(source_package bolt 1.0)
	age /efi/EFI/Linux/custom.efi
	run root_apt install "$deb"
	assert_equal "$status" 0 "exit code of apt"
	assert_equal "$(grep -c "warning: nothing that is known here makes" <<<"$output")" 1 "lines"
	run root_apt install --reinstall hostname
	assert_lacks "$output" "custom.efi"
}

@test "a kernel without any known image is reported once, and not where it has no need" {
	mv "$R/efi/EFI/Linux/custom.efi" "$R/root/"
	run install_again
	assert_equal "$status" 0 "exit code"
	assert_contains "$output" "warning: no initramfs of $K is found: if it boots with one, renew it"
	run root_in kmodsmith sync
	assert_contains "$output" "nothing to do"
	run root_in kmodsmith explain acme
	assert_contains "$output" "no initramfs of $K is found"

	mv "$R/boot/vmlinuz-$K" "$R/root/"
	run install_again
	assert_lacks "$output" "warning"
	mv "$R/root/vmlinuz-$K" "$R/boot/"
	sed -i 's/^CONFIG_BLK_DEV_INITRD=y/# CONFIG_BLK_DEV_INITRD is not set/' "$R/boot/config-$K"
	run install_again
	assert_lacks "$output" "warning"
	sed -i 's/^# CONFIG_BLK_DEV_INITRD is not set/CONFIG_BLK_DEV_INITRD=y/' "$R/boot/config-$K"
}

# Makes what the preset names, as mkinitcpio's process_preset does, and logs its arguments.
add_mkinitcpio() {
	cat >"$R/usr/bin/mkinitcpio" <<-'EOF2'
	#!/bin/bash -e
	echo "$*" >>/root/mkinitcpio.log
	[[ $1 == -p ]]
	. "/etc/mkinitcpio.d/$2.preset"
	for p in "${PRESETS[@]}"; do
		image=${p}_image uki=${p}_uki
		for file in "${!image}" "${!uki}"; do
			[[ ! $file ]] || find /lib/modules -name acme.ko\* >"$file"
		done
	done
	EOF2
	chmod 755 "$R/usr/bin/mkinitcpio"
}

add_presets() {
	mkdir -p "$R/etc/mkinitcpio.d"
	cp "$R/boot/vmlinuz-$K" "$R/boot/vmlinuz-linux"
	cat >"$R/etc/mkinitcpio.d/linux.preset" <<-'EOF2'
	# mkinitcpio preset file for the 'linux' package
	ALL_config="/etc/mkinitcpio.conf"
	ALL_kver="/boot/vmlinuz-linux"
	PRESETS=('default' 'fallback')
	# bash has to read this
	for esp in /efi; do
		default_uki="$esp/EFI/Linux/arch-linux.efi"
	done
	default_options="-S autodetect"
	fallback_image="/boot/initramfs-linux-fallback.img"
	EOF2
	cat >"$R/etc/mkinitcpio.d/linux-lts.preset" <<-'EOF2'
	ALL_kver="6.6.0-lts"
	PRESETS=('default')
	default_image="/boot/initramfs-linux-lts.img"
	EOF2
}

@test "mkinitcpio makes all images of the kernel's preset, and none of another's" {
	local uki=/efi/EFI/Linux/arch-linux.efi fallback=/boot/initramfs-linux-fallback.img
	add_mkinitcpio
	add_presets
	: >"$R$uki" && : >"$R$fallback" && : >"$R/boot/initramfs-linux-lts.img"
	age "$uki" "$fallback" /boot/initramfs-linux-lts.img
	run root_in dkms install acme/1.0 -k "$K" --force
	assert_equal "$status" 0 "exit code of dkms"
	assert_lacks "$output" "initramfs of"
	assert_equal "$(cat "$R/root/mkinitcpio.log")" "-p linux" "calls of mkinitcpio"
	assert_contains "$(cat "$R$uki")" "$K/updates/dkms/acme.ko"
	assert_contains "$(cat "$R$fallback")" "$K/updates/dkms/acme.ko"
	assert_equal "$(stat -c %s "$R/boot/initramfs-linux-lts.img")" 0 "size of the other kernel's image"
}

@test "programs of another root run inside it" {
	mkdir -p "$R/srv/tree"
	age /efi/EFI/Linux/arch-linux.efi
	: >"$R/root/mkinitcpio.log"
	mount --bind "$R" "$R/srv/tree" && mount --bind "$R/lib/modules" "$R/srv/tree/lib/modules"
	run root_in kmodsmith --root /srv/tree install --force acme/1.0 --kernel "$K"
	umount "$R/srv/tree/lib/modules" "$R/srv/tree"
	assert_equal "$status" 0 "exit code"
	assert_equal "$(cat "$R/root/mkinitcpio.log")" "-p linux" "calls of mkinitcpio"
	assert_new /efi/EFI/Linux/arch-linux.efi
}
