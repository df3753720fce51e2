# SPDX-License-Identifier: GPL-2.0-or-later
# set: full
# on: trixie bookworm
# One pool of jobs for all builds, whatever they do to leave it: running compilers are counted.
# Debian 13 has make 4.4, where the pool is a FIFO; Debian 12 has 4.3 and a pipe.

load ../lib/alpmroot

setup_file() {
	alpm_new alpm-jobs
	[[ -z ${SKIP:-} ]] || return 0
	alpm_publish "linux-$(version_of "$OLD")" "linux-headers-$(version_of "$OLD")"
	alpm_install_kmodsmith >&2
	alpm -S linux linux-headers >&2
	K=$OLD
	FIFO=$(root_exec make -f /dev/null --eval='$(info $(.FEATURES))' 2>/dev/null </dev/null |
		grep -cw jobserver-fifo) || true
	export K FIFO
	grep -q '^kmodsmith:' "$R/etc/subuid" 2>/dev/null || echo kmodsmith:1000000:64 >>"$R/etc/subuid"
	count_compilers
	many plain
	many makeflags 'MAKEFLAGS += -j8'
	many override 'override MAKEFLAGS += -j8'
	many cleared '' 'MAKEFLAGS= make -j8'
	# a pipe is lost there
	((FIFO == 0)) || many closed '' './closed.sh make -j8'
	setting 'jobs = 3'
}

teardown_file() { root_end; }

setting() {
	mkdir -p "$R/etc/kmodsmith/kmodsmith.conf.d"
	printf '[kmodsmith]\n%s\n' "$@" >"$R/etc/kmodsmith/kmodsmith.conf.d/test.conf"
}

# Each run of the compiler of a build notes when it begins and ends, in the build directory.
count_compilers() {
	local cc1
	cc1=$(root_exec gcc -print-prog-name=cc1 </dev/null)
	mv "$R$cc1" "$R$cc1.real"
	cat >"$R$cc1" <<-'EOF2'
	#!/bin/bash
	log=${module:+$dkms_tree/$module/$module_version/build/cc.log}
	[[ -z $log ]] || echo "$EPOCHREALTIME +" >>"$log"
	"$0.real" "$@"
	rc=$?
	[[ -z $log ]] || echo "$EPOCHREALTIME -" >>"$log"
	exit "$rc"
	EOF2
	chmod 755 "$R$cc1"
}

# many NAME [MAKEFILE-LINE [MAKE]]: a module of eight files. Its log ends with what was
# noted, the pool, and the digests of what was built.
many() {
	local name=$1 dir=$R/usr/src/$1-1 part
	mkdir -p "$dir"
	source_make "$dir" "$name" 1
	mv "$dir/$name.c" "$dir/main.c"
	for part in a b c d e f g; do
		printf '#include <linux/module.h>\nint %s_%s(void) { return 0; }\n' "$name" "$part" >"$dir/$part.c"
	done
	printf '%s\nobj-m := %s.o\n%s-y := main.o a.o b.o c.o d.o e.o f.o g.o\n' "${2:-}" "$name" "$name" \
		>"$dir/Makefile"
	echo 'POST_BUILD="tell.sh"' >>"$dir/dkms.conf"
	[[ -z ${3:-} ]] ||
		echo "MAKE[0]=\"$3 -C \${kernel_source_dir} M=\${dkms_tree}/$name/1/build modules\"" >>"$dir/dkms.conf"
	cat >"$dir/tell.sh" <<-'EOF2'
	#!/bin/sh
	cat cc.log
	echo "pool=$KMODSMITH_JOBS"
	find . -name '*.cmd' | sort | xargs sha256sum
	EOF2
	cat >"$dir/closed.sh" <<-'EOF2'
	#!/bin/bash
	for fd in {3..99}; do eval "exec $fd>&-"; done
	exec "$@"
	EOF2
	chmod 755 "$dir"/*.sh
}

sync_all() { root_in "${AS[@]}" kmodsmith sync -k "$K" --no-initramfs "$@"; }

logs() { cat "$R"/var/lib/dkms/*/*/"$K"/x86_64/log/make.log; }

# How many of these ran at the same time at most.
most() { grep -hE '^[0-9]+\.[0-9]+ [+-]$' "$@" | sort -k 1,1n -k 2,2r |
	awk '{ n += $2 == "+" ? 1 : -1 } n > most { most = n } END { print most + 0 }'; }

results() {
	local log
	for log in "$R"/var/lib/dkms/*/*/"$K"/x86_64/log/make.log; do
		printf '%s\n' "${log#"$R"}"
		grep -E '^[0-9a-f]{64} .*\.cmd$' "$log"
		grep '^built-sha256' "${log%/log/make.log}/manifest"
	done
}

assert_no_fifo() {
	assert_equal "$(ls "$R/var/lib/kmodsmith/jobs" 2>/dev/null)" "" "FIFOs that are left"
}

@test "no makefile, conf or script leaves the pool" {
	run sync_all
	assert_equal "$status" 0 "exit code"
	logs >"$BATS_TEST_TMPDIR/logs"
	n=$(find "$R/usr/src" -maxdepth 1 -name '*-1' | wc -l)
	(($(grep -cE '^[0-9.]+ \+$' "$BATS_TEST_TMPDIR/logs") >= 8 * n)) || fail "not all was compiled"
	count=$(most "$BATS_TEST_TMPDIR/logs")
	((count <= 3 && count > 1)) || fail "$count compilers at the same time"
	assert_lacks "$(cat "$BATS_TEST_TMPDIR/logs")" "resetting jobserver"
	assert_lacks "$(cat "$BATS_TEST_TMPDIR/logs")" "jobserver unavailable"
	((FIFO == 0)) || assert_contains "$(cat "$BATS_TEST_TMPDIR/logs")" pool=fifo:/var/lib/kmodsmith/jobs/
	((FIFO)) || assert_lacks "$(cat "$BATS_TEST_TMPDIR/logs")" pool=fifo:
	assert_no_fifo
}

@test "a make that calls it shares its jobs with it, and gets them all back" {
	setting 'jobs = 8'
	cat >"$R/root/outer.mk" <<-EOF2
	jobs := 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16
	all: modules \$(jobs)
	modules:; +kmodsmith sync --force -k $K --no-initramfs
	\$(jobs):; @echo "\$\$EPOCHREALTIME +" >>/root/outer.log; \\
		gcc -O2 -x c /usr/src/plain-1/tell.c -c -o /dev/null; \\
		echo "\$\$EPOCHREALTIME -" >>/root/outer.log
	SHELL = /bin/bash
	EOF2
	printf 'int main(void) { return 0; }\n' >"$R/usr/src/plain-1/tell.c"
	rm -f "$R/root/outer.log"
	run root_in make -j3 -f /root/outer.mk
	assert_equal "$status" 0 "exit code"
	# make counts its tokens when it ends
	assert_lacks "$output" INTERNAL
	logs >"$BATS_TEST_TMPDIR/logs"
	count=$(most "$BATS_TEST_TMPDIR/logs" "$R/root/outer.log")
	((count <= 3 && count > 1)) || fail "$count at the same time"
	setting 'jobs = 3'
}

@test "interrupted, it gives the jobs back" {
	setting 'jobs = 8'
	cat >"$R/root/outer.mk" <<-EOF2
	all:; +kmodsmith sync --force -k $K --no-initramfs & pid=\$\$!; \\
		until ls -d /var/lib/dkms/*/*/build/cc.log /var/lib/kmodsmith/build/*/tree/cc.log 2>/dev/null | grep -q .; do \\
			kill -0 \$\$pid || break; sleep 0.1; done; \\
		kill -INT \$\$pid; wait \$\$pid; test \$\$? = 130
	EOF2
	run root_in make -j4 -f /root/outer.mk
	assert_equal "$status" 0 "exit code"
	assert_lacks "$output" INTERNAL
	setting 'jobs = 3'
	assert_no_fifo
}

@test "what a killed run has left is removed by the next one" {
	((FIFO)) || skip "make 4.3 has no FIFO"
	run root_sh 'kmodsmith sync --force -k "$0" --no-initramfs & pid=$!
		until ls /var/lib/kmodsmith/jobs | grep -q .; do kill -0 $pid; sleep 0.1; done
		kill -KILL $pid; wait $pid || test $? = 137' "$K"
	assert_equal "$status" 0 "exit code"
	[[ -n $(ls "$R/var/lib/kmodsmith/jobs") ]] || fail "nothing was left"
	run sync_all
	assert_equal "$status" 0 "exit code"
	assert_no_fifo
}

@test "the probe memo changes nothing, without namespaces too" {
	AS=(setpriv --bounding-set -sys_admin --inh-caps -sys_admin)
	rm -rf "$R/var/lib/kmodsmith/probes"
	setting 'jobs = 3' 'probe-memo = false'
	run sync_all --force
	assert_equal "$status" 0 "exit code"
	assert_contains "$output" "not available here: mount"
	results >"$BATS_TEST_TMPDIR/without"
	(($(grep -c '\.cmd$' "$BATS_TEST_TMPDIR/without") > 30)) || fail "too few command files"
	setting 'jobs = 3'
	sync_all --force
	[[ -s $R/var/lib/kmodsmith/probes/$K-x86_64.mk ]] || fail "no memo was recorded"
	sync_all --force
	results >"$BATS_TEST_TMPDIR/with"
	diff "$BATS_TEST_TMPDIR/without" "$BATS_TEST_TMPDIR/with" || fail "the memo changes what is built"
	logs >"$BATS_TEST_TMPDIR/logs"
	count=$(most "$BATS_TEST_TMPDIR/logs")
	((count <= 3 && count > 1)) || fail "$count compilers at the same time"
	assert_no_fifo
}
