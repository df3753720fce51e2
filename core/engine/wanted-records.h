/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the package database should hold: one record for every artifact that is
 * installed now on a live kernel, whatever part of the system a run was for. It
 * is read from the state tree again, after the actions of a run.
 */
#pragma once

#include "core/kernel/kernel.h"
#include "core/record/record.h"
#include "core/state/tree.h"
#include "core/support/contract.h"

/*
 * False when none of the kernels (ks_kernel_list) is alive: then it is the file
 * system of the modules that is missing, not the modules, and nothing must be
 * concluded.
 */
bool ks_wanted_records_are_known(GPtrArray *kernels);

/*
 * struct ks_record for all of them, with names that are distinct in every database; NULL
 * when the tree cannot be read. entries is what the database has now (ks_record_list), by
 * which a record keeps its name; may be NULL.
 */
KS_MUST_CHECK
KS_NONNULL(1)
GPtrArray *ks_wanted_records_list(const struct ks_system *system, GPtrArray *kernels,
				  GPtrArray *entries, GError **error);

/* Do the entries of the database (ks_record_list) say exactly this? */
bool ks_wanted_records_are_there(GPtrArray *entries, GPtrArray *records);

/*
 * Does what the database has (struct ks_record_entry; NULL: no recorder) differ from what
 * is installed now?
 */
KS_NONNULL(1)
bool ks_wanted_records_differ(const struct ks_system *system, GPtrArray *entries);
