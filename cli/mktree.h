/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * source_tree/NAME-VERSION and its place in T, made and removed again as one.
 *
 * The mark "mktree" holds a digest of what was made: a directory is removed
 * only while it still has that digest, and never while its module is built
 * or installed.
 */
#pragma once

#include "cli/command.h"
#include "core/support/contract.h"

/*
 * Make it from the directory from (a path inside the tree), or with NULL a
 * beginning: a dkms.conf without AUTOINSTALL, a Makefile and a C file. Nothing that
 * is there is changed: then KS_ERROR_DENIED. *source_dir is where it is.
 */
KS_MUST_CHECK
bool ks_mktree_make(const struct ks_cli *cli, const char *name, const char *version,
		    const char *from, char **source_dir, GError **error);

/*
 * Remove it. KS_ERROR_DENIED, with a hint, when it was not made by ks_mktree_make(),
 * has changed since (unless force), or is built for some kernel.
 */
KS_MUST_CHECK
bool ks_mktree_remove(const struct ks_cli *cli, const char *name, const char *version,
		      bool force, GError **error);
