/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "core/kernel/kernel.h"
#include "core/sign/sign.h"

/* The lines before a build that say how its modules are signed. Free with g_free. */
char *ks_dkms_sign_prologue(const struct ks_signing *signing,
			    const struct ks_kernel *kernel);
