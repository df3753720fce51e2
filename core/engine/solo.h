/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One build at a time, with all the jobs, outside of a plan. */
#pragma once

#include <signal.h>

#include "core/compile/build.h"
#include "core/support/contract.h"

/*
 * Build, and wait for the end; the result is the caller's, and so is its staged_dir. Needs
 * the lock. NULL with an error only when cancelled (may be NULL; polled), or when its
 * machinery could not be made.
 */
KS_MUST_CHECK
KS_NONNULL(1)
struct ks_build_result *ks_solo_build(const struct ks_system *system,
				      const struct ks_settings *settings,
				      const struct ks_build_request *request,
				      const volatile sig_atomic_t *cancelled,
				      GError **error);
