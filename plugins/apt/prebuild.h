/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * apt-hook transaction: when apt is about to install a kernel, the builds for it begin, in
 * the background, while dpkg unpacks. Nobody waits here; the kernel's postinst finds the
 * modules in the store, or waits for the lock until they are there.
 */
#pragma once

/*
 * Read what apt says from standard input (transaction.h), and start what there is to start.
 * Where no module is known, or no kernel comes, nothing.
 */
void ks_prebuild(void);
