/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See setaside.h. */
#include "plugins/apt/setaside.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "plugins/apt/dpkg-database.h"

struct kept {
	int directory;
	char *name, *second;
};

struct ks_setaside {
	const struct ks_system *system;
	GPtrArray *files; /* struct kept */
};

static void kept_free(gpointer data)
{
	struct kept *kept = data;

	close(kept->directory);
	g_free(kept->name);
	g_free(kept->second);
	g_free(kept);
}

struct ks_setaside *ks_setaside_new(const struct ks_system *system)
{
	struct ks_setaside *aside = g_new0(struct ks_setaside, 1);

	aside->system = system;
	aside->files = g_ptr_array_new_with_free_func(kept_free);
	return aside;
}

static void keep(struct ks_setaside *aside, const char *path)
{
	const char *name;
	ks_autofd int directory =
		ks_root_open_parent(aside->system->root, path, &name, NULL);
	g_autofree char *second = NULL;
	struct kept *kept;
	struct stat st;

	if (directory < 0 || fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISREG(st.st_mode))
		return;
	second = g_strconcat(".", name, ".kmodsmith-kept", NULL);
	unlinkat(directory, second, 0);
	if (linkat(directory, name, directory, second, 0) < 0)
		return;
	kept = g_new0(struct kept, 1);
	kept->directory = ks_steal_fd(&directory);
	kept->name = g_strdup(name);
	kept->second = g_steal_pointer(&second);
	g_ptr_array_add(aside->files, kept);
}

void ks_setaside_add(struct ks_setaside *aside, const char *package)
{
	g_autoptr(GPtrArray) files = ks_dpkg_files(aside->system, package, NULL);

	for (guint i = 0; files && i < files->len; i++)
		keep(aside, g_ptr_array_index(files, i));
}

static void put_back(const struct kept *kept)
{
	struct stat st;

	/* with two names of one file rename(2) would leave both */
	if (fstatat(kept->directory, kept->name, &st, AT_SYMLINK_NOFOLLOW) < 0 &&
	    errno == ENOENT)
		renameat(kept->directory, kept->second, kept->directory, kept->name);
	else
		unlinkat(kept->directory, kept->second, 0);
	fsync(kept->directory);
}

void ks_setaside_finish(struct ks_setaside *aside)
{
	for (guint i = 0; i < aside->files->len; i++)
		put_back(g_ptr_array_index(aside->files, i));
	g_ptr_array_unref(aside->files);
	g_free(aside);
}
