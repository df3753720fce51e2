# SPDX-License-Identifier: GPL-2.0-or-later
# set: full
# on: bookworm trixie
# pacman on other trees and databases, kmodsmith's own removal, packages for elsewhere, and
# the running kernel's modules.

load ../lib/alpmroot

setup_file() {
	alpm_new alpm-trees
	[[ -z ${SKIP:-} ]] || return 0
	alpm_publish "linux-$(version_of "$NEW")" "linux-headers-$(version_of "$NEW")"
	source_pacman vendor 1 >&2
	source_pacman more 1 >&2
	alpm_install_kmodsmith >&2
	alpm -S linux linux-headers >&2
	alpm -U /srv/packages/vendor-source-1-1-x86_64.pkg.tar.zst >&2
	assert_recorded vendor "$NEW" vendor
}

teardown_file() { root_end; }

more=/srv/packages/more-source-1-1-x86_64.pkg.tar.zst

# The root once more, at a place inside itself: a tree for --root and --sysroot.
tree_begin() {
	mkdir -p "$R/mnt/tree"
	mount --rbind "$R" "$R/mnt/tree"
}

tree_end() { umount -R -l "$R/mnt/tree"; }

with_tree() {
	local rc=0
	tree_begin
	"$@" || rc=$?
	tree_end
	return "$rc"
}

@test "pacman --root records in that tree's database" {
	run with_tree alpm --root /mnt/tree -U "$more"
	assert_equal "$status" 0 "exit code of pacman"
	assert_recorded more "$NEW" more
	with_tree alpm --root /mnt/tree -Rns more-source
	assert_gone more "$NEW"
	assert_packages_fine
}

@test "pacman --sysroot does the same" {
	run with_tree alpm --sysroot /mnt/tree -U "$more"
	assert_equal "$status" 0 "exit code of pacman"
	assert_recorded more "$NEW" more
	with_tree alpm --sysroot /mnt/tree -Rns more-source
	assert_gone more "$NEW"
	assert_packages_fine
}

@test "pacman --dbpath gets the record into that database, found by its lock" {
	cp -a "$R/var/lib/pacman" "$R/var/tmp/elsewhere"
	run alpm --dbpath /var/tmp/elsewhere -U "$more"
	assert_equal "$status" 0 "exit code of pacman"
	run root_exec pacman --dbpath /var/tmp/elsewhere -Qqo "$(module_file "$NEW" more)"
	assert_equal "$output" "$(record_name more "$NEW")" "owner there"
	run root_exec pacman --dbpath /var/tmp/elsewhere -Qkk "$(record_name more "$NEW")"
	assert_equal "$status" 0 "exit code of pacman -Qkk"
	alpm --dbpath /var/tmp/elsewhere -Rns more-source
	[[ -z $(module_file "$NEW" more) ]] || fail "more is still installed"
	[[ ! -e $R/var/tmp/elsewhere/local/$(record_name more "$NEW")-1-1 ]] || fail "its record is"
	assert_packages_fine
}

@test "DBPath of pacman.conf is used outside of transactions" {
	mv "$R/var/lib/pacman" "$R/var/lib/other"
	sed -i '/^\[options\]/a DBPath = /var/lib/other/' "$R/etc/pacman.conf"
	rm -rf "$R/var/lib/other/local/$(record_name vendor "$NEW")-1-1"
	root_in kmodsmith sync
	assert_recorded vendor "$NEW" vendor
	mv "$R/var/lib/other" "$R/var/lib/pacman"
	sed -i '/^DBPath/d' "$R/etc/pacman.conf"
	assert_recorded vendor "$NEW" vendor
	assert_packages_fine
}

@test "a package made for elsewhere installs with pacman, verifies and can be signed" {
	root_sh 'mkdir -p /srv/made /srv/again && cd /srv &&
		kmodsmith export --format pacman --output /srv/made vendor -k "$1" &&
		kmodsmith export --format pacman --output /srv/again vendor -k "$1" &&
		cmp made/*.pkg.tar.zst again/*.pkg.tar.zst' sh "$NEW"
	root_sh 'bsdtar -tf /srv/made/*.pkg.tar.zst' | grep -q '^\.MTREE$'
	run root_sh 'pacman -Qip /srv/made/*.pkg.tar.zst'
	assert_contains "$output" "$(record_name vendor "$NEW")"
	root_sh 'mkdir -p /srv/elsewhere/var/lib/pacman && cd /srv &&
		pacman --noconfirm --root /srv/elsewhere -dd -U made/*.pkg.tar.zst'
	run root_in pacman --root /srv/elsewhere -Qkk "$(record_name vendor "$NEW")"
	assert_equal "$status" 0 "exit code of pacman -Qkk"
	assert_contains "$output" " 0 altered files"
	root_sh 'export GNUPGHOME=/srv/gnupg && mkdir -m 700 $GNUPGHOME && cd /srv/made &&
		gpg --batch --quiet --passphrase "" --quick-generate-key test@example.org &&
		gpg --batch --detach-sign *.pkg.tar.zst && gpg --verify *.sig *.pkg.tar.zst'
}

@test "the running kernel's modules stay until the next boot, where that is wanted" {
	running=$(uname -r)
	mkdir -p "$R/etc/kmodsmith/kmodsmith.conf.d" "$R/srv/running/usr/lib/modules/$running/kernel"
	printf '[kmodsmith]\nkeep-running-modules = true\n' >"$R/etc/kmodsmith/kmodsmith.conf.d/keep.conf"
	(cd "$R/srv/running/usr/lib/modules/$running" && touch modules.order vmlinuz kernel/disk.ko)
	chmod -R 755 "$R/srv/running"
	root_in /srv/packages/pack /srv/running running 1-1
	alpm -U /srv/packages/running-1-1-x86_64.pkg.tar.zst
	alpm -Rns running
	[[ -e $R/usr/lib/modules/$running/kernel/disk.ko ]] || fail "the module is gone"
	[[ ! -e $R/usr/lib/modules/$running/vmlinuz ]] || fail "the image is there"
	[[ ! -e $R/usr/lib/modules/.kmodsmith-kept ]] || fail "the copy is left"
	root_in /usr/lib/kmodsmith/alpm-hook boot
	[[ -e $R/usr/lib/modules/$running/kernel/disk.ko ]] || fail "gone while it still runs"
	mv "$R/usr/lib/modules/$running" "$R/usr/lib/modules/5.0-old"
	mv "$R/var/lib/kmodsmith/kept/$running" "$R/var/lib/kmodsmith/kept/5.0-old"
	root_in /usr/lib/kmodsmith/alpm-hook boot
	[[ ! -e $R/usr/lib/modules/5.0-old ]] || fail "left: $(find "$R/usr/lib/modules/5.0-old")"
	rm "$R/etc/kmodsmith/kmodsmith.conf.d/keep.conf"
	alpm -U /srv/packages/running-1-1-x86_64.pkg.tar.zst
	alpm -Rns running
	[[ ! -e $R/usr/lib/modules/$running ]] || fail "kept without being asked to"
}

@test "removing kmodsmith keeps working modules, owned, and says how to remove them" {
	run alpm -Rns kmodsmith
	assert_equal "$status" 0 "exit code of pacman"
	name=$(record_name vendor "$NEW")
	assert_contains "$output" "pacman -R $name"
	assert_equal "$(owner_of "$(module_file "$NEW" vendor)")" "$name"
	root_exec pacman -Qkk "$name"
	[[ -z $(alpm_unowned) ]] || fail "unowned: $(alpm_unowned)"
	assert_equal "$(find "$R/usr/share/libalpm/hooks" -name '*kmodsmith*')" "" "hooks left"
	alpm -R "$name"
	[[ -z $(module_file "$NEW" vendor) ]] || fail "still there"
	root_exec pacman -Dk
}
