/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Questions to the local database that concern all packages: who owns a path, and can
 * pacman read what we wrote.
 *
 * libalpm answers, loaded when it is asked for. A transaction may have just replaced it
 * with one of another soname; linked with the old one the recorder would not even start
 * then. Of the functions used here, and their types, sonames 13 to 16 (pacman 6.0 to 7.1)
 * have the same. When none of them can be loaded, or it cannot be initialised, the
 * "files" of the entries are read by ourselves, which answers the first question as well.
 */
#pragma once

#include "core/support/contract.h"
#include "plugins/alpm/alpm-contents.h"
#include "plugins/alpm/alpm-database.h"

/*
 * For each of the paths ("usr/lib/modules/K/x.ko") that are owned, the name of a package
 * that owns it; path -> name, both owned by the table. Packages in not_of are passed
 * over.
 */
KS_MUST_CHECK
GHashTable *ks_alpm_owners(const struct ks_alpm *alpm, GPtrArray *paths,
			   GHashTable *not_of, GError **error);

/*
 * Does libalpm find the package (struct ks_alpm_contents) with its version and
 * its files? The names of packages that it does not find are added to bad.
 * True, with none added, when libalpm is not installed.
 */
void ks_alpm_read_back(const struct ks_alpm *alpm, GPtrArray *written, GPtrArray *bad);

/* Which library answers: its soname, or NULL. For messages and tests. */
const char *ks_alpm_library(void);
