/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The actions that close a run: they act on all that it has changed, not on one target.
 * Each can be repeated, and the next run does what one that died did not come to.
 */
#pragma once

#include "core/engine/action.h"

/*
 * Load what the devices of this machine ask for, where that is wanted, and announce to
 * udev those that waited for what was installed: in this order, since a device that has
 * its driver then is not announced. Cannot fail.
 */
enum ks_action_status ks_closing_serve_devices(const struct ks_action_context *context);

/*
 * Make the package database equal to what is installed now. Skipped, with
 * outcome->record_pending, when it cannot be written now.
 */
enum ks_action_status ks_closing_record(const struct ks_action_context *context,
					GError **error);

/* Run framework.conf's command for the kernels that changed; it may take minutes. */
enum ks_action_status ks_closing_post_transaction(const struct ks_action_context *context,
						  GError **error);

/* Remove the directory of a kernel that is gone, when nothing of anybody's is in it. */
enum ks_action_status ks_closing_prune(const struct ks_action_context *context,
				       const struct ks_kernel *kernel, GError **error);
