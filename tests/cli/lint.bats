# SPDX-License-Identifier: GPL-2.0-or-later
# kmodsmith lint: what it says of a source, and that it leaves no trace.

load tree

setup() {
	tree_new
	kernel_make $K
}

ks() { kmodsmith --root "$R" "$@"; }

snapshot() { (cd "$R" && find . ! -path ./var/tmp ! -path ./var -printf '%p %m %l\n' | sort); }

@test "a sound source gives nothing but its kernels" {
	need_root
	source_make foo 1.0
	before=$(snapshot)
	run ks lint /usr/src/foo-1.0 --json
	equal "$(jq -c .findings <<<"$output")" "[]"
	equal "$(jq -r '.targets[0].kernel' <<<"$output")" "$K"
	equal "$status" 4 # no compiler in the scratch tree
	equal "$(snapshot)" "$before"
}

@test "what is wrong with a conf is reported with file and line" {
	source_make foo 1.0 'POST_INSTALL="missing.sh now"' 'PRE_BUILD="plain.sh"' \
		'X=$(uname -r)' 'REMAKE_INITRD="yes"'
	printf '#!/bin/sh\n# no curl here\nwget -q https://example.org/x\n' \
		>"$R/usr/src/foo-1.0/plain.sh"
	touch "$R/usr/src/foo-1.0/foo.ko"
	rm "$R/usr/src/foo-1.0/Makefile"
	run ks lint /usr/src/foo-1.0 -q
	equal "$status" 3
	dir=/usr/src/foo-1.0
	contains "$output" "error: $dir/dkms.conf:5: POST_INSTALL names 'missing.sh', which is not there"
	contains "$output" "error: $dir/dkms.conf:6: PRE_BUILD names 'plain.sh', which is not executable"
	contains "$output" "warning: $dir/plain.sh:3: 'wget' wants the network"
	contains "$output" "warning: $dir/dkms.conf:7: 'uname -r' is the running kernel"
	contains "$output" "warning: $dir/dkms.conf:1: without AUTOINSTALL"
	contains "$output" "warning: $dir/foo.ko: left over from a build"
	contains "$output" "REMAKE_INITRD"
}

@test "a source without Makefile or MAKE is an error" {
	source_make foo 1.0
	rm "$R/usr/src/foo-1.0/Makefile"
	run ks lint /usr/src/foo-1.0 -q
	equal "$status" 3
	contains "$output" "neither a MAKE directive nor a Makefile"
}

@test "a conf that cannot be read is a finding, a directory without one is not there" {
	source_make foo 1.0 'PACKAGE_NAME="../x"'
	run ks lint /usr/src/foo-1.0
	equal "$status" 3
	contains "$output" "/usr/src/foo-1.0/dkms.conf:5: PACKAGE_NAME"
	run ks lint /usr/src/foo-1.0 --json
	equal "$status" 3
	equal "$(jq -r '.findings[0].severity' <<<"$output")" error
	equal "$(jq -r .module <<<"$output")" null
	mkdir "$R/usr/src/bar"
	run ks lint /usr/src/bar
	equal "$status" 5
}

@test "a kernel that is not there is reported" {
	need_root
	source_make foo 1.0
	run ks lint /usr/src/foo-1.0 -k 9.9.9
	equal "$status" 5
	contains "$output" "9.9.9"
}
