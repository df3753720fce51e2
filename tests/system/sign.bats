# SPDX-License-Identifier: GPL-2.0-or-later
# set: full
# Signing: dkms's own key is taken over, what is built is signed with it as the kernel's
# sign-file does it, another key signs again without building, and a lost one is reported.

load ../lib/root

KEY=/var/lib/dkms/mok.key
CERTIFICATE=/var/lib/dkms/mok.pub

setup_file() {
	root_new sign bookworm-cloud
	K=$(root_kernels)
	export K
	root_apt install dkms acpi-call-dkms >&2
	# the key that dkms makes at its first build outside of a chroot
	root_in dkms generate_mok >&2 || root_sh "openssl req -new -x509 -nodes -days 36500 \
		-subj '/CN=DKMS module signing key' -newkey rsa:2048 -keyout $KEY -outform DER \
		-out $CERTIFICATE -addext extendedKeyUsage=codeSigning && chmod 600 $KEY" >&2
	root_sh "sha256sum $KEY $CERTIFICATE" >"${R%/root}/keys"
	mkdir -p "$R/etc/kmodsmith/kmodsmith.conf.d"
	printf '[sign]\nsign = yes\n' >"$R/etc/kmodsmith/kmodsmith.conf.d/sign.conf"
	root_install_kmodsmith >&2
	NEW=$(root_candidate_kernel cloud-amd64)
	export NEW
	root_in apt -y upgrade >&2
}

teardown_file() { root_end; }

# unpack FILE: as $R/root/signed.ko
unpack() {
	local file=$1
	case $file in
	*.xz) xz -dc "$R$file" ;;
	*) cat "$R$file" ;;
	esac >"$R/root/signed.ko"
}

# The module without its signature, proved by the digest in the manifest.
cut_signature() {
	local size
	size=$(stat -c %s "$R/root/signed.ko")
	# sig_len: four bytes, big-endian, before the marker of 28
	local length
	length=$((16#$(tail -c 32 "$R/root/signed.ko" | head -c 4 | od -An -tx1 | tr -d ' \n')))
	head -c $((size - 40 - length)) "$R/root/signed.ko" >"$R/root/unsigned.ko"
	tail -c $((40 + length)) "$R/root/signed.ko" | head -c "$length" >"$R/root/signature.der"
}

manifest() { echo "$R/var/lib/dkms/acpi-call"/*/"$1"/*/manifest; }
manifest_value() { sed -n "s/^$2=//p" "$(manifest "$1")"; }

assert_signed() {
	local kernel=$1 file
	file=$(module_file "$kernel" acpi_call)
	assert_equal "$(root_exec modinfo -F signer "$file")" "DKMS module signing key" signer
	assert_equal "$(root_exec modinfo -F sig_hashalgo "$file")" sha256 hash
	unpack "$file"
	cut_signature
	assert_equal "$(sha256sum <"$R/root/unsigned.ko" | cut -d ' ' -f 1)" \
		"$(manifest_value "$kernel" built-sha256)" "the module without its signature"
	openssl cms -verify -inform DER -in "$R/root/signature.der" -binary \
		-content "$R/root/unsigned.ko" -certfile <(openssl x509 -inform DER -in "$R$CERTIFICATE") \
		-noverify -out /dev/null || fail "openssl does not verify the signature"
}

@test "a kernel that apt brings gets a module signed with the key that is there" {
	assert_recorded acpi-call "$NEW" acpi_call
	assert_signed "$NEW"
	assert_equal "$(root_exec sha256sum "$KEY" "$CERTIFICATE")" "$(cat "${R%/root}/keys")" "dkms's key"
}

@test "it is what the kernel's own sign-file makes" {
	program=$(find "$R"/usr/lib/linux-kbuild-*/scripts/sign-file | head -n 1)
	root_in "${program#"$R"}" sha256 "$KEY" "$CERTIFICATE" /root/unsigned.ko /root/theirs.ko
	cmp "$R/root/theirs.ko" "$R/root/signed.ko" || fail "other bytes"
}

@test "another key signs again, and nothing is built" {
	before=$(manifest_value "$NEW" built-at-us)
	built=$(manifest_value "$NEW" built-sha256)
	run root_in kmodsmith key new
	assert_equal "$status" 1
	root_in kmodsmith key new --force
	run root_in kmodsmith plan
	assert_contains "$output" "sign acpi-call/"
	assert_lacks "$output" "build acpi-call/"
	root_in kmodsmith sync
	assert_signed "$NEW"
	assert_recorded acpi-call "$NEW" acpi_call
	assert_equal "$(manifest_value "$NEW" built-at-us)" "$before" "time of the build"
	assert_equal "$(manifest_value "$NEW" built-sha256)" "$built" "digest of the build"
	run root_in kmodsmith plan
	assert_lacks "$output" "acpi-call"
	assert_packages_fine
}

@test "half a pair is reported, and the module is built all the same" {
	mv "$R$KEY" "$R/root/mok.key"
	run root_in kmodsmith install --force acpi-call --kernel "$NEW"
	assert_equal "$status" 0
	assert_contains "$output" "modules for $NEW are not signed: no private key at '$KEY'"
	assert_equal "$(manifest_value "$NEW" signing)" no-key "signing"
	assert_equal "$(root_exec modinfo -F signer "$(module_file "$NEW" acpi_call)")" "" signer
	assert_recorded acpi-call "$NEW" acpi_call
	[[ ! -e $R$KEY ]]
}

@test "when the key is back the module is signed again" {
	mv "$R/root/mok.key" "$R$KEY"
	root_in kmodsmith sync
	assert_signed "$NEW"
	assert_recorded acpi-call "$NEW" acpi_call
}

@test "a kernel that loads signed modules only: without a key an error, and the old module stays" {
	mv "$R$KEY" "$R/root/mok.key"
	echo CONFIG_MODULE_SIG_FORCE=y >>"$R/boot/config-$NEW"
	run root_in kmodsmith install --force acpi-call --kernel "$NEW"
	assert_equal "$status" 3
	assert_contains "$output" "only signed ones can be loaded here (CONFIG_MODULE_SIG_FORCE)"
	assert_contains "$output" "hint: put the missing one back"
	assert_equal "$(root_exec modinfo -F signer "$(module_file "$NEW" acpi_call)")" \
		"DKMS module signing key" "signer of the old one"
	mv "$R/root/mok.key" "$R$KEY"
	root_in kmodsmith sync
	assert_signed "$NEW"
	assert_recorded acpi-call "$NEW" acpi_call
}

@test "dkms's words" {
	version=$(basename "$(dirname "$(dirname "$(dirname "$(manifest "$NEW")")")")")
	run root_in dkms build "acpi-call/$version" -k "$NEW" --force
	assert_equal "$status" 0
	assert_contains "$output" "Sign command: /usr/libexec/kmodsmith/signer"
	assert_contains "$output" "Signing key: $KEY"$'\n'"Public certificate (MOK): $CERTIFICATE"
	assert_contains "$output" "Signing module /var/lib/dkms/acpi-call/$version/build/acpi_call.ko"
	assert_signed "$NEW"
}

@test "ltdk prints the licence" {
	version=$(basename "$(dirname "$(dirname "$(dirname "$(manifest "$NEW")")")")")
	run root_in dkms ltdk "acpi-call/$version" -k "$NEW"
	assert_equal "$status" 0
	assert_contains "$output" "acpi_call.ko: yes: licence 'GPL'"
}

@test "dkms goes on with the same key" {
	run root_in dkms generate_mok
	assert_equal "$status" 0
	assert_equal "$output" "Signing key: $KEY"$'\n'"Public certificate (MOK): $CERTIFICATE"
}

# Debian's kernel trusts no key of ours without UEFI. But it tells one that it does not know
# from none at all, and so shows that it can read the signature.
@test "the kernel reads the signature" {
	tree=$R/root/init
	mkdir -p "$tree/dev" "$tree/proc" "$tree/modules"
	mknod "$tree/dev/console" c 5 1
	gcc -static -O1 -Wall -o "$tree/init" "$ks_top/tests/system/boot-init.c"
	unpack "$(module_file "$NEW" acpi_call)"
	cut_signature
	cp "$R/root/signed.ko" "$tree/modules/signed.ko"
	cp "$R/root/unsigned.ko" "$tree/modules/unsigned.ko"
	root_sh 'cd /root/init && find . | cpio --quiet -o -H newc >/root/init.img'
	timeout 300 qemu-system-x86_64 -accel tcg -m 512 -nographic -no-reboot -nic none \
		-kernel "$R/boot/vmlinuz-$NEW" -initrd "$R/root/init.img" \
		-append "console=ttyS0 panic=-1 loglevel=6 module.sig_enforce=1" \
		</dev/null 3>&- >"${R%/root}/console" 2>&1 || true
	cat "${R%/root}/console" >>"$ROOT_LOG"
	output=$(tr -d '\r' <"${R%/root}/console")
	assert_contains "$output" "BOOT: running $NEW"
	assert_contains "$output" "Loading of module with unavailable key is rejected"
	assert_contains "$output" "Loading of unsigned module is rejected"
	assert_contains "$output" "BOOT: cannot load signed.ko"
	assert_contains "$output" "BOOT: cannot load unsigned.ko"
	assert_contains "$output" "BOOT: end"
}
