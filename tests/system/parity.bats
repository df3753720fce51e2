# SPDX-License-Identifier: GPL-2.0-or-later
# set: full
# Sequences of commands beside Debian's dkms: those of everyday. See tests/parity/README.md.

load ../parity/parity

setup_file() { parity_setup full; }

@test "what people do every day ends as with dkms" { parity_all; }
