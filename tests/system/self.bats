# SPDX-License-Identifier: GPL-2.0-or-later
# set: long
# on: sid trixie
# time: 3600
# kmodsmith itself where everything is newer: autoconf, the compiler, GLib, rpm and pacman.
# It compiles there without a warning, and its tests pass.

load ../lib/root

setup_file() {
	local package packages=() log
	: "${KS_BASE:=sid}"
	root_new "self-$KS_BASE" "$KS_BASE-build"
	for package in $(ks_deps check rpm alpm); do
		packages+=("$(root_exec bash -c "$(declare -f ks_known); ks_known '$package'" </dev/null)")
	done
	root_apt install "${packages[@]}" >&2
	mkdir -p "$R/src/kmodsmith"
	ks_source_tar | tar -C "$R/src/kmodsmith" -x
}

teardown_file() { root_end; }

# In a root of its own rather than in a chroot, where no user namespace could be made.
in_root() {
	printf '\n# %s\n' "$*" >>"$ROOT_LOG"
	unshare --mount --propagation private -- bash -c \
		'cd "$1" && pivot_root . mnt && umount -l /mnt && shift && exec "$@"' bash "$R" \
		/usr/bin/env -i PATH=/usr/sbin:/usr/bin HOME=/root TERM=dumb LC_ALL=C.UTF-8 \
		bash -euo pipefail -c "cd /src/kmodsmith && $1" </dev/null 2>&1 3>&- | tee -a "$ROOT_LOG"
	return "${PIPESTATUS[0]}"
}

@test "autoconf, automake and libtool have nothing to say" {
	run in_root ./autogen.sh
	assert_equal "$status" 0 "exit code"
	assert_equal "$(grep -i -e 'warning:' -e 'is obsolete' <<<"$output")" "" "warnings"
}

@test "it compiles without a warning, every plugin of it" {
	in_root 'mkdir -p out/build && cd out/build &&
		../../configure --quiet --enable-werror --with-rpm --with-alpm'
	run in_root 'make -C out/build -j"$(nproc)" -k'
	assert_equal "$status" 0 "exit code"
	assert_equal "$(grep -i -e 'warning:' <<<"$output")" "" "warnings"
}

@test "its tests pass" {
	run in_root 'make -C out/build -j"$(nproc)" -k check'
	cp "$R/src/kmodsmith/out/build/test-suite.log" "$LOGS/self-$KS_BASE-tests.log" || true
	assert_equal "$(grep -E '^(FAIL|ERROR|XPASS):' <<<"$output")" "" "failures"
	assert_equal "$status" 0 "exit code"
	assert_equal "$(grep -c '^# FAIL: *0$' <<<"$output")" 1 "summaries"
}
