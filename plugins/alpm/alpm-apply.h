/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes the local database equal to the desired set of records: writes what is missing
 * or other, drops what is not wanted, with what its kernel's removal left of its files.
 *
 * What goes wrong with one record is said on stderr, and the others are made. The false
 * returned then has an error that sums up; KS_ERROR_PENDING when the database cannot be
 * written now and nothing was changed.
 */
#pragma once

#include "plugins/alpm/alpm-database.h"

/* records: struct ks_record. */
bool ks_alpm_apply(const struct ks_alpm *alpm, GPtrArray *records, GError **error);
