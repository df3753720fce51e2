/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SHA-256 of files and trees, remembered by (device, inode, size, mtime,
 * ctime): asking again about something unchanged costs stats, not hashing.
 * What changed within the last two seconds is not remembered, because it may
 * change again without its times moving on.
 *
 * The cache is one file below state_dir. It is an optimisation only: a missing
 * or unreadable cache, or one that cannot be written (a plain user runs
 * "status") or where state_dir does not exist yet, is not an error.
 */
#pragma once

#include "core/platform/system.h"
#include "core/support/contract.h"

struct ks_digest_cache;

KS_NONNULL(1)
struct ks_digest_cache *ks_digest_cache_open(const struct ks_system *system);
/*
 * Write it back if anything was added and we may; then free. Where kernels that are not
 * installed yet are laid over the tree, device and inode of its files are other ones: what
 * was added is forgotten.
 */
void ks_digest_cache_close(struct ks_digest_cache *cache);
KS_DEFINE_CLEANUP(ks_digest_cache, ks_digest_cache_close)

/* Hex digest of a regular file (links to it are followed), or NULL with an error. */
KS_MUST_CHECK
KS_NONNULL(1)
char *ks_digest_file(struct ks_digest_cache *cache, const char *path, GError **error);

/*
 * Hex digest of a tree: sorted relative names, types, permission bits, link
 * texts and file contents; not owners or times. At most 200000 entries, 100 deep.
 * Anything but files, directories and links is KS_ERROR_INVALID; path itself may
 * be a link. What leftover.h says is no part of a source is left out.
 */
KS_MUST_CHECK
KS_NONNULL(1)
char *ks_digest_tree(struct ks_digest_cache *cache, const char *path, GError **error);

/* The remembered digest of a file in the state st, or NULL. Nothing is read. */
KS_NONNULL(1)
char *ks_digest_recall(struct ks_digest_cache *cache, const struct stat *st);

/* Remember the digest of the open file fd, found out elsewhere, if its state is still
 * what it was (before) when that began. */
KS_NONNULL(1)
void ks_digest_learn(struct ks_digest_cache *cache, int fd, const struct stat *before,
		     const char *digest);

/* Hex digest of memory. */
char *ks_digest_data(const void *data, size_t size_bytes);
