/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a command needs before it changes the state tree itself, outside a run of the engine. */
#pragma once

#include "cli/command.h"
#include "core/support/contract.h"

/* KS_ERROR_DENIED with a hint unless root. */
KS_MUST_CHECK
bool ks_change_require_root(const char *command, GError **error);

/* Take the lock, waiting for it. */
KS_MUST_CHECK
struct ks_lock *ks_change_lock(const struct ks_cli *cli, const char *command,
			       GError **error);
