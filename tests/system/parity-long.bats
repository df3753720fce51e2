# SPDX-License-Identifier: GPL-2.0-or-later
# set: long
# Sequences of commands beside Debian's dkms: confs, scripts, options, archives, installers, and
# what is done behind dkms's back. See tests/parity/README.md.

load ../parity/parity

setup_file() { parity_setup long; }

@test "whatever else people do ends as with dkms" { parity_all; }
