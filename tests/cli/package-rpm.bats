# SPDX-License-Identifier: GPL-2.0-or-later
# package-rpm: packages that the real rpm takes.

load tree

K=6.5.6-300.fc39.x86_64

setup() {
	builddir=${top_builddir:-$(cd "$BATS_TEST_DIRNAME/../.." && pwd)}
	writer=$builddir/libexec/package-rpm
	[[ -x $writer ]] || skip "built without rpm"
	command -v rpm >/dev/null || skip "no rpm"
	cd "$BATS_TEST_TMPDIR"
	export HOME=$PWD/home
	mkdir home out root
	printf '%%_dbpath %s/db\n' "$PWD" >home/.rpmmacros
	head -c 300000 /dev/zero >foo.ko
	printf 'PACKAGE_NAME=foo\n' >dkms.conf
}

# content DEST MODE FILE
content() {
	local sum
	sum=$(sha256sum <"$3")
	printf 'file=%s %s %s %s %s\n' "$1" "${sum%% *}" "$(stat -c %s "$3")" "$2" "$PWD/$3"
}

prebuilt() {
	printf '%s\n' protocol=1 packages=1 '' name=kmod-foo-$K version=1.2-2 revision=3 kind=prebuilt \
		module=foo kernel=$K arch=x86_64 "summary=foo for Linux $K" \
		'description=Built from foo.%0ASecond line.' 'maintainer=A B <a@example.com>' \
		licence=GPL mtime=1700000000 "provides=kmod(foo.ko)" "provides=modalias(acpi*:FOO:*)"
	content /lib/modules/$K/extra/foo.ko 644 foo.ko
	printf '\n'
}

source_package() {
	printf '%s\n' protocol=1 packages=1 '' name=foo-dkms version=1.2 revision=1 kind=source \
		module=foo arch=all summary=foo description= 'maintainer=A B <a@example.com>' \
		licence=GPL mtime=1700000000 'dir=/usr/src/foo-1.2/empty 700' \
		'link=/usr/src/foo-1.2/link dkms.conf'
	content /usr/src/foo-1.2/dkms.conf 644 dkms.conf
	printf '\n'
}

query() { rpm -qp --nosignature "$@" 2>/dev/null; }

@test "a prebuilt package is what it was described as" {
	equal "$(prebuilt | "$writer" --output out)" out/kmod-foo-$K-1.2.2-3.x86_64.rpm
	rpm=out/kmod-foo-$K-1.2.2-3.x86_64.rpm
	run rpm -Kv $rpm
	equal "$status" 0
	lacks "$output" BAD
	contains "$output" "Payload SHA256 digest: OK"
	equal "$(query -l $rpm)" "/lib/modules/$K
/lib/modules/$K/extra
/lib/modules/$K/extra/foo.ko"
	equal "$(query --provides $rpm)" "kmod(foo.ko)
kmod-foo = 1.2.2
kmod-foo-$K = 1.2.2-3
modalias(acpi*:FOO:*)"
	equal "$(query --recommends $rpm)" "kernel-uname-r = $K"
	contains "$(query --scripts $rpm)" 'depmod "$release"'
	equal "$(query --qf '%{PACKAGER}|%{LICENSE}|%{DESCRIPTION}|%{BUILDTIME}' $rpm)" \
		"A B <a@example.com>|GPL|Built from foo.
Second line.|1700000000"
}

@test "the same description makes the same bytes" {
	prebuilt | "$writer" --output out
	mkdir again
	touch foo.ko
	prebuilt | "$writer" --output again
	cmp out/*.rpm again/*.rpm
	source_package | "$writer" --output out
	source_package | "$writer" --output again
	diff -r out again
}

@test "packages install, verify and go" {
	need_root
	prebuilt | "$writer" --output out
	source_package | "$writer" --output out
	rpm --root "$PWD/root" -i --nodeps --noscripts --noplugins out/*.rpm
	cmp foo.ko root/lib/modules/$K/extra/foo.ko
	equal "$(stat -c %Y root/lib/modules/$K/extra/foo.ko)" 1700000000
	equal "$(readlink root/usr/src/foo-1.2/link)" dkms.conf
	equal "$(stat -c %a root/usr/src/foo-1.2/empty)" 700
	cmp dkms.conf root/usr/src/foo-1.2/dkms.conf
	run rpm --root "$PWD/root" -V --nodeps kmod-foo-$K foo-dkms
	lacks "$output" /
	rpmdb --root "$PWD/root" --verifydb
	rpm --root "$PWD/root" -e --noscripts --noplugins kmod-foo-$K foo-dkms
	[[ ! -e root/lib/modules/$K && ! -e root/usr/src/foo-1.2 ]]
}

@test "the scripts do nothing where there is nothing to do" {
	prebuilt | "$writer" --output out
	source_package | "$writer" --output out
	for rpm in out/*.rpm; do
		for tag in POSTIN PREUN POSTUN; do
			query --qf "%|$tag?{%{$tag}}|" "$rpm" >script
			grep -q . script || continue
			sh -n script
			PATH=/nonexistent /bin/sh script 0
		done
	done
}

@test "an upgrade takes the old version from dkms, and not the same one" {
	source_package | "$writer" --output out
	query --qf '%{PREUN}' out/*.rpm >script
	mkdir bin
	printf '#!/bin/sh\necho "dkms $*"\n' >bin/dkms
	printf '#!/bin/sh\nprintf "1.2\\n%%s" "$NEW"\n' >bin/rpm
	chmod 755 bin/*
	ln -s "$(command -v sort)" "$(command -v wc)" bin/
	run env PATH="$PWD/bin" NEW='1.3
' /bin/sh script 1
	equal "$output" "dkms remove -m foo -v 1.2 -q --all"
	run env PATH="$PWD/bin" NEW='1.2
' /bin/sh script 1
	equal "$status/$output" 0/
	run env PATH="$PWD/bin" NEW= /bin/sh script 0
	equal "$output" "dkms remove -m foo -v 1.2 -q --all"
	cp bin/dkms bin/kmodsmith
	run env PATH="$PWD/bin" NEW= /bin/sh script 0
	equal "$status/$output" 0/
}

@test "a package can be signed" {
	command -v gpg >/dev/null || skip "no gpg"
	command -v gpg-agent >/dev/null || skip "no gpg-agent"
	command -v rpmsign >/dev/null || skip "no rpmsign"
	prebuilt | "$writer" --output out
	rpm=$(echo out/*.rpm)
	mkdir -m 700 home/.gnupg
	gpg -q --batch --passphrase '' --quick-gen-key signer@example.com rsa2048 sign never
	rpmsign --define "__gpg $(command -v gpg)" \
		--define '_gpg_name signer@example.com' --addsign "$rpm" >/dev/null
	gpgconf --kill gpg-agent
	run rpm -qp --qf '%{RSAHEADER:pgpsig}' "$rpm"
	contains "$output" "RSA/SHA"
	mkdir -p db
	gpg --export --armor signer@example.com >key
	rpm --import key
	run rpm -K "$rpm"
	equal "$status" 0
	contains "$output" "digests signatures OK"
}

@test "a content that is another one makes no package" {
	prebuilt >text
	printf x >foo.ko
	run "$writer" --output out <text
	equal "$status" 1
	contains "$output" "foo.ko"
	head -c 300000 /dev/urandom >foo.ko
	run "$writer" --output out <text
	equal "$status" 1
	contains "$output" "is not the file that was described"
	equal "$(ls -A out)" ""
}
