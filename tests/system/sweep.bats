# SPDX-License-Identifier: GPL-2.0-or-later
# set: long
# on: bookworm trixie sid
# time: 36000
# Every *-dkms package that the archive has, of main, contrib and non-free, beside a twin with
# Debian's dkms. It takes hours: tests/lib/sweep tries those that one names. What comes of it
# is doc/packages.md.

load ../lib/root

@test "what builds with dkms builds here, and a purge leaves nothing" {
	rm -f "$ks_out/sweep/$KS_BASE/table"
	"$ks_top/tests/lib/sweep" --document "$KS_BASE"
}
