# SPDX-License-Identifier: GPL-2.0-or-later
# Base roots of Debian's i386, which run on an amd64 machine as they are: uname -m says x86_64
# in them. Sourced by base.bash.
#
#   bookworm-i386        as bookworm
#   bookworm-i386-build  able to build the package
#   bookworm-i386-686    with the -686 kernel, its headers and their meta-packages

i386base_digest() { declare -f i386base_make; }

i386base_make() {
	local name=$1 dir=$2
	[[ $name == *-i386 ]] || {
		base_need "${name%-*}"
		cp -a --reflink=auto "$(base_dir "${name%-*}")" "$dir"
	}
	case $name in
	*-build) base_add_build "$dir" ;;
	*-686) base_add_kernel "$dir" 686 ;;
	*)
		# mirrors are slow with what few ask for: security's index of i386 need not be whole
		eval "$(declare -f ks_sources | sed '1s/^ks_sources/all_sources/')"
		ks_sources() { all_sources "$@" | grep -v -e '-security '; }
		mmdebstrap() { command mmdebstrap --architectures=i386 "$@"; }
		base_add_debian "${name%-i386}" "$dir"
		;;
	esac
}
