/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What each kind of action does to the system, except building (builds.c) and what runs
 * beside the loop (background.c). All run under the lock and can be repeated: an action
 * that was half done by a run that died is simply done again.
 */
#pragma once

#include "core/engine/engine.h"
#include "core/engine/signings.h"
#include "core/support/contract.h"

enum ks_action_status {
	KS_STATUS_DONE,
	KS_STATUS_FAILED,
	KS_STATUS_SKIPPED, /* all that it was for failed, a later run does it, or it is refused */
};

struct ks_action_context {
	const struct ks_system *system;
	const struct ks_settings *settings;
	const struct ks_run_options *options;
	const struct ks_inventory *inventory;
	struct ks_outcome *outcome;
	struct ks_signings *signings;
	GHashTable *scripted; /* struct ks_source: those whose scripts for root
	                       * were run */
};

/*
 * Carry out one action: KS_STATUS_DONE, _FAILED with an error, or _SKIPPED. Not for
 * KS_ACTION_BUILD and what ks_background_is().
 */
KS_NONNULL(1)
enum ks_action_status ks_action_run(const struct ks_action_context *context,
				    const struct ks_action *action, GError **error);
