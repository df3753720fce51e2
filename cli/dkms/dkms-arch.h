/* SPDX-License-Identifier: GPL-2.0-or-later */
/* By which architecture's name a kernel's artifacts are in the state tree. */
#pragma once

#include "core/platform/system.h"
#include "core/settings/overrides.h"

/*
 * The kernel's own, by the headers and the configuration of the command line when there
 * are some; of a kernel that is gone, that of its artifacts. Free with g_free.
 */
char *ks_dkms_kernel_arch(const struct ks_system *system,
			  const struct ks_conf_overrides *overrides, const char *release);
