/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A disposable system tree for the unit tests of state and inventory. */
#pragma once

#include <ftw.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <unistd.h>

#include "core/support/system.h"

struct scratch {
	char *dir;
	struct ks_system *system;
};

static inline int scratch_remove_one(const char *path, const struct stat *st, int type,
				     struct FTW *ftw)
{
	return remove(path);
}

static inline void scratch_set_up(struct scratch *scratch, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	scratch->dir = g_dir_make_tmp("kmodsmith-unit-XXXXXX", &error);
	g_assert_no_error(error);
	g_assert_cmpint(g_chmod(scratch->dir, 0755), ==, 0);
	scratch->system = ks_system_new(scratch->dir, &error);
	g_assert_no_error(error);
}

static inline void scratch_tear_down(struct scratch *scratch, gconstpointer data)
{
	ks_system_free(scratch->system);
	nftw(scratch->dir, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
	g_free(scratch->dir);
}

static inline char *scratch_path(const struct scratch *scratch, const char *path)
{
	return g_build_filename(scratch->dir, path, NULL);
}

static inline void scratch_mkdir(const struct scratch *scratch, const char *path)
{
	g_autofree char *full = scratch_path(scratch, path);

	g_assert_cmpint(g_mkdir_with_parents(full, 0755), ==, 0);
}

static inline void scratch_write(const struct scratch *scratch, const char *path,
				 const char *text)
{
	g_autofree char *full = scratch_path(scratch, path);
	g_autofree char *parent = g_path_get_dirname(full);
	g_autoptr(GError) error = NULL;

	g_assert_cmpint(g_mkdir_with_parents(parent, 0755), ==, 0);
	g_file_set_contents(full, text, -1, &error);
	g_assert_no_error(error);
	g_assert_cmpint(g_chmod(full, 0644), ==, 0);
}

static inline void scratch_link(const struct scratch *scratch, const char *path,
				const char *target)
{
	g_autofree char *full = scratch_path(scratch, path);
	g_autofree char *parent = g_path_get_dirname(full);

	g_assert_cmpint(g_mkdir_with_parents(parent, 0755), ==, 0);
	g_assert_cmpint(symlink(target, full), ==, 0);
}

static inline bool scratch_has(const struct scratch *scratch, const char *path)
{
	g_autofree char *full = scratch_path(scratch, path);
	struct stat st;

	return lstat(full, &st) == 0;
}
