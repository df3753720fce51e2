/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a kernel's module of a name is, by the lists of its directory. */
#include <string.h>

#include "core/module/inspect.h"

#define MAX_LIST_BYTES (64 * 1024 * 1024)

/* '-' and '_' are one to the kernel; name ends at its NUL, file at ".ko". */
static bool is_file_of(const char *file, size_t file_len, const char *name)
{
	size_t n = strlen(name);

	if (file_len < n + 3 || strncmp(file + n, ".ko", 3))
		return false;
	for (size_t i = 0; i < n; i++) {
		char a = file[i] == '-' ? '_' : file[i];
		char b = name[i] == '-' ? '_' : name[i];

		if (a != b)
			return false;
	}
	return file_len == n + 3 || file[n + 3] == '.';
}

/*
 * The path of the module in a list with one path first on each line, which begins with
 * prefix: "kernel/drivers/a/b.ko.xz: kernel/..." or "kernel/drivers/a/b.ko".
 */
static char *find_in_list(const char *list, const char *prefix, const char *name)
{
	while (*list) {
		size_t line_len = strcspn(list, "\n");
		size_t path_len = strcspn(list, ":\n");
		const char *slash = memrchr(list, '/', path_len);

		if (slash && g_str_has_prefix(list, prefix)) {
			const char *file = slash + 1;

			if (is_file_of(file, (size_t)(list + path_len - file), name))
				return g_strndup(list, path_len);
		}
		list += line_len;
		if (*list)
			list++;
	}
	return NULL;
}

/* modules.order names files as they were before compression. */
static char *find_on_disk(const struct ks_system *system, const char *modules_dir,
			  const char *relative)
{
	static const char *const suffixes[] = {"", ".xz", ".zst", ".gz"};

	for (size_t i = 0; i < G_N_ELEMENTS(suffixes); i++) {
		g_autofree char *path =
			g_strconcat(modules_dir, "/", relative, suffixes[i], NULL);

		if (ks_root_exists(system->root, path))
			return g_steal_pointer(&path);
	}
	return NULL;
}

static char *find(const struct ks_system *system, const struct ks_kernel *kernel,
		  const char *list_name, const char *prefix, const char *name)
{
	g_autofree char *list_path =
		g_build_filename(kernel->modules_dir, list_name, NULL);
	g_autofree char *list =
		ks_root_read_file(system->root, list_path, MAX_LIST_BYTES, NULL, NULL);
	g_autofree char *relative = list ? find_in_list(list, prefix, name) : NULL;

	return relative ? find_on_disk(system, kernel->modules_dir, relative) : NULL;
}

char *ks_module_find_in_tree(const struct ks_system *system,
			     const struct ks_kernel *kernel, const char *name)
{
	char *path = find(system, kernel, "modules.dep", "kernel/", name);

	return path ? path : find(system, kernel, "modules.order", "kernel/", name);
}

char *ks_module_find_indexed(const struct ks_system *system,
			     const struct ks_kernel *kernel, const char *name)
{
	return find(system, kernel, "modules.dep", "", name);
}
