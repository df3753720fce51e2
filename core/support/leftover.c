/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/support/leftover.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/support/cleanup.h"

/* The command and the source are in the first lines; the rest are headers. */
#define HEAD_BYTES 65536
#define MAX_DEPTH  64

bool ks_leftover_is_of_tools(const char *name)
{
	static const char *const names[] = {".git", ".svn", ".hg",
					    ".bzr", "CVS",  ".DS_Store"};
	const size_t n = strlen(name);

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return name[n - 1] == '~' || g_str_has_prefix(name, ".#") ||
	       g_str_has_prefix(name, ".nfs") || (name[0] == '#' && name[n - 1] == '#') ||
	       (name[0] == '.' && n > 4 && strncmp(name + n - 4, ".sw", 3) == 0);
}

static char *read_head(int dir_fd, const char *name)
{
	ks_autofd int fd =
		openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	g_autofree char *text = NULL;
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return NULL;
	text = g_malloc(HEAD_BYTES + 1);
	n = read(fd, text, HEAD_BYTES);
	if (n <= 0)
		return NULL;
	text[n] = '\0';
	return g_steal_pointer(&text);
}

static bool exists(int dir_fd, const char *name)
{
	return faccessat(dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* "source_PATH/x.o := PATH/x.c": x.c lies where x.o does, as kbuild has it. */
static bool has_source(int dir_fd, const char *text)
{
	const char *line = strstr(text, "\nsource_");
	const char *value = line ? strstr(line, ":= ") : NULL;
	g_autofree char *path = NULL;
	g_autofree char *name = NULL;

	if (!value)
		return true; /* linked, or generated */
	value += strlen(":= ");
	path = g_strndup(value, strcspn(value, " \t\n"));
	name = g_path_get_basename(path);
	return exists(dir_fd, name);
}

/* Vendors put empty ones beside their objects, to please modpost. */
static bool is_command(int dir_fd, const char *name)
{
	g_autofree char *text = read_head(dir_fd, name);

	return text &&
	       (g_str_has_prefix(text, "cmd_") || g_str_has_prefix(text, "savedcmd_")) &&
	       strstr(text, ":= ") && has_source(dir_fd, text);
}

static bool is_command_name(const char *name)
{
	return name[0] == '.' && strlen(name) > strlen(".x.cmd") - 1 &&
	       g_str_has_suffix(name, ".cmd");
}

bool ks_leftover_is_built(int dir_fd, const char *name)
{
	g_autofree char *command = NULL;

	if (is_command_name(name))
		return is_command(dir_fd, name);
	command = g_strdup_printf(".%s.cmd", name);
	return exists(dir_fd, command) && is_command(dir_fd, command);
}

/* --- removed */

struct sweep {
	unsigned int n_removed;
	bool has_others;
};

/* What scripts/Makefile's "clean" of an external module looks for (Linux 6.x). */
static bool is_cleaned(const char *name)
{
	static const char *const suffixes[] = {".a", ".i", ".o", ".s", ".ko", ".rsi"};

	for (size_t i = 0; i < G_N_ELEMENTS(suffixes); i++)
		if (g_str_has_suffix(name, suffixes[i]))
			return true;
	return false;
}

/* Without a command of its own; up to Linux 5.x. */
static bool is_kbuilds(const char *name)
{
	static const char *const names[] = {"modules.order", "Module.symvers",
					    "Module.markers", ".cache.mk"};

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return g_str_has_suffix(name, ".mod.c") || g_str_has_suffix(name, ".mod");
}

static GPtrArray *list_names(int dir_fd)
{
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *dirent;

	while (dir && (dirent = readdir(dir)))
		if (strcmp(dirent->d_name, ".") && strcmp(dirent->d_name, ".."))
			g_ptr_array_add(names, g_strdup(dirent->d_name));
	if (dir)
		closedir(dir);
	else if (fd >= 0)
		close(fd);
	return names;
}

static void remove_one(struct sweep *sweep, int dir_fd, const char *name)
{
	if (unlinkat(dir_fd, name, 0) == 0)
		sweep->n_removed++;
}

/* First all that is to go: a command is needed to know what it made. */
static void sweep_directory(struct sweep *sweep, int dir_fd, int depth)
{
	g_autoptr(GPtrArray) names = list_names(dir_fd);
	g_autoptr(GPtrArray) built = g_ptr_array_new();

	for (guint i = 0; i < names->len; i++) {
		const char *name = names->pdata[i];
		ks_autofd int fd = openat(
			dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (fd >= 0 && depth < MAX_DEPTH && !ks_leftover_is_of_tools(name))
			sweep_directory(sweep, fd, depth + 1);
		else if (fd < 0 && ks_leftover_is_built(dir_fd, name))
			g_ptr_array_add(built, (char *)name);
		else if (fd < 0 && is_cleaned(name))
			sweep->has_others = true;
	}
	for (guint i = 0; i < built->len; i++)
		remove_one(sweep, dir_fd, built->pdata[i]);
	for (guint i = 0; built->len && i < names->len; i++)
		if (is_kbuilds(names->pdata[i]))
			remove_one(sweep, dir_fd, names->pdata[i]);
}

unsigned int ks_leftover_remove(int dir_fd, bool *has_others)
{
	struct sweep sweep = {0};

	sweep_directory(&sweep, dir_fd, 0);
	*has_others = sweep.has_others;
	return sweep.n_removed;
}
