/* SPDX-License-Identifier: GPL-2.0-or-later */
/* KS_ACTION_SIGN: an artifact gets another signature, and nothing is compiled. */
#pragma once

#include "core/engine/action.h"
#include "core/support/contract.h"

/*
 * Copy the artifact, restore the copy's modules to what was built (proved by their
 * digests), finish them with the key in use, and exchange the two. The installed files
 * stay as they are until the installation that follows. After any failure the artifact
 * is the old one; failing to sign is an error here, even where signatures are not
 * enforced: the old signature may be better than none.
 *
 * Everything except the exchange runs in a copy of the engine (core/support/fork.h).
 */
struct ks_sign_again;

/* context and action are held on to. */
KS_MUST_CHECK
KS_NONNULL(1)
struct ks_sign_again *ks_sign_again_start(const struct ks_action_context *context,
					  const struct ks_action *action, GError **error);
/* Readable when it has ended: for poll(2). */
KS_NONNULL(1)
int ks_sign_again_fd(const struct ks_sign_again *again);
/* Wait, exchange, free. */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_sign_again_finish(struct ks_sign_again *again, GError **error);
KS_NONNULL(1)
void ks_sign_again_cancel(struct ks_sign_again *again);
