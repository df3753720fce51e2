/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Running the package writers. */
#pragma once

#include "core/package/package.h"
#include "core/platform/system.h"
#include "core/support/contract.h"

/*
 * The format of the system's own packages, "deb", "rpm" or "pacman", known by
 * the package database that it has; NULL when it has none.
 */
KS_NONNULL(1)
const char *ks_package_own_format(const struct ks_system *system);

/* Is it one of the formats there are? */
bool ks_package_is_format(const char *format);

/*
 * Have the writer make the package in dir (a path of the calling process, which
 * exists). The result is its path; free with g_free. KS_ERROR_NOT_FOUND, with a
 * hint, when the writer for the format is not installed; otherwise the
 * writer's own words.
 */
KS_MUST_CHECK
KS_NONNULL(1)
char *ks_package_make(const struct ks_system *system, const char *format,
		      struct ks_package *package, const char *dir, GError **error);
