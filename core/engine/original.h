/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's own modules that dkms moved away when it installed its first
 * version of a module: T/M/original_module/K/A/NAME, with the path in the first
 * line of NAME.origin (dkms 3.4.3, do_install). kmodsmith moves none away, but
 * whoever takes the last version off a kernel has to put them back.
 */
#pragma once

#include "core/support/system.h"

/*
 * Put back what belongs below /lib/modules/RELEASE/kernel and is not there, then
 * drop the store for that kernel. Others (what dkms took for the kernel's own in
 * updates/ and the like) stay in the store. Nothing when there is no store.
 */
bool ks_original_restore(const struct ks_system *system, const char *module,
			 const char *release, const char *arch, GError **error);
