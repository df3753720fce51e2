# SPDX-License-Identifier: GPL-2.0-or-later
# Disposable roots in which pacman manages kernels and modules: root.bash, with pacman's
# facts and assertions. KS_BASE is the Debian release whose pacman it is.
#
# shellcheck source=tests/lib/root.bash
. "${BASH_SOURCE[0]%/*}/root.bash"

export ALPM_BASE=${KS_BASE:-bookworm}

# alpm_package_of CODENAME: kmodsmith's package built for it.
alpm_package_of() {
	local file
	for file in "$ks_out/alpm/$1"/kmodsmith-*.pkg.tar.zst; do
		[[ -e $file ]] || ks_die "no kmodsmith package for $1 in '$ks_out/alpm/$1'"
	done
	printf '%s\n' "$file"
}

# alpm_new NAME [ROOT]: a root with kmodsmith, and with /srv/repo as the repository "kernels",
# which holds the packages of the base. Sets OLD and NEW, the releases of linux, and LTS;
# with one kernel alone, SKIP.
alpm_new() {
	local base
	root_new "$1" "$ALPM_BASE-alpm" "${2:-}"
	mapfile -t releases <"$R/srv/packages/releases"
	((${#releases[@]} > 1)) || {
		export SKIP="the archive has only one kernel"
		return
	}
	NEW=${releases[-1]} OLD=${releases[-2]} LTS=
	((${#releases[@]} < 3)) || LTS=${releases[0]}
	export OLD NEW LTS
	cp "$ks_top/tests/lib/pacman-pack" "$R/srv/packages/pack"
	mkdir -p "$R/srv/repo"
	# Debian's maker of images would want Debian's kernels
	rm "$R/usr/sbin/update-initramfs"
	ln "$R/usr/share/libalpm/scripts/mkinitcpio" "$R/usr/bin/mkinitcpio"
	mkdir -p "$R/etc/mkinitcpio.d"
	for base in linux linux-lts; do
		alpm_preset "$base" >"$R/etc/mkinitcpio.d/$base.preset"
	done
}

# As mkinitcpio's hook writes it for a kernel's package.
alpm_preset() {
	cat <<-EOF
		# mkinitcpio preset file for the '$1' package

		#ALL_config="/etc/mkinitcpio.conf"
		ALL_kver="/boot/vmlinuz-$1"

		PRESETS=('default')

		#default_config="/etc/mkinitcpio.conf"
		default_image="/boot/initramfs-$1.img"
		#default_uki="/efi/EFI/Linux/arch-$1.efi"
		#default_options="--splash /usr/share/systemd/bootctl/splash-arch.bmp"
	EOF
}

alpm_install_kmodsmith() {
	local file
	file=$(alpm_package_of "$ALPM_BASE")
	cp "$file" "$R/root/"
	alpm_dummy base
	alpm -U "/srv/packages/base-1-1-x86_64.pkg.tar.zst" "/root/${file##*/}"
}

# The libraries and tools, which dpkg has installed there.
alpm_dummy() {
	local tree
	tree=$(mktemp -d "$R/srv/tree.XXXXXX")
	root_in /srv/packages/pack "${tree#"$R"}" "$1" 1-1 provides={bash,gcc,glib2,glibc,jansson} \
		provides={kmod,libarchive,libseccomp,make,openssl,patch,xz,zlib,zstd} >&2
}

# alpm ARGUMENT...: pacman in the root.
alpm() { root_in pacman --noconfirm --noprogressbar "$@"; }

# alpm_publish NAME...: make the repository hold these packages of /srv/packages, by
# "NAME-VERSION"; and have pacman know it.
alpm_publish() {
	local name files=()
	for name; do
		ln -f "$R"/srv/packages/"$name"-1-x86_64.pkg.tar.zst "$R/srv/repo/"
		files+=("/srv/repo/$name-1-x86_64.pkg.tar.zst")
	done
	root_in repo-add -q /srv/repo/kernels.db.tar.gz "${files[@]}" >&2
	alpm -Sy >&2
}

# version_of RELEASE: the pkgver that the base gave it.
version_of() {
	local version=${1%-cloud-amd64}
	printf '%s\n' "${version//-/.}"
}

# source_pacman NAME VERSION [C-STATEMENT]: a package with a source and nothing else. Prints
# its path in the root.
source_pacman() {
	local tree
	tree=$(mktemp -d "$R/srv/tree.XXXXXX")
	chmod 755 "$tree"
	source_make "$tree/usr/src/$1-$2" "$@"
	root_exec /srv/packages/pack "${tree#"$R"}" "$1-source" "$2-1" </dev/null
}

# --- facts and assertions, in the place of those about dpkg

record_name() { printf 'kmod-%s-%s\n' "${1%%/*}" "$2"; }

export R_PREFIX=/usr

owner_of() { root_exec pacman -Qqo "$1" 2>/dev/null </dev/null; }

assert_recorded() {
	local module=$1 kernel=$2 stem file package out
	shift 2
	assert_state "$module" "$kernel" recorded || return 1
	package=$(record_name "$module" "$kernel")
	for stem; do
		file=$(module_file "$kernel" "$stem")
		[[ -n $file ]] || fail "no $stem.ko for $kernel" || return 1
		assert_equal "$(owner_of "$file")" "$package" "owner of $file" || return 1
		out=$(root_exec modinfo -F vermagic "$file")
		assert_equal "${out%% *}" "$kernel" "vermagic of $file" || return 1
		grep -q "^updates/dkms/$stem\.ko[.a-z0-9]*:" "$R/lib/modules/$kernel/modules.dep" ||
			fail "$stem is not in modules.dep of $kernel" || return 1
	done
	out=$(root_exec pacman -Qkk "$package" 2>&1 </dev/null) || fail "pacman -Qkk: $out" || return 1
	assert_contains "$out" " 0 altered files" || return 1
	assert_equal "$(root_exec pacman -Qlq "$package" </dev/null | grep -c '\.ko')" "$#" \
		"files of $package"
}

assert_gone() {
	local module=$1 kernel=$2 out
	out=$(root_exec pacman -Qq "$(record_name "$module" "$kernel")" 2>/dev/null </dev/null) || out=
	[[ -z $out ]] || fail "$out is still known" || return 1
	[[ -z $(module_file "$kernel" "${3:-$module}") ]] ||
		fail "$module is still installed on $kernel"
}

# Nothing is left half done, and pacman finds nothing to complain about.
assert_packages_fine() {
	local out
	out=$(root_exec pacman -Dk 2>&1 </dev/null) || fail "pacman -Dk: $out" || return 1
	out=$(root_exec pacman -Q 2>&1 >/dev/null </dev/null)
	[[ -z $out ]] || fail "pacman -Q says: $out" || return 1
	out=$(root_exec pacman -Qtdq </dev/null 2>&1) || true
	assert_lacks "$out" kmod- || return 1
	out=$(root_exec sh -c 'pacman -Qqm | grep ^kmod- | xargs -r pacman -Qkk' 2>&1 </dev/null |
		grep -v ' 0 altered files') || true
	[[ -z $out ]] || fail "pacman -Qkk: $out" || return 1
	out=$(find "$R/var/lib/pacman" -maxdepth 1 \( -name '.kmodsmith*' -o -name db.lck \))
	[[ -z $out ]] || fail "left: $out" || return 1
	out=$(alpm_unowned)
	[[ -z $out ]] || fail "owned by nobody: $out"
}

# Module files that no package owns.
alpm_unowned() {
	local file
	find "$R/usr/lib/modules" -name '*.ko*' -path '*/updates/*' | while read -r file; do
		[[ -n $(owner_of "${file#"$R"}") ]] || printf '%s\n' "${file#"$R"}"
	done
}
