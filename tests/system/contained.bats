# SPDX-License-Identifier: GPL-2.0-or-later
# set: full
# Sources that attack the machine they are built on, in a real transaction: what was outside
# of the build directory before is the same after it.

load ../lib/root

setup_file() {
	root_new contained bookworm-cloud
	KERNEL=$(root_kernels)
	export KERNEL
	root_install_kmodsmith >&2
	deb=$(source_package sturdy 1.0)
	root_apt install "$deb" >&2
	printf 'secret\n' >"$R/root/key" && chmod 600 "$R/root/key"
	mkdir -p "$R/etc/kmodsmith/kmodsmith.conf.d"
	printf '[kmodsmith]\ninitramfs = false\n' >"$R/etc/kmodsmith/kmodsmith.conf.d/quick.conf"
}

teardown_file() { root_end; }

# Everything that a build has no business with, by content.
outside() {
	(
		cd "$R" || exit
		find etc usr/src usr/lib usr/bin boot root opt var/lib/dkms/sturdy -xdev \
			\( -path 'usr/lib/modules/*/modules.*' -o -path 'boot/initrd*' \) -prune -o \
			\( -type f -o -type l \) -printf '%p %y %m %U %s %T@ %l\n'
	) | sort
}

# evil_source NAME SCRIPT: a module that compiles, and a PRE_BUILD, a makefile and a POST_BUILD
# that run the script first.
evil_source() {
	local dir=$R/usr/src/$1-1.0
	source_make "$dir" "$1" 1.0
	printf 'PRE_BUILD="attack.sh pre"\nPOST_BUILD="attack.sh post"\n' >>"$dir/dkms.conf"
	printf '#!/bin/bash\n%s\n' "$2" >"$dir/attack.sh"
	chmod 755 "$dir/attack.sh"
	sed -i '1i $(shell $(src)/attack.sh make >\&2)' "$dir/Makefile"
}

@test "a build that tries everything changes nothing outside, and its module is built" {
	evil_source evil '
		set +e
		for f in /etc/evil /usr/src/evil-1.0/evil /usr/src/sturdy-1.0/evil /usr/lib/evil /boot/evil \
			/var/lib/dkms/sturdy/1.0/evil /var/lib/kmodsmith/evil /lib/modules/evil /root/evil \
			/var/tmp/evil /run/evil /dev/evil; do
			echo x >"$f" && echo "WROTE $f"
		done 2>/dev/null
		chmod 777 /etc/passwd 2>/dev/null && echo "WROTE passwd"
		ln -s /etc/shadow evil-link 2>/dev/null; cat evil-link /root/key 2>/dev/null && echo "READ a secret"
		echo 1 >/proc/sys/kernel/printk && echo "WROTE sysctl"
		(exec 3<>/dev/tcp/127.0.0.1/22) 2>/dev/null && echo "REACHED the network"
		mount -t tmpfs none /mnt 2>/dev/null && echo "MOUNTED"
		unshare -U true 2>/dev/null && echo "UNSHARED"
		mknod evil-disk b 8 0 2>/dev/null && echo "MADE a device"
		setsid sleep 86400.77 >/dev/null 2>&1 </dev/null &
		[ $(id -u) != 0 ] || echo "IS root"
		echo "TRIED all in $1"
		exit 0' 2>/dev/null
	before=$(outside)
	run root_in kmodsmith sync
	assert_equal "$status" 0 "exit code"
	assert_recorded evil "$KERNEL" evil
	log=$(root_exec kmodsmith log evil)
	for word in pre make post; do
		assert_contains "$log" "TRIED all in $word"
	done
	for word in WROTE READ REACHED MOUNTED UNSHARED MADE 'IS root'; do
		assert_lacks "$log" "$word"
	done
	after=$(outside | grep -v '^usr/lib/modules/[^ ]*/evil\.ko')
	assert_equal "$(diff <(printf '%s\n' "$before") <(printf '%s\n' "$after"))" "" "difference"
	! pgrep -f 'sleep 86400.77' || fail "a process of the build is still there"
}

@test "builds run as users of their own, and which layers were active is kept" {
	assert_contains "$(cat "$R/etc/subuid")" "kmodsmith:"
	first=$(sed -n 's/^kmodsmith:\([0-9]*\):.*/\1/p' "$R/etc/subuid")
	evil_source who 'id -u; exit 0'
	root_in kmodsmith sync
	assert_contains "$(root_exec kmodsmith log who)" "$first"
	assert_contains "$(root_exec kmodsmith explain who)" "sandbox: uid,rlimits,seccomp"
}

@test "what is no module at the end of a build is refused" {
	for kind in 'ln -sf /etc/shadow $1' 'mkfifo $1' 'ln -sf /dev/zero $1' 'mkdir $1'; do
		rm -rf "$R/usr/src/fake-1.0"
		evil_source fake "if [ \$1 = post ]; then set -- fake.ko; rm -f \$1; $kind; fi"
		run root_in kmodsmith sync
		assert_equal "$status" 3 "exit code with '$kind'"
		assert_state fake "$KERNEL" failed
		[[ -z $(module_file "$KERNEL" fake) ]] || fail "installed with '$kind'"
	done
	rm -rf "$R/usr/src/fake-1.0"
	root_in kmodsmith sync
}

@test "a build that fills the disk is stopped, and its directory is small afterwards" {
	printf '[kmodsmith]\nbuild-size = 64\n' >"$R/etc/kmodsmith/kmodsmith.conf.d/size.conf"
	evil_source filler 'dd if=/dev/zero of=big bs=1M count=200 status=none; sleep 600'
	run root_in kmodsmith sync
	rm "$R/etc/kmodsmith/kmodsmith.conf.d/size.conf"
	assert_equal "$status" 3 "exit code"
	assert_contains "$output" "more than 64 MiB"
	left=$R/var/lib/dkms/filler/1.0/build
	assert_contains "$(cat "$left/make.log")" "more than 64 MiB"
	(($(du -sm "$left" | cut -f1) < 8)) || fail "$(du -a "$left")"
	rm -rf "$R/usr/src/filler-1.0"
	root_in kmodsmith sync
}

@test "sandbox = require refuses where a layer is missing, auto says so and goes on" {
	evil_source layers 'exit 0'
	printf '[module layers]\nsandbox = require\n' >"$R/etc/kmodsmith/kmodsmith.conf.d/layers.conf"
	run root_in setpriv --bounding-set -sys_admin --inh-caps -sys_admin kmodsmith sync
	assert_contains "$output" "'mount' is not available"
	assert_state layers "$KERNEL" stale
	rm "$R/etc/kmodsmith/kmodsmith.conf.d/layers.conf"
	run root_in setpriv --bounding-set -sys_admin --inh-caps -sys_admin kmodsmith sync
	assert_equal "$status" 0 "exit code"
	assert_contains "$output" "sandbox: not available here: mount,pid,net,tmp,dev"
	assert_recorded layers "$KERNEL" layers
}

# It writes to /usr/src, and has its make work in the place that dkms would have used.
@test "west-chamber writes nothing outside, and does not stop apt" {
	run root_in apt-get -y -q install --no-install-recommends west-chamber-dkms
	assert_equal "$status" 0 "exit code of apt"
	unowned=$(cd "$R" && find usr/src/west-chamber-* -type f -printf '/%p\n' |
		while read -r file; do
			root_exec dpkg -S "$file" >/dev/null 2>&1 || printf '%s\n' "$file"
		done)
	assert_equal "$unowned" "" "files that no package brought"
	assert_equal "$(root_exec dpkg -V west-chamber-dkms 2>&1)" "" "dpkg -V"
	run root_in kmodsmith status west-chamber
	assert_contains "$output" "failed"
}
