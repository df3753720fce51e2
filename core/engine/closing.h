/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The actions that close a run: they act on all that it has changed, not on one
 * target. Each can be repeated, and the next run finishes what a run that died
 * left undone.
 */
#pragma once

#include "core/engine/action.h"
#include "core/support/contract.h"

/*
 * Load the modules that this machine's devices ask for, where the settings want
 * that, and send udev events for the devices that waited for the installed
 * modules: in this order, since a device that has its driver by then needs no
 * event. Cannot fail.
 */
KS_NONNULL(1)
enum ks_action_status ks_closing_serve_devices(const struct ks_action_context *context);

/*
 * Make the package database equal to the installed files. Skipped, with
 * outcome->record_pending, when it cannot be written now.
 */
KS_NONNULL(1)
enum ks_action_status ks_closing_record(const struct ks_action_context *context,
					GError **error);

/* Run framework.conf's command for the kernels that changed; it may take minutes. */
KS_NONNULL(1)
enum ks_action_status ks_closing_post_transaction(const struct ks_action_context *context,
						  GError **error);

/* Remove the directory of a kernel that is gone, when nothing of anybody's is in it. */
KS_NONNULL(1)
enum ks_action_status ks_closing_prune(const struct ks_action_context *context,
				       const struct ks_kernel *kernel, GError **error);
