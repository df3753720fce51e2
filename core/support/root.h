/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A system tree: the machine's own "/" or the DIR of --root.
 *
 * Every path handed to these functions is absolute as seen from inside the
 * tree ("/var/lib/dkms"). It is resolved with openat2(RESOLVE_IN_ROOT), so that
 * an absolute link inside DIR (Debian's /lib/modules/K/build is one) stays
 * inside DIR, and no link leads out of it.
 */
#pragma once

#include <fcntl.h>
#include <glib.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "core/support/cleanup.h"
#include "core/support/contract.h"

struct ks_root;

/* Open the tree at path (a directory of the calling process). */
KS_MUST_CHECK
struct ks_root *ks_root_open(const char *path, GError **error);
/*
 * Open it again at its path: after the process has entered another mount namespace, where
 * the descriptor still is of the former one. On failure it stays what it was.
 */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_root_reopen(struct ks_root *root, GError **error);
void ks_root_close(struct ks_root *root);
KS_DEFINE_CLEANUP(ks_root, ks_root_close)

/* True for "/": nothing needs a chroot. */
KS_NONNULL(1)
bool ks_root_is_host(const struct ks_root *root);

/* The directory descriptor; owned by root. */
KS_NONNULL(1)
int ks_root_fd(const struct ks_root *root);

/* "" for "/", else DIR as an absolute path of the calling process. */
KS_NONNULL(1)
const char *ks_root_prefix(const struct ks_root *root);

/*
 * The path of the calling process for a path inside the tree, links not
 * followed: for messages and for arguments of children that are not chrooted.
 */
KS_NONNULL(1)
char *ks_root_host_path(const struct ks_root *root, const char *path);

/* open(2) inside the tree; O_CLOEXEC is added. Returns a descriptor or -1. */
KS_MUST_CHECK
KS_NONNULL(1)
int ks_root_openat(const struct ks_root *root, const char *path, int flags, mode_t mode,
		   GError **error);

/*
 * Open the directory that holds path, following links on the way to it.
 * *name is set to the last component, inside the string path. A path that ends
 * with "/", "." or ".." is KS_ERROR_INVALID.
 */
KS_MUST_CHECK
KS_NONNULL(1)
int ks_root_open_parent(const struct ks_root *root, const char *path, const char **name,
			GError **error);

/* stat(2), and lstat(2), inside the tree. False with errno set when it fails. */
KS_NONNULL(1)
bool ks_root_stat(const struct ks_root *root, const char *path, struct stat *st);
KS_NONNULL(1)
bool ks_root_lstat(const struct ks_root *root, const char *path, struct stat *st);
KS_NONNULL(1)
bool ks_root_exists(const struct ks_root *root, const char *path);

/* The text of a link, or NULL. */
KS_NONNULL(1)
char *ks_root_readlink(const struct ks_root *root, const char *path);

/* The path inside the tree with all links resolved, or NULL when it is not there. */
KS_NONNULL(1)
char *ks_root_realpath(const struct ks_root *root, const char *path);

/* Do both lead to the same place? False when one of them is not there. */
KS_NONNULL(1)
bool ks_root_is_same(const struct ks_root *root, const char *a, const char *b);

/* Is the directory, or the nearest one above it that is there, on a file system that is
 * mounted read-only? */
KS_NONNULL(1)
bool ks_root_is_read_only(const struct ks_root *root, const char *path);

/*
 * Read a regular file of at most max_bytes; a longer one is KS_ERROR_INVALID,
 * as is anything that is not a regular file. The result is NUL-terminated
 * after *size_bytes (size_bytes may be NULL).
 */
KS_MUST_CHECK
KS_NONNULL(1)
char *ks_root_read_file(const struct ks_root *root, const char *path, size_t max_bytes,
			size_t *size_bytes, GError **error);

/*
 * The first max_bytes of a file and a NUL, with NULs in the place of what a shorter one
 * lacks; NULL when it cannot be read or is no regular file. For looking at the beginning
 * of something long.
 */
KS_NONNULL(1)
char *ks_root_read_head(const struct ks_root *root, const char *path, size_t max_bytes);

/*
 * Names in a directory without "." and "..", sorted by byte value. A
 * directory that is not there gives an empty list, not an error.
 */
KS_MUST_CHECK
KS_NONNULL(1)
GPtrArray *ks_root_list(const struct ks_root *root, const char *path, GError **error);

/* Like ks_root_list(), only entries of one type (S_IFDIR, S_IFREG, S_IFLNK; links not
 * followed), without an lstat(2) each. */
KS_MUST_CHECK
KS_NONNULL(1)
GPtrArray *ks_root_list_type(const struct ks_root *root, const char *path, mode_t type,
			     GError **error);

/* mkdir -p inside the tree; what it creates has exactly this mode, whatever the
 * umask is. */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_root_mkdir_p(const struct ks_root *root, const char *path, mode_t mode,
		     GError **error);
