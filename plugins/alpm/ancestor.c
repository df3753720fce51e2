/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See ancestor.h. */
#include "plugins/alpm/ancestor.h"

#include <dirent.h>
#include <fcntl.h>
#include <glib.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* More than that is a loop of pids that died and were used again. */
#define MAX_ANCESTORS 4096

/* The parent of a process, or 0. */
static pid_t parent_of(pid_t pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/stat", (int)pid);
	g_autofree char *text = NULL;
	const char *end;
	int parent = 0;

	if (!g_file_get_contents(path, &text, NULL, NULL))
		return 0;
	/* the program's name may hold anything, also ")" */
	end = strrchr(text, ')');
	return end && sscanf(end + 1, " %*c %d", &parent) == 1 ? parent : 0;
}

static bool ask_about(DIR *dir, const char *name, struct ks_ancestor_file *file,
		      bool (*is_it)(const struct ks_ancestor_file *file, void *data),
		      void *data)
{
	char path[PATH_MAX];
	ssize_t n = readlinkat(dirfd(dir), name, path, sizeof(path) - 1);

	if (n <= 0 || fstatat(dirfd(dir), name, &file->st, 0) < 0)
		return false;
	path[n] = '\0';
	file->path = path;
	return is_it(file, data);
}

static bool search_process(pid_t pid,
			   bool (*is_it)(const struct ks_ancestor_file *file, void *data),
			   void *data)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/fd", (int)pid);
	DIR *dir = opendir(path);
	struct ks_ancestor_file file;
	struct dirent *entry;
	struct stat st;
	bool found = false;

	/* sudo leaves the caller's shell among the ancestors: its files are
	 * no authority */
	if (!dir || fstat(dirfd(dir), &st) < 0 || st.st_uid != geteuid()) {
		if (dir)
			closedir(dir);
		return false;
	}
	while (!found && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			found = ask_about(dir, entry->d_name, &file, is_it, data);
	closedir(dir);
	return found;
}

bool ks_ancestor_find_file(bool (*is_it)(const struct ks_ancestor_file *file, void *data),
			   void *data)
{
	pid_t pid = getppid();

	for (int n = 0; pid > 0 && n < MAX_ANCESTORS; n++, pid = parent_of(pid))
		if (search_process(pid, is_it, data))
			return true;
	return false;
}

bool ks_ancestors_can_be_seen(void)
{
	return access("/proc/self/fd", X_OK) == 0;
}
