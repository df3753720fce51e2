/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Repair what a killed recorder left: packages of ours half installed, which
 * block all of apt, and dpkg's unfinished journal. Entries that were spooled
 * but not begun stay for the next apply, which has the desired set.
 *
 * Costs a readdir and a few stats when there is nothing to do.
 */
#pragma once

#include "core/platform/system.h"
#include "core/support/contract.h"

/* KS_ERROR_PENDING when the database is locked. */
KS_MUST_CHECK
bool ks_recover(const struct ks_system *system, GError **error);
