/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes the local database equal to the desired set of records: writes records
 * that are missing or differ, drops those that are not wanted, together with
 * the files that their kernel's removal left.
 *
 * A record that fails is reported on stderr, and the others are made. The
 * function then returns false with an error that sums up; KS_ERROR_PENDING
 * when the database cannot be written now and nothing was changed.
 */
#pragma once

#include "core/support/contract.h"
#include "plugins/alpm/alpm-database.h"

/* records: struct ks_record. */
KS_MUST_CHECK
bool ks_alpm_apply(const struct ks_alpm *alpm, GPtrArray *records, GError **error);
