# SPDX-License-Identifier: GPL-2.0-or-later
# A kernel that is not installed yet, out of a package, in a scratch tree in which one module
# is really built.

load tree

setup() {
	[[ $EUID == 0 ]] || skip "not root: nothing can be chrooted"
	tree_new
	build_root
}

# kernel_pack FILE: K's headers as a package, and no longer in the tree.
kernel_pack() {
	(cd "$R" && tar cf "$1" "usr/src/linux-headers-$K" "lib/modules/$K/build")
	rm -r "$R/usr/src/linux-headers-$K" "$R/lib/modules/$K"
}

@test "what preflight has built for a kernel in a package is not built again when it is there" {
	kernel_pack "$BATS_TEST_TMPDIR/k.tar"
	find "$R/usr" "$R/lib" "$R/var/lib/dkms" | sort >"$BATS_TEST_TMPDIR/before"
	run kmodsmith --root "$R" preflight --with "$BATS_TEST_TMPDIR/k.tar"
	[[ $output != *"cannot make a mount namespace"* ]] || skip "no mount namespaces"
	equal "$status" 0
	contains "$output" "acme/1.0 on $K: fits (it is built, for when the kernel comes)"
	find "$R/usr" "$R/lib" "$R/var/lib/dkms" | sort | diff "$BATS_TEST_TMPDIR/before" - ||
		fail "something is changed"
	tar xf "$BATS_TEST_TMPDIR/k.tar" -C "$R"
	mkdir "$R/lib/modules/$K/kernel"
	touch "$R/lib/modules/$K/modules.order"
	# its makefile needs it
	printf '#!/bin/sh\nexit 1\n' >"$R/usr/bin/cp"
	run kmodsmith --root "$R" sync --no-depmod
	equal "$status" 0
	contains "$output" "acme/1.0 on $K: built, installed"
	run kmodsmith --root "$R" build acme --force
	equal "$status" 3
}

@test "preflight of one of several kernels, as JSON" {
	kernel_pack "$BATS_TEST_TMPDIR/k.tar"
	mkdir -p "$BATS_TEST_TMPDIR/image/boot"
	touch "$BATS_TEST_TMPDIR/image/boot/vmlinuz-9.9.9"
	tar cf "$BATS_TEST_TMPDIR/image.tar" -C "$BATS_TEST_TMPDIR/image" boot
	output=$(kmodsmith --root "$R" preflight --json "$BATS_TEST_TMPDIR"/{k,image}.tar \
		2>"$BATS_TEST_TMPDIR/errors") && status=0 || status=$?
	! grep -q "cannot make a mount namespace" "$BATS_TEST_TMPDIR/errors" || skip "no mount namespaces"
	equal "$status" 4
	equal "$(jq -r '.kernels[] | .kernel + " " + .fit' <<<"$output" | tr '\n' ' ')" \
		"$K fits 9.9.9 cannot-be-checked "
	equal "$(jq -r '.targets[] | select(.kernel == "9.9.9") | .reason' <<<"$output")" headers-missing
	run kmodsmith --root "$R" preflight -k 9.9.9 "$BATS_TEST_TMPDIR"/{k,image}.tar
	equal "$status" 4
	run kmodsmith --root "$R" preflight -k "$K" "$BATS_TEST_TMPDIR"/{k,image}.tar
	equal "$status" 0
}

@test "where no mounts can be made it says that nothing can be checked" {
	kernel_pack "$BATS_TEST_TMPDIR/k.tar"
	run setpriv --bounding-set -sys_admin --inh-caps -sys_admin \
		kmodsmith --root "$R" preflight "$BATS_TEST_TMPDIR/k.tar"
	equal "$status" 4
	contains "$output" "cannot make a mount namespace in which the kernel is seen"
	[[ ! -e $R/var/lib/kmodsmith/incoming ]] || fail "the unpacked packages are left"
}

@test "what is mounted below a directory that would be covered is not hidden" {
	kernel_pack "$BATS_TEST_TMPDIR/k.tar"
	mkdir "$R/usr/src/disk"
	run unshare --mount bash -c 'mount -t tmpfs tmpfs "$1/usr/src/disk" && shift && exec "$@"' \
		bash "$R" kmodsmith --root "$R" preflight "$BATS_TEST_TMPDIR/k.tar"
	[[ $output != *"unshare failed"* ]] || skip "no mount namespaces"
	equal "$status" 4
	contains "$output" "is mounted there"
}
