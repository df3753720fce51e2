# SPDX-License-Identifier: GPL-2.0-or-later
# Base roots in which pacman manages the kernels: Debian with its pacman, and Debian's own
# -cloud kernels and headers made into packages as Arch cuts them (everything in
# usr/lib/modules/K). Sourced by base.bash.
#
#   CODENAME-alpm       pacman, empty database, packages in /srv/packages: linux and
#                       linux-headers in two versions, and one as linux-lts when the archive
#                       has a third; /srv/packages/releases names them, oldest first
#   CODENAME-alpmbuild  CODENAME-build, and makepkg

alpmbase_digest() {
	declare -f alpmbase_make alpmbase_add_pacman alpmbase_add_kernels alpmbase_releases \
		alpmbase_unpack alpmbase_trim alpmbase_headers alpmbase_pack
	[[ $1 != *-alpmbuild ]] || ks_deps build deb alpm
}

alpmbase_make() {
	local name=$1 dir=$2 codename=${1%%-*} packages
	case $name in
	*-alpmbuild)
		base_need "$codename-build"
		cp -a --reflink=auto "$(base_dir "$codename-build")" "$dir"
		mapfile -t packages < <(ks_deps alpm)
		base_in "$dir" apt-get install -y -q --no-install-recommends "${packages[@]}"
		;;
	*-alpm)
		base_need "$codename"
		cp -a --reflink=auto "$(base_dir "$codename")" "$dir"
		alpmbase_add_pacman "$dir"
		alpmbase_add_kernels "$dir"
		;;
	esac
}

# Debian's repo-add needs what makepkg brings.
alpmbase_add_pacman() {
	local dir=$1
	base_in "$dir" apt-get install -y -q --no-install-recommends \
		pacman-package-manager makepkg libarchive-tools gnupg strace pahole
	mkdir -p "$dir/etc/pacman.d/hooks" "$dir/usr/share/libalpm/hooks" "$dir/srv/packages"
	cat >"$dir/etc/pacman.conf" <<-'EOF2'
	[options]
	Architecture = auto
	SigLevel = Never
	LocalFileSigLevel = Optional
	[kernels]
	Server = file:///srv/repo
	EOF2
	# Arch's order: kmod's hook at 60, mkinitcpio's at 90
	cat >"$dir/usr/share/libalpm/hooks/60-depmod.hook" <<-'EOF2'
	[Trigger]
	Operation = Install
	Operation = Upgrade
	Operation = Remove
	Type = Path
	Target = usr/lib/modules/*/
	Target = !usr/lib/modules/*/?*
	[Action]
	Description = Updating module dependencies...
	When = PostTransaction
	Exec = /usr/share/libalpm/scripts/depmod
	NeedsTargets
	EOF2
	cat >"$dir/usr/share/libalpm/hooks/90-mkinitcpio-install.hook" <<-'EOF2'
	[Trigger]
	Operation = Install
	Operation = Upgrade
	Type = Path
	Target = usr/lib/modules/*/vmlinuz
	Target = usr/src/*/dkms.conf
	[Action]
	Description = Updating linux initcpios...
	When = PostTransaction
	Exec = /usr/share/libalpm/scripts/mkinitcpio
	NeedsTargets
	EOF2
	mkdir -p "$dir/usr/share/libalpm/scripts"
	cat >"$dir/usr/share/libalpm/scripts/depmod" <<-'EOF2'
	#!/bin/bash -e
	while read -r f; do
		f=/${f%/}
		if [[ -f $f/modules.order ]]; then
			depmod "${f##*/}"
		elif [[ -d $f ]]; then
			rm -f -- "$f"/modules.{alias{,.bin},builtin.{bin,alias.bin},dep{,.bin},devname,softdep,symbols{,.bin},weakdep}
			rmdir --ignore-fail-on-non-empty "$f"
		fi
	done
	EOF2
	# a witness of what is there when images are made; the "image" is the list of modules
	cat >"$dir/usr/share/libalpm/scripts/mkinitcpio" <<-'EOF2'
	#!/bin/bash -e
	for base in /usr/lib/modules/*/pkgbase; do
		[[ -e $base ]] || continue
		(cd "${base%/*}" && find . -name '*.ko*' | sort) >"/boot/initramfs-$(<"$base").img"
	done
	EOF2
	chmod 755 "$dir"/usr/share/libalpm/scripts/*
}

# The releases that have an image and headers, oldest first; three at most.
alpmbase_releases() {
	base_in "$1" apt-cache search --names-only '^linux-(image|headers)-[0-9].*-cloud-amd64$' |
		sed -n 's/^linux-\(image\|headers\)-\([^ ]*\) .*/\2/p' | sort -V | uniq -d | tail -n 3
}

alpmbase_add_kernels() {
	local dir=$1 release releases version n=0 first
	mapfile -t releases < <(alpmbase_releases "$dir")
	printf '%s\n' "${releases[@]}" >"$dir/srv/packages/releases"
	first=$((${#releases[@]} > 2 ? 1 : 0))
	for release in "${releases[@]}"; do
		alpmbase_unpack "$dir" "$release"
		version=${release%-cloud-amd64}
		version=${version//-/.}
		if ((n++ < first)); then
			alpmbase_pack "$dir" linux-lts "$version" "$release"
		else
			alpmbase_pack "$dir" linux "$version" "$release"
		fi
		rm -r "$dir/srv/unpacked"
	done
}

# Image, headers and what they share, as dpkg would have put them.
alpmbase_unpack() {
	local dir=$1 release=$2 common=${2%-cloud-amd64}-common deb packages
	mkdir -p "$dir/srv/unpacked"
	mapfile -t packages < <(base_in "$dir" apt-cache depends \
		"linux-headers-$release" "linux-headers-$common" |
		sed -n 's/^ *Depends: \(linux-kbuild-.*\|linux-headers-.*-common\)$/\1/p' | sort -u)
	base_in "$dir" sh -ec 'mkdir -p /srv/unpacked/debs && cd /srv/unpacked/debs &&
		apt-get download -q "$@"' sh "linux-image-$release" "linux-headers-$release" "${packages[@]}"
	for deb in "$dir"/srv/unpacked/debs/*.deb; do
		dpkg-deb -x "$deb" "$dir/srv/unpacked/root"
	done
}

# As the headers of Arch: one tree, of this architecture.
alpmbase_headers() {
	local root=$1 release=$2 build=$3 src=$1/usr/src kbuild
	mkdir -p "$build"
	cp -a "$src/linux-headers-${release%-cloud-amd64}-common/." "$build"
	find "$build/arch" -mindepth 1 -maxdepth 1 ! -name x86 -exec rm -r {} +
	rm -f "$build/scripts" "$build/tools"
	mv "$build/Makefile" "$build/Makefile.whole"
	cp -a "$src/linux-headers-$release/." "$build"
	rm -f "$build/scripts" "$build/tools"
	mv "$build/Makefile.whole" "$build/Makefile"
	for kbuild in "$root"/usr/lib/linux-kbuild-*; do
		cp -a "$kbuild/scripts" "$kbuild/tools" "$build/"
	done
	find "$build" -xtype l -delete
}

# Drivers that no test loads would only be unpacked again and again.
alpmbase_trim() {
	rm -rf "$1"/kernel/{drivers,fs,net,sound}
	sed -i -E '\,^kernel/(drivers|fs|net|sound)/,d' "$1/modules.order"
}

alpmbase_pack() {
	local dir=$1 name=$2 version=$3 release=$4 root=$1/srv/unpacked/root tree modules
	tree=$dir/srv/unpacked/kernel modules=$dir/srv/unpacked/kernel/usr/lib/modules/$4
	mkdir -p "${modules%/*}"
	cp -a "$root"/lib/modules/"$release" "$modules" 2>/dev/null ||
		cp -a "$root"/usr/lib/modules/"$release" "$modules"
	rm -f "$modules/build" "$modules/source"
	alpmbase_trim "$modules"
	cp "$root/boot/vmlinuz-$release" "$modules/vmlinuz"
	printf '%s\n' "$name" >"$modules/pkgbase"
	tree=$dir/srv/unpacked/headers
	alpmbase_headers "$root" "$release" "$tree/usr/lib/modules/$release/build"
	cp "$ks_top/tests/lib/pacman-pack" "$dir/srv/packages/pack"
	base_in "$dir" /srv/packages/pack /srv/unpacked/kernel "$name" "$version-1"
	base_in "$dir" /srv/packages/pack /srv/unpacked/headers "$name-headers" "$version-1"
}
