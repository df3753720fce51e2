/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A temporary directory that serves as the root of a system tree, as a GLib
 * test fixture: g_test_add("/...", struct faketree, NULL, faketree_set_up, test,
 * faketree_tear_down). It is removed also when the test failed.
 */
#pragma once

#include <errno.h>
#include <ftw.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "core/support/error.h"
#include "core/platform/system.h"

struct faketree {
	char *dir;		  /* as the process sees it */
	struct ks_system *system; /* dir is its tree */
	struct ks_root *root;	  /* of system */
};

static inline int faketree_remove_entry(const char *path, const struct stat *st, int type,
					struct FTW *ftw)
{
	return remove(path);
}

static inline void faketree_set_up(struct faketree *faketree, gconstpointer data)
{
	GError *error = NULL;

	faketree->dir = g_dir_make_tmp("kmodsmith-test-XXXXXX", &error);
	g_assert_no_error(error);
	faketree->system = ks_system_new(faketree->dir, &error);
	g_assert_no_error(error);
	faketree->root = faketree->system->root;
}

static inline void faketree_tear_down(struct faketree *faketree, gconstpointer data)
{
	ks_system_free(faketree->system);
	nftw(faketree->dir, faketree_remove_entry, 32, FTW_DEPTH | FTW_PHYS);
	g_free(faketree->dir);
}

/*
 * Until a file that is changed gets a later time than any that was changed before. That
 * may be the fine clock's (Linux 6.13), ahead of the coarse one also when that has
 * ticked: a tick that comes late counts from when it was due.
 */
static inline void faketree_wait_for_tick(void)
{
	struct timespec begun, now;

	g_assert_cmpint(clock_gettime(CLOCK_REALTIME, &begun), ==, 0);
	do
		g_assert_cmpint(clock_gettime(CLOCK_REALTIME_COARSE, &now), ==, 0);
	while (now.tv_sec < begun.tv_sec || (now.tv_sec == begun.tv_sec &&
					     now.tv_nsec / 1000 <= begun.tv_nsec / 1000));
}

/* The process's path of a path in the tree; its parents are made. */
static inline char *faketree_path(struct faketree *faketree, const char *path)
{
	char *full = g_strconcat(faketree->dir, path, NULL);
	g_autofree char *parent = g_path_get_dirname(full);

	g_assert_cmpint(g_mkdir_with_parents(parent, 0755), ==, 0);
	return full;
}

static inline void faketree_write(struct faketree *faketree, const char *path,
				  const char *text)
{
	g_autofree char *full = faketree_path(faketree, path);

	g_assert_true(g_file_set_contents(full, text, -1, NULL));
}

static inline void faketree_mkdir(struct faketree *faketree, const char *path)
{
	g_autofree char *full = faketree_path(faketree, path);

	g_assert_cmpint(g_mkdir_with_parents(full, 0755), ==, 0);
}

static inline void faketree_link(struct faketree *faketree, const char *target,
				 const char *path)
{
	g_autofree char *full = faketree_path(faketree, path);

	g_assert_cmpint(symlink(target, full), ==, 0);
}

static inline void faketree_fifo(struct faketree *faketree, const char *path)
{
	g_autofree char *full = faketree_path(faketree, path);

	g_assert_cmpint(mkfifo(full, 0644), ==, 0);
}

/* The content as the process sees it, not through the code under test. */
static inline char *faketree_read(struct faketree *faketree, const char *path)
{
	g_autofree char *full = g_strconcat(faketree->dir, path, NULL);
	char *text = NULL;

	g_file_get_contents(full, &text, NULL, NULL);
	return text;
}

/* How many entries a directory has: temporary files left in it would show. */
static inline guint faketree_count(struct faketree *faketree, const char *path)
{
	g_autofree char *full = g_strconcat(faketree->dir, path, NULL);
	g_autoptr(GDir) dir = g_dir_open(full, 0, NULL);
	guint n = 0;

	while (dir && g_dir_read_name(dir))
		n++;
	return n;
}
