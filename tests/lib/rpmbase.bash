# SPDX-License-Identifier: GPL-2.0-or-later
# Base roots of rpm systems. They are Debian's, with its rpm, dnf and zypper, and in them
# rpm's database is the one that counts: it is empty but for one package that stands for
# everything dpkg has put there, and for the kernels. Sourced by base.bash.
#
#   CODENAME-rpm        rpm, dnf, zypper; /srv/rpm/kernels is a repository with three of
#                       Debian's real kernels as RPMs, the oldest is installed
#   CODENAME-rpmbuild   able to build kmodsmith's RPMs
#
# /srv/rpm/kernels.list has the kernels' releases, oldest first. The first two are
# renamed to the form that Fedora's have (6.1.0-50.cloud.amd64: one dash, so that it is a
# version for "Provides: kernel-uname-r"), in every file; the third keeps Debian's.

rpmbase_digest() {
	declare -f rpmbase_make
	if [[ $1 == *-rpmbuild ]]; then
		ks_deps build rpm
	else
		declare -f rpmbase_packages rpmbase_add_system rpmbase_add_stand_in \
			rpmbase_add_kernels rpmbase_releases rpmbase_unpack rpmbase_rename \
			rpmbase_core_spec rpmbase_devel_spec rpmbase_build rpmbase_config
	fi
}

rpmbase_make() {
	local name=$1 dir=$2
	base_need "${name%%-*}"
	cp -a --reflink=auto "$(base_dir "${name%%-*}")" "$dir"
	case $name in
	*-rpmbuild) # shellcheck disable=SC2046
		base_in "$dir" apt-get install -y -q --no-install-recommends \
			$(ks_deps build rpm) ;;
	*)
		rpmbase_add_system "$dir"
		rpmbase_config "$dir"
		rpmbase_add_stand_in "$dir"
		rpmbase_add_kernels "$dir"
		;;
	esac
}

# The two libraries are those that the kernels' own build programs need; from Debian 13 on
# they run pahole, too.
rpmbase_packages() {
	printf '%s\n' rpm dnf zypper createrepo-c cpio libelf1 libssl3
}

rpmbase_add_system() {
	local dir=$1 packages
	packages=$(rpmbase_packages)
	[[ ${dir##*/} == bookworm-* ]] ||
		packages="$(sed -e 's/^lib\(elf1\|ssl3\)$/&t64/' <<<"$packages") pahole"
	# shellcheck disable=SC2086
	base_in "$dir" apt-get install -y -q --no-install-recommends $packages
	# dracut's stand-in is to be the only maker of images
	base_in "$dir" apt-get purge -y -q initramfs-tools initramfs-tools-core
}

rpmbase_config() {
	local dir=$1 repo
	mkdir -p "$dir/etc/rpm" "$dir/etc/yum.repos.d" "$dir/etc/zypp/repos.d" \
		"$dir/var/lib/rpm" "$dir/etc/dnf" "$dir/srv/rpm"
	cat >"$dir/etc/rpm/macros" <<-'MACROS'
	# Debian's default is in the home directory
	%_dbpath /var/lib/rpm
	%_binary_payload w1.zstdio
	%_build_id_links none
	%debug_package %{nil}
	%__os_install_post %{nil}
	%__spec_install_post %{__os_install_post}
	%_buildhost test.example.org
	%packager Test <test@example.org>
	MACROS
	# where rpm looks for plugins, which Debian's package does not make
	base_in "$dir" bash -euc 'mkdir -p "$(rpm --eval %__plugindir)"'
	rm -f "$dir/etc/os-release"
	cat >"$dir/etc/os-release" <<-'RELEASE'
	NAME="Test Linux"
	ID=fedora
	VERSION_ID=12
	PLATFORM_ID="platform:test"
	PRETTY_NAME="Test Linux"
	RELEASE
	cat >"$dir/etc/dnf/dnf.conf" <<-'CONF'
	[main]
	gpgcheck=0
	installonly_limit=3
	clean_requirements_on_remove=True
	install_weak_deps=False
	metadata_expire=0
	plugins=0
	module_platform_id=platform:test
	CONF
	mkdir -p "$dir/etc/dnf/vars"
	echo 12 >"$dir/etc/dnf/vars/releasever"
	rm -f "$dir"/etc/yum.repos.d/*
	for repo in kernels modules kmodsmith; do
		mkdir -p "$dir/srv/rpm/$repo"
		base_in "$dir" createrepo_c -q "/srv/rpm/$repo"
		printf '[%s]\nname=%s\nbaseurl=file:///srv/rpm/%s\nenabled=1\ngpgcheck=0\n' \
			"$repo" "$repo" "$repo" >"$dir/etc/yum.repos.d/$repo.repo"
		printf '[%s]\nname=%s\nbaseurl=dir:///srv/rpm/%s\nenabled=1\ngpgcheck=0\ntype=rpm-md\nautorefresh=1\n' \
			"$repo" "$repo" "$repo" >"$dir/etc/zypp/repos.d/$repo.repo"
	done
	# openSUSE's setting for kernels
	printf '[main]\nmultiversion = provides:multiversion(kernel)\n' >"$dir/etc/zypp/zypp.conf"
	cat >"$dir/usr/bin/dracut" <<-'DRACUT'
	#!/bin/sh
	# dracut's stand-in, "dracut --force IMAGE K": the image is the list of the modules
	# that it found, and so is a line of the log.
	found=$(cd "/lib/modules/$3" && find . -name '*.ko*' ! -path './kernel/*' -printf '%P ' | tr ' ' '\n' | sort | tr '\n' ' ')
	printf '%s\n' "$found" >"$2"
	printf '%s: %s\n' "$3" "$found" >>/var/log/dracut.log
	DRACUT
	chmod 755 "$dir/usr/bin/dracut"
}

# rpmbase_build DIR SPEC: build what the spec (a path in the root) says, move it where
# the third argument says.
rpmbase_build() {
	base_in "$1" bash -euc 'rpmbuild -bb --quiet --nodeps --define "_topdir /srv/rpm/top" \
		--define "_rpmdir /srv/rpm/top/RPMS" "$1"
		find /srv/rpm/top/RPMS -name "*.rpm" -exec mv -t "$2" {} +
		rm -rf /srv/rpm/top' bash "$2" "$3"
}

# The one package for all that dpkg has installed: every library's provides as rpmbuild
# would have found them, and the names that packages of the scenarios ask for.
rpmbase_add_stand_in() {
	local dir=$1 spec=$1/srv/rpm/debian.spec
	{
		printf '%s\n' 'Name: debian-base' 'Version: 1' 'Release: 1' 'Summary: All of dpkg' \
			'License: none' 'BuildArch: noarch' 'AutoReqProv: no' \
			'Provides: system-release = 12' 'Provides: system-release(12)'
		base_in "$dir" bash -euc 'find /usr/lib -name "*.so.*" -type f |
				/usr/lib/rpm/elfdeps --provides
			find /usr/bin /usr/sbin -maxdepth 1 -name "[a-z]*" ! -name "*[^a-zA-Z0-9._-]*"' |
			sort -u | sed -e 's/^/Provides: /'
		printf 'Provides: %s\n' /bin/sh /bin/bash /sbin/ldconfig /sbin/depmod bash make gcc kmod \
			patch coreutils findutils shadow-utils systemd dracut rpm dnf zypper 'rtld(GNU_HASH)'
		printf '%s\n' '%description' 'Stands for it.' '%files'
	} >"$spec"
	rpmbase_build "$dir" /srv/rpm/debian.spec /srv/rpm
	base_in "$dir" bash -euc 'rpm -i /srv/rpm/debian-base-*.rpm; rm /srv/rpm/debian-base-*.rpm /srv/rpm/debian.spec'
}

# --- kernels ----------------------------------------------------------------------------

# Three that the archive has with their headers: those of the two meta-packages, which
# other scenarios use too, and the oldest of the rest. Oldest first.
rpmbase_releases() {
	local dir=$1 all meta version
	all=$(comm -12 \
		<(base_in "$dir" apt-cache pkgnames linux-image- |
			sed -n 's/^linux-image-\([0-9].*-cloud-amd64\)$/\1/p' | sort) \
		<(base_in "$dir" apt-cache pkgnames linux-headers- |
			sed -n 's/^linux-headers-\([0-9].*-cloud-amd64\)$/\1/p' | sort) | sort -V)
	meta=$(for version in $(base_meta_versions "$dir" cloud-amd64); do
		base_in "$dir" apt-cache show "linux-image-cloud-amd64=$version" |
			sed -n 's/^Depends:.*linux-image-\([0-9][^ ]*-cloud-amd64\).*/\1/p'
	done | sort -V | uniq)
	{
		grep -v -x -F "$meta" <<<"$all" | head -n 1
		tail -n 2 <<<"$meta"
	} | sort -V
}

rpmbase_add_kernels() {
	local dir=$1 release index=0 name version
	local -a releases
	mapfile -t releases < <(rpmbase_releases "$dir")
	((${#releases[@]} == 3)) || ks_die "the archive has not three cloud kernels: ${releases[*]}"
	: >"$dir/srv/rpm/kernels.list"
	for release in "${releases[@]}"; do
		name=$release
		# 6.1.0-50-cloud-amd64 -> 6.1.0-50.cloud.amd64
		((index == 2)) || name=${release%-cloud-amd64}.cloud.amd64
		rpmbase_unpack "$dir" "$release"
		version=$(base_in "$dir" apt-cache show "linux-image-$release" |
			sed -n 's/^Version: //p' | head -n 1)
		rpmbase_rename "$dir/srv/rpm/tree" "$release" "$name"
		rpmbase_core_spec "$name" "${version%-*}" "${version##*-}" >"$dir/srv/rpm/core.spec"
		rpmbase_devel_spec "$name" "${version%-*}" "${version##*-}" >"$dir/srv/rpm/devel.spec"
		rpmbase_build "$dir" /srv/rpm/core.spec /srv/rpm/kernels
		rpmbase_build "$dir" /srv/rpm/devel.spec /srv/rpm/kernels
		rm -rf "$dir/srv/rpm/tree" "$dir/srv/rpm/core.spec" "$dir/srv/rpm/devel.spec"
		printf '%s\n' "$name" >>"$dir/srv/rpm/kernels.list"
		index=$((index + 1))
	done
	base_in "$dir" createrepo_c -q /srv/rpm/kernels
	name=$(head -n 1 "$dir/srv/rpm/kernels.list")
	base_in "$dir" dnf -y -q install "kernel-uname-r = $name" "kernel-devel-uname-r = $name"
	base_in "$dir" dnf -q clean all
	rm -f "$dir/var/log/dracut.log"
}

# Debian's image and headers, as one kernel tree and one tree to build in, like Fedora's:
# /srv/rpm/tree/{lib/modules/K,boot,usr/src/kernels/K}. Drivers and other architectures
# are left out, since each scenario installs it all.
rpmbase_unpack() {
	local dir=$1 release=$2
	base_in "$dir" apt-get install -y -q --no-install-recommends --download-only \
		"linux-image-$release" "linux-headers-$release"
	base_in "$dir" bash -euo pipefail -c '
		shopt -s nullglob
		K=$1 tree=/srv/rpm/tree deb=/srv/rpm/deb
		archives=/var/cache/apt/archives
		depends() { apt-cache depends --important --no-recommends "$1" |
			sed -n "s/^ *Depends: \(linux-[hk][^ ]*\)$/\1/p"; }
		rm -rf "$tree" "$deb"
		mkdir -p "$tree/boot" "$tree/usr/src/kernels/$K" "$tree/lib/modules" "$deb"
		for package in "linux-image-$K" "linux-headers-$K" $(depends "linux-headers-$K"); do
			version=$(apt-cache show "$package" | sed -n "s/^Version: //p" | head -n 1)
			dpkg-deb -x "$archives/${package}_${version//:/%3a}_"*.deb "$deb"
		done
		modules=$deb/lib/modules; [[ -d $modules ]] || modules=$deb/usr/lib/modules
		mv "$modules/$K" "$tree/lib/modules/$K"
		rm -rf "$tree/lib/modules/$K/"{build,source} "$tree/lib/modules/$K/kernel/"{drivers,net,sound,virt}
		ln -s "/usr/src/kernels/$K" "$tree/lib/modules/$K/build"
		mv "$deb/boot/vmlinuz-$K" "$tree/boot/"
		devel=$tree/usr/src/kernels/$K
		common=$(echo "$deb"/usr/src/linux-headers-*-common)
		kbuild=$(echo "$deb"/usr/lib/linux-kbuild-*)
		rm -f "$common/scripts" "$common/tools"
		cp -a "$common/." "$devel"
		rm -f "$deb/usr/src/linux-headers-$K/"{scripts,tools,Makefile}
		cp -a "$deb/usr/src/linux-headers-$K/." "$devel"
		cp -a "$kbuild/." "$devel"
		find "$devel/arch" -mindepth 1 -maxdepth 1 ! -name x86 -exec rm -rf {} +
		rm -rf "$devel/include/dt-bindings" "$deb"
	' bash "$release"
}

# The release is in vermagic, in headers and in names; both forms are equally long.
rpmbase_rename() {
	local tree=$1 from=$2 to=$3 file
	[[ $from != "$to" ]] || return 0
	mv "$tree/boot/vmlinuz-$from" "$tree/boot/vmlinuz-$to"
	mv "$tree/lib/modules/$from" "$tree/lib/modules/$to"
	mv "$tree/usr/src/kernels/$from" "$tree/usr/src/kernels/$to"
	ln -sfn "/usr/src/kernels/$to" "$tree/lib/modules/$to/build"
	find "$tree/lib/modules" -name '*.ko.xz' | while read -r file; do
		unxz "$file" && sed -i "s/${from//./\\.}/$to/g" "${file%.xz}" &&
			xz -0 --check=crc32 "${file%.xz}"
	done
	find "$tree/lib/modules" -name '*.ko' -exec sed -i "s/${from//./\\.}/$to/g" {} +
	grep -r -l -I -Z -F -e "$from" "$tree/usr/src/kernels" |
		xargs -0 -r sed -i "s/${from//./\\.}/$to/g"
}

rpmbase_core_spec() {
	local K=$1 version=$2 release=$3
	cat <<-SPEC
	Name: kernel-core
	Version: $version
	Release: $release
	Summary: Debian's kernel $K
	License: GPL-2.0-only
	AutoReqProv: no
	Provides: kernel = $version-$release
	Provides: installonlypkg(kernel)
	Provides: multiversion(kernel)
	SPEC
	# two dashes are no version
	[[ ${K#*-} == *-* ]] || printf 'Provides: kernel-uname-r = %s\n' "$K"
	cat <<-SPEC
	%description
	$K
	%install
	mkdir -p %{buildroot}/lib/modules %{buildroot}/boot
	cp -al /srv/rpm/tree/lib/modules/$K %{buildroot}/lib/modules/$K
	cp -al /srv/rpm/tree/boot/vmlinuz-$K %{buildroot}/boot/
	%posttrans
	depmod -a $K && dracut --force /boot/initramfs-$K.img $K
	%preun
	rm -f /boot/initramfs-$K.img /lib/modules/$K/modules.{alias,dep,symbols,builtin}.bin \\
		/lib/modules/$K/modules.{alias,dep,symbols,softdep,devname} \\
		/lib/modules/$K/modules.{builtin.alias.bin,weakdep}
	%files
	/lib/modules/$K
	/boot/vmlinuz-$K
	SPEC
}

rpmbase_devel_spec() {
	local K=$1 version=$2 release=$3
	cat <<-SPEC
	Name: kernel-devel
	Version: $version
	Release: $release
	Summary: Debian's kernel headers $K
	License: GPL-2.0-only
	AutoReqProv: no
	Provides: installonlypkg(kernel)
	Provides: multiversion(kernel)
	SPEC
	[[ ${K#*-} == *-* ]] || printf 'Provides: kernel-devel-uname-r = %s\n' "$K"
	cat <<-SPEC
	%description
	$K
	%install
	mkdir -p %{buildroot}/usr/src/kernels
	cp -al /srv/rpm/tree/usr/src/kernels/$K %{buildroot}/usr/src/kernels/$K
	%files
	/usr/src/kernels/$K
	SPEC
}
