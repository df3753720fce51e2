# SPDX-License-Identifier: GPL-2.0-or-later
# Disposable rpm systems: root.bash over the bases of rpmbase.bash. A scenario runs on the
# release that runtests gives in KS_BASE. Variables: R, the root's directory; K1, K2, K3,
# the kernels of the repository, oldest first; the oldest is installed.
#
# Repositories are /srv/rpm/{kernels,modules,kmodsmith} in the root; dracut's stand-in says
# in /var/log/dracut.log what it found, one line for each image.
#
# shellcheck source=tests/lib/root.bash
. "${BASH_SOURCE[0]%/*}/root.bash"

export KS_BASE=${KS_BASE:-bookworm}

# --- life of a root -------------------------------------------------------------------

# rpmroot_new NAME [ROOT]: see root_new. Sets SKIP where the archive has too few kernels.
rpmroot_new() {
	local why="the archive has not three cloud kernels"
	# a shell of its own: 'set -e' has no effect to the left of '||'
	bash -euo pipefail -c '. "$0"; base_need "$1"' "${BASH_SOURCE[0]%/*}/base.bash" "$KS_BASE-rpm" || {
		grep -q -F "$why" "$ks_out/roots/$KS_BASE-rpm.log" || return 1
		export SKIP=$why
		return
	}
	root_new "$1-$KS_BASE" "$KS_BASE-rpm" ${2:+"$2-$KS_BASE"}
	{ read -r K1 && read -r K2 && read -r K3; } <"$R/srv/rpm/kernels.list"
	export K1 K2 K3
}

# rpms_of CODENAME: the packages built for it (runtests builds them before the scenarios).
rpms_of() {
	local rpm
	for rpm in "$ks_out/rpm/$1"/kmodsmith{,-rpm-plugin,-dkms}-[0-9]*.rpm; do
		[[ -e $rpm ]] || ks_die "not all of kmodsmith's RPMs for $1 are in '$ks_out/rpm/$1'"
		printf '%s\n' "$rpm"
	done
}

# rpmroot_offer_kmodsmith: put kmodsmith's packages into their repository.
rpmroot_offer_kmodsmith() {
	local -a rpms
	mapfile -t rpms < <(rpms_of "$KS_BASE")
	((${#rpms[@]} == 3)) || ks_die "no RPMs to install"
	cp "${rpms[@]}" "$R/srv/rpm/kmodsmith/"
	repo_update kmodsmith
}

rpmroot_install_kmodsmith() {
	rpmroot_offer_kmodsmith
	root_dnf install kmodsmith-dkms
}

root_dnf() { root_in dnf -y "$@"; }

root_zypper() { root_in zypper --non-interactive --no-gpg-checks "$@"; }

# kernel_evr K: version and release of the packages of that kernel.
kernel_evr() {
	local rpm line
	for rpm in "$R"/srv/rpm/{kernels,hidden}/kernel-core-*.rpm; do
		[[ -e $rpm ]] || continue
		line=$(root_exec rpm -qp --qf '%{summary} %{version}-%{release}\n' "${rpm#"$R"}" 2>/dev/null)
		[[ $line != *" $1 "* ]] || printf '%s\n' "${line##* }"
	done
}

# kernel_rpms K: its two packages, as paths in the root.
kernel_rpms() {
	local evr
	evr=$(kernel_evr "$1")
	[[ -n $evr ]] || ks_die "no package of the kernel '$1'"
	printf '/srv/rpm/kernels/kernel-%s-%s.x86_64.rpm\n' core "$evr" devel "$evr"
}

# repo_update NAME: after its packages changed. createrepo_c would rename the directory,
# which an overlay refuses.
repo_update() {
	root_sh 'rm -rf "/srv/rpm/$1/repodata" && createrepo_c -q --no-database \
		--cachedir /srv/rpm/checksums "/srv/rpm/$1"' bash "$1"
}

# repo_hide K...: take kernels out of the repository, until repo_show.
repo_hide() {
	local K file
	mkdir -p "$R/srv/rpm/hidden"
	for K; do
		for file in $(kernel_rpms "$K"); do
			mv "$R$file" "$R/srv/rpm/hidden/"
		done
	done
	repo_update kernels
}

repo_show() {
	mv "$R"/srv/rpm/hidden/*.rpm "$R/srv/rpm/kernels/"
	repo_update kernels
}

# --- facts ----------------------------------------------------------------------------

# rpm_record MODULE KERNEL: the package that owns a target's files.
rpm_record() {
	printf 'kmod-%s-%s\n' "${1%%/*}" "$2" | sed -e 's/[^A-Za-z0-9._+-]/_/g'
}

# rpm_module_file KERNEL STEM: the installed file, as rpm knows it.
rpm_module_file() {
	local file dir
	for dir in extra updates updates/dkms; do
		for file in "$R/lib/modules/$1/$dir/$2".ko*; do
			[[ ! -e $file ]] || printf '%s\n' "/lib/modules/$1/$dir/${file##*/}"
		done
	done
}

rpm_query() { root_exec rpm -q "$@" 2>/dev/null </dev/null; }

rpm_has() { root_exec rpm -q --quiet "$1" >/dev/null 2>&1 </dev/null; }

# --- packages made here -----------------------------------------------------------------

# rpm_make NAME VERSION TREE [SPEC-LINE...]: a package of a tree, put into the repository
# of modules. Lines after a line of "%..." are scriptlets.
rpm_make() {
	local name=$1 version=$2 tree=$3 work header=() scripts=() line section=
	shift 3
	for line; do
		[[ $line != %* ]] || section=yes
		if [[ -n $section ]]; then scripts+=("$line"); else header+=("$line"); fi
	done
	work=$(mktemp -d "$R/root/rpm.XXXXXX")
	mv "$tree" "$work/tree"
	chmod -R u+rwX,go+rX,go-w "$work/tree"
	{
		printf '%s\n' "Name: $name" "Version: $version" 'Release: 1' 'Summary: made by a test' \
			'License: GPL-2.0-or-later' 'BuildArch: noarch' 'AutoReqProv: no'
		((!${#header[@]})) || printf '%s\n' "${header[@]}"
		printf '%s\n' '%description' 'Made by a test.' '%install' \
			"mkdir -p %{buildroot}; cp -a '${work#"$R"}/tree/.' %{buildroot}/"
		((!${#scripts[@]})) || printf '%s\n' "${scripts[@]}"
		printf '%%files\n'
		(cd "$work/tree" && find . -mindepth 3 -maxdepth 3 -printf '/%P\n')
	} >"$work/spec"
	root_sh 'rpmbuild -bb --quiet --nodeps --define "_topdir $1/top" --define "_rpmdir $1/out" \
			--define "_build_name_fmt %%{NAME}-%%{VERSION}-%%{RELEASE}.rpm" "$1/spec"
		mv -t /srv/rpm/modules "$1"/out/*.rpm
		rm -rf "$1"' bash "${work#"$R"}"
	repo_update modules
}

# rpm_source_package NAME VERSION [C-STATEMENT]: a vendor's package with a source and
# nothing else, no scriptlet.
rpm_source_package() {
	local tree
	tree=$(mktemp -d "${R%/root}/package.XXXXXX")
	source_make "$tree/usr/src/$1-$2" "$@"
	rpm_make "$1-source" "$2" "$tree"
}

# --- assertions -------------------------------------------------------------------------

# assert_rpm_recorded MODULE[/VERSION] KERNEL STEM...: everything the product promises of a
# finished target: state, package installed, owning exactly these files, verifying,
# saying what it provides, loadable by that kernel as far as the files show.
assert_rpm_recorded() {
	local module=$1 kernel=$2 stem file package out
	shift 2
	assert_state "$module" "$kernel" recorded || return 1
	package=$(rpm_record "$module" "$kernel")
	assert_equal "$(rpm_query -a --qf '%{name}\n' "$package")" "$package" "rpm -qa" || return 1
	out=$(root_exec rpm -V "$package" 2>&1) && [[ -z $out ]] ||
		fail "rpm -V $package: $out" || return 1
	out=$(root_exec rpm -qi "$package" 2>&1) || fail "rpm -qi $package: $out" || return 1
	assert_contains "$out" "Name        : $package" || return 1
	for stem; do
		file=$(rpm_module_file "$kernel" "$stem")
		[[ -n $file ]] || fail "no $stem.ko for $kernel" || return 1
		assert_equal "$(rpm_query -f --qf '%{name}\n' "$file")" "$package" "owner of $file" || return 1
		out=$(root_exec modinfo -F vermagic "$file")
		assert_equal "${out%% *}" "$kernel" "vermagic of $file" || return 1
		grep -q "^${file#/lib/modules/*/}:" "$R/lib/modules/$kernel/modules.dep" ||
			fail "$stem is not in modules.dep of $kernel" || return 1
		assert_contains "$(rpm_query --provides "$package")" "kmod($stem.ko" || return 1
	done
	assert_equal "$(rpm_query -l "$package" | grep -c '\.ko')" "$#" "files of $package"
}

assert_rpm_gone() {
	local module=$1 kernel=$2 package
	package=$(rpm_record "$module" "$kernel")
	out=$(rpm_query -a "$package")
	[[ -z $out ]] || fail "$out is still known" || return 1
	[[ -z $(rpm_module_file "$kernel" "${3:-$module}") ]] ||
		fail "$module is still installed on $kernel"
}

# Every tool that reads rpm's database is content with it.
assert_rpm_fine() {
	local out package
	out=$(root_exec rpm -Va --nomtime 2>&1 | grep -v '^missing.*(Permission' || true)
	out=$(grep -v -E '/modules\.[a-z.]+$|/initramfs-' <<<"$out" || true)
	[[ -z $out ]] || fail "rpm -Va: $out" || return 1
	out=$(root_exec rpmdb --verifydb 2>&1) && [[ -z $out ]] || fail "--verifydb: $out" || return 1
	# of a copy: it numbers the packages again, and dnf notices
	rm -rf "$R/root/rpmdb" && cp -a "$R/var/lib/rpm" "$R/root/rpmdb"
	out=$(root_exec rpm --rebuilddb --dbpath /root/rpmdb 2>&1) && [[ -z $out ]] ||
		fail "--rebuilddb: $out" || return 1
	assert_equal "$(root_exec rpm -qa --dbpath /root/rpmdb | sort)" \
		"$(root_exec rpm -qa | sort)" "rpm -qa after --rebuilddb" || return 1
	out=$(root_exec dnf -q check 2>&1) || fail "dnf check: $out" || return 1
	[[ -z $out ]] || fail "dnf check: $out" || return 1
	out=$(root_exec dnf -q repoquery --installed --qf '%{name}' 2>/dev/null | sort -u)
	for package in $(rpm_query -a --qf '%{name}\n' 'kmod-*'); do
		grep -q -x -F "$package" <<<"$out" ||
			fail "dnf repoquery --installed has not $package" || return 1
	done
	out=$(find "$R/lib/modules/" \( -name '.*.kmodsmith*' -o -name '*.tmp' \) 2>/dev/null)
	[[ -z $out ]] || fail "left in /lib/modules: $out"
}

# assert_dnf_history_clean [last]: nothing was changed behind dnf's back, and no scriptlet
# was noisy, in the last or any transaction: the last column of the list ("Altered") is
# a bare number. The first transaction is the base root's.
assert_dnf_history_clean() {
	local out list
	out=$(root_exec dnf -q history list "$@" 2>>"$ROOT_LOG") || fail "dnf history: $out" || return 1
	list=$(sed -e '1,/^---/d' <<<"$out" | awk -F'|' '$1 + 0 > 1')
	[[ -n $list ]] || fail "dnf history lists no transaction: $out" || return 1
	out=$(awk -F'|' '$5 !~ /^ *[0-9]+ *$/' <<<"$list")
	[[ -z $out ]] || fail "dnf history: $out"
}

# assert_dracut_saw KERNEL STEM...: the first image of the kernel was made when these were
# in place.
assert_dracut_saw() {
	local line stem
	line=$(grep -m 1 -F "$1: " "$R/var/log/dracut.log") || fail "no image of $1" || return 1
	shift
	for stem; do
		[[ $line == */"$stem".ko* ]] || fail "not before the image: $stem in '$line'" || return 1
	done
}
