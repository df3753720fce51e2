/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts of the actions: what all need (action-common.c), putting files in place and
 * taking them away (action-place.c), everything else (action.c).
 */
#pragma once

#include "core/engine/action.h"
#include "core/support/contract.h"

/* What a callback of an action needs to report. */
struct ks_telling {
	const struct ks_action_context *context;
	const struct ks_action *action;
};

KS_NONNULL(1)
void ks_action_notify(const struct ks_action_context *context, struct ks_event event);
/* The error as a warning: the action goes on. */
KS_NONNULL(1)
void ks_action_warn(const struct ks_action_context *context,
		    const struct ks_action *action, const GError *error);

static inline enum ks_action_status ks_action_done_or_failed(bool ok)
{
	return ok ? KS_STATUS_DONE : KS_STATUS_FAILED;
}

/* Run a script of the conf as root ("post_add"; command NULL: there is none). kernel may be
 * NULL. */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_action_run_script(const struct ks_action_context *context,
			  const struct ks_action *action, const char *what,
			  const char *command, const struct ks_source *source,
			  const struct ks_kernel *kernel, GError **error);
/* The same for the scripts whose failure dkms ignores: it is a warning. */
KS_NONNULL(1)
void ks_action_try_script(const struct ks_action_context *context,
			  const struct ks_action *action, const char *what,
			  const char *command, const struct ks_source *source,
			  const struct ks_kernel *kernel);

/* T/M/V/K/A; free with g_free. */
KS_NONNULL(1)
char *ks_action_artifact_path(const struct ks_action_context *context,
			      const struct ks_target *target);
/* Of the artifact as it is on disk: a build of this run may have replaced the inventory's. */
KS_NONNULL(1)
struct ks_manifest *ks_action_load_manifest(const struct ks_action_context *context,
					    const struct ks_target *target,
					    GError **error);
/* T/M/kernel-K-A; free with g_free. */
KS_NONNULL(1)
char *ks_action_link_path(const struct ks_action_context *context,
			  const struct ks_target *target);
/* Does that lead to another version than the target's? */
KS_NONNULL(1)
bool ks_action_is_replaced(const struct ks_action_context *context,
			   const struct ks_target *target);

KS_NONNULL(1)
enum ks_action_status ks_action_install(const struct ks_action_context *context,
					const struct ks_action *action, GError **error);
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_action_uninstall(const struct ks_action_context *context,
			 const struct ks_action *action, GError **error);
