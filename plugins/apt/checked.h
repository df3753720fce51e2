/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Remembers, in state_dir/cache/dpkg-checked, the database that was last found
 * in order, by identity of its files: looking again then costs three stats.
 */
#pragma once

#include "core/platform/system.h"

/* The files whose change makes an answer from the database out of
 * date; NULL-terminated. */
extern const char *const ks_checked_files[];

bool ks_checked_is_current(const struct ks_system *system);

/* A mark that cannot be written only costs the next run time. */
void ks_checked_store(const struct ks_system *system);
