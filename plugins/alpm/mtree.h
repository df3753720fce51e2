/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The "mtree" of a package as makepkg writes it: gzip without a time, "./" before each
 * name, type, uid, gid, mode, time, size, link, MD5 and SHA-256. pacman 6.0 verifies by
 * MD5 and fails without; makepkg 6.1 and later write SHA-256 alone. Both together please
 * all.
 *
 * The same items give the same bytes.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "core/support/contract.h"

struct ks_mtree_item {
	char *path; /* "usr/lib/modules", no slash at its ends */
	struct stat st;
	char *link;   /* text of a link */
	int fd;	      /* content of a regular file; owned; -1 otherwise */
	char *source; /* or the path of a file, which is opened to read the content */
	char *sha256; /* the content's expected digest; NULL: any */
};

struct archive;

struct ks_mtree_item *ks_mtree_item_new(const char *path, const struct stat *st);
void ks_mtree_item_free(gpointer item);

/*
 * Write header and content of an item to an archive under that name.
 * KS_ERROR_INVALID, naming the path, when its content is not the expected one.
 */
KS_MUST_CHECK
bool ks_mtree_item_write(const struct ks_mtree_item *item, const char *name,
			 struct archive *archive, GError **error);

/*
 * For struct ks_mtree_item, in this order. KS_ERROR_INVALID, naming the path, when a
 * content is not the expected one. Descriptors are read from their beginning.
 */
KS_MUST_CHECK
GByteArray *ks_mtree_format(GPtrArray *items, GError **error);
