/* SPDX-License-Identifier: GPL-2.0-or-later */
/* KS_ACTION_SIGN: an artifact gets another signature, and nothing is compiled. */
#pragma once

#include "core/engine/action.h"

/*
 * Copy the artifact, make of the copy's modules what was built (proved by their
 * digests), finish them with the key in use, and exchange the two. What is
 * installed is as it was until the installation that follows. After any failure the
 * artifact is the old one; failing to sign is one here, also where signatures are not
 * enforced: the old signature may be better than none.
 */
bool ks_resign(const struct ks_action_context *context, const struct ks_action *action,
	       GError **error);
