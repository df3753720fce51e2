/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The results of builds, by build fingerprint, so that nothing is built twice:
 * after remove and add, for a kernel that comes back, in another root.
 *
 *	state_dir/store/FINGERPRINT/index	a key file: its target, and each file's
 *						size and SHA-256
 *	state_dir/store/FINGERPRINT/module/	the .ko files as they came from the build,
 *						stripped, not signed, not compressed;
 *						Module.symvers
 *	state_dir/store/FINGERPRINT/log/make.log
 *	state_dir/store/FINGERPRINT/...		what the build has put beside them
 *
 * Only results that passed the checks are kept. An entry is used only when all
 * of it has the digests of its index; one that is damaged is removed, and
 * built again. An entry that cannot be read or copied now (a full disk, no
 * descriptors) stays. The time of the last use is the index's mtime;
 * ks_store_trim() removes the least recently used entries.
 */
#pragma once

#include "core/platform/system.h"
#include "core/support/contract.h"

struct ks_store_file {
	char *path; /* "module/foo.ko" */
	char *sha256;
	guint64 size_bytes;
};

struct ks_store_entry {
	char *fingerprint;
	char *module, *version, *release, *arch; /* NULL: the index cannot be read */
	char *sandbox_layers;
	gint64 duration_ms;
	gint64 stored_at_us, used_at_us;
	GPtrArray *files;   /* struct ks_store_file */
	guint64 size_bytes; /* of all files */
	char *problem;	    /* why it is of no use, or NULL */
	bool is_damaged;    /* the damage is permanent (not a lack of descriptors,
	                     * for example) */
};

void ks_store_entry_free(struct ks_store_entry *entry);
KS_DEFINE_CLEANUP(ks_store_entry, ks_store_entry_free)

/*
 * Copy all of staged_dir aside, before signing changes it.
 * entry says what they are; its files and times are set here. Then
 * ks_store_commit(), or _discard().
 */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_store_prepare(const struct ks_system *system, struct ks_store_entry *entry,
		      const char *staged_dir, GError **error);
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_store_commit(const struct ks_system *system, const struct ks_store_entry *entry,
		     GError **error);
KS_NONNULL(1)
void ks_store_discard(const struct ks_system *system, const struct ks_store_entry *entry);

/* Where the entry is, or would be; free with g_free. */
KS_NONNULL(1)
char *ks_store_entry_path(const struct ks_system *system, const char *fingerprint);
KS_NONNULL(1)
bool ks_store_has(const struct ks_system *system, const char *fingerprint);

/*
 * Copy the entry of a fingerprint from the store of one tree to to_dir, a new
 * directory of another or the same. NULL without an error when there is none;
 * with one when it is damaged (an entry of "system" itself is then removed) or
 * cannot be copied. On failure to_dir is removed.
 */
KS_MUST_CHECK
KS_NONNULL(1, 3)
struct ks_store_entry *ks_store_fetch(const struct ks_system *from,
				      const char *fingerprint,
				      const struct ks_system *system, const char *to_dir,
				      GError **error);

/* All entries, longest unused first. */
KS_MUST_CHECK
KS_NONNULL(1)
GPtrArray *ks_store_list(const struct ks_system *system, GError **error);
/* Read all of it; sets entry->problem when it is damaged or cannot be read. */
KS_NONNULL(1)
void ks_store_check(const struct ks_system *system, struct ks_store_entry *entry);
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_store_remove(const struct ks_system *system, const char *fingerprint,
		     GError **error);
/* Remove the least recently used entries until the others have at most max_bytes; and the
 * remains of a killed run. */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_store_trim(const struct ks_system *system, guint64 max_bytes, guint *n_removed,
		   GError **error);
