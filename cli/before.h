/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an administrator's commands say before the engine runs: which source
 * they are about, and the marks that make the wish outlive the run.
 */
#pragma once

#include "cli/verdict.h"

/* KS_ERROR_DENIED with a hint unless root. */
bool ks_marks_require_root(const char *command, GError **error);

/* A change of the state tree outside a run: under the lock, waiting for it. */
struct ks_lock *ks_marks_lock(const struct ks_cli *cli, const char *command,
			      GError **error);

/* Module and kernel exist: KS_EXIT_OK, or the exit code after printing the error. */
int ks_marks_check(struct ks_cli *cli, const struct ks_selection *selection);

/*
 * Complete the selection from the inventory: the version, when it names none,
 * is the highest present one. Checks that module and kernel exist. KS_EXIT_OK,
 * or the exit code after printing the error.
 */
int ks_marks_resolve(struct ks_cli *cli, struct ks_selection *selection);
