/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * framework.conf's post_transaction: the administrator's command for the end of a run
 * that installed or removed a module, "dracut --regenerate-all --force" for example. Runs
 * as root, also after autoinstall (dkms 3.4.3 forgets it there), once, or once for each
 * kernel when it uses $kernelver or $arch, with these two in its environment; in --root
 * inside that tree.
 *
 * Its output goes to dkms_tree/post_transaction.log in the form of make.log's
 * steps, which each run begins again.
 */
#pragma once

#include "core/engine/engine.h"
#include "core/support/contract.h"

/* Called before each command. */
typedef void (*ks_post_transaction_observer)(const char *command, void *data);

/*
 * releases: char *, the kernels that changed. All commands are tried; false, with
 * the first error, when one could not be run or did not exit with 0.
 */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_post_transaction_run(const struct ks_system *system,
			     const struct ks_settings *settings, GPtrArray *kernels,
			     const GPtrArray *releases,
			     ks_post_transaction_observer observer, void *data,
			     GError **error);
