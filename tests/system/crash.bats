# SPDX-License-Identifier: GPL-2.0-or-later
# set: quick
# Killed at any point: there is the old module or the new one, apt is not blocked, and the
# next run of anything heals the rest. Two runs at once: the second waits and says for whom.
# './runtests --full' kills at every system call, the quick run at some.

load ../lib/root

setup_file() {
	root_new crash bookworm-cloud
	K=$(root_kernels)
	export K
	root_install_kmodsmith >&2
	deb=$(source_package steady 1)
	root_apt install "$deb" >&2
	source_make "$R/usr/src/vendor-0" vendor 0
	root_in kmodsmith sync >&2
	assert_recorded vendor "$K" vendor
}

teardown_file() { root_end; }

# A source whose build waits while /usr/src/hold is there, so that a test can act on a build
# that is running for sure.
holding_package() {
	local tree
	tree=$(mktemp -d "${R%/root}/package.XXXXXX")
	source_make "$tree/usr/src/$1-$2" "$1" "$2"
	cat >"$tree/usr/src/$1-$2/wait.sh" <<-'EOF'
	#!/bin/sh
	# gives up by itself should the test die
	n=0
	while [ -e /usr/src/hold ] && [ $n -lt 600 ]; do sleep 0.1; n=$((n + 1)); done
	EOF
	chmod 755 "$tree/usr/src/$1-$2/wait.sh"
	printf 'MAKE[0]="./wait.sh && make -C $kernel_source_dir M=$dkms_tree/$PACKAGE_NAME/$PACKAGE_VERSION/build modules"\n' \
		>>"$tree/usr/src/$1-$2/dkms.conf"
	package_make "$1-source" "$2" "$tree"
}

# wait_until COMMAND...: until it succeeds; a minute at most.
wait_until() {
	local n
	for ((n = 0; n < 600; n++)); do
		if "$@" >/dev/null 2>&1; then return 0; fi
		sleep 0.1
	done
	fail "still not after a minute: $*"
}

# In this scenario's own process namespace, so these are all of this root.
building() { pgrep -f 'wait\.sh'; }
build_gone() { ! building; }
engine_running() { pgrep -x kmodsmith; }
apt_gone() { ! pgrep -x apt-get; }
engine_gone() { ! engine_running && ! pgrep -x dpkg; }

# The module there is whole, whichever version it is of, and belongs to somebody.
assert_some_module() {
	local file version
	file=$(module_file "$K" "$1")
	[[ -n $file ]] || fail "no $1 at all" || return 1
	version=$(root_exec modinfo -F version "$file") || fail "$file is not whole" || return 1
	[[ $version == "$2" || $version == "$3" ]] || fail "$1 is of version '$version'" || return 1
	root_exec modinfo -F vermagic "$file" | grep -q "^$K " || fail "$file: wrong vermagic"
}

# --- the engine, killed at its n-th change of the file system ----------------------------

calls=rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,symlink,symlinkat,link,linkat,fsync,fdatasync,ftruncate

# The engine alone is traced: what it has started goes on, as it would.
traced_sync() {
	strace -qq -o "${R%/root}/calls" -e "trace=$calls" "$@" \
		chroot "$R" kmodsmith sync </dev/null >>"$ROOT_LOG" 2>&1 3>&-
}

next_version() {
	rm -rf "$R"/usr/src/vendor-*
	source_make "$R/usr/src/vendor-$1" vendor "$1"
}

@test "the engine killed at any step of an upgrade: old or new module, and the next run heals" {
	# twice, because the first upgrade leaves things to clean up that later ones do not
	for version in 1 2; do
		next_version "$version"
		traced_sync
	done
	# strace counts for each call by itself: "rename 3"
	mapfile -t points < <(sed -n 's/^\([a-z0-9]*\)(.*/\1/p' "${R%/root}/calls" |
		awk '{ print $1, ++seen[$1] }')
	total=${#points[@]}
	((total > 5)) || fail "only $total calls seen"
	step=$((KS_FULL ? 1 : total / 6)) killed=0
	for ((n = 0; n < total; n += step)); do
		old=$version version=$((version + 1))
		read -r call nth <<<"${points[n]}"
		next_version "$version"
		if traced_sync -e "inject=$call:signal=KILL:when=$nth"; then
			# how much there is to clean up differs by a call or two
			(($(grep -c "^$call(" "${R%/root}/calls") < nth)) || fail "$call $nth did not kill"
			continue
		fi
		echo "# killed at $call $nth, $((n + 1)) of $total" >&3
		killed=$((killed + 1))
		wait_until engine_gone
		assert_some_module vendor "$old" "$version"
		assert_recorded steady "$K" steady
		root_in kmodsmith sync
		assert_recorded vendor "$K" vendor
		assert_equal "$(root_exec modinfo -F version "$(module_file "$K" vendor)")" "$version" \
			"version after healing"
		assert_packages_fine
	done
	((killed * step >= total / 2)) || fail "only $killed kills of $total calls"
}

# --- apt and the engine, killed while a build runs ---------------------------------------

@test "apt killed while a module is built: the next apt run finds all in order" {
	touch "$R/usr/src/hold"
	deb=$(holding_package held 1)
	root_apt install "$deb" >/dev/null &
	wait_until building
	pkill -KILL -x apt-get
	wait_until apt_gone
	rm "$R/usr/src/hold"
	wait "$!" || true
	wait_until engine_gone
	root_apt install hostname
	root_in kmodsmith sync
	assert_recorded held "$K" held
	assert_recorded steady "$K" steady
	assert_packages_fine
}

@test "the engine killed while a module is built: apt ends well, its next run completes it" {
	touch "$R/usr/src/hold"
	deb=$(holding_package held 2)
	root_apt install "$deb" >/dev/null &
	wait_until building
	pkill -KILL -x kmodsmith
	# a later engine of the same transaction may try again: let it
	rm "$R/usr/src/hold"
	wait "$!" || fail "apt failed"
	wait_until engine_gone
	deb=$(source_package other 1)
	root_apt install "$deb"
	assert_recorded held "$K" held
	assert_equal "$(root_exec modinfo -F version "$(module_file "$K" held)")" 2 "version"
	assert_packages_fine
}

@test "no process of a build outlives the engine" {
	touch "$R/usr/src/hold"
	deb=$(holding_package held 3)
	root_in dpkg --unpack "$deb"
	root_in kmodsmith sync >/dev/null &
	wait_until building
	pkill -KILL -x kmodsmith
	wait_until build_gone
	rm "$R/usr/src/hold"
	wait "$!" || true
	root_in dpkg --configure -a
	root_in kmodsmith sync
	assert_recorded held "$K" held
}

# --- everything, killed while dpkg unpacks a record ---------------------------------------

# The state that blocks apt: a record half installed, everybody dead.
half_installed() {
	[[ -e $R/usr/bin/dpkg-deb.real ]] || {
		root_in dpkg-divert --local --rename --divert /usr/bin/dpkg-deb.real --add /usr/bin/dpkg-deb
		cp "$ks_top/tests/lib/kill-dpkg-deb" "$R/usr/bin/dpkg-deb"
	}
	rm -f "$R/run/killed-here"
	deb=$(source_package "half$1" 1)
	touch "$R/run/kill-here"
	run root_apt install "$deb"
	[[ -e $R/run/killed-here ]] || fail "dpkg has not been killed"
	wait_until engine_gone
	assert_equal "$(root_query "$(record_name "half$1" "$K")" '${db:Status-Status}')" \
		half-installed "the record"
}

assert_healed() {
	assert_recorded "half$1" "$K" "half$1"
	assert_packages_fine
	root_apt install hostname
}

@test "a record left half installed is healed by apt update" {
	half_installed update
	root_apt update
	root_in kmodsmith sync
	assert_healed update
}

@test "a record left half installed is healed by what dpkg advises" {
	half_installed configure
	root_in dpkg --configure -a
	root_in kmodsmith sync
	assert_healed configure
}

@test "a record left half installed is healed by sync" {
	half_installed sync
	root_in kmodsmith sync
	assert_healed sync
}

# --- two at once ---------------------------------------------------------------------------

@test "a second run waits, and says for whom" {
	touch "$R/usr/src/hold"
	deb=$(holding_package held 4)
	root_in dpkg -i "$deb" >/dev/null &
	first=$!
	wait_until building
	root_in kmodsmith sync >"${R%/root}/second.log" 2>&1 &
	second=$!
	wait_until grep -q -i 'waiting' "${R%/root}/second.log"
	[[ -d /proc/$second ]] || fail "the second run has not waited"
	holder=$(pgrep -o -x kmodsmith)
	assert_contains "$(cat "${R%/root}/second.log")" "$holder"
	rm "$R/usr/src/hold"
	wait "$first" || fail "the first run failed"
	wait "$second" || fail "the second run failed"
	assert_recorded held "$K" held
	assert_packages_fine
}

@test "status does not wait" {
	touch "$R/usr/src/hold"
	deb=$(holding_package held 5)
	root_in dpkg -i "$deb" >/dev/null &
	wait_until building
	run timeout 20 chroot "$R" kmodsmith status
	[[ $status != 124 ]] || fail "status waits for the lock"
	assert_contains "$output" steady
	rm "$R/usr/src/hold"
	wait "$!"
}
