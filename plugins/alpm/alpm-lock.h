/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lock of pacman's database, DBPath/db.lck, taken as libalpm takes it: the
 * file must not be there; mode 0; removed afterwards. A lock that a pacman
 * above us holds already counts, too.
 *
 * Unlike libalpm's, ours does not outlive a kill for long: the file is made as
 * DBPath/.kmodsmith.lck, flock(2)ed and linked to its place, so that a lock
 * with that inode that nobody has flocked is recognised as ours, and
 * left over.
 */
#pragma once

#include "core/support/contract.h"
#include "plugins/alpm/alpm-database.h"

struct ks_alpm_lock;

/* Only tries: KS_ERROR_PENDING when somebody else has it. */
KS_MUST_CHECK
struct ks_alpm_lock *ks_alpm_lock_take(const struct ks_alpm *alpm, GError **error);
void ks_alpm_lock_release(struct ks_alpm_lock *lock);
KS_DEFINE_CLEANUP(ks_alpm_lock, ks_alpm_lock_release)

/* KS_ERROR_PENDING when somebody else has it; takes nothing. */
KS_MUST_CHECK
bool ks_alpm_lock_check(const struct ks_alpm *alpm, GError **error);

/* Remove a lock that a killed recorder of ours left. Costs one open(2) when there
 * is none. */
KS_MUST_CHECK
bool ks_alpm_lock_heal(const struct ks_alpm *alpm, GError **error);
