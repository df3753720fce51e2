# SPDX-License-Identifier: GPL-2.0-or-later
# Base roots: the Debian systems the scenarios start from. Made with mmdebstrap from the
# machine's own archive, kept in cache/ as tarballs named by a digest of what makes them,
# unpacked to out/roots/NAME, and never changed by a scenario (root.bash puts an overlay
# over them). Needs ks_private.
#
#   bookworm            Debian 12 with what kmodsmith's package needs
#   bookworm-build      the same, able to build the package
#   bookworm-cloud      the same, with the -cloud kernel, its headers and their
#                       meta-packages in the oldest version the archive has
#   bookworm-amd64      likewise with the plain kernel
#   trixie, trixie-build, trixie-cloud, trixie-amd64
#   sid, sid-build, sid-amd64
#   *-alpm, *-alpmbuild systems of pacman: see alpmbase.bash
#   *-i386, *-i386-*    systems of 32 bits: see i386base.bash
#   *-rpm, *-rpmbuild   rpm systems: see rpmbase.bash
#
# shellcheck source=tests/lib/machine.bash
. "${BASH_SOURCE[0]%/*}/machine.bash"
# shellcheck source=tests/lib/alpmbase.bash
. "${BASH_SOURCE[0]%/*}/alpmbase.bash"
# shellcheck source=tests/lib/i386base.bash
. "${BASH_SOURCE[0]%/*}/i386base.bash"
# shellcheck source=tests/lib/rpmbase.bash
. "${BASH_SOURCE[0]%/*}/rpmbase.bash"

# base_dir NAME: where base_need unpacks it.
base_dir() { printf '%s\n' "$ks_out/roots/$1"; }

# base_need NAME...: have the bases unpacked and their package lists fresh.
base_need() {
	local name dir digest tarball
	[[ -n $KS_PRIVATE ]] || ks_die "base_need: not in a namespace of its own"
	for name; do
		dir=$(base_dir "$name")
		digest=$(base_digest "$name")
		[[ $(cat "$dir.digest" 2>/dev/null) != "$digest" ]] || {
			base_refresh "$dir"
			continue
		}
		mkdir -p "$ks_cache" "$ks_out/roots"
		tarball=$ks_cache/base-$name-$digest.tar.zst
		ks_remove "$dir" "$dir.new" && rm -f "$dir.digest"
		if [[ -e $tarball ]]; then
			ks_step "unpacking the base root $name"
			mkdir "$dir.new"
			tar -C "$dir.new" --xattrs --xattrs-include='*' --numeric-owner -x --zstd -f "$tarball"
			mv "$dir.new" "$dir"
		else
			ks_step "making the base root $name"
			# a shell of its own: 'set -e' has no effect to the left of '||'
			bash -euo pipefail -c '. "$0"; "$@"' "${BASH_SOURCE[0]}" \
				"$(base_maker "$name")" "$name" "$dir.new" >"$ks_out/roots/$name.log" 2>&1 || {
				tail -n 30 "$ks_out/roots/$name.log" >&2
				ks_die "cannot make the base root '$name': see '$ks_out/roots/$name.log'"
			}
			tar -C "$dir.new" --xattrs --xattrs-include='*' --numeric-owner -c . |
				zstd -q -T2 -3 -o "$tarball.tmp" -f
			mv "$tarball.tmp" "$tarball"
			find "$ks_cache" -maxdepth 1 -name "base-$name-????????????????.tar.zst" \
				! -name "${tarball##*/}" -delete
			mv "$dir.new" "$dir"
		fi
		printf '%s\n' "$digest" >"$dir.digest"
		base_refresh "$dir"
	done
}

base_maker() {
	case $1 in
	*-alpm | *-alpmbuild) echo alpmbase_make ;;
	*-i386 | *-i386-*) echo i386base_make ;;
	*-rpm | *-rpmbuild) echo rpmbase_make ;;
	*) echo base_make ;;
	esac
}

base_digest() {
	{
		[[ $(base_maker "$1") != alpmbase_make ]] || alpmbase_digest "$1"
		[[ $(base_maker "$1") != i386base_make ]] || i386base_digest
		[[ $(base_maker "$1") != rpmbase_make ]] || rpmbase_digest "$1"
		declare -f base_make base_packages base_add_debian base_add_build base_add_kernel
		ks_sources "${1%%-*}"
		[[ $1 != *-build ]] || ks_deps build deb
	} | sha256sum | cut -c 1-16
}

# Lists older than half a day would name files that the archive has dropped meanwhile.
base_refresh() {
	[[ -z $(find "$1/var/lib/apt/lists" -maxdepth 0 -mmin -720) ]] || return 0
	base_in "$1" apt-get update -q >/dev/null 2>&1 ||
		ks_say "the package lists of '$1' could not be refreshed, going on with the old ones"
	touch "$1/var/lib/apt/lists"
}

base_make() {
	local name=$1 dir=$2 codename=${1%%-*}
	case $name in
	*-*)
		base_need "$codename"
		cp -a --reflink=auto "$(base_dir "$codename")" "$dir"
		;;
	esac
	case $name in
	*-build) base_add_build "$dir" ;;
	*-cloud) base_add_kernel "$dir" cloud-amd64 ;;
	*-amd64) base_add_kernel "$dir" amd64 ;;
	*) base_add_debian "$codename" "$dir" ;;
	esac
}

# What kmodsmith's package and the *-dkms packages depend on is here already, so that a
# scenario's transactions are about modules and kernels.
base_packages() {
	printf '%s\n' apt debian-archive-keyring ca-certificates initramfs-tools kmod zstd \
		make gcc libc6-dev bash patch xz-utils debsums adduser procps \
		libglib2.0-0 libjansson4 libseccomp2 libarchive13
}

base_add_debian() {
	local codename=$1 dir=$2 sources=$ks_out/roots/$1.list packages
	ks_sources "$codename" >"$sources"
	[[ -s $sources ]] ||
		ks_die "this machine's apt knows no Debian archive to make a root from"
	packages=$(base_packages)
	# Debian 13 renamed two libraries for its 64-bit time_t; others follow the same rule
	[[ $codename == bookworm ]] ||
		packages=$(sed -e 's/^libglib2.0-0$/libglib2.0-0t64/;s/^libarchive13$/libarchive13t64/' <<<"$packages")
	mmdebstrap --mode=root --variant=minbase --skip=cleanup/apt/lists \
		--include="${packages//$'\n'/,}" \
		--aptopt='APT::Install-Recommends "false"' \
		--dpkgopt='force-unsafe-io' \
		--setup-hook='mkdir -p "$1/usr/sbin"; printf "#!/bin/sh\nexit 101\n" >"$1/usr/sbin/policy-rc.d"; chmod 755 "$1/usr/sbin/policy-rc.d"' \
		"$codename" "$dir" "$sources"
	ks_apt_settings >"$dir/etc/apt/apt.conf.d/90test"
	cat >>"$dir/etc/apt/apt.conf.d/90test" <<-'EOF'
	APT::Keep-Downloaded-Packages "true";
	Binary::apt::APT::Keep-Downloaded-Packages "true";
	APT::Install-Recommends "false";
	Dpkg::Use-Pty "false";
	EOF
	printf '127.0.0.1 localhost\n' >"$dir/etc/hosts"
	printf 'kmodsmith-root\n' >"$dir/etc/hostname"
	# an initramfs is made for each kernel of each scenario: cheap compression
	printf 'COMPRESS=zstd\nCOMPRESSLEVEL=1\n' >"$dir/etc/initramfs-tools/conf.d/test"
	touch "$dir/var/lib/apt/lists"
}

base_add_build() {
	local packages
	mapfile -t packages < <(ks_deps build deb)
	base_in "$1" apt-get install -y -q --no-install-recommends "${packages[@]}"
}

# The kernel, its headers and the meta-packages, in the oldest version there is, so that
# "apt upgrade" has something real to do. They are marked as a Debian installer does.
base_add_kernel() {
	local dir=$1 flavour=$2 version
	version=$(base_meta_versions "$dir" "$flavour" | tail -n 1)
	base_in "$dir" apt-get install -y -q --no-install-recommends \
		"linux-image-$flavour=$version" "linux-headers-$flavour=$version"
}

# base_meta_versions DIR FLAVOUR: the versions both meta-packages have, newest first.
base_meta_versions() {
	comm -12 \
		<(base_in "$1" apt-cache madison "linux-image-$2" | awk '{ print $3 }' | sort -u) \
		<(base_in "$1" apt-cache madison "linux-headers-$2" | awk '{ print $3 }' | sort -u) |
		sort -rV
}

# base_in DIR COMMAND...: run it in a root, with what a root needs mounted around it.
base_in() {
	local dir=$1 rc=0
	shift
	base_mount "$dir"
	chroot "$dir" /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		HOME=/root TERM=dumb LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@" </dev/null || rc=$?
	base_unmount "$dir"
	return "$rc"
}

base_mount() {
	local dir=$1 node
	[[ -n $KS_PRIVATE ]] || ks_die "base_mount: not in a namespace of its own"
	mkdir -p "$ks_cache/apt-archives/partial" "$dir/var/cache/apt/archives"
	mount -t proc -o nosuid,nodev,noexec proc "$dir/proc"
	mount -t sysfs -o ro,nosuid,nodev,noexec sysfs "$dir/sys"
	mount -t tmpfs -o mode=755,size=1m tmpfs "$dir/dev"
	mkdir "$dir/dev/pts" "$dir/dev/shm"
	for node in null:3 zero:5 full:7 random:8 urandom:9; do
		mknod -m 666 "$dir/dev/${node%:*}" c 1 "${node#*:}"
	done
	mknod -m 666 "$dir/dev/tty" c 5 0
	mount -t devpts -o newinstance,ptmxmode=666,mode=620,gid=5 devpts "$dir/dev/pts"
	ln -s pts/ptmx "$dir/dev/ptmx"
	ln -s /proc/self/fd "$dir/dev/fd"
	ln -s fd/0 "$dir/dev/stdin" && ln -s fd/1 "$dir/dev/stdout" && ln -s fd/2 "$dir/dev/stderr"
	mount -t tmpfs -o mode=1777 tmpfs "$dir/dev/shm"
	mount -t tmpfs -o mode=755 tmpfs "$dir/run"
	mkdir -m 1777 "$dir/run/lock"
	mount --bind "$ks_cache/apt-archives" "$dir/var/cache/apt/archives"
	# roots share the packages, not the lock: apt would not wait for it
	touch "$ks_cache/apt-archives/lock" "$dir/run/apt-archives-lock"
	mount --bind "$dir/run/apt-archives-lock" "$dir/var/cache/apt/archives/lock"
	cp -L /etc/resolv.conf "$dir/etc/resolv.conf"
	# names the machine knows only from its own file are needed to reach its archive
	cp -L /etc/hosts "$dir/etc/hosts"
}

base_unmount() {
	local dir=$1 sub
	for sub in var/cache/apt/archives/lock var/cache/apt/archives run dev/shm dev/pts dev sys proc; do
		! mountpoint -q "$dir/$sub" || umount -l "$dir/$sub"
	done
}
