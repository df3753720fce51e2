/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See owners.h. */
#include "plugins/alpm/owners.h"

#include <alpm.h>
#include <dlfcn.h>
#include <string.h>

#include "plugins/alpm/entry.h"
#include "plugins/alpm/pacname.h"

/* --- libalpm, when there is one */

static struct {
	bool tried;
	const char *soname;
	__typeof__(alpm_initialize) *initialize;
	__typeof__(alpm_release) *release;
	__typeof__(alpm_get_localdb) *get_localdb;
	__typeof__(alpm_db_get_pkg) *get_pkg;
	__typeof__(alpm_db_get_pkgcache) *get_pkgcache;
	__typeof__(alpm_pkg_get_name) *get_name;
	__typeof__(alpm_pkg_get_version) *get_version;
	__typeof__(alpm_pkg_get_files) *get_files;
	__typeof__(alpm_filelist_contains) *contains;
} lib;

static const struct {
	const char *name;
	void *slot;
} functions[] = {
	{"alpm_initialize", &lib.initialize},
	{"alpm_release", &lib.release},
	{"alpm_get_localdb", &lib.get_localdb},
	{"alpm_db_get_pkg", &lib.get_pkg},
	{"alpm_db_get_pkgcache", &lib.get_pkgcache},
	{"alpm_pkg_get_name", &lib.get_name},
	{"alpm_pkg_get_version", &lib.get_version},
	{"alpm_pkg_get_files", &lib.get_files},
	{"alpm_filelist_contains", &lib.contains},
};

static bool resolve(void *library)
{
	for (size_t i = 0; i < G_N_ELEMENTS(functions); i++) {
		void *found = dlsym(library, functions[i].name);

		if (!found)
			return false;
		memcpy(functions[i].slot, &found, sizeof(found));
	}
	return true;
}

/* The newest first: what the last transaction has installed. */
static void load(void)
{
	static const char *const sonames[] = {"libalpm.so.16", "libalpm.so.15",
					      "libalpm.so.14", "libalpm.so.13"};

	if (lib.tried)
		return;
	lib.tried = true;
	for (size_t i = 0; !lib.soname && i < G_N_ELEMENTS(sonames); i++) {
		void *library = dlopen(sonames[i], RTLD_NOW | RTLD_LOCAL);

		if (library && resolve(library))
			lib.soname = sonames[i];
		else if (library)
			dlclose(library);
	}
}

const char *ks_alpm_library(void)
{
	load();
	return lib.soname;
}

static alpm_handle_t *open_handle(const struct ks_alpm *alpm)
{
	const char *prefix = ks_root_prefix(alpm->system->root);
	const char *db = ks_root_prefix(alpm->db);
	alpm_errno_t ignored;

	load();
	return lib.soname
		       ? lib.initialize(*prefix ? prefix : "/", *db ? db : "/", &ignored)
		       : NULL;
}

static alpm_list_t *all_packages(alpm_handle_t *handle)
{
	return lib.get_pkgcache(lib.get_localdb(handle));
}

static void note_owned(GHashTable *owners, GPtrArray *paths, alpm_pkg_t *package)
{
	alpm_filelist_t *files = lib.get_files(package);

	for (guint i = 0; files && i < paths->len; i++) {
		const char *path = g_ptr_array_index(paths, i);

		if (lib.contains(files, path))
			g_hash_table_insert(owners, g_strdup(path),
					    g_strdup(lib.get_name(package)));
	}
}

static void ask_library(alpm_handle_t *handle, GPtrArray *paths, GHashTable *not_of,
			GHashTable *owners)
{
	for (alpm_list_t *at = all_packages(handle); at; at = at->next)
		if (!g_hash_table_contains(not_of, lib.get_name(at->data)))
			note_owned(owners, paths, at->data);
}

/* --- without it */

static bool lists_path(GPtrArray *files, const char *path)
{
	for (guint i = 0; i < files->len; i++)
		if (strcmp(g_ptr_array_index(files, i), path) == 0)
			return true;
	return false;
}

static char *name_of_entry(const char *dir)
{
	g_autofree char *version = NULL;
	char *name = NULL;

	return ks_alpm_split_entry(dir, &name, &version) ? name : NULL;
}

static bool read_entries(const struct ks_alpm *alpm, GPtrArray *paths, GHashTable *not_of,
			 GHashTable *owners, GError **error)
{
	g_autoptr(GPtrArray) dirs = ks_root_list(alpm->db, KS_ALPM_LOCAL, error);

	for (guint i = 0; dirs && i < dirs->len; i++) {
		const char *dir = g_ptr_array_index(dirs, i);
		g_autofree char *name = name_of_entry(dir);
		g_autoptr(GPtrArray) files = NULL;

		if (!name || g_hash_table_contains(not_of, name))
			continue;
		files = ks_alpm_entry_files(alpm, dir, NULL);
		for (guint j = 0; files && j < paths->len; j++) {
			const char *path = g_ptr_array_index(paths, j);

			if (lists_path(files, path))
				g_hash_table_insert(owners, g_strdup(path),
						    g_strdup(name));
		}
	}
	return dirs != NULL;
}

/* --- */

GHashTable *ks_alpm_owners(const struct ks_alpm *alpm, GPtrArray *paths,
			   GHashTable *not_of, GError **error)
{
	g_autoptr(GHashTable) owners =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	alpm_handle_t *handle = open_handle(alpm);

	if (handle) {
		ask_library(handle, paths, not_of, owners);
		lib.release(handle);
	} else if (!read_entries(alpm, paths, not_of, owners, error)) {
		return NULL;
	}
	return g_steal_pointer(&owners);
}

static bool is_readable(alpm_handle_t *handle, const struct ks_alpm_contents *contents)
{
	alpm_pkg_t *package = lib.get_pkg(lib.get_localdb(handle), contents->name);
	alpm_filelist_t *files;

	if (!package || strcmp(lib.get_version(package), contents->version) != 0)
		return false;
	files = lib.get_files(package);
	for (guint i = 0; i < contents->paths->len; i++)
		if (!files || !lib.contains(files, g_ptr_array_index(contents->paths, i)))
			return false;
	return true;
}

void ks_alpm_read_back(const struct ks_alpm *alpm, GPtrArray *written, GPtrArray *bad)
{
	alpm_handle_t *handle = open_handle(alpm);

	if (!handle)
		return;
	for (guint i = 0; i < written->len; i++) {
		const struct ks_alpm_contents *contents = g_ptr_array_index(written, i);

		if (!is_readable(handle, contents))
			g_ptr_array_add(bad, contents->name);
	}
	lib.release(handle);
}
