#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Make ./configure from a checkout.
set -e
cd "$(dirname "$0")"
mkdir -p m4 build-aux
autoreconf --force --install --warnings=all
