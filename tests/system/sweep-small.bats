# SPDX-License-Identifier: GPL-2.0-or-later
# set: full
# on: bookworm trixie
# The small ones of contrib and non-free beside a twin with Debian's dkms: see sweep.bats.

load ../lib/root

@test "what builds with dkms builds here, and a purge leaves nothing" {
	"$ks_top/tests/lib/sweep" --component contrib --component non-free --under 250000 --alone \
		"$KS_BASE"
}
