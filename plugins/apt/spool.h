/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The write-ahead spool, state_dir/spool. Before dpkg runs, what it is to do
 * is here and synced: NAME.deb to be installed, NAME.purge to be purged. An
 * entry leaves when the database says that it is done. Whoever finds entries
 * after a crash can therefore repeat what was interrupted, even when a
 * half-installed package blocks all of apt.
 *
 * The spool's own lock keeps two recorders apart.
 */
#pragma once

#include "core/platform/system.h"
#include "core/support/contract.h"

struct ks_spool;

/*
 * Open, lock and tidy (leftovers of writers that died). KS_ERROR_LOCKED when
 * another recorder has it.
 */
KS_MUST_CHECK
struct ks_spool *ks_spool_open(const struct ks_system *system, GError **error);
void ks_spool_close(struct ks_spool *spool);
KS_DEFINE_CLEANUP(ks_spool, ks_spool_close)

/* True when nothing is spooled. Needs no lock and no spool. */
bool ks_spool_is_empty(const struct ks_system *system);

/* Writes a package's bytes to fd. */
typedef bool (*ks_spool_write_func)(int fd, void *data, GError **error);

/* Spool a package to be installed, replacing an entry of that name. */
KS_MUST_CHECK
bool ks_spool_put_deb(struct ks_spool *spool, const char *package,
		      ks_spool_write_func write, void *data, GError **error);

/* Spool a package to be purged. */
KS_MUST_CHECK
bool ks_spool_put_purge(struct ks_spool *spool, const char *package, GError **error);

/* Names of the packages to be installed, and to be purged: char *, sorted. */
KS_MUST_CHECK
GPtrArray *ks_spool_debs(const struct ks_spool *spool, GError **error);
KS_MUST_CHECK
GPtrArray *ks_spool_purges(const struct ks_spool *spool, GError **error);

/* The .deb of a package, as a path of the calling process. */
char *ks_spool_deb_path(const struct ks_spool *spool, const char *package);

/* Forget a package: it is done, or not wanted any more. */
KS_MUST_CHECK
bool ks_spool_drop(struct ks_spool *spool, const char *package, GError **error);
