# SPDX-License-Identifier: GPL-2.0-or-later
# set: full
# A kernel is checked before it is installed: which modules build for it, with nothing
# changed; and when it comes, what was built is there.

load ../lib/root

setup_file() {
	root_new preflight bookworm-cloud
	root_upgrade cloud-amd64
	[[ -z $SKIP ]] || return 0
	echo 'update_initramfs=no' >"$R/etc/initramfs-tools/update-initramfs.conf"
	root_install_kmodsmith >&2
	source_make "$R/usr/src/good-1.0" good 1.0
	source_make "$R/usr/src/broken-1.0" broken 1.0
	source_make "$R/usr/src/user-1.0" user 1.0
	source_make "$R/usr/src/never-1.0" never 1.0
	echo 'BUILD_EXCLUSIVE_KERNEL="^5\."' >>"$R/usr/src/never-1.0/dkms.conf"
	# "user" is built upon a symbol of "good"
	printf 'int good_number(void) { return 1; }\nEXPORT_SYMBOL_GPL(good_number);\n' \
		>>"$R/usr/src/good-1.0/good.c"
	printf 'int good_number(void);\nint use(void);\nint use(void) { return good_number(); }\n' \
		>>"$R/usr/src/user-1.0/user.c"
	echo 'BUILD_DEPENDS[0]="good"' >>"$R/usr/src/user-1.0/dkms.conf"
	echo 'KBUILD_EXTRA_SYMBOLS := /var/lib/dkms/good/1.0/$(KERNELRELEASE)/x86_64/module/Module.symvers' \
		>>"$R/usr/src/user-1.0/Makefile"
	printf '#if LINUX_VERSION_CODE > %s\n#error the kernel is too new\n#endif\n' \
		"$(version_code "$OLD")" >>"$R/usr/src/broken-1.0/broken.c"
	# from then on the directories above it are the root's own, and change no more
	cc1_is broken && cc1_is real
	root_in kmodsmith sync >&2
	root_apt install --download-only linux-image-cloud-amd64 linux-headers-cloud-amd64 >&2
}

teardown_file() { root_end; }

# version_code RELEASE: LINUX_VERSION_CODE of the installed headers.
version_code() {
	sed -n 's/^#define LINUX_VERSION_CODE //p' \
		"$R/usr/src/linux-headers-${1%-cloud-amd64}-common/include/generated/uapi/linux/version.h" \
		"$R/usr/src/linux-headers-$1/include/generated/uapi/linux/version.h" 2>/dev/null | head -n 1
}

# package NAME: the file that apt has downloaded; the directory has those of other scenarios, too.
package() {
	local version
	version=$(root_exec apt-cache show --no-all-versions "linux-headers-$NEW" |
		sed -n 's/^Version: //p')
	find "$R/var/cache/apt/archives" -maxdepth 1 -name "$1_${version}_a[ml][dl]*.deb" -printf \
		'/var/cache/apt/archives/%f\n'
}

headers() {
	package "linux-headers-$NEW" && package "linux-headers-${NEW%-cloud-amd64}-common" &&
		package "linux-kbuild-$(cut -d. -f1,2 <<<"$NEW")"
}

preflight() {
	mapfile -t files < <("${1:-headers}")
	root_in kmodsmith preflight --with "${files[@]}" "${@:2}"
}

# All that a preflight must leave as it is.
picture() {
	(cd "$R" && find usr/src lib/modules boot usr/lib/linux-kbuild* var/lib/dkms -printf \
		'%p %y %m %u %s %l\n' | grep -v '^var/lib/dkms/.*/build' | sort &&
		sha256sum var/lib/dpkg/status var/lib/apt/extended_states)
}

fit() { # MODULE FIELD
	preflight headers --json 2>/dev/null | jq -r --arg m "$1" --arg f "$2" \
		'.targets[] | select(.module == $m) | .[$f]'
}

# cc1_is real|broken: without a compiler proper nothing can be compiled; the fingerprints of
# gcc and as, by which a build is recognised, stay.
cc1_is() {
	local cc1=$R/usr/lib/gcc/x86_64-linux-gnu/12/cc1
	case $1 in
	broken)
		mv "$cc1" "$cc1.real"
		printf '#!/bin/sh\necho "cc1: fatal error: it is broken" >&2\nexit 1\n' >"$cc1"
		chmod 755 "$cc1"
		;;
	real) mv "$cc1.real" "$cc1" ;;
	esac
}

@test "the modules that build, the one that does not and the one that is not for it" {
	picture >"$BATS_FILE_TMPDIR/before"
	run preflight
	assert_equal "$status" 3 "exit code"
	assert_contains "$output" "good/1.0 on $NEW: fits"
	assert_contains "$output" "user/1.0 on $NEW: fits"
	assert_contains "$output" "broken/1.0 on $NEW: does not build (build failed at make"
	assert_contains "$output" "#error the kernel is too new"
	assert_contains "$output" "never/1.0 on $NEW: not for this kernel"
}

@test "nothing of the system was changed" {
	picture | diff "$BATS_FILE_TMPDIR/before" - || fail "something was changed"
	assert_state good "$OLD" recorded
	[[ ! -e $R/lib/modules/$NEW ]] || fail "the kernel has a directory"
	[[ ! -e $R/var/lib/kmodsmith/incoming ]] || fail "the unpacked packages are left"
	[[ ! -e $R/var/lib/dkms/kmodsmith-canary ]] || fail "the canary is left"
}

@test "the log of the failure can be read before the kernel is there" {
	run root_in kmodsmith log broken -k "$NEW"
	assert_equal "$status" 0 "exit code"
	assert_contains "$output" "#error the kernel is too new"
}

@test "without files it is the kernel that apt would install now" {
	run root_in kmodsmith preflight
	assert_equal "$status" 3 "exit code"
	assert_contains "$output" "good/1.0 on $NEW: fits"
	assert_contains "$output" "broken/1.0 on $NEW: does not build"
	echo 'Dir::Cache::Archives "/var/cache/none/";' >"$R/etc/apt/apt.conf.d/99none"
	run root_in kmodsmith preflight
	rm "$R/etc/apt/apt.conf.d/99none"
	assert_equal "$status" 4 "exit code"
	assert_contains "$output" "apt-get install --download-only linux-headers-"
	assert_contains "$output" "linux-headers-$NEW="
	picture | diff "$BATS_FILE_TMPDIR/before" - || fail "something was changed"
}

@test "a second time nothing is built: the verdicts are remembered" {
	cc1_is broken
	run preflight
	cc1_is real
	assert_equal "$status" 3 "exit code"
	assert_contains "$output" "good/1.0 on $NEW: fits"
	assert_contains "$output" "#error the kernel is too new"
	assert_equal "$(fit good reason)" in-store "reason"
	assert_equal "$(fit broken fit)" does-not-build "JSON"
	assert_equal "$(fit never fit)" not-concerned "JSON"
}

@test "a machine that cannot build is not the modules' fault, and nothing is remembered of it" {
	source_make "$R/usr/src/other-1.0" other 1.0
	cc1_is broken
	run preflight
	cc1_is real
	assert_equal "$status" 3 "exit code"
	assert_contains "$output" "other/1.0 on $NEW: cannot be checked (no module can be built for it now"
	run preflight
	assert_contains "$output" "other/1.0 on $NEW: fits"
}

@test "without the common headers it cannot be checked, and that is said" {
	only() { package "linux-headers-$NEW"; }
	run preflight only
	assert_equal "$status" 4 "exit code"
	assert_contains "$output" "good/1.0 on $NEW: cannot be checked (no module can be built for it now"
	assert_contains "$output" "linux-headers-${NEW%-cloud-amd64}-common/Makefile: No such file"
}

@test "files that are no kernel's packages, and no packages at all" {
	image() { printf '/etc/passwd\n'; }
	run preflight image
	assert_equal "$status" 1 "exit code"
	assert_contains "$output" "/etc/passwd"
	kmod() { printf '/root/%s\n' "$(basename "$(deb_of bookworm)")"; }
	run preflight kmod
	assert_equal "$status" 5 "exit code"
	assert_contains "$output" "there is no kernel in these packages"
}

@test "when the kernel comes, nothing is compiled, and the bytes are those of a build there" {
	rm -rf "$R/usr/src/broken-1.0"
	cc1_is broken
	run root_apt install linux-image-cloud-amd64 linux-headers-cloud-amd64
	assert_equal "$status" 0 "exit code of apt"
	assert_recorded good "$NEW" good
	assert_recorded user "$NEW" user
	# it would have been seen
	run root_in kmodsmith build good --force -k "$NEW"
	assert_equal "$status" 3 "exit code of a build"
	cc1_is real
	run root_in kmodsmith verify --rebuild -k "$NEW"
	assert_equal "$status" 0 "exit code of verify"
	assert_contains "$output" "good/1.0 on $NEW: its files are as built; built again: the same bytes"
	assert_packages_fine
}

@test "when there is no newer kernel there is nothing to check" {
	run root_in kmodsmith preflight
	assert_equal "$status" 0 "exit code"
	assert_contains "$output" "an upgrade would install no kernel now"
	assert_equal "$(root_exec kmodsmith preflight --json | jq '.kernels | length')" 0 "kernels"
}
