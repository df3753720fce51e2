/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A walk through sysfs, which has loops of links and none of directories. */
#include "core/install/udev.h"

#include <fnmatch.h>
#include <fts.h>
#include <string.h>
#include <unistd.h>

#define DEVICES		   "/sys/devices"
#define ACTION		   "add\n"
#define MAX_MODALIAS_BYTES 4096

/* As libkmod's alias_normalize(): outside of brackets. */
static void normalize(char *text)
{
	bool in_brackets = false;

	for (; *text; text++) {
		if (*text == '[')
			in_brackets = true;
		else if (*text == ']')
			in_brackets = false;
		else if (*text == '-' && !in_brackets)
			*text = '_';
	}
}

static GPtrArray *normalized(const GPtrArray *patterns)
{
	GPtrArray *result = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < patterns->len; i++) {
		char *pattern = g_strdup(patterns->pdata[i]);

		normalize(pattern);
		g_ptr_array_add(result, pattern);
	}
	return result;
}

/* sysfs says of each file that it has a page; its end is where reading ends. */
static bool read_modalias(const struct ks_system *system, const char *path, char *text,
			  size_t size)
{
	ks_autofd int fd =
		ks_root_openat(system->root, path, O_RDONLY | O_NONBLOCK, 0, NULL);
	ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

	if (n <= 0)
		return false;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return *text != '\0';
}

static bool is_matched(const char *modalias, const GPtrArray *patterns)
{
	for (guint i = 0; i < patterns->len; i++)
		if (fnmatch(patterns->pdata[i], modalias, 0) == 0)
			return true;
	return false;
}

/* Called by a walk for each modalias file, with its text and where to note it. */
typedef void (*visitor)(const struct ks_system *system, const char *path, char *modalias,
			const GPtrArray *patterns, GPtrArray *result);

static void note_device(const struct ks_system *system, const char *path, char *modalias,
			const GPtrArray *patterns, GPtrArray *devices)
{
	g_autofree char *dir = g_path_get_dirname(path);
	g_autofree char *driver = g_build_filename(dir, "driver", NULL);
	struct stat st;

	normalize(modalias);
	if (is_matched(modalias, patterns) && !ks_root_lstat(system->root, driver, &st))
		g_ptr_array_add(devices, g_steal_pointer(&dir));
}

static void note_modalias(const struct ks_system *system, const char *path,
			  char *modalias, const GPtrArray *patterns, GPtrArray *aliases)
{
	if (!g_ptr_array_find_with_equal_func(aliases, modalias, g_str_equal, NULL))
		g_ptr_array_add(aliases, g_strdup(modalias));
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static GPtrArray *walk_devices(const struct ks_system *system, visitor visit,
			       const GPtrArray *patterns)
{
	GPtrArray *result = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *top = ks_root_host_path(system->root, DEVICES);
	size_t prefix = strlen(top) - strlen(DEVICES);
	char *const paths[] = {top, NULL};
	FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, by_name);
	char modalias[MAX_MODALIAS_BYTES];
	const FTSENT *entry;

	while (walk && (entry = fts_read(walk)) != NULL)
		if (entry->fts_info == FTS_F && !strcmp(entry->fts_name, "modalias") &&
		    read_modalias(system, entry->fts_path + prefix, modalias,
				  sizeof(modalias)))
			visit(system, entry->fts_path + prefix, modalias, patterns,
			      result);
	if (walk)
		fts_close(walk);
	return result;
}

GPtrArray *ks_udev_find_devices(const struct ks_system *system, const GPtrArray *patterns)
{
	g_autoptr(GPtrArray) wanted = normalized(patterns);

	return wanted->len ? walk_devices(system, note_device, wanted)
			   : g_ptr_array_new_with_free_func(g_free);
}

GPtrArray *ks_udev_list_modaliases(const struct ks_system *system)
{
	return walk_devices(system, note_modalias, NULL);
}

unsigned int ks_udev_announce(const struct ks_system *system, const GPtrArray *devices)
{
	unsigned int n = 0;

	for (guint i = 0; i < devices->len; i++) {
		g_autofree char *path =
			g_build_filename(devices->pdata[i], "uevent", NULL);
		ks_autofd int fd = ks_root_openat(system->root, path,
						  O_WRONLY | O_NONBLOCK, 0, NULL);

		if (fd >= 0 &&
		    write(fd, ACTION, strlen(ACTION)) == (ssize_t)strlen(ACTION))
			n++;
	}
	return n;
}
