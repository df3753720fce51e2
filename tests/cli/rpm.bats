# SPDX-License-Identifier: GPL-2.0-or-later
# The plugin and the recorder for rpm, in the real rpm, on a scratch root and database.
# The engine is a script in that root, which notes what it was asked and says what the
# test has put there.

load tree

K=6.1.0-9.test
KMOD=kmod-foo-$K
FOO=/lib/modules/$K/extra/foo.ko

setup_file() {
	local program
	ulimit -n 1024 # rpm closes all that could be open, for each scriptlet
	for program in rpm rpmbuild; do
		command -v $program >/dev/null || skip "no $program"
	done
	((EUID == 0)) || skip "needs root"
	P=$BATS_FILE_TMPDIR
	export P
	mkdir -p "$P/home" "$P/specs"
	printf '%%_dbpath /var/lib/rpm\n' >"$P/home/.rpmmacros"
	export HOME=$P/home
	kernel_package 6.1.0 9 &
	package unrelated noarch /opt/unrelated/file &
	package acme noarch /usr/src/acme-1.0/dkms.conf &
	package $KMOD noarch /opt/foreign &
	package owner noarch $FOO &
	VERSION=2 AS=acme-2 package acme noarch /usr/src/acme-2/dkms.conf &
	package dashes noarch /usr/lib/modules/6.1.0-9-test/modules.builtin &
	SCRIPT='%post
echo "scriptlet sees ${KMODSMITH_TRANSACTION:-nothing}" >>/log' \
		package scripted noarch /usr/src/scripted-1.0/dkms.conf &
	SCRIPT='%post
echo "scriptlet sees ${KMODSMITH_TRANSACTION:-nothing}" >>/log' \
		package plain noarch /opt/plain/file &
	package twin noarch /usr/src/acme-1.0/dkms.conf &
	SCRIPT='%pre
exit 1' package failing noarch /opt/failing/file &
	SCRIPT='%post
echo >/started
read line </go' package waiting noarch /opt/waiting/file &
	wait
}

# package NAME ARCH FILE: with $SCRIPT and $PROVIDES
package() {
	local as=${AS:-$1}
	cat >"$P/specs/$as.spec" <<-EOF
		%global debug_package %{nil}
		%global __os_install_post %{nil}
		%global _binary_payload w0.gzdio
		Name: $1
		Version: ${VERSION:-1}
		Release: ${RELEASE:-1}
		Summary: $1
		License: GPL
		BuildArch: $2
		AutoReqProv: no
		${PROVIDES:+Provides: $PROVIDES}
		%description
		$1
		%install
		mkdir -p %{buildroot}${3%/*}
		echo $1 >%{buildroot}$3
		${SCRIPT:-}
		%files
		${FILES:-$3}
	EOF
	rpmbuild -bb --quiet --define "_topdir $P/top-$as" --define "_rpmdir $P" \
		--define "_build_name_fmt $as.rpm" "$P/specs/$as.spec" >"$P/$as.log" 2>&1 ||
		cat "$P/$as.log" >&2
}

kernel_package() {
	VERSION=$1 RELEASE=$2 PROVIDES="kernel-uname-r = $K" FILES=/lib/modules/$K SCRIPT='%posttrans
echo "posttrans" >>/log' package kernel-core noarch /lib/modules/$K/modules.order
}

# A root with a shell, and an engine that is a script.
setup() {
	[[ -e $P/kernel-core.rpm ]] || fail "no packages: $(cat "$P"/*.log)"
	builddir=${top_builddir:-$(cd "$BATS_TEST_DIRNAME/../.." && pwd)}
	plugin=$builddir/.libs/kmodsmith.so
	recorder=$builddir/libexec/recorder-rpm
	[[ -e $plugin ]] || skip "built without rpm"
	R=$BATS_TEST_TMPDIR/root
	mkdir -p "$R"/{bin,stub,dev,var/lib/rpm,lib/modules}
	local file
	for file in /bin/sh /bin/cat $(ldd /bin/sh /bin/cat | grep -o '/[^ :]*' | sort -u); do
		mkdir -p "$R${file%/*}"
		cp -L "$file" "$R$file"
	done
	unset KMODSMITH KMODSMITH_TRANSACTION KMODSMITH_RPM_PID
	cat >"$R/stub/engine" <<-'EOF'
		#!/bin/sh
		echo "engine $*" >>/log
		[ ! -e /stub/$1.out ] || cat /stub/$1.out
		[ ! -e /stub/$1.err ] || cat /stub/$1.err >&2
		[ ! -e /stub/$1.kill ] || kill -9 $$
		[ ! -e /stub/$1.exit ]
	EOF
	chmod 755 "$R/stub/engine"
	want
}

# What Debian's rpm prints for everybody is not of interest.
rpm_with() {
	local code=0
	rpm --root "$R" --nodeps --define "%__plugindir ${plugin%/*}" \
		--define "%__transaction_kmodsmith $plugin /stub/engine" "$@" \
		>"$BATS_TEST_TMPDIR/out" 2>&1 || code=$?
	grep -v '^rpm: ' "$BATS_TEST_TMPDIR/out" || :
	return $code
}
query() { rpm --root "$R" "$@" 2>/dev/null; }
log() { cat "$R/log" 2>/dev/null || :; }

# install PACKAGE...: without any effect of ours
preinstall() { rpm_with -i --noplugins "${@/#/$P/}"; rm -f "$R/log"; }

# foo_make [CONTENT]: the module's file, as the engine would have installed it
foo_make() {
	mkdir -p "$R${FOO%/*}"
	printf '%s\n' "${1:-foo}" >"$R$FOO"
	chmod 644 "$R$FOO"
}

# want [DIGEST...]: what "kmodsmith records" says: one record of foo, with this digest
want() {
	local sum size
	printf 'protocol=1\nrecords=%d\n\n' $# >"$R/stub/records.out"
	(($#)) || return 0
	sum=$(sha256sum <"$R$FOO") size=$(stat -c %s "$R$FOO")
	printf '%s\n' "record=$KMOD" module=foo version=1.2-3 "kernel=$K" arch=x86_64 \
		"digest=$1" fingerprint=f "file=$FOO ${sum%% *} $size 644" \
		"provides=kmod(foo.ko)" "provides=modalias(acpi*:FOO0001:*)" '' >>"$R/stub/records.out"
}

recorded() {
	preinstall kernel-core.rpm
	foo_make
	want "${1:-aaaaaaaaaaaa}"
	rpm_with -U --replacepkgs "$P/kernel-core.rpm"
	rm -f "$R/log"
}

# --- when the engine runs

@test "the plugin needs librpm, librpmio and libc, and nothing else" {
	run bash -c "readelf -d '$plugin' | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' | sed 's/\.so.*//' | sort"
	equal "$output" "libc
librpm
librpmio"
	run bash -c "nm -D --defined-only '$plugin' | cut -d ' ' -f 3"
	equal "$output" kmodsmith_hooks
}

@test "the engine runs before the first posttrans, and again at the end" {
	run rpm_with -i "$P/kernel-core.rpm"
	equal "$status" 0
	equal "$output" ""
	equal "$(log)" "engine sync --caller-records --no-initramfs --trigger=rpm
posttrans
engine sync --caller-records --trigger=rpm
engine records"
}

@test "without a posttrans it runs once" {
	run rpm_with -i "$P/acme.rpm"
	equal "$status" 0
	equal "$output" ""
	equal "$(log)" "engine sync --caller-records --trigger=rpm
engine records"
}

@test "with --noposttrans it runs at the end" {
	run rpm_with -i --noposttrans "$P/kernel-core.rpm"
	equal "$(log)" "engine sync --caller-records --trigger=rpm
engine records"
}

@test "an unrelated package runs nothing" {
	run rpm_with -i "$P/unrelated.rpm"
	equal "$status" 0
	equal "$output" ""
	equal "$(log)" ""
}

@test "tests, --justdb, --noplugins and KMODSMITH=0 run nothing" {
	rpm_with -i --test "$P/acme.rpm"
	rpm_with -i --justdb "$P/acme.rpm"
	rpm_with -e --noplugins acme
	KMODSMITH=0 rpm_with -i "$P/acme.rpm"
	equal "$(log)" ""
}

@test "removing a source runs it" {
	preinstall acme.rpm
	rpm_with -e acme
	equal "$(log)" "engine sync --caller-records --trigger=rpm
engine records"
}

@test "a transaction of which a part failed is finished, one that was refused runs nothing" {
	run rpm_with -i "$P/acme.rpm" "$P/failing.rpm"
	[[ $status != 0 ]]
	equal "$(log)" "engine sync --caller-records --trigger=rpm
engine records"
	equal "$(query -qa)" acme-1-1.noarch
	rm "$R/log"
	run rpm_with -i "$P/twin.rpm"
	[[ $status != 0 ]]
	equal "$(log)" ""
}

@test "another version, up or down, runs it" {
	preinstall acme.rpm
	rpm_with -U "$P/acme-2.rpm"
	equal "$(log)" "engine sync --caller-records --trigger=rpm
engine records"
	rm "$R/log"
	rpm_with -U --oldpackage "$P/acme.rpm"
	equal "$(log)" "engine sync --caller-records --trigger=rpm
engine records"
	equal "$(query -qa)" acme-1-1.noarch
}

@test "scriptlets of a transaction that is ours learn so" {
	rpm_with -i "$P/scripted.rpm"
	contains "$(log)" "scriptlet sees rpm"
	rm "$R/log"
	rpm_with -i "$P/plain.rpm"
	equal "$(log)" "scriptlet sees nothing"
	rm "$R/log"
	rpm_with -e scripted
	rpm_with -i --noplugins "$P/scripted.rpm"
	contains "$(log)" "scriptlet sees nothing"
}

@test "a root without kmodsmith is left alone" {
	rm "$R/stub/engine"
	run rpm_with -i "$P/kernel-core.rpm"
	equal "$status" 0
	equal "$output" ""
}

# --- records

@test "an installed module is recorded, and verifies" {
	recorded
	equal "$(query -qa 'kmod-*')" $KMOD-1.2.3-kaaaaaaaa.x86_64
	equal "$(query -q -l $KMOD)" "/lib/modules/$K
/lib/modules/$K/extra
$FOO"
	equal "$(query -q --requires $KMOD)" "kernel-uname-r = $K"
	equal "$(query -q --provides $KMOD)" "kmod(foo.ko)
kmod-foo = 1.2.3
$KMOD = 1.2.3-kaaaaaaaa
modalias(acpi*:FOO0001:*)"
	contains "$(query -qi $KMOD)" "built on this machine"
	run query -V $KMOD
	equal "$status" 0
	equal "$output" ""
	rpmdb --root "$R" --verifydb
	rpmdb --root "$R" --rebuilddb
	equal "$(query -qa 'kmod-*')" $KMOD-1.2.3-kaaaaaaaa.x86_64
	printf 'bar\n' >"$R$FOO"
	run query -V $KMOD
	contains "$output" "5"
	contains "$output" "$FOO"
}

@test "the record belongs to the user's transaction" {
	recorded
	equal "$(query -q --qf '%{INSTALLTID}' $KMOD)" "$(query -q --qf '%{INSTALLTID}' kernel-core)"
}

@test "doing it again changes nothing" {
	recorded
	before=$(query -q --qf '%{DBINSTANCE} %{INSTALLTIME}' $KMOD)
	run rpm_with -U --replacepkgs "$P/kernel-core.rpm"
	equal "$status" 0
	equal "$output" ""
	equal "$(query -q --qf '%{DBINSTANCE} %{INSTALLTIME}' $KMOD)" "$before"
}

@test "another digest replaces the record" {
	recorded
	foo_make 'another foo'
	want bbbbbbbbbbbb
	run rpm_with -U --replacepkgs "$P/kernel-core.rpm"
	equal "$output" ""
	equal "$(query -qa 'kmod-*')" $KMOD-1.2.3-kbbbbbbbb.x86_64
	run query -V $KMOD
	equal "$output" ""
	[[ ! -e $R/var/lib/rpm/.kmodsmith.lock ]]
}

@test "a record that is not wanted any more is dropped" {
	recorded
	rm "$R$FOO"
	want
	run rpm_with -U --replacepkgs "$P/kernel-core.rpm"
	equal "$output" ""
	equal "$(query -qa 'kmod-*')" ""
}

@test "rpm -e of the kernel takes the record and its file along" {
	recorded
	want
	run rpm --root "$R" --define "%__plugindir ${plugin%/*}" \
		--define "%__transaction_kmodsmith $plugin /stub/engine" -e kernel-core
	equal "$status" 0
	equal "$(query -qa)" ""
	[[ ! -e $R/lib/modules/$K ]]
}

@test "rpm -e --test of the kernel takes nothing along" {
	recorded
	rpm --root "$R" --define "%__plugindir ${plugin%/*}" \
		--define "%__transaction_kmodsmith $plugin /stub/engine" -e --test kernel-core
	equal "$(query -qa | wc -l)" 2
	[[ -e $R$FOO ]]
}

@test "what a kernel's removal has left goes with the record" {
	recorded
	want
	run rpm_with -e kernel-core --define '%__transaction_kmodsmith %{nil}'
	rpm --root "$R" --nodeps -e --noplugins kernel-core 2>/dev/null || :
	equal "$(query -qa)" $KMOD-1.2.3-kaaaaaaaa.x86_64
	[[ -e $R$FOO ]]
	run rpm_with -i "$P/acme.rpm"
	equal "$(query -qa 'kmod-*')" ""
	[[ ! -e $R/lib/modules/$K ]]
	[[ -d $R/lib/modules ]]
}

@test "a record that is removed and still wanted is there again, and rpm says so" {
	recorded
	cp -p "$R$FOO" "$R/stub/foo.ko"
	cat >"$R/stub/engine" <<-EOF
		#!/bin/sh
		echo "engine \$*" >>/log
		[ \$1 != records ] || cat /stub/records.out
		[ \$1 != sync ] || { mkdir -p ${FOO%/*}; cat /stub/foo.ko >$FOO; }
	EOF
	cp "$(command -v mkdir)" "$R/bin/"
	for file in $(ldd "$R/bin/mkdir" | grep -o '/[^ :]*'); do
		mkdir -p "$R${file%/*}"
		cp -L "$file" "$R$file"
	done
	run rpm_with -e $KMOD
	equal "$status" 0
	equal "$output" "warning: kmodsmith: '$KMOD' was removed and is there again: foo/1.2-3 is still to be built
warning: kmodsmith: hint: remove its source, or set 'skip' for it in kmodsmith.conf(5)"
	equal "$(query -qa 'kmod-*')" $KMOD-1.2.3-kaaaaaaaa.x86_64
	run query -V $KMOD
	equal "$output" ""
	# with its kernel it is not wanted
	want
	printf '#!/bin/sh\n[ $1 != records ] || cat /stub/records.out\n' >"$R/stub/engine"
	run rpm_with -e kernel-core $KMOD
	equal "$status/$output" 0/
	equal "$(query -qa)" ""
}

@test "a file in use keeps its record, and rpm says so" {
	recorded
	want
	run rpm_with -U --replacepkgs "$P/kernel-core.rpm"
	equal "$status" 0
	contains "$output" "warning: kmodsmith: '$FOO' is kept with its record"
	equal "$(query -qa 'kmod-*')" $KMOD-1.2.3-kaaaaaaaa.x86_64
	[[ -e $R$FOO ]]
}

@test "a package of another maker keeps its name" {
	preinstall kernel-core.rpm $KMOD.rpm
	foo_make
	want aaaaaaaaaaaa
	run rpm_with -i "$P/acme.rpm"
	equal "$status" 0
	contains "$output" "cannot record foo/1.2-3 on $K: a package of another maker has its name"
	equal "$(query -qa 'kmod-*')" $KMOD-1-1.noarch
}

@test "a file of another package stays its own" {
	preinstall kernel-core.rpm owner.rpm
	foo_make
	want aaaaaaaaaaaa
	run rpm_with -i "$P/acme.rpm"
	equal "$status" 0
	contains "$output" "'$FOO' belongs to package 'owner'"
	equal "$(query -qa 'kmod-*')" ""
}

@test "a kernel of /usr/lib with two dashes is required by its package's name and version" {
	mkdir -p "$R/usr"
	[[ ! -d $R/usr/lib ]] || cp -a "$R/usr/lib/." "$R/lib/"
	rm -rf "$R/usr/lib"
	mv "$R/lib" "$R/usr/lib"
	ln -s usr/lib "$R/lib"
	preinstall dashes.rpm
	K=6.1.0-9-test KMOD=kmod-foo-$K FOO=/lib/modules/$K/extra/foo.ko
	foo_make
	want aaaaaaaaaaaa
	rpm_with -i "$P/acme.rpm"
	equal "$(query -q --requires $KMOD)" "dashes = 1-1"
	equal "$(query -q -l $KMOD)" "/usr/lib/modules/$K
/usr/lib/modules/$K/extra
/usr$FOO"
	equal "$(query -qf "$FOO")" $KMOD-1.2.3-kaaaaaaaa.x86_64
	want
	rpm --root "$R" --define "%__plugindir ${plugin%/*}" \
		--define "%__transaction_kmodsmith $plugin /stub/engine" -e dashes
	equal "$(query -qa)" acme-1-1.noarch
	[[ ! -e $R$FOO ]]
}

@test "a file that is not what was built is not recorded" {
	preinstall kernel-core.rpm
	foo_make
	want aaaaaaaaaaaa
	printf 'oof\n' >"$R$FOO"
	run rpm_with -i "$P/acme.rpm"
	equal "$status" 0
	contains "$output" "'$FOO' is not the file that was to be recorded"
	equal "$(query -qa 'kmod-*')" ""
}

@test "a link that leads out of the root is not followed" {
	preinstall kernel-core.rpm
	foo_make
	want aaaaaaaaaaaa
	mkdir "$BATS_TEST_TMPDIR/outside"
	mv "$R$FOO" "$BATS_TEST_TMPDIR/outside/"
	rmdir "$R${FOO%/*}"
	ln -s "$BATS_TEST_TMPDIR/outside" "$R${FOO%/*}"
	run rpm_with -i "$P/acme.rpm"
	equal "$status" 0
	contains "$output" "cannot open '$FOO'"
	equal "$(query -qa 'kmod-*')" ""
}

@test "an installed link is recorded, and verifies" {
	preinstall kernel-core.rpm
	foo_make
	want aaaaaaaaaaaa
	sed -i "s|^file=.*|link=$FOO /var/lib/dkms/foo.ko|" "$R/stub/records.out"
	# a file is no link
	run rpm_with -i "$P/acme.rpm"
	contains "$output" "'$FOO' is not the link that was to be recorded"
	equal "$(query -qa 'kmod-*')" ""
	ln -sf /var/lib/dkms/foo.ko "$R$FOO"
	run rpm_with -U --replacepkgs "$P/kernel-core.rpm"
	equal "$output" ""
	contains "$(query -q --qf '[%{FILENAMES} -> %{FILELINKTOS}\n]' $KMOD)" "$FOO -> /var/lib/dkms/foo.ko"
	run query -V $KMOD
	equal "$status" 0
	equal "$output" ""
	ln -sf /elsewhere/foo.ko "$R$FOO"
	run query -V $KMOD
	contains "$output" "$FOO"
}

# --- failures of the engine

# The transaction succeeds, says what is wrong, and the database is as it was.
survives() { # PART OF THE WARNING
	local before
	before=$(query -qa | sort)
	run rpm_with -U --replacepkgs "$P/kernel-core.rpm"
	equal "$status" 0
	contains "$output" "$1"
	equal "$(query -qa | sort)" "$before"
	run query -V $KMOD
	equal "$output" ""
}

@test "an engine that fails is reported, and nothing is lost" {
	recorded
	touch "$R/stub/sync.exit"
	survives "kmodsmith: the engine did not end well: exit status 1"
	rm "$R/stub/sync.exit"
	touch "$R/stub/records.exit"
	survives "the modules are not recorded: cannot ask the engine: exit status 1"
}

@test "an engine that is killed is reported, and nothing is lost" {
	recorded
	touch "$R/stub/sync.kill" "$R/stub/records.kill"
	survives "kmodsmith: the engine did not end well: killed by signal 9"
	contains "$(cat "$BATS_TEST_TMPDIR/out")" "cannot ask the engine: killed by signal 9"
}

@test "an engine that talks garbage is reported, and nothing is lost" {
	recorded
	head -c 4096 /dev/urandom >"$R/stub/records.out"
	survives "the modules are not recorded: the engine's answer:"
	printf 'protocol=1\nrecords=0\n' >"$R/stub/records.out"
	survives "the engine's answer:2: the text is cut off"
	: >"$R/stub/records.out"
	survives "the engine's answer:0: the text is empty"
	printf 'protocol=2\nrecords=0\n\n' >"$R/stub/records.out"
	survives "not protocol version 1"
}

@test "its errors, warnings and hints are passed on, its progress is not" {
	printf '%s\n' 'kmodsmith: error: it does not build' 'kmodsmith: hint: look' \
		'kmodsmith: building' >"$R/stub/sync.err"
	run rpm_with -i "$P/acme.rpm"
	equal "$status" 0
	equal "$output" "warning: kmodsmith: it does not build
warning: kmodsmith: hint: look"
}

@test "what it says last is passed on however much it has said before" {
	{
		yes 'kmodsmith: building' | head -n 5000
		printf '%s\n' 'kmodsmith: error: it does not build'
	} >"$R/stub/sync.err"
	run rpm_with -i "$P/acme.rpm"
	equal "$status" 0
	equal "$output" "warning: kmodsmith: it does not build"
}

# --- the recorder

apply() { "$recorder" --root "$R" apply <"$R/stub/records.out"; }

@test "the recorder lists, applies and removes" {
	preinstall kernel-core.rpm $KMOD.rpm
	run "$recorder" --root "$R" list
	equal "$output" "protocol=1
records=1

record=$KMOD
module=
version=
kernel=
digest=
complete=yes
ours=no"
	rpm_with -e --noplugins $KMOD
	foo_make
	want aaaaaaaaaaaa
	run apply
	equal "$status" 0
	equal "$output" ""
	run "$recorder" --root "$R" list
	equal "$output" "protocol=1
records=1

record=$KMOD
module=foo
version=1.2-3
kernel=$K
digest=aaaaaaaaaaaa
complete=yes
ours=yes"
	run query -V $KMOD
	equal "$output" ""
	rm "$R$FOO"
	want
	apply
	equal "$(query -qa)" kernel-core-6.1.0-9.noarch
}

@test "the recorder prints a file's owner unless it is a record" {
	recorded
	run "$recorder" --root "$R" owner "$FOO"
	equal "$status $output" "0 "
	preinstall unrelated.rpm
	run "$recorder" --root "$R" owner /opt/unrelated/file
	equal "$status $output" "0 unrelated"
	run "$recorder" --root "$R" owner /nonexistent
	equal "$status $output" "0 "
}

@test "the recorder refuses what is no desired set" {
	recorded
	for text in '' 'protocol=1\nrecords=1\n\n' 'protocol=1\nrecords=0\n' 'x'; do
		run bash -c "printf '$text' | '$recorder' --root '$R' apply"
		equal "$status" 1
		contains "$output" "standard input:"
	done
	equal "$(query -qa 'kmod-*')" $KMOD-1.2.3-kaaaaaaaa.x86_64
}

@test "a transaction of somebody else's is not waited for" {
	preinstall kernel-core.rpm
	foo_make
	want aaaaaaaaaaaa
	mkfifo "$R/started" "$R/go"
	rpm_with -i "$P/waiting.rpm" 3>&- &
	read -r _ <"$R/started"
	run "$recorder" --root "$R" busy
	equal "$status" 75
	contains "$output" "rpm's lock is held by process "
	local holder=${output##* }
	run env KMODSMITH_RPM_PID="$holder" "$recorder" --root "$R" busy
	equal "$status" 0
	run apply
	equal "$status" 75
	# with a terminal too, where rpm itself would wait
	if command -v script >/dev/null; then
		run script -qec "'$recorder' --root '$R' apply <'$R/stub/records.out'" /dev/null
		equal "$status" 75
	fi
	echo >"$R/go"
	wait
	equal "$(query -qa 'kmod-*')" ""
	run apply
	equal "$status" 0
	equal "$(query -qa 'kmod-*')" $KMOD-1.2.3-kaaaaaaaa.x86_64
}

@test "a database that cannot be written is an error, and stays as it was" {
	recorded
	foo_make 'another foo'
	want bbbbbbbbbbbb
	run unshare -m bash -c "mount --bind '$R/var/lib/rpm' '$R/var/lib/rpm' &&
		mount -o remount,bind,ro '$R/var/lib/rpm' || exit 99
		'$recorder' --root '$R' apply <'$R/stub/records.out'"
	[[ $status != 99 ]] || skip "cannot mount"
	equal "$status" 1
	equal "$(query -qa 'kmod-*')" $KMOD-1.2.3-kaaaaaaaa.x86_64
}

@test "a desired set that is there already is no change, and recovering costs nothing" {
	recorded
	before=$(query -q --qf '%{DBINSTANCE}' $KMOD)
	run apply
	equal "$status" 0
	equal "$output" ""
	equal "$(query -q --qf '%{DBINSTANCE}' $KMOD)" "$before"
	run "$recorder" --root /nonexistent recover
	equal "$status" 0
	run "$recorder" sync
	equal "$status" 64
}

@test "kernel-install builds for the kernel, but not in a transaction of rpm, and never fails" {
	hook=$BATS_TEST_TMPDIR/40-kmodsmith.install
	sed "s|@sbindir@|$BATS_TEST_TMPDIR|" \
		"$BATS_TEST_DIRNAME/../../hooks/kernel-install/40-kmodsmith.install.in" >"$hook"
	run sh "$hook" add $K /entry
	equal "$status" 0
	printf '#!/bin/sh\necho "$@"\nexit 3\n' >"$BATS_TEST_TMPDIR/kmodsmith"
	chmod 755 "$BATS_TEST_TMPDIR/kmodsmith"
	run sh "$hook" add $K /entry
	equal "$status" 0
	equal "$output" "sync --kernel $K --no-initramfs --trigger=kernel-install"
	run sh "$hook" remove $K /entry
	equal "$status/$output" 0/
	KMODSMITH_TRANSACTION=rpm run sh "$hook" add $K /entry
	equal "$status/$output" 0/
}

@test "the recorder names the package of a kernel's headers" {
	preinstall kernel-core.rpm
	equal "$("$recorder" --root "$R" headers $K)" kernel-devel-6.1.0-9.noarch
	equal "$("$recorder" --root "$R" headers 1.2.3)" ""
}

@test "records go when kmodsmith is removed and its package says so" {
	recorded
	rm "$R/stub/engine"
	rpm_with -U --replacepkgs "$P/kernel-core.rpm"
	equal "$(query -qa 'kmod-*')" $KMOD-1.2.3-kaaaaaaaa.x86_64
	mkdir -p "$R/run/kmodsmith"
	touch "$R/run/kmodsmith/rpm-leave"
	run rpm_with -U --replacepkgs "$P/kernel-core.rpm"
	equal "$output" ""
	equal "$(query -qa 'kmod-*')" ""
	[[ -e $R$FOO ]]
	[[ ! -e $R/run/kmodsmith/rpm-leave ]]
}
