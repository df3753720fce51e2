/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changing entries of the local database so that a kill or a power cut leaves
 * the old entry or the new one, or none, never half of one: a new entry is
 * made and synced in DBPath/.kmodsmith.*, where pacman does not look, then
 * renamed into place; an entry to be removed is renamed out first. The caller
 * holds the lock.
 */
#pragma once

#include "core/support/contract.h"
#include "plugins/alpm/alpm-contents.h"
#include "plugins/alpm/alpm-database.h"

/*
 * Make the entry. old is the name of an entry it takes the place of, or NULL. Of the same
 * name they are exchanged in one step; of another, a kill between two steps leaves
 * neither, which the next run repairs: two entries for one package would make pacman
 * complain.
 */
KS_MUST_CHECK
bool ks_alpm_store_put(const struct ks_alpm *alpm, const char *old,
		       const struct ks_alpm_contents *contents, GError **error);

/* Remove the entry of that name, and none of its files. */
KS_MUST_CHECK
bool ks_alpm_store_drop(const struct ks_alpm *alpm, const char *dir, GError **error);

/* Remove what a killed run left outside of local. */
KS_MUST_CHECK
bool ks_alpm_store_sweep(const struct ks_alpm *alpm, GError **error);
