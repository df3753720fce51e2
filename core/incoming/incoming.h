/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernels that are about to be installed, out of their packages' files: what a build needs
 * of them is unpacked into a private directory, below which it has the paths that it will
 * have in the tree:
 *
 *	state_dir/incoming/N/usr/src/...
 *	state_dir/incoming/N/usr/lib/linux-kbuild-*
 *	state_dir/incoming/N/usr/lib/modules/K/{build,source}
 *
 * (and "lib" where that is no link to usr/lib). Whoever lays these directories over the
 * tree's own, in a mount namespace, sees the kernels as if they were installed: the same
 * paths are in the modules' bytes, and the same fingerprints follow from the same files.
 *
 * The files must be those that the package manager has verified. Nothing here follows a
 * link of theirs; a package whose names lead elsewhere is refused (core/package/unpack.h).
 */
#pragma once

#include "core/platform/system.h"
#include "core/support/contract.h"

struct ks_incoming;

/*
 * Make the directory, and remove those that a process which was killed has left. It is
 * this process's until ks_incoming_close().
 */
KS_MUST_CHECK
KS_NONNULL(1)
struct ks_incoming *ks_incoming_new(const struct ks_system *system, GError **error);
/* Remove the directory. */
void ks_incoming_close(struct ks_incoming *incoming);
KS_DEFINE_CLEANUP(ks_incoming, ks_incoming_close)

/*
 * Unpack one package: a Debian package, or a tarball as pacman's packages are. fd is open
 * for reading; label names it in errors. Which kernels it is about follows from its
 * files. Packages that have nothing of a kernel leave nothing.
 */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_incoming_add(struct ks_incoming *incoming, int fd, const char *label,
		     GError **error);

/* A kernel that comes with them, of which nothing need be among them. */
KS_NONNULL(1)
void ks_incoming_add_release(struct ks_incoming *incoming, const char *release);

/*
 * Releases of the kernels that these packages bring, sorted, NULL at the end; the
 * caller's. Each has its directory, also when only its image is among the packages.
 */
KS_MUST_CHECK
KS_NONNULL(1)
char **ks_incoming_list_releases(struct ks_incoming *incoming, GError **error);

/* The directory's path in the tree; incoming's. */
KS_NONNULL(1)
const char *ks_incoming_path(const struct ks_incoming *incoming);

/*
 * The directories of the tree that something is to be laid over, each without a link in
 * its path, and below ks_incoming_path() what is laid over it, at the same index;
 * KS_ERROR_NOT_FOUND: the tree has no such directory. Free with g_strfreev.
 */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_incoming_list_covered(const struct ks_incoming *incoming, char ***covered,
			      char ***covers, GError **error);
