/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the modules of each kernel are signed in this run: decided, and the keys
 * made, once for each kernel, and only when something is to be signed.
 */
#pragma once

#include "core/sign/sign.h"
#include "core/support/contract.h"

struct ks_signings;

KS_NONNULL(1)
struct ks_signings *ks_signings_new(const struct ks_system *system,
				    const struct ks_settings *settings);
void ks_signings_free(struct ks_signings *signings);

/* Prepared (see sign.h); owned by signings. *first (may be NULL) is set on the first call
 * for this kernel. Needs the lock. */
KS_NONNULL(1)
const struct ks_signing *ks_signings_get(struct ks_signings *signings,
					 struct ks_kernel *kernel, bool *first);
