# SPDX-License-Identifier: GPL-2.0-or-later
# set: full
# on: bookworm trixie
# Interrupted and killed inside pacman's hook: pacman goes on, and the next run heals. Another
# pacman that wants the lock all the while never gets it in between.

load ../lib/alpmroot

setup_file() {
	alpm_new alpm-crash
	[[ -z ${SKIP:-} ]] || return 0
	alpm_publish "linux-$(version_of "$NEW")" "linux-headers-$(version_of "$NEW")"
	alpm_install_kmodsmith >&2
	# what was built once has to be built again, to be interrupted
	mkdir -p "$R/etc/kmodsmith/kmodsmith.conf.d"
	printf '[kmodsmith]\ncache-size = 0\n' >"$R/etc/kmodsmith/kmodsmith.conf.d/cache.conf"
	alpm -S linux linux-headers >&2
	holding_source held 1
	holding_source held 2
	source_pacman steady 1 >&2
	source_pacman steady 2 >&2
	alpm -U /srv/packages/steady-source-1-1-x86_64.pkg.tar.zst >&2
	assert_recorded steady "$NEW" steady
}

teardown_file() { root_end; }

pkg() { printf '/srv/packages/%s-1-x86_64.pkg.tar.zst\n' "$1"; }

# A source whose build waits while /usr/src/hold is there.
holding_source() {
	local tree
	tree=$(mktemp -d "$R/srv/tree.XXXXXX")
	chmod 755 "$tree"
	source_make "$tree/usr/src/$1-$2" "$1" "$2"
	cat >"$tree/usr/src/$1-$2/wait.sh" <<-'EOF2'
	#!/bin/sh
	# gives up by itself should the test die
	n=0
	while [ -e /usr/src/hold ] && [ $n -lt 600 ]; do sleep 0.1; n=$((n + 1)); done
	EOF2
	chmod 755 "$tree/usr/src/$1-$2/wait.sh"
	printf 'MAKE[0]="./wait.sh && make -C $kernel_source_dir M=$dkms_tree/$PACKAGE_NAME/$PACKAGE_VERSION/build modules"\n' \
		>>"$tree/usr/src/$1-$2/dkms.conf"
	root_in /srv/packages/pack "${tree#"$R"}" "$1-source" "$2-1" >&2
}

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
none_running() { ! pgrep -x 'pacman|kmodsmith|alpm-hook' && ! building; }

# begin PACKAGE: pacman in the background, in a process group of its own, until the build runs.
begin() {
	touch "$R/usr/src/hold"
	set -m
	# pacman itself is the group's leader, and nothing else is in its way
	chroot "$R" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb \
		pacman --noconfirm --noprogressbar -U "$(pkg "$1")" \
		</dev/null >"$R/srv/out" 2>&1 3>&- &
	job=$!
	set +m
	wait_until building
}

finish() {
	rm -f "$R/usr/src/hold"
	wait "$job" && rc=0 || rc=$?
	wait_until none_running
}

@test "^C in the hook: pacman succeeds, it is said what to do, and sync heals" {
	begin held-source-1
	kill -INT -- "-$job"
	finish
	assert_equal "$rc" 0 "exit code of pacman"
	assert_contains "$(cat "$R/srv/out")" "interrupted"
	assert_contains "$(cat "$R/srv/out")" "'kmodsmith sync' does the rest"
	assert_recorded steady "$NEW" steady
	assert_packages_fine
	root_in kmodsmith sync
	assert_recorded held "$NEW" held
	assert_packages_fine
}

@test "SIGTERM to the hook alone ends it in order too" {
	begin held-source-2
	kill -TERM "$(pgrep -x alpm-hook)"
	finish
	assert_equal "$rc" 0 "exit code of pacman"
	assert_contains "$(cat "$R/srv/out")" "'kmodsmith sync' does the rest"
	assert_recorded steady "$NEW" steady
	root_in kmodsmith sync
	assert_recorded held "$NEW" held
	assert_packages_fine
}

@test "the engine killed in the hook: reported, the old module stays, the next transaction heals" {
	begin held-source-1
	kill -KILL "$(pgrep -x kmodsmith)"
	finish
	assert_equal "$rc" 0 "exit code of pacman"
	assert_contains "$(cat "$R/srv/out")" "was not finished: killed by signal 9"
	assert_recorded steady "$NEW" steady
	alpm -U "$(pkg steady-source-2)"
	assert_recorded held "$NEW" held
	assert_recorded steady "$NEW" steady
	assert_packages_fine
}

@test "pacman killed while its hook runs: its lock is reported, and after its removal sync heals" {
	begin held-source-2
	kill -KILL "$(pgrep -x pacman)"
	rm -f "$R/usr/src/hold"
	wait "$job" || true
	wait_until none_running
	[[ -e $R/var/lib/pacman/db.lck ]] || fail "pacman has left no lock"
	run root_in kmodsmith sync
	assert_contains "$output" "db.lck"
	rm -f "$R/var/lib/pacman/db.lck"
	root_in kmodsmith sync
	assert_recorded held "$NEW" held
	assert_packages_fine
}

# The recorder, killed at each of its changes, outside of a transaction.
@test "the recorder killed at any step: pacman finds no fault, and the next run heals" {
	real=/usr/lib/kmodsmith/recorder-alpm killed=0
	calls=renameat,renameat2,unlinkat,mkdirat,linkat,fsync
	for call in ${calls//,/ }; do
		for nth in 1 2 4 7; do
			rm -rf "$R"/var/lib/pacman/local/kmod-held-*
			mv "$R$real" "$R$real.real"
			cat >"$R$real" <<-EOF2
			#!/bin/sh
			[ "\$1" = apply ] || exec $real.real "\$@"
			exec strace -qq -o /srv/calls -e trace=$call \
				-e inject=$call:signal=KILL:when=$nth $real.real "\$@"
			EOF2
			chmod 755 "$R$real"
			root_in kmodsmith sync || true
			mv "$R$real.real" "$R$real"
			! grep -q SIGKILL "$R/srv/calls" || killed=$((killed + 1))
			out=$(root_exec pacman -Q 2>&1 >/dev/null </dev/null)
			[[ -z $out ]] || fail "pacman -Q after $call $nth: $out"
			root_in kmodsmith sync
			assert_recorded held "$NEW" held
			assert_packages_fine
		done
	done
	((killed >= 8)) || fail "only $killed kills"
}

@test "a second pacman that tries all the while gets the lock only before and after" {
	cat >"$R/srv/contend" <<-'EOF2'
	#!/bin/bash
	# the lock as libalpm takes it; what it finds while it has it
	while [[ ! -e /srv/stop ]]; do
		if (set -C && : >/var/lib/pacman/db.lck) 2>/dev/null; then
			[[ ! -e /srv/inside ]] || echo got >>/srv/got
			rm -f /var/lib/pacman/db.lck
			echo had >>/srv/had
			sleep 0.01
		fi
	done
	EOF2
	chmod 755 "$R/srv/contend"
	rm -f "$R/srv/got" "$R/srv/had" "$R/srv/stop"
	# pacman has the lock when it has said that it runs the hooks, until it is at its last
	printf '[Trigger]\nOperation = Install\nOperation = Upgrade\nType = Path\nTarget = usr/src/*/dkms.conf\n[Action]\nWhen = PreTransaction\nExec = /usr/bin/touch /srv/inside\n' \
		>"$R/etc/pacman.d/hooks/00-inside.hook"
	printf '[Trigger]\nOperation = Install\nOperation = Upgrade\nType = Path\nTarget = usr/src/*/dkms.conf\n[Action]\nWhen = PostTransaction\nExec = /usr/bin/rm /srv/inside\n' \
		>"$R/etc/pacman.d/hooks/zz-outside.hook"
	root_exec /srv/contend </dev/null >/dev/null 2>&1 3>&- &
	contender=$!
	wait_until test -s "$R/srv/had"
	n=0
	until root_in pacman --noconfirm -U "$(pkg steady-source-1)"; do
		((++n < 200)) || fail "pacman never got the lock"
	done
	touch "$R/srv/stop"
	wait "$contender"
	rm "$R"/etc/pacman.d/hooks/*
	[[ ! -e $R/srv/got ]] || fail "the lock was free $(wc -l <"$R/srv/got") times"
	assert_recorded steady "$NEW" steady
	assert_equal "$(root_exec modinfo -F version "$(module_file "$NEW" steady)")" 1
	assert_packages_fine
}
