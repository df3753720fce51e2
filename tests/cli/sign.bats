# SPDX-License-Identifier: GPL-2.0-or-later
# The key of both personalities in a scratch tree.

load tree

setup() { tree_new; }

ks() { kmodsmith --root "$R" "$@"; }
ds() { dkms "$@" --root "$R"; }

key=/var/lib/dkms/mok.key
certificate=/var/lib/dkms/mok.pub

need_root() { ((EUID == 0)) || skip "not root"; }

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

@test "a key that others can read, or that belongs elsewhere, is told of" {
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
