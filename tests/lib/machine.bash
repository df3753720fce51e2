# SPDX-License-Identifier: GPL-2.0-or-later
# The machine the scripts run on: where things are, what is installed, where it gets
# Debian packages from. Sourced by quickstart, runtests, the scenarios and bench/.
#
# Everything made lies below out/ (disposable) and cache/ (kept) of the checkout; the one
# thing done to the machine is installing packages with apt.

ks_top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
ks_out=$ks_top/out
ks_cache=$ks_top/cache
# A scenario may be started by hand from a namespace of its own: see ks_private.
export KS_PRIVATE=${KS_PRIVATE:-}

ks_say() { printf '%s\n' "$*" >&2; }
ks_step() { printf '==> %s\n' "$*" >&2; }
ks_die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# ks_deps TAG...: the packages of packaging/build-deps that carry one of the tags.
ks_deps() {
	local name tags tag want=" $* "
	while read -r name tags; do
		[[ -n $name && $name != \#* ]] || continue
		for tag in $tags; do
			if [[ $want == *" $tag "* ]]; then
				printf '%s\n' "$name"
				break
			fi
		done
	done <"$ks_top/packaging/build-deps"
}

# ks_need_packages NAME...: have them installed; asks apt only for what is missing. Of
# "A|B", as names of packages with a version in them need it, any, also with more after the
# name: of linux-kbuild-6.12, linux-kbuild-6.12.117+deb13 will do.
ks_need_packages() {
	local name one names missing=()
	for name; do
		names=()
		for one in ${name//|/ }; do
			names+=("$one")
			[[ $name != *'|'* ]] || names+=("$one[.+]*")
		done
		grep -q -x installed < <(dpkg-query -W -f '${db:Status-Status}\n' "${names[@]}" \
			2>/dev/null) || missing+=("$name")
	done
	((${#missing[@]})) || return 0
	ks_need_lists
	for name in "${!missing[@]}"; do
		[[ ${missing[name]} != *'|'* ]] || missing[name]=$(ks_known "${missing[name]}")
	done
	ks_step "installing ${missing[*]}"
	DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
		"${missing[@]}" </dev/null >&2
}

# ks_known A|B...: the name of the first that apt knows, else of the latest with more after
# such a name. apt-get itself would take what it does not know for an expression.
ks_known() {
	local name names known
	for name in ${1//|/ }; do
		names=$(apt-cache pkgnames "$name")
		known=$(grep -x -F -e "$name" <<<"$names") ||
			known=$(grep -x -E -e "${name//./\\.}[.+].*" <<<"$names" | sort -V | tail -n 1) || true
		[[ -z $known ]] || break
	done
	printf '%s\n' "${known:-$name}"
}

# ks_need_lists: have apt's package lists, at most a day old.
ks_need_lists() {
	[[ -n $(find /var/lib/apt/lists -maxdepth 1 -name '*Packages*' -mtime -1 \
		-print -quit 2>/dev/null) ]] && return 0
	ks_step "apt-get update"
	apt-get update -q </dev/null >&2
	# unchanged lists keep their times: note that they were looked at
	find /var/lib/apt/lists -maxdepth 1 -name '*Packages*' -exec touch -c {} +
}

# ks_sources CODENAME [COMPONENT...]: sources.list for a Debian release, from where this
# machine gets its own Debian packages: the same archive, with the release's name replaced.
# Without components main. Without lists apt does not say whose archive it is. Of sid there
# is nothing but the release itself, and an archive that stands still has a Release file
# which is long out of date.
ks_sources() {
	local codename=$1 uri suite component origin key expired=
	shift
	(($#)) || set -- main
	ks_need_lists
	for key in /usr/share/keyrings/debian-archive-keyring.{gpg,pgp}; do
		[[ -e $key ]] && break
	done
	[[ $codename != sid ]] || expired=' check-valid-until=no'
	apt-get indextargets \
		--format '$(REPO_URI) $(CODENAME) $(COMPONENT) $(ORIGIN)' 'Created-By: Packages' |
		while read -r uri suite component origin; do
			[[ $origin == Debian && $component == main ]] || continue
			case $codename:$suite in
			*:*-backports* | *:*-proposed* | *:sid | *:experimental | sid:*-*) continue ;;
			*:*-*) suite=$codename-${suite#*-} ;;
			*) suite=$codename ;;
			esac
			printf 'deb [signed-by=%s%s] %s %s %s\n' "$key" "$expired" "$uri" "$suite" "$*"
		done | sort -u
}

# ks_apt_settings: the proxies this machine's apt uses, as an apt.conf for the roots.
ks_apt_settings() {
	apt-config dump | grep -E '^Acquire::([a-z]+::)*(Proxy|Retries)' || true
}

# ks_source_tar [TAR-OPTION...]: the checkout as a tar stream, without anything generated;
# the same bytes for the same sources.
ks_source_tar() {
	tar -C "$ks_top" -c --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner \
		--anchored --exclude=./out --exclude=./cache --exclude=./.git --exclude='./build*' \
		--exclude=./m4 --exclude=./autom4te.cache --exclude=./aclocal.m4 \
		--exclude=./configure --exclude='./configure~' --exclude='./config.*' \
		--exclude=./Makefile.in "$@" .
}

# ks_alone: be the only one of runtests, quickstart and bench/ that works in this checkout.
# out/ is its owner's, who may want a directory there, too. The roots' kernels and some of
# what is built for them are amd64's.
ks_alone() {
	local arch
	arch=$(dpkg --print-architecture 2>/dev/null) || ks_die "not a Debian machine"
	[[ $arch == amd64 ]] || ks_die "this needs a machine of amd64, not of $arch"
	mkdir -p "$ks_out"
	chown --reference="$ks_top" "$ks_out"
	exec {ks_lock}>"$ks_out/lock"
	flock -n "$ks_lock" || ks_die "another run is working in '$ks_out'"
}

# ks_give_back: what autoconf, automake and libtool have made in the checkout is its owner's,
# who could not run them again otherwise.
ks_give_back() {
	local path
	for path in m4 build-aux autom4te.cache aclocal.m4 configure configure~ config.h.in \
		config.h.in~ Makefile.in; do
		[[ ! -e $ks_top/$path ]] || chown -hR --reference="$ks_top" "$ks_top/$path"
	done
}

# ks_private COMMAND...: run it with mounts and processes of its own, which all end with it.
# A shell is the first process, because it waits for orphans.
ks_private() {
	KS_PRIVATE=1 unshare --mount --pid --fork --kill-child --mount-proc \
		--propagation private -- bash -c '"$@"; exit "$?"' bash "$@"
}

# ks_remove DIR...: remove a tree below out/, and nothing else.
ks_remove() {
	local dir
	for dir; do
		[[ -e $dir || -L $dir ]] || continue
		[[ $(realpath -m -- "$dir") == "$ks_out"/?* ]] ||
			ks_die "refusing to remove '$dir': not below '$ks_out'"
		! grep -q -F " $(realpath -- "$dir")" /proc/self/mountinfo ||
			ks_die "refusing to remove '$dir': something is mounted below it"
		rm -rf --one-file-system -- "$dir"
	done
}
