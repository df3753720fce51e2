/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A record as an installed package: its header. */
#pragma once

#include "plugins/rpm/rpm-database.h"
#include "core/record/protocol.h"
#include "plugins/rpm/rpm-tree.h"

#include <rpm/rpmts.h>

/*
 * The header for a record of files that are in place, as if rpm had installed it;
 * free with headerFree(). NULL when a file is not what the record says. package is
 * the record's name as rpm allows it.
 */
Header ks_installed_build(rpmts ts, const struct ks_tree_root *tree,
			  const struct ks_record *record, const char *package,
			  struct ks_why *why);

/* Is the kernel's directory that of a kernel, and not merely the remains of one? */
bool ks_installed_kernel_is_there(const struct ks_tree_root *tree, const char *release);

/*
 * Since 4.17 a package that is required by a record can be removed with it:
 * there is a callback to follow plain rpm, and it has no other user whom we
 * would cut off.
 */
bool ks_installed_can_require(void);

/* Call func once, with the package that owns the kernel; not at all when none does. */
void ks_installed_kernel_owner(rpmts ts, const char *release, ks_db_owner_func func,
			       void *data);
