/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Make dpkg's database equal to the desired set.
 *
 * Records that are wrong or missing are packed from the installed files and
 * spooled; then one "dpkg -i" for all of them, and after it one "dpkg -P" for
 * records of ours that are not wanted. In this order a file that moves from
 * one record to another (a source was renamed) changes its owner by Replaces
 * and is never deleted. An unwanted record is kept while one of its files
 * exists on a kernel that exists: dpkg would delete the file, which the engine
 * has not.
 *
 * A record that cannot be made, because a file is not the recorded one, belongs
 * to another package, or the name is taken, is left out with a message on
 * stderr; the others go on.
 */
#pragma once

#include "core/record/record.h"
#include "core/support/contract.h"

/*
 * KS_ERROR_PENDING: spooled, but the database is locked. KS_ERROR_FAILED: some
 * could not be recorded.
 */
KS_MUST_CHECK
bool ks_apply(const struct ks_system *system, GPtrArray *records, GError **error);
