# SPDX-License-Identifier: GPL-2.0-or-later
# set: full
# What is left of a failure when nobody looks: an entry in the journal with its MESSAGE_ID,
# a log that is rotated, and kernels that no package owns served like the others.

load ../lib/root

setup_file() {
	root_new unattended bookworm-cloud
	OLD=$(root_kernels)
	export OLD
	root_install_kmodsmith >&2
	mkdir -p "$R/run/systemd/journal"
	# journald's end of its native protocol: one datagram an entry. It goes on in the
	# background once the socket is there.
	JOURNAL_PID=$(perl -MSocket -MIO::Handle -e '
		socket(my $s, PF_UNIX, SOCK_DGRAM, 0) or die $!;
		bind($s, sockaddr_un($ARGV[0])) or die $!;
		open(my $out, ">>", $ARGV[1]) or die $!;
		$out->autoflush(1);
		my $pid = fork() // die $!;
		if ($pid) { print $pid; exit 0; }
		close(STDOUT);
		while (defined recv($s, my $entry, 65536, 0)) { print $out "$entry\n--\n"; }
	' "$R/run/systemd/journal/socket" "${R%/root}/journal" 3>&-)
	export JOURNAL_PID
	deb=$(source_package sturdy 1.0)
	root_apt install "$deb" >&2
}

teardown_file() {
	kill "$JOURNAL_PID" 2>/dev/null || true
	root_end
}

broken_package() {
	local tree
	tree=$(mktemp -d "${R%/root}/package.XXXXXX")
	source_make "$tree/usr/src/shaky-1.0" shaky 1.0 $'\nvanished_function();'
	package_make shaky-source 1.0 "$tree"
}

@test "a failure is in the journal, with its MESSAGE_ID and fields" {
	deb=$(broken_package)
	root_apt install "$deb"
	run cat "${R%/root}/journal"
	assert_contains "$output" "MESSAGE_ID=809248ec562a442a90635861a36dbdab"
	assert_contains "$output" "KMODSMITH_MODULE=shaky"
	assert_contains "$output" "KMODSMITH_KERNEL=$OLD"
	assert_contains "$output" "PRIORITY=3"
	assert_contains "$output" "vanished_function"
}

@test "every MESSAGE_ID of the journal is in the manual page" {
	for id in $(sed -n 's/^MESSAGE_ID=//p' "${R%/root}/journal" | sort -u); do
		grep -q "$id" "$ks_top/doc/kmodsmith.8" || fail "$id is not documented"
	done
}

@test "the log has it too, and logrotate takes the log" {
	run cat "$R/var/log/kmodsmith/kmodsmith.log"
	assert_contains "$output" "shaky/1.0 on $OLD"
	root_apt install logrotate
	run root_exec logrotate --force --verbose /etc/logrotate.d/kmodsmith
	assert_equal "$status" 0 "exit code of logrotate"
	[[ -n $(find "$R/var/log/kmodsmith" -name 'kmodsmith.log.1*') ]] || fail "not rotated: $output"
}

@test "on-failure = fail makes sync fail under a trigger, too" {
	run root_in kmodsmith sync --trigger=apt
	assert_equal "$status" 0 "exit code"
	mkdir -p "$R/etc/kmodsmith/kmodsmith.conf.d"
	printf '[kmodsmith]\non-failure = fail\n' >"$R/etc/kmodsmith/kmodsmith.conf.d/fail.conf"
	run root_in kmodsmith sync --trigger=apt
	assert_equal "$status" 3 "exit code"
	rm "$R/etc/kmodsmith/kmodsmith.conf.d/fail.conf"
}

@test "a kernel that no package owns is served, and pruned when it goes" {
	own=${OLD/-cloud/-selfmade}
	# as "make modules_install" leaves it: the tree, with its build directory elsewhere
	cp -a "$R/lib/modules/$OLD" "$R/lib/modules/$own"
	rm -rf "$R/lib/modules/$own/updates" "$R/lib/modules/$own/build" "$R/lib/modules/$own/source"
	cp -a "$R/usr/src/linux-headers-$OLD" "$R/root/linux-$own"
	chmod 755 "$R/root"
	ln -s "/root/linux-$own" "$R/lib/modules/$own/build"
	sed -i "s/$OLD/$own/" "$R/root/linux-$own/include/config/kernel.release" \
		"$R/root/linux-$own/include/generated/utsrelease.h"
	root_in kmodsmith sync || true
	assert_recorded sturdy "$own" sturdy
	run root_exec dpkg-query -W -f '${Depends}' "$(record_name sturdy "$own")"
	assert_equal "$output" "" "Depends of its record"
	rm -rf "${R:?}/lib/modules/$own/kernel" "$R/lib/modules/$own"/modules.{order,builtin*} \
		"$R/root/linux-$own"
	root_in kmodsmith sync || true
	assert_gone sturdy "$own"
	[[ ! -e $R/lib/modules/$own ]] || fail "left: $(find "$R/lib/modules/$own")"
	assert_recorded sturdy "$OLD" sturdy
}

@test "skip and hold of a module are honoured" {
	printf '[module sturdy]\nhold = true\n' >"$R/etc/kmodsmith/kmodsmith.conf.d/hold.conf"
	deb=$(source_package sturdy 1.1)
	root_apt install "$deb"
	assert_equal "$(root_exec modinfo -F version "$(module_file "$OLD" sturdy)")" 1.0 version
	rm "$R/etc/kmodsmith/kmodsmith.conf.d/hold.conf"
	root_in kmodsmith sync || true
	assert_equal "$(root_exec modinfo -F version "$(module_file "$OLD" sturdy)")" 1.1 version
	printf '[module later]\nskip = true\n' >"$R/etc/kmodsmith/kmodsmith.conf.d/skip.conf"
	deb=$(source_package later 1.0)
	root_apt install "$deb"
	[[ -z $(module_file "$OLD" later) ]] || fail "it has been installed"
	assert_state later "$OLD" excluded
}

@test "what the boot unit runs puts a lost module back" {
	unit=$(find "$R"/{usr/,}lib/systemd/system -name kmodsmith.service -print -quit)
	command=$(sed -n "s/^ExecStart=//p" "$unit")
	[[ -n $command ]] || fail "no ExecStart in '$unit'"
	rm "$R$(module_file "$OLD" sturdy)"
	root_sh "${command//%v/$OLD}"
	assert_recorded sturdy "$OLD" sturdy
}
