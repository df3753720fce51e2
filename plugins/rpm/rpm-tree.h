/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files below the root that a transaction works on. Links are followed as if that
 * root were "/" (openat2(2), RESOLVE_IN_ROOT): a tree that is being installed
 * must not lead out of itself. On kernels before 5.6 they are followed plainly.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "core/support/why.h"

struct ks_tree_root {
	int fd;
};

/* A bare descriptor on a directory; close with ks_tree_close(). */
bool ks_tree_open(struct ks_tree_root *tree, const char *root, struct ks_why *why);
void ks_tree_close(struct ks_tree_root *tree);

/* The file itself, not what it links to. False, with errno, when it is not there. */
bool ks_tree_lstat(const struct ks_tree_root *tree, const char *path, struct stat *st);
bool ks_tree_has(const struct ks_tree_root *tree, const char *path);

/* Remove a file, or an empty directory; it is no error when there is none. */
bool ks_tree_unlink(const struct ks_tree_root *tree, const char *path);
bool ks_tree_rmdir(const struct ks_tree_root *tree, const char *path);

/*
 * Is it a regular file with this size and SHA-256 (in hexadecimal)? Fills *st.
 * Reads all of it: about 2 ms for each megabyte.
 */
bool ks_tree_check_file(const struct ks_tree_root *tree, const char *path,
			uint64_t size_bytes, const char *sha256, struct stat *st,
			struct ks_why *why);

/* Is it a symbolic link with this text? Fills *st. */
bool ks_tree_check_link(const struct ks_tree_root *tree, const char *path,
			const char *text, struct stat *st, struct ks_why *why);

/*
 * Open for reading without following a last link, or -1 with errno. The descriptor
 * is closed on exec.
 */
int ks_tree_open_file(const struct ks_tree_root *tree, const char *path);
