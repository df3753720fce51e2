/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The directories that building for a kernel reads: where its headers are, whatever links
 * lead out of there, and what a makefile includes that kbuild has written into a
 * directory of objects (make O=). Self-built kernels have them in homes, in /root or
 * /tmp, and made with any umask: root reads them, a build's user may not.
 */
#pragma once

#include "core/kernel/kernel.h"
#include "core/support/contract.h"

struct ks_kernel_tree {
	char *path;	  /* without links; of a file when a link leads to one */
	char *unreadable; /* first thing below it that the group may not read, or NULL */
};

/* struct ks_kernel_tree; the first is that of headers_dir. Reads some 20000 modes. */
KS_NONNULL(1)
GPtrArray *ks_kernel_list_trees(const struct ks_system *system,
				const struct ks_kernel *kernel, gid_t gid);

/*
 * The last directory on the way to path, whose links are resolved, that who has only this
 * group may not enter; NULL when there is none. Free with g_free.
 */
KS_NONNULL(1)
char *ks_kernel_find_closed(const struct ks_system *system, const char *path, gid_t gid);

/*
 * Why a user without privileges cannot build for the kernel where nothing can be mounted
 * for it: names the directory or file, its owner and mode. NULL when it can. Free with
 * g_free.
 */
KS_NONNULL(1)
char *ks_kernel_describe_closed(const struct ks_system *system,
				const struct ks_kernel *kernel, gid_t gid);

/*
 * By its name a private key, as make makes or takes one to sign a kernel's own modules: no
 * build needs to read it.
 */
bool ks_kernel_is_key(const char *name);

/* May who has only this group read, or execute and enter, what has these modes? */
bool ks_kernel_may(const struct stat *st, gid_t gid, mode_t bits);
