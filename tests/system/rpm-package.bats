# SPDX-License-Identifier: GPL-2.0-or-later
# set: full
# on: bookworm trixie
# kmodsmith's own packages: what they need and own, another root, and their removal.

load ../lib/rpmroot

setup_file() {
	rpmroot_new rpm-package
	[[ -z ${SKIP:-} ]] || return 0
	# as Fedora, RHEL and openSUSE ship it: a unit that no preset names is not enabled
	root_apt install systemd >&2
	mkdir -p "$R/usr/lib/systemd/system-preset"
	printf 'disable *\n' >"$R/usr/lib/systemd/system-preset/99-default-disable.preset"
	rpm_source_package alpha 1.0
	rpmroot_install_kmodsmith >&2
	root_dnf install alpha-source >&2
}

teardown_file() {
	target_end
	root_end
}

# A second system below the first: what --installroot and --root work on.
target_new() {
	local dir=${R%/root}
	ks_remove "$dir/target-upper" "$dir/target-work"
	mkdir -p "$dir/target-upper" "$dir/target-work" "$R/srv/target"
	mount -t overlay -o "lowerdir=$(base_dir "$KS_BASE-rpm"),upperdir=$dir/target-upper,workdir=$dir/target-work" \
		overlay "$R/srv/target"
	base_mount "$R/srv/target"
	mkdir -p "$R/srv/target/srv/rpm"
	mount --bind "$R/srv/rpm" "$R/srv/target/srv/rpm"
}

target_end() {
	mountpoint -q "$R/srv/target" || return 0
	umount "$R/srv/target/srv/rpm"
	base_unmount "$R/srv/target"
	umount "$R/srv/target"
}

in_target() { root_in chroot /srv/target "$@"; }

@test "the packages own what they install, and verify" {
	run root_exec rpm -V kmodsmith kmodsmith-rpm-plugin kmodsmith-dkms
	assert_equal "$output" "" "rpm -V"
	assert_equal "$(rpm_query -f --qf '%{name}\n' /usr/sbin/dkms)" kmodsmith-dkms "owner of dkms"
	assert_equal "$(rpm_query --whatprovides dkms --qf '%{name}\n')" kmodsmith-dkms "dkms"
	run root_exec id -u kmodsmith
	assert_equal "$status" 0 "the user that builds"
	root_in kmodsmith --version
	root_in dkms --version
}

@test "the boot unit is enabled where nothing is that no preset names" {
	[[ -L $R/etc/systemd/system/multi-user.target.wants/kmodsmith.service ]] ||
		fail "it is not: $(root_exec systemctl is-enabled kmodsmith.service 2>&1)"
}

@test "the plugin links librpm, librpmio and libc, and nothing else" {
	plugin=$(rpm_query -l kmodsmith-rpm-plugin | grep '/kmodsmith\.so$')
	run root_sh 'objdump -p "$1" | sed -n "s/^ *NEEDED *//p" | sed "s/\.so.*//" | sort | tr "\n" " "' \
		bash "$plugin"
	assert_equal "$output" "libc librpm librpmio " "needed libraries"
}

@test "a plugin for another librpm cannot be installed" {
	requires=$(rpm_query --requires kmodsmith-rpm-plugin)
	[[ $requires =~ librpm\.so\.([0-9]+)\(\)\(64bit\) ]] || fail "requires no librpm: $requires"
	[[ -e $R/usr/lib/x86_64-linux-gnu/librpm.so.${BASH_REMATCH[1]} ]] || fail "not this librpm"
	# the same package for the other release, asking for a librpm that is not here
	other=$([[ $KS_BASE == bookworm ]] && echo trixie || echo bookworm)
	[[ -e $ks_out/rpm/$other/digest ]] || skip "the RPMs for $other have not been built"
	cp "$ks_out/rpm/$other"/kmodsmith-rpm-plugin-*.rpm "$R/root/other.rpm"
	run root_in rpm -U --replacepkgs --replacefiles /root/other.rpm
	((status != 0)) || fail "rpm has installed it"
	assert_contains "$output" "librpm.so."
	run root_dnf reinstall /root/other.rpm
	((status != 0)) || fail "dnf has installed it"
	assert_rpm_recorded alpha "$K1" alpha
	run root_exec rpm -V kmodsmith-rpm-plugin
	assert_equal "$output" "" "rpm -V"
}

@test "dnf --installroot works on the other root, and on that alone" {
	target_new
	before=$(rpm_query -qa | sort)
	root_dnf --installroot=/srv/target install kmodsmith-dkms
	root_dnf --installroot=/srv/target install alpha-source \
		"kernel-core-$(kernel_evr "$K2")" "kernel-devel-$(kernel_evr "$K2")"
	assert_equal "$(rpm_query -qa | sort)" "$before" "packages of the host"
	for K in "$K1" "$K2"; do
		run in_target rpm -qf "$(R=$R/srv/target rpm_module_file "$K" alpha)"
		assert_contains "$output" "$(rpm_record alpha "$K")"
		run in_target rpm -V "$(rpm_record alpha "$K")"
		assert_equal "$output" "" "rpm -V"
	done
	R=$R/srv/target assert_dracut_saw "$K2" alpha
	[[ ! -e $R/lib/modules/$K2 ]] || fail "the kernel came to the host"
}

@test "rpm --root does the same" {
	root_sh 'rpm --root /srv/target -e alpha-source'
	[[ -z $(R=$R/srv/target rpm_module_file "$K2" alpha) ]] || fail "still installed"
	run in_target rpm -q "$(rpm_record alpha "$K2")"
	((status != 0)) || fail "still recorded"
	assert_rpm_recorded alpha "$K1" alpha
	target_end
}

@test "an exported module is a real package, to be installed where nothing else is" {
	for dir in /root/one /root/two; do
		root_sh 'mkdir "$1" && SOURCE_DATE_EPOCH=1700000000 kmodsmith export --format=rpm -o "$1" alpha' \
			bash "$dir"
	done
	file=$(basename "$R"/root/one/*.rpm)
	cmp "$R/root/one/$file" "$R/root/two/$file"
	run root_exec rpm -K "/root/one/$file"
	assert_equal "$status" 0 "rpm -K: $output"
	assert_contains "$output" "digests OK"
	root_in dkms mkrpm alpha/1.0
	source=$(find "$R/var/lib/dkms/alpha" -name '*.rpm')
	run root_exec rpm -K "${source#"$R"}"
	assert_equal "$status" 0 "rpm -K: $output"
	target_new
	cp "$R/root/one/$file" "$R/srv/target/root/prebuilt.rpm"
	cp "$source" "$R/srv/target/root/source.rpm"
	# no kmodsmith there
	in_target dnf -y install /root/prebuilt.rpm
	module=$(R=$R/srv/target rpm_module_file "$K1" alpha)
	run in_target rpm -qf --qf '%{name}\n' "$module"
	assert_equal "$output" "$(rpm_record alpha "$K1")" "owner"
	grep -q '/alpha\.ko' "$R/srv/target/lib/modules/$K1/modules.dep" || fail "depmod did not run"
	run in_target rpm -V "$(rpm_record alpha "$K1")"
	assert_equal "$output" "" "rpm -V"
	in_target dnf -y remove "$(rpm_record alpha "$K1")"
	! grep -q '/alpha\.ko' "$R/srv/target/lib/modules/$K1/modules.dep" || fail "depmod did not run"
	in_target rpm -i --nodeps /root/source.rpm
	[[ -s $R/srv/target/usr/src/alpha-1.0/dkms.conf ]] || fail "no source"
	target_end
}

@test "removing kmodsmith drops the records and leaves the modules" {
	file=$(rpm_module_file "$K1" alpha)
	root_dnf remove kmodsmith
	! rpm_has kmodsmith || fail "kmodsmith is still there"
	[[ ! -L $R/etc/systemd/system/multi-user.target.wants/kmodsmith.service ]] ||
		fail "its unit is still enabled"
	assert_equal "$(rpm_query -a 'kmod-*')" "" "records"
	[[ -s $R$file ]] || fail "$file is gone"
	assert_rpm_fine
	assert_dnf_history_clean
}

@test "and installing it again takes the modules over" {
	root_dnf install kmodsmith-dkms
	root_in kmodsmith sync
	assert_rpm_recorded alpha "$K1" alpha
	assert_rpm_fine
}
