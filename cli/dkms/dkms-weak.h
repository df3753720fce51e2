/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Modules of one kernel that another kernel uses by a link in its weak-updates
 * directory (RHEL and SUSE): "M, V, K, A: installed-weak from K0".
 *
 * dkms 3.4.3 has these lines, but a test the wrong way round keeps it from
 * printing them unless a dkms.conf sets NO_WEAK_MODULES.
 */
#pragma once

#include "cli/dkms/dkms.h"

/* The lines of status; kernel, arch and the module of the options are patterns. */
void ks_dkms_weak_print(const struct ks_dkms *dkms, GPtrArray *entries,
			const char *kernel, const char *arch);
