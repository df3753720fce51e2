# SPDX-License-Identifier: GPL-2.0-or-later
# The key of both personalities in a scratch tree.

load tree

setup() { tree_new; }

ks() { kmodsmith --root "$R" "$@"; }
ds() { dkms "$@" --root "$R"; }

key=/var/lib/dkms/mok.key
certificate=/var/lib/dkms/mok.pub



@test "without a key that is said, and none is made" {
	run ks key show
	equal "$status" 5
	contains "$output" "there is no key yet: no '$key'"
	run ks key show --json
	equal "$status" 5
	[[ ! -e $R$key ]]
}

@test "a new key is private and shown" {
	need_root
	run ks key new
	equal "$status" 0
	contains "$output" "made the key '$key'"
	equal "$(stat -c %a "$R$key") $(stat -c %a "$R$certificate")" "600 644"
	run ks key show
	equal "$status" 0
	contains "$output" "CN=DKMS module signing key"
	contains "$output" "RSA 2048"
	ks key show --json >"$BATS_TEST_TMPDIR/json"
	equal "$(jq -r '.schema, .key.from, .key.key' "$BATS_TEST_TMPDIR/json" | tr '\n' ' ')" "1 dkms $key "
	# as others see it
	equal "$(jq -r .key.sha256 "$BATS_TEST_TMPDIR/json")" "$(sha256sum <"$R$certificate" | cut -d ' ' -f 1)"
	equal "$(jq -r .key.sha1 "$BATS_TEST_TMPDIR/json")" "$(sha1sum <"$R$certificate" | cut -d ' ' -f 1)"
}

@test "a key is replaced by force only" {
	need_root
	ks key new --quiet
	before=$(cat "$R$key")
	run ks key new
	equal "$status" 1
	contains "$output" "there is a key at '$key' already"
	contains "$output" "--force"
	equal "$(cat "$R$key")" "$before"
	ks key new --force --quiet
	[[ $(cat "$R$key") != "$before" ]]
}

@test "half a pair is an error in both, and stays as it is" {
	need_root
	printf 'precious' >"$R$certificate"
	run ks key show
	equal "$status" 1
	contains "$output" "no private key at '$key'"
	run ks key new
	equal "$status" 1
	run ds generate_mok
	equal "$status" 1
	contains "$output" "Error! no private key at '$key'"
	equal "$(cat "$R$certificate")" precious
	[[ ! -e $R$key ]]
}

@test "a key that others can read, or that belongs elsewhere, is reported" {
	need_root
	ks key new --quiet
	chmod 644 "$R$key"
	run ks key show
	equal "$status" 0
	contains "$output" "warning: the key '$key' can be read by others"
	cp "$R$key" "$BATS_TEST_TMPDIR/old"
	ks key new --force --quiet
	cp "$BATS_TEST_TMPDIR/old" "$R$key"
	run ks key show
	contains "$output" "does not belong to the certificate"
}

@test "generate_mok has dkms's words" {
	need_root
	run ds generate_mok
	equal "$status" 0
	equal "$output" "Signing key: $key
Public certificate (MOK): $certificate
Certificate or key are missing, generating self signed certificate for MOK..."
	run ds generate_mok
	equal "$status" 0
	equal "$output" "Signing key: $key
Public certificate (MOK): $certificate"
}

@test "the keys that framework.conf and kmodsmith.conf name" {
	need_root
	mkdir -p "$R/etc/dkms" "$R/etc/kmodsmith"
	printf 'mok_signing_key=/keys/f.key\nmok_certificate=/keys/f.pub\n' >"$R/etc/dkms/framework.conf"
	run ds generate_mok
	equal "$status" 0
	contains "$output" "Signing key: /keys/f.key"
	[[ -s $R/keys/f.key && -s $R/keys/f.pub ]]
	printf '[sign]\nkey = /keys/k.key\ncertificate = /keys/k.pub\n' >"$R/etc/kmodsmith/kmodsmith.conf"
	run ks key new --json
	equal "$status" 0
	contains "$output" '"from": "kmodsmith.conf"'
	[[ -s $R/keys/k.key ]]
}

@test "ltdk asks for something built" {
	source_make acme 1.0
	tree_add acme 1.0
	kernel_make "$K"
	run ds ltdk acme/1.0 -k "$K"
	equal "$status" 3
	contains "$output" "Module acme/1.0 is not built for kernel $K."
	tree_built acme 1.0 "$K"
	run ds ltdk acme/1.0 -k "$K"
	equal "$status" 21
	contains "$output" "Module.symvers"
	run ds ltdk other/1.0 -k "$K"
	equal "$status" 3
}

# --- with real builds

MODULE=/updates/acme.ko

# build_signed [LINE...]: a tree that builds and signs; the lines are framework.conf's
build_signed() {
	need_root
	build_root
	mkdir -p "$R/etc/dkms"
	printf '%s\n' try_sign_modules=true "$@" >"$R/etc/dkms/framework.conf"
}

# The kernel's own program, and what it needs.
sign_file_copy() {
	local program
	program=$(find /usr/lib/linux-kbuild-*/scripts/sign-file 2>/dev/null | tail -n 1)
	[[ $program ]] || skip "no linux-kbuild here"
	PATH=$PATH:${program%/*} programs_copy sign-file
}

script_make() { # PATH, LINE...
	mkdir -p "$R$(dirname "$1")"
	printf '%s\n' '#!/bin/bash' "${@:2}" >"$R$1"
	chmod 755 "$R$1"
}

# pem_make NAME FILE: key and certificate in one, as Gentoo's handbook makes them
pem_make() {
	mkdir -p "$(dirname "$2")"
	openssl req -new -nodes -utf8 -sha256 -x509 -newkey rsa:2048 -batch -subj "/CN=$1" \
		-outform PEM -out "$2" -keyout "$2" 2>/dev/null
	chmod 600 "$2"
}

installed() { echo "$R/lib/modules/$K$MODULE"; }
signer() { modinfo -F signer "$(installed)"; }
# what was built is kept for the next one, which would not say how
again() { ds remove acme/1.0 --all --no-depmod >/dev/null && rm -r "$R/var/lib/kmodsmith"; }
install() { run ds install acme/1.0 -k $K --no-depmod; }

assert_unsigned() {
	equal "$status" 0
	cmp "$R/usr/src/acme-1.0/made" "$(installed)" || fail "it is not as it was built"
	lacks "$output" "Signing module"
}

@test "the lines of a build that signs are dkms's" {
	build_signed
	install
	equal "$status" 0
	lines=$(sed -n '2,/^Installing/p' <<<"$output" | grep -v '^kmodsmith: warning: sandbox')
	equal "$lines" "Signing key: $key
Public certificate (MOK): $certificate
Certificate or key are missing, generating self signed certificate for MOK...

Building module(s)... done.
Signing module /var/lib/dkms/acme/1.0/build/acme.ko
Installing /lib/modules/$K$MODULE"
	equal "$(signer)" "DKMS module signing key"
}

@test "the kernel's own sign-file signs, when framework.conf names it, to the same bytes" {
	build_signed
	sign_file_copy
	install
	cp "$(installed)" "$BATS_TEST_TMPDIR/ours.ko"
	again
	echo sign_file=/usr/bin/sign-file >>"$R/etc/dkms/framework.conf"
	install
	equal "$status" 0
	contains "$output" "Sign command: /usr/bin/sign-file"
	contains "$output" "Signing module"
	lacks "$output" "Failed to sign"
	equal "$(signer)" "DKMS module signing key"
	cmp "$(installed)" "$BATS_TEST_TMPDIR/ours.ko"
}

@test "kmodsign is given hash, key, certificate and module" {
	build_signed sign_file=/usr/bin/kmodsign mok_signing_key=/keys/k mok_certificate=/keys/c
	sign_file_copy
	script_make /usr/bin/kmodsign 'echo "$#: $*" >>/kmodsign.log; exec /usr/bin/sign-file "$@"'
	install
	equal "$status" 0
	contains "$output" "Signing key: /keys/k"
	contains "$(cat "$R/kmodsign.log")" "4: sha256 /keys/k /keys/c /var/lib/dkms/acme/1.0/"
	equal "$(signer)" "DKMS module signing key"
}

@test "a sign_file that fails, or does more than sign, leaves the module as it was built" {
	build_signed sign_file=/usr/bin/signs
	for line in 'exit 3' 'echo more >>"$4"' 'echo other >"$4"' 'exit 0' 'echo x >"$4.new"; cp "$4.new" "$4"'; do
		script_make /usr/bin/signs "$line"
		install; echo "$line: $output"
		equal "$status" 0
		contains "$output" "Warning: Failed to sign module"
		cmp "$R/usr/src/acme-1.0/made" "$(installed)" || fail "after: $line"
		again
		run ds autoinstall -k $K --no-depmod
		equal "$status" 0
		equal "$(grep -c "Failed to sign" <<<"$output")" 1
		contains "$output" "succeeded for module(s) acme."
		again
	done
}

@test "why modules are not signed is said in dkms's words" {
	build_signed sign_file=/nowhere/sign-file
	install
	assert_unsigned
	contains "$output" "Sign command: /nowhere/sign-file
Binary /nowhere/sign-file not found, modules won't be signed"
	again

	echo try_sign_modules=false >"$R/etc/dkms/framework.conf"
	install
	assert_unsigned
	contains "$output" "Module signing is disabled by policy, modules won't be signed"
	again

	rm "$R/etc/dkms/framework.conf"
	install
	assert_unsigned
	contains "$output" "Running in chroot, modules won't be signed"
	again

	echo try_sign_modules=true >"$R/etc/dkms/framework.conf"
	echo precious >"$R$certificate"
	install
	assert_unsigned
	contains "$output" "Public certificate (MOK): $certificate
Key file $key not found and can't be generated, modules won't be signed"
	mv "$R$certificate" "$R$key"
	again
	install
	assert_unsigned
	contains "$output" "Certificate file $certificate not found and can't be generated, modules won't be signed"
	again

	echo CONFIG_MODULES=y >"$R/usr/src/linux-headers-$K/include/config/auto.conf"
	install
	assert_unsigned
	contains "$output" "The kernel is built without module signing facility, modules won't be signed"
}

MOK=/var/lib/shim-signed/mok/MOK

@test "on Ubuntu its own program makes the key and asks for its enrolment" {
	build_signed
	printf 'ID=linuxmint\nID_LIKE="ubuntu debian"\n' >"$R/etc/os-release"
	pem_make "Ubuntu's own" "$R/pair.pem"
	openssl x509 -in "$R/pair.pem" -outform DER -out "$R/pair.der"
	mkdir -p "$R${MOK%/*}"
	script_make /usr/sbin/update-secureboot-policy 'echo "$* $SHIM_NOTRIGGER" >>/policy.log' \
		"[[ \$1 != --new-key ]] || { cp /pair.pem $MOK.priv; cp /pair.der $MOK.der; echo noise; }" \
		'[[ $1 != --enroll-key ]] || exit 1'
	MODULE=/updates/dkms/acme.ko
	install
	equal "$status" 0
	contains "$output" "Signing key: $MOK.priv
Public certificate (MOK): $MOK.der"
	lacks "$output" noise
	equal "$(cat "$R/policy.log")" "--new-key y
--enroll-key y"
	equal "$(signer)" "Ubuntu's own"
	[[ ! -e $R$key ]] || fail "dkms's was made, too"
	# it is there now
	again
	install
	equal "$(wc -l <"$R/policy.log")" 2
	equal "$(signer)" "Ubuntu's own"
	run ks key show --json
	equal "$(jq -r .key.from <<<"$output")" ubuntu
}

@test "on Ubuntu without that program it is reported, and nothing is signed" {
	build_signed
	echo 'ID=ubuntu' >"$R/etc/os-release"
	MODULE=/updates/dkms/acme.ko
	install
	assert_unsigned
	contains "$output" "Public certificate (MOK): $MOK.der
Binary update-secureboot-policy not found, modules won't be signed"
	[[ ! -e $R$key && ! -e $R$MOK.priv ]] || fail "a key was made"
}

# it is in shim-signed-common there as well, and knows no --new-key
@test "on Debian Ubuntu's program is not asked" {
	build_signed
	echo 'ID=debian' >"$R/etc/os-release"
	script_make /usr/sbin/update-secureboot-policy 'echo "$*" >>/policy.log; exit 1'
	MODULE=/updates/dkms/acme.ko
	install
	equal "$status" 0
	equal "$(signer)" "DKMS module signing key"
	[[ ! -e $R/policy.log ]] || fail "it was"
}

@test "on Gentoo make.conf's key signs, or the kernel's own" {
	build_signed
	echo 'ID=gentoo' >"$R/etc/os-release"
	pem_make "the fleet's" "$R/keys/fleet.pem"
	pem_make "the kernel's" "$R/usr/src/linux-headers-$K/certs/signing_key.pem"
	openssl x509 -in "$R/usr/src/linux-headers-$K/certs/signing_key.pem" -outform DER \
		-out "$R/usr/src/linux-headers-$K/certs/signing_key.x509"
	echo 'CONFIG_MODULE_SIG_KEY="certs/signing_key.pem"' >>"$R/usr/src/linux-headers-$K/include/config/auto.conf"
	install
	equal "$status" 0
	contains "$output" "Signing key: /lib/modules/$K/build/certs/signing_key.pem"
	equal "$(signer)" "the kernel's"
	again

	mkdir -p "$R/etc/portage"
	printf 'USE="modules-sign"\nMODULES_SIGN_KEY="/keys/fleet.pem"\n' >"$R/etc/portage/make.conf"
	install
	equal "$status" 0
	contains "$output" "Signing key: /keys/fleet.pem
Public certificate (MOK): /keys/fleet.pem"
	equal "$(signer)" "the fleet's"
	again

	printf 'MODULES_SIGN_KEY="/keys/lost.pem"\n' >"$R/etc/portage/make.conf"
	install
	assert_unsigned
	contains "$output" "Key file /keys/lost.pem not found and can't be generated, modules won't be signed"
	[[ ! -e $R/keys/lost.pem ]] || fail "it was made"
}
