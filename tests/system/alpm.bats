# SPDX-License-Identifier: GPL-2.0-or-later
# set: quick
# on: bookworm trixie
# pacman's main promise: pacman -Syu replaces a real kernel in place, and when it returns the
# module has been rebuilt, was in place before the initramfs was made, and is owned.

load ../lib/alpmroot

setup_file() {
	alpm_new alpm
	[[ -z ${SKIP:-} ]] || return 0
	alpm_publish "linux-$(version_of "$OLD")" "linux-headers-$(version_of "$OLD")"
	alpm_install_kmodsmith >&2
	source_pacman vendor 1 >&2
	alpm -S linux linux-headers >&2
	alpm -U /srv/packages/vendor-source-1-1-x86_64.pkg.tar.zst >"$R/srv/out.source" && rc=0 || rc=$?
	echo "$rc" >"$R/srv/rc.source"
}

teardown_file() { root_end; }

@test "a package that brings only a source has its module built and recorded" {
	assert_equal "$(cat "$R/srv/rc.source")" 0 "exit code of pacman"
	assert_recorded vendor "$OLD" vendor
	assert_packages_fine
	assert_contains "$(cat "$R/boot/initramfs-linux.img")" updates/dkms/vendor.ko
}

@test "pacman -Syu replaces the kernel, its module and their record" {
	alpm_publish "linux-$(version_of "$NEW")" "linux-headers-$(version_of "$NEW")"
	run alpm -Syu
	assert_equal "$status" 0 "exit code of pacman"
	assert_lacks "$output" error:
	assert_recorded vendor "$NEW" vendor
	assert_gone vendor "$OLD"
	[[ ! -e $R/usr/lib/modules/$OLD ]] || fail "left: $(find "$R/usr/lib/modules/$OLD")"
	assert_packages_fine
	assert_contains "$(cat "$R/boot/initramfs-linux.img")" updates/dkms/vendor.ko
}

@test "doing it again does nothing" {
	run root_in kmodsmith plan --json
	assert_equal "$(jq '.actions | length' <<<"$output")" 0 "actions left"
}

@test "tampering with a module is seen by pacman -Qkk and repaired by sync" {
	file=$(module_file "$NEW" vendor)
	printf x >>"$R$file"
	run root_exec pacman -Qkk "$(record_name vendor "$NEW")"
	assert_equal "$status" 1 "exit code of pacman -Qkk"
	assert_contains "$output" "1 altered file"
	root_in kmodsmith sync
	assert_recorded vendor "$NEW" vendor
}

@test "a script that parses dkms status as Arch's do finds the module" {
	run root_sh 'dkms status | while IFS=",: " read -r nv kernel arch status; do
		printf "%s|%s|%s|%s\n" "${nv%/*}" "${nv#*/}" "$kernel" "$status"; done'
	assert_contains "$output" "vendor|1|$NEW|installed"
}

@test "the removal of the source removes module and record" {
	run alpm -Rns vendor-source
	assert_equal "$status" 0 "exit code of pacman"
	assert_gone vendor "$NEW"
	assert_packages_fine
}

@test "an unrelated package makes nothing of ours run" {
	tree=$(mktemp -d "$R/srv/tree.XXXXXX")
	mkdir -p "$tree/usr/share/unrelated" && touch "$tree/usr/share/unrelated/file"
	file=$(root_exec /srv/packages/pack "${tree#"$R"}" unrelated 1-1)
	root_in strace -f -qq -e trace=execve -o /srv/calls pacman --noconfirm -U "$file"
	assert_contains "$(cat "$R/srv/calls")" execve
	assert_lacks "$(cat "$R/srv/calls")" kmodsmith
}
