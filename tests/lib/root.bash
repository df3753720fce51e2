# SPDX-License-Identifier: GPL-2.0-or-later
# Disposable roots: an overlay over a base root, where a scenario does what it likes.
# A bats file does, in setup_file, 'root_new NAME BASE' and 'root_install_kmodsmith', in its
# tests root_in and the assertions below, in teardown_file 'root_end'. The variable R is the
# root's directory.
#
# A setup_file that sets SKIP to a reason, and returns, has every test of its file skipped; one
# with a setup of its own calls scenario_skipped there.
#
# An assertion says what it found and returns 1. Everything run in the root is also in
# $LOGS/NAME.log.
#
# shellcheck source=tests/lib/base.bash
. "${BASH_SOURCE[0]%/*}/base.bash"

export LOGS=${LOGS:-$ks_out/logs}

# --- life of a root -------------------------------------------------------------------

# root_new NAME BASE [ROOT]: make it and enter R. Its "/" is a mount point, as on a real
# machine. With ROOT, the name of another root made from BASE, it begins with what was done
# there (which must have been root_end'ed with KEEP_ROOT=1).
root_new() {
	local name=$1 base=$2 over=${3:+$ks_out/scenarios/$3/upper:} dir
	[[ -n $KS_PRIVATE ]] || ks_die "root_new: start scenarios with ./runtests"
	base_need "$base"
	dir=$ks_out/scenarios/$name
	mkdir -p "$LOGS"
	[[ ! -e $dir ]] || root_drop "$dir"
	mkdir -p "$dir/upper" "$dir/work" "$dir/root"
	if ! mount -t overlay -o "lowerdir=$over$(base_dir "$base"),upperdir=$dir/upper,workdir=$dir/work" \
		overlay "$dir/root" 2>/dev/null; then
		# no overlay on this file system: a copy does the same, slower
		[[ -z $over ]] || ks_die "this needs overlayfs below '$ks_out'"
		cp -a --reflink=auto "$(base_dir "$base")/." "$dir/root"
		mount --bind "$dir/root" "$dir/root"
	fi
	export R=$dir/root ROOT_LOG=$LOGS/$name.log
	: >"$ROOT_LOG"
	base_mount "$R"
}

# root_end: end what still runs in it and remove it. KEEP_ROOT=1 keeps the files.
root_end() {
	[[ -n ${R:-} ]] || return 0
	root_drop "${R%/root}"
}

root_drop() {
	local dir=$1 pid
	for pid in /proc/[0-9]*; do
		if [[ $(readlink "$pid/root" 2>/dev/null) == "$dir/root"* ]]; then
			kill -KILL "${pid#/proc/}" || true
		fi
	done
	base_unmount "$dir/root"
	! mountpoint -q "$dir/root" || umount "$dir/root" || umount -l "$dir/root"
	[[ -n ${KEEP_ROOT:-} ]] || ks_remove "$dir"
}

# root_in COMMAND...: run it in the root as root, environment as a login's. Output also to
# the scenario's log.
root_in() {
	printf '\n# %s\n' "$*" >>"$ROOT_LOG"
	root_exec "$@" 2>&1 </dev/null 3>&- | tee -a "$ROOT_LOG"
	return "${PIPESTATUS[0]}"
}

# root_exec COMMAND...: only run it, with the caller's descriptors.
root_exec() {
	chroot "$R" /usr/bin/env -i \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		HOME=/root TERM=dumb LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"
}

# root_sh SCRIPT [ARG...]: a bash script in the root.
root_sh() { root_in bash -euo pipefail -c "$@"; }

# root_components COMPONENT...: let the root's apt have these of the archive beside main.
root_components() {
	ks_sources "$(root_codename)" "$@" >"$R/etc/apt/sources.list.d/components.list"
	root_apt update
}

root_apt() { root_in apt-get -y -q "$@"; }

# deb_of BASE-CODENAME: the .deb built for it (runtests builds it before the scenarios).
deb_of() {
	local deb
	for deb in "$ks_out/deb/$1"/kmodsmith_*.deb; do
		[[ -e $deb ]] || ks_die "no kmodsmith package for $1 in '$ks_out/deb/$1'"
	done
	printf '%s\n' "$deb"
}

# Of sid the file says what will be made of it: "forky/sid".
root_codename() (
	. "$R/etc/os-release"
	[[ $PRETTY_NAME != */sid* ]] || VERSION_CODENAME=sid
	printf '%s\n' "$VERSION_CODENAME"
)

root_install_kmodsmith() {
	local deb
	deb=$(deb_of "$(root_codename)")
	cp "$deb" "$R/root/"
	root_apt install "/root/${deb##*/}"
}

setup() { scenario_skipped; }

scenario_skipped() { [[ -z ${SKIP:-} ]] || skip "$SKIP"; }

# root_upgrade FLAVOUR: set OLD and NEW, the root's kernel and the one that an upgrade would
# bring; SKIP, when the archive has none.
root_upgrade() {
	OLD=$(root_kernels)
	NEW=$(root_candidate_kernel "$1")
	SKIP=
	[[ -n $NEW && $NEW != "$OLD" ]] || SKIP="the archive has no newer kernel than $OLD"
	export OLD NEW SKIP
}

# --- facts ----------------------------------------------------------------------------

# root_kernels: the releases that are alive in the root, oldest first.
root_kernels() {
	local dir
	for dir in "$R"/lib/modules/*/modules.order; do
		[[ ! -e $dir ]] || basename "${dir%/*}"
	done | sort -V
}

# root_candidate_kernel FLAVOUR: the release that the meta-package would bring.
root_candidate_kernel() {
	root_exec apt-cache depends "linux-image-$1" </dev/null 3>&- |
		sed -n "s/^ *Depends: linux-image-\([0-9].*\)$/\1/p" | head -n 1
}

# target MODULE[/VERSION] KERNEL FIELD: that field of 'kmodsmith status --json'; of every
# version, when none is given.
target() {
	local version=
	[[ $1 != */* ]] || version=${1#*/}
	root_exec kmodsmith status --json </dev/null 2>/dev/null 3>&- |
		jq -r --arg m "${1%%/*}" --arg v "$version" --arg k "$2" --arg f "$3" '.targets[] |
			select(.module == $m and .kernel == $k and ($v == "" or .version == $v)) |
			.[$f] // ""' | sort -u
}

# record_name MODULE KERNEL: the package that owns a target's files.
record_name() {
	local name=kmod-${1%%/*}-$2
	name=${name,,}
	printf '%s\n' "${name//_/-}"
}

# module_file KERNEL STEM: the installed file, as the kernel's own package spells the path.
module_file() {
	local file
	for file in "$R/lib/modules/$1/updates/dkms/$2".ko*; do
		[[ ! -e $file ]] || printf '%s\n' "/lib/modules/$1/updates/dkms/${file##*/}"
	done
}

# --- sources and packages made here -----------------------------------------------------

# source_make DIR NAME VERSION [C-STATEMENT]: a module of one file, with a dkms.conf. The
# statement goes into its init function.
source_make() {
	local dir=$1 name=$2 version=$3 statement=${4:-}
	mkdir -p "$dir"
	cat >"$dir/dkms.conf" <<-EOF
	PACKAGE_NAME="$name"
	PACKAGE_VERSION="$version"
	BUILT_MODULE_NAME[0]="$name"
	DEST_MODULE_LOCATION[0]="/updates/dkms"
	AUTOINSTALL="yes"
	EOF
	printf 'obj-m := %s.o\n' "$name" >"$dir/Makefile"
	cat >"$dir/$name.c" <<-EOF
	#include <linux/module.h>
	#include <linux/version.h>
	static int __init test_init(void)
	{
		pr_info("$name $version\n");
		$statement
		return 0;
	}
	static void __exit test_exit(void) { }
	module_init(test_init);
	module_exit(test_exit);
	MODULE_LICENSE("GPL");
	MODULE_VERSION("$version");
	EOF
}

# package_make NAME VERSION TREE [CONTROL-LINE...]: a .deb of a tree, put in the root's
# /root; TREE/DEBIAN may hold maintainer scripts. Prints its path in the root.
package_make() {
	local name=$1 version=$2 tree=$3
	shift 3
	mkdir -p "$tree/DEBIAN"
	{
		printf 'Package: %s\nVersion: %s\nArchitecture: amd64\n' "$name" "$version"
		printf 'Maintainer: Test <test@example.org>\n'
		(($#)) && printf '%s\n' "$@"
		printf 'Description: made by a test\n'
	} >"$tree/DEBIAN/control"
	chmod -R u+rwX,go+rX,go-w "$tree"
	dpkg-deb --root-owner-group -Znone -b "$tree" "$R/root/${name}_$version.deb" >&2
	printf '/root/%s_%s.deb\n' "$name" "$version"
}

# source_package NAME VERSION [C-STATEMENT]: a vendor's package with a source and nothing
# else, no maintainer script. Prints its path in the root.
source_package() {
	local tree
	tree=$(mktemp -d "${R%/root}/package.XXXXXX")
	source_make "$tree/usr/src/$1-$2" "$@"
	package_make "$1-source" "$2" "$tree"
}

# --- assertions -------------------------------------------------------------------------

fail() {
	printf '%s\n' "$*" >&2
	return 1
}

assert_equal() {
	[[ $1 == "$2" ]] || fail "${3:-value}: have '$1', want '$2'"
}

assert_contains() {
	[[ $1 == *"$2"* ]] || fail "not found: '$2' in:" $'\n'"$1"
}

assert_lacks() {
	[[ $1 != *"$2"* ]] || fail "found: '$2' in:" $'\n'"$1"
}

assert_state() {
	local have
	have=$(target "$1" "$2" state)
	[[ $have == "$3" ]] ||
		fail "$1 on $2: state '$have' ($(target "$1" "$2" reason)), want '$3'"
}

# assert_recorded MODULE[/VERSION] KERNEL STEM...: everything the product promises of a finished
# target: state, package installed, automatic as its kernel, owning exactly these files,
# verifying, loadable by that kernel as far as the files show.
assert_recorded() {
	local module=$1 kernel=$2 stem file package out
	shift 2
	assert_state "$module" "$kernel" recorded || return 1
	package=$(record_name "$module" "$kernel")
	assert_equal "$(root_query "$package" '${db:Status-Abbrev}')" "ii " "status of $package" || return 1
	out=$(root_exec dpkg -V "$package" 2>&1) && [[ -z $out ]] ||
		fail "dpkg -V $package: $out" || return 1
	out=$(root_exec debsums -s "$package" 2>&1) || fail "debsums $package: $out" || return 1
	for stem; do
		file=$(module_file "$kernel" "$stem")
		[[ -n $file ]] || fail "no $stem.ko for $kernel" || return 1
		out=$(root_exec dpkg -S "$R_PREFIX$file" 2>&1)
		assert_equal "$out" "$package: $R_PREFIX$file" "owner" || return 1
		out=$(root_exec modinfo -F vermagic "$file")
		assert_equal "${out%% *}" "$kernel" "vermagic of $file" || return 1
		grep -q "^updates/dkms/$stem\.ko[.a-z0-9]*:" "$R/lib/modules/$kernel/modules.dep" ||
			fail "$stem is not in modules.dep of $kernel" || return 1
	done
	assert_equal "$(root_exec dpkg -L "$package" | grep -c '\.ko')" "$#" "files of $package"
}

# The prefix with which packages ship /lib/modules: "/usr" where the merge is done in them.
export R_PREFIX=${R_PREFIX:-}

root_query() { root_exec dpkg-query -W -f "$2" "$1" 2>/dev/null; }

assert_gone() {
	local module=$1 kernel=$2 package
	package=$(record_name "$module" "$kernel")
	[[ -z $(root_query "$package" '${Package}') ]] ||
		fail "$package is still known: $(root_query "$package" '${db:Status-Abbrev}')" || return 1
	[[ -z $(module_file "$kernel" "${3:-$module}") ]] ||
		fail "$module is still installed on $kernel"
}

# Nothing is left half done, in dpkg, apt or the engine's spool.
assert_packages_fine() {
	local out
	out=$(root_exec dpkg --audit 2>&1)
	[[ -z $out ]] || fail "dpkg --audit: $out" || return 1
	out=$(root_exec apt-get check -q 2>&1) || fail "apt-get check: $out" || return 1
	out=$(find "$R/var/lib/kmodsmith" -path '*spool*' -name '*.deb*' 2>/dev/null)
	[[ -z $out ]] || fail "left in the spool: $out" || return 1
	out=$(find "$R/lib/modules/" \( -name '*.dpkg-*' -o -name '.*.ks*' -o -name '*.tmp' \) 2>/dev/null)
	[[ -z $out ]] || fail "left in /lib/modules: $out"
}

# assert_in_initramfs KERNEL STEM
assert_in_initramfs() {
	root_exec lsinitramfs "/boot/initrd.img-$1" | grep -q "/updates/dkms/$2\.ko" ||
		fail "$2 is not in the initramfs of $1"
}
