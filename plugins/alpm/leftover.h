/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files of a record that is not wanted any more.
 *
 * The engine takes the files of a module away before it stops wanting their record. One
 * that is still there on a kernel that is too means that the engine has lost its state
 * (somebody removed /var/lib/dkms), and the file is a driver that works: it stays. Files
 * of a kernel that is gone go, and the directories that they leave empty; before the
 * entry, so that after a kill the entry is still there to be dropped again.
 */
#pragma once

#include "core/support/contract.h"
#include "plugins/alpm/alpm-database.h"
#include "plugins/alpm/entry.h"

/* A file of the entry that must stay, or NULL. wanted: set of paths of wanted records. */
char *ks_leftover_find_in_use(const struct ks_alpm *alpm,
			      const struct ks_alpm_entry *entry, GHashTable *wanted);

/* Remove the files, but wanted ones. */
KS_MUST_CHECK
bool ks_leftover_remove(const struct ks_alpm *alpm, const struct ks_alpm_entry *entry,
			GHashTable *wanted, GError **error);
