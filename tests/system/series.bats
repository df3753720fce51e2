# SPDX-License-Identifier: GPL-2.0-or-later
# set: full
# From one series to the next: 6.1 to 6.12, another compiler configuration and other headers.
# Also: kernels that no package owns, and the setting "kernels".

load ../lib/root

setup_file() {
	root_new series bookworm-cloud
	OLD=$(root_kernels)
	NEW=$(root_candidate_kernel 6.12-cloud-amd64)
	export OLD NEW
	[[ -n $NEW ]] || {
		export SKIP="the archive has no 6.12 kernel for this release"
		return
	}
	root_install_kmodsmith >&2
	deb=$(source_package vendor 1.0)
	root_apt install "$deb" acpi-call-dkms bbswitch-dkms vpoll-dkms tp-smapi-dkms >&2
}

teardown_file() { root_end; }

@test "modules follow to the next series" {
	root_apt install linux-image-6.12-cloud-amd64 linux-headers-6.12-cloud-amd64
	assert_recorded vendor "$NEW" vendor
	assert_recorded acpi-call "$NEW" acpi_call
	assert_recorded bbswitch "$NEW" bbswitch
	assert_recorded vendor "$OLD" vendor
	assert_packages_fine
}

@test "each target of the new series is recorded, or says why not" {
	for module in vpoll tp_smapi; do
		state=$(target "$module" "$NEW" state)
		case $state in
		recorded) ;;
		failed | excluded) [[ -n $(target "$module" "$NEW" detail) ]] || fail "$module: $state without a word" ;;
		*) fail "$module on $NEW: $state" ;;
		esac
	done
	root_apt remove --purge vpoll-dkms tp-smapi-dkms
	run root_in kmodsmith status
	assert_equal "$status" 0 "exit code of status without them"
}

# As "make modules_install" leaves it: a directory that dpkg knows nothing of.
own_kernel() {
	OWN=6.1.176-own
	cp -a "$R/lib/modules/$OLD" "$R/lib/modules/$OWN"
	rm -rf "${R:?}/lib/modules/$OWN/updates"
	rm -f "$R/lib/modules/$OWN/build" "$R/lib/modules/$OWN/source"
	cp -a "$R/usr/src/linux-headers-$OLD" "$R/usr/src/own-kernel"
	ln -s /usr/src/own-kernel "$R/lib/modules/$OWN/build"
	grep -rlI -F "$OLD" "$R/usr/src/own-kernel/include" "$R/usr/src/own-kernel/Makefile" |
		xargs sed -i "s/$OLD/$OWN/g"
	cp "$R/boot/config-$OLD" "$R/boot/config-$OWN"
	chroot "$R" depmod "$OWN"
}

@test "a kernel that no package owns is served" {
	own_kernel
	root_in kmodsmith sync
	assert_recorded vendor "$OWN" vendor
	run root_exec dpkg-query -W -f '${Depends}' "$(record_name vendor "$OWN")"
	assert_equal "$output" "" "dependencies of its record"
	assert_packages_fine
}

@test "and pruned when it is deleted" {
	OWN=6.1.176-own
	rm -r "$R/lib/modules/$OWN/kernel"
	rm -f "$R/lib/modules/$OWN"/modules.order "$R/lib/modules/$OWN"/modules.builtin*
	root_in kmodsmith sync
	assert_gone vendor "$OWN"
	[[ -z $(find "$R/lib/modules/$OWN" -name '*.ko*' 2>/dev/null) ]] || fail "modules are left"
}

@test "kernels = newest leaves the old ones alone" {
	mkdir -p "$R/etc/kmodsmith/kmodsmith.conf.d"
	printf '[kmodsmith]\nkernels = newest\n' >"$R/etc/kmodsmith/kmodsmith.conf.d/test.conf"
	deb=$(source_package late 1.0)
	root_apt install "$deb"
	assert_recorded late "$NEW" late
	assert_equal "$(target late "$OLD" reason)" kernel-not-selected "reason on $OLD"
	[[ -z $(module_file "$OLD" late) ]] || fail "built for $OLD"
	rm "$R/etc/kmodsmith/kmodsmith.conf.d/test.conf"
	root_in kmodsmith sync
	assert_recorded late "$OLD" late
}

@test "skip and hold of one module are obeyed" {
	printf '[module late]\nhold = true\n[module vendor]\nskip = true\n' \
		>"$R/etc/kmodsmith/kmodsmith.conf.d/test.conf"
	echo '/* changed */' >>"$R/usr/src/late-1.0/late.c"
	before=$(stat -c %i "$R$(module_file "$NEW" late)")
	root_in kmodsmith sync
	assert_equal "$(stat -c %i "$R$(module_file "$NEW" late)")" "$before" "the held module's file"
	assert_equal "$(target vendor "$NEW" reason)" skipped "reason"
	rm "$R/etc/kmodsmith/kmodsmith.conf.d/test.conf"
	root_in kmodsmith sync
	assert_recorded late "$NEW" late
	assert_recorded vendor "$NEW" vendor
}
