# SPDX-License-Identifier: GPL-2.0-or-later
# set: long
# How modules are built, on ten real ones: the same with the probe memo as without, the same
# again at another time with another number of jobs, and once. The kernel is only its headers.

load ../lib/root

PACKAGES=(acpi-call-dkms bbswitch-dkms v4l2loopback-dkms vpoll-dkms dpdk-kmods-dkms evdi-dkms
	falcosecurity-scap-dkms dm-writeboost-dkms tp-smapi-dkms xtables-addons-dkms)

setup_file() {
	root_new build-once bookworm-cloud
	root_install_kmodsmith >&2
	root_apt install linux-headers-amd64 >&2
	K=$(basename "$(echo "$R"/lib/modules/*[0-9]-amd64)")
	export K
	mkdir -p "$R/lib/modules/$K/kernel"
	touch "$R/lib/modules/$K/modules.order" "$R/lib/modules/$K/modules.builtin"
	root_in env KMODSMITH=0 apt-get install -y -q "${PACKAGES[@]}" >&2
	tell_commands
}

teardown_file() { root_end; }

# Each build ends with the digests of its command files, in its log.
tell_commands() {
	local conf name
	for conf in "$R"/usr/src/*/dkms.conf; do
		name=$(basename "${conf%/dkms.conf}")
		name=${name%-*}
		mkdir -p "$R/etc/dkms/$name"
		printf 'POST_BUILD="commands.sh"\n' >"$R/etc/dkms/$name.conf"
		printf '#!/bin/sh\nfind . -name "*.cmd" | sort | xargs sha256sum\n' \
			>"$R/etc/dkms/$name/commands.sh"
		chmod 755 "$R/etc/dkms/$name/commands.sh"
	done
}

sync_all() { root_in kmodsmith sync -k "$K" --no-initramfs "$@"; }

# What was built: command files and modules, by digest.
results() {
	local log
	for log in "$R"/var/lib/dkms/*/*/"$K"/x86_64/log/make.log; do
		printf '%s\n' "${log#"$R"}"
		grep -E '^[0-9a-f]{64} .*\.cmd$' "$log"
		grep '^built-sha256' "${log%/log/make.log}/manifest"
	done
}

memo() { echo "$R/var/lib/kmodsmith/probes/${1:-$K}-x86_64.mk"; }

setting() { printf '[kmodsmith]\n%s\n' "$1" >"$R/etc/kmodsmith/kmodsmith.conf.d/test.conf"; }

@test "without the memo the compiler is asked each time" {
	mkdir -p "$R/etc/kmodsmith/kmodsmith.conf.d"
	setting 'probe-memo = false'
	sync_all
	[[ ! -e $(memo) ]] || fail "there is a memo"
	results >"$BATS_FILE_TMPDIR/without"
	assert_equal "$(grep -c '/make\.log$' "$BATS_FILE_TMPDIR/without")" "${#PACKAGES[@]}" "modules"
	(($(grep -c '\.cmd$' "$BATS_FILE_TMPDIR/without") > 150)) || fail "too few command files"
}

@test "with it every command file and every module is the same" {
	rm "$R/etc/kmodsmith/kmodsmith.conf.d/test.conf"
	# the first run records it beside its builds, the second has it for all of them
	sync_all --force
	[[ -s $(memo) ]] || fail "no memo was recorded"
	assert_equal "$(stat -c '%U %a' "$(memo)")" "root 644" "its owner"
	before=$(sha256sum <"$(memo)")
	sync_all --force
	assert_equal "$(sha256sum <"$(memo)")" "$before" "the memo"
	results >"$BATS_FILE_TMPDIR/with"
	diff "$BATS_FILE_TMPDIR/without" "$BATS_FILE_TMPDIR/with" || fail "the memo changes what is built"
}

# Too few builds to record one for it, as after an upgrade with two modules.
build_on() {
	local module
	for module in acpi-call bbswitch v4l2loopback; do
		root_in kmodsmith build "$module" -k "$1" --force
	done
}

@test "another kernel begins with what the same compiler has answered, and builds the same" {
	other=$(root_exec apt-cache search --names-only '^linux-headers-6\.1\.0-[0-9]*-amd64$' |
		sed 's/^linux-headers-\([^ ]*\) .*/\1/' | grep -vxF "$K" | sort -V | tail -n 1)
	[[ $other ]] || skip "the archive has only one kernel"
	root_in env KMODSMITH=0 apt-get install -y -q "linux-headers-$other" >&2
	mkdir -p "$R/lib/modules/$other/kernel"
	touch "$R/lib/modules/$other/modules.order" "$R/lib/modules/$other/modules.builtin"
	setting 'probe-memo = false'
	build_on "$other"
	K=$other results >"$BATS_FILE_TMPDIR/other-without"
	rm "$R/etc/kmodsmith/kmodsmith.conf.d/test.conf"
	build_on "$other"
	assert_equal "$(sed -n 2p "$(memo "$other")")" "# from another kernel" "the memo's second line"
	(($(grep -c -e '-c~-x~c' "$(memo "$other")") > 20)) || fail "it knows too little"
	K=$other results >"$BATS_FILE_TMPDIR/other-with"
	assert_equal "$(grep -c '/make\.log$' "$BATS_FILE_TMPDIR/other-with")" 3 "modules"
	diff "$BATS_FILE_TMPDIR/other-without" "$BATS_FILE_TMPDIR/other-with" ||
		fail "the memo changes what is built"
	# more builds are worth asking for the rest
	root_in kmodsmith sync -k "$other" --no-initramfs
	[[ $(sed -n 2p "$(memo "$other")") != "#"* ]] || fail "no memo of its own was recorded"
	root_apt purge "linux-headers-$other" >&2
	rm -rf "${R:?}/lib/modules/$other"
}

@test "the longest known build begins first" {
	run sync_all --force
	assert_equal "$status" 0 "exit code"
	first=$(grep -m 1 ': build$' <<<"$output")
	longest=$(for m in "$R"/var/lib/dkms/*/*/"$K"/x86_64/manifest; do
		printf '%s %s\n' "$(sed -n 's/^build-duration-ms=//p' "$m")" "$(sed -n 's/^module=//p' "$m")"
	done | sort -rn | head -n 3)
	name=${first##*\] }
	assert_contains "$longest" "${name%%/*}"
}

@test "another assembler is asked again" {
	before=$(head -n 1 "$(memo)")
	touch -d '2001-01-01' "$R/usr/bin/x86_64-linux-gnu-as"
	sync_all --force
	[[ $(head -n 1 "$(memo)") != "$before" ]] || fail "the memo of the other assembler is still there"
	sync_all
}

@test "built again with other jobs at another time the bytes are the same" {
	setting 'jobs = 1'
	for module in bbswitch tp_smapi v4l2loopback; do
		run root_in kmodsmith verify "$module" -k "$K" --rebuild
		assert_contains "$output" "the same bytes"
		assert_equal "$status" 0 "exit code"
	done
	rm "$R/etc/kmodsmith/kmodsmith.conf.d/test.conf"
}

@test "removed and added, nothing is compiled" {
	log=$R/var/lib/dkms/bbswitch/0.8/$K/x86_64/log/make.log
	before=$(sed -n 2p "$log")
	root_in kmodsmith remove bbswitch/0.8
	[[ ! -e $log ]] || fail "it is still there"
	root_in kmodsmith add bbswitch/0.8
	sync_all
	assert_recorded bbswitch "$K" bbswitch
	assert_equal "$(sed -n 2p "$log")" "$before" "when it was built"
}

@test "a damaged entry of the cache is built again" {
	log=$R/var/lib/dkms/bbswitch/0.8/$K/x86_64/log/make.log
	before=$(sed -n 2p "$log")
	fingerprint=$(sed -n 's/^build-fingerprint=//p' "${log%/log/make.log}/manifest")
	file=$R/var/lib/kmodsmith/store/$fingerprint/module/bbswitch.ko
	printf x | dd of="$file" bs=1 seek=100 conv=notrunc status=none
	run root_in kmodsmith cache verify
	assert_equal "$status" 3 "exit code"
	assert_contains "$output" "damaged"
	root_in kmodsmith remove bbswitch/0.8
	root_in kmodsmith add bbswitch/0.8
	sync_all
	assert_recorded bbswitch "$K" bbswitch
	[[ $(sed -n 2p "$log") != "$before" ]] || fail "taken from a damaged cache"
	root_in kmodsmith cache verify
}

@test "an emptied cache costs nothing but time" {
	root_in kmodsmith cache clean
	root_in kmodsmith cache
	run root_exec kmodsmith cache --json
	assert_equal "$(jq '.entries | length' <<<"$output")" 0 "entries"
	sync_all
	assert_recorded bbswitch "$K" bbswitch
}
