# SPDX-License-Identifier: GPL-2.0-or-later
# set: full
# Ubuntu's layout of a kernel, made of Debian's real files: linux-modules-K owns
# /lib/modules/K, linux-image-K only the image, and its kernel hooks run from a trigger.

load ../lib/root

setup_file() {
	root_new ubuntu bookworm
	K=$(root_candidate_kernel cloud-amd64)
	export K
	split_kernel >&2
	root_apt install "linux-headers-$K" >&2
	echo vendor >>"$R/etc/initramfs-tools/modules"
	root_install_kmodsmith >&2
	deb=$(source_package vendor 1.0)
	root_apt install "$deb" acpi-call-dkms >&2
}

teardown_file() { root_end; }

split_kernel() {
	local whole=${R%/root}/whole image=${R%/root}/image deb
	root_apt install --download-only "linux-image-$K"
	deb=$(find "$ks_cache/apt-archives" -maxdepth 1 -name "linux-image-${K}_*.deb" | sort -V | tail -n 1)
	dpkg-deb -R "$deb" "$whole"
	rm -rf "$whole/DEBIAN"
	mkdir -p "$image/boot" "$image/DEBIAN"
	mv "$whole/boot/vmlinuz-$K" "$image/boot/"
	image_scripts "$image/DEBIAN"
	package_make "linux-modules-$K" 6.1.999-1 "$whole" "Section: kernel"
	package_make "linux-image-$K" 6.1.999-1 "$image" "Section: kernel" \
		"Depends: linux-modules-$K" "Provides: linux-image"
}

# In the words of Ubuntu's linux-signed packages.
image_scripts() {
	cat >"$1/postinst" <<-EOF
	#!/bin/sh
	set -e
	version=$K
	image=/boot/vmlinuz-\$version
	case "\$1" in
	configure)
		mkdir -p /usr/lib/linux/triggers
		cat >/usr/lib/linux/triggers/\$version <<END
	DEB_MAINT_PARAMS="\$*" run-parts --report --exit-on-error --arg=\$version --arg=\$image /etc/kernel/postinst.d
	END
		dpkg-trigger --by-package=linux-image-\$version linux-update-\$version
		;;
	triggered)
		trigger=/usr/lib/linux/triggers/\$version
		if [ -f "\$trigger" ]; then
			sh "\$trigger"
			rm -f "\$trigger"
		fi
		;;
	esac
	EOF
	cat >"$1/prerm" <<-EOF
	#!/bin/sh
	set -e
	[ "\$1" != remove ] || [ ! -d /etc/kernel/prerm.d ] ||
		DEB_MAINT_PARAMS="\$*" run-parts --report --exit-on-error --arg=$K --arg=/boot/vmlinuz-$K /etc/kernel/prerm.d
	EOF
	cat >"$1/postrm" <<-EOF
	#!/bin/sh
	set -e
	rm -f /usr/lib/linux/triggers/$K
	[ "\$1" = upgrade ] || [ ! -d /etc/kernel/postrm.d ] ||
		DEB_MAINT_PARAMS="\$*" run-parts --report --exit-on-error --arg=$K --arg=/boot/vmlinuz-$K /etc/kernel/postrm.d
	EOF
	printf 'interest linux-update-%s\n' "$K" >"$1/triggers"
	chmod 755 "$1/postinst" "$1/prerm" "$1/postrm"
}

@test "a kernel whose hooks run from a trigger gets its modules, in its first initramfs" {
	run root_apt install "/root/linux-image-${K}_6.1.999-1.deb" "/root/linux-modules-${K}_6.1.999-1.deb"
	assert_equal "$status" 0 "exit code of apt"
	assert_recorded vendor "$K" vendor
	assert_recorded acpi-call "$K" acpi_call
	assert_in_initramfs "$K" vendor
	assert_equal "$(grep -c "Generating /boot/initrd.img-$K" <<<"$output")" 1 "initramfs generations"
	assert_packages_fine
}

@test "the records depend on a package of the kernel" {
	run root_exec dpkg-query -W -f '${Depends}' "$(record_name vendor "$K")"
	[[ $output == "linux-modules-$K" || $output == "linux-image-$K" ]] || fail "depends on '$output'"
}

@test "removing the kernel takes the records along" {
	root_apt remove --purge "linux-image-$K" "linux-modules-$K"
	assert_gone vendor "$K"
	assert_gone acpi-call "$K" acpi_call
	assert_packages_fine
}
