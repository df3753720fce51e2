/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/inventory/kernels-own.h"

#include <stdint.h>
#include <string.h>

#include "core/module/inspect.h"
#include "core/support/durable.h"
#include "core/support/version.h"

#define MAX_CACHE_BYTES (1u << 20)

struct versions {
	char *version, *srcversion; /* NULL: it has none */
};

static void versions_clear(struct versions *versions)
{
	g_free(versions->version);
	g_free(versions->srcversion);
}

/* --- the cache of earlier readings: a key file, one group for each path */

static char *cache_path(const struct ks_system *system)
{
	return g_build_filename(system->state_dir, "cache", "in-tree", NULL);
}

static GKeyFile *load_cache(const struct ks_system *system)
{
	g_autofree char *path = cache_path(system);
	size_t size_bytes;
	g_autofree char *text =
		ks_root_read_file(system->root, path, MAX_CACHE_BYTES, &size_bytes, NULL);
	GKeyFile *keys = g_key_file_new();

	/* a damaged one is started again */
	if (text &&
	    !g_key_file_load_from_data(keys, text, size_bytes, G_KEY_FILE_NONE, NULL)) {
		g_key_file_free(keys);
		keys = g_key_file_new();
	}
	return keys;
}

static void store_cache(const struct ks_system *system, GKeyFile *keys)
{
	g_autofree char *path = cache_path(system);
	g_autofree char *dir = g_path_get_dirname(path);
	size_t size_bytes;
	g_autofree char *text = g_key_file_to_data(keys, &size_bytes, NULL);

	/* nothing is made where kmodsmith keeps no state yet */
	if (ks_root_exists(system->root, system->state_dir) &&
	    size_bytes < MAX_CACHE_BYTES &&
	    ks_root_mkdir_p(system->root, dir, 0755, NULL))
		ks_ignore(ks_durable_write(system->root, path, text, size_bytes, 0644,
					   NULL));
}

static char *identify(const struct ks_system *system, const char *path)
{
	struct stat st;

	if (!ks_root_stat(system->root, path, &st))
		return NULL;
	return g_strdup_printf("%ju %jd %jd.%09ld %jd.%09ld", (uintmax_t)st.st_ino,
			       (intmax_t)st.st_size, (intmax_t)st.st_mtim.tv_sec,
			       st.st_mtim.tv_nsec, (intmax_t)st.st_ctim.tv_sec,
			       st.st_ctim.tv_nsec);
}

static bool take_cached(GKeyFile *keys, const char *path, const char *identity,
			struct versions *versions)
{
	g_autofree char *known = g_key_file_get_string(keys, path, "identity", NULL);

	if (g_strcmp0(known, identity) != 0)
		return false;
	versions->version = g_key_file_get_string(keys, path, "version", NULL);
	versions->srcversion = g_key_file_get_string(keys, path, "srcversion", NULL);
	return true;
}

static void remember(GKeyFile *keys, const char *path, const char *identity,
		     const struct versions *versions)
{
	g_key_file_remove_group(keys, path, NULL);
	g_key_file_set_string(keys, path, "identity", identity);
	if (versions->version)
		g_key_file_set_string(keys, path, "version", versions->version);
	if (versions->srcversion)
		g_key_file_set_string(keys, path, "srcversion", versions->srcversion);
}

/* --- */

static bool read_versions(const struct ks_system *system, const char *path,
			  struct versions *versions)
{
	const char *const paths[] = {path, NULL};
	g_autoptr(GPtrArray) infos = ks_module_inspect(system, paths, NULL, NULL, NULL);
	const struct ks_module_info *info;

	if (!infos || infos->len != 1)
		return false;
	info = infos->pdata[0];
	versions->version = g_strdup(info->version);
	versions->srcversion = g_strdup(info->srcversion);
	return true;
}

/* A path with brackets would be no group name. */
static bool get_versions(const struct ks_system *system, const char *path,
			 struct versions *versions)
{
	g_autoptr(GKeyFile) keys = load_cache(system);
	g_autofree char *identity = identify(system, path);

	if (!identity || strpbrk(path, "[]"))
		return false;
	if (take_cached(keys, path, identity, versions))
		return true;
	if (!read_versions(system, path, versions))
		return false;
	remember(keys, path, identity, versions);
	store_cache(system, keys);
	return true;
}

static bool is_same_or_newer(const struct versions *own,
			     const struct ks_manifest_file *file)
{
	if (own->version && file->version)
		return ks_version_compare(own->version, file->version) >= 0;
	return !own->version && !file->version && own->srcversion &&
	       g_strcmp0(own->srcversion, file->srcversion) == 0;
}

/* Where modules go as the conf says, ours may have replaced the kernel's. */
static bool is_ours(const struct ks_system *system, const char *path,
		    const struct ks_manifest_file *file)
{
	g_autofree char *own = ks_manifest_file_path(file);
	struct stat st;

	return g_str_equal(own, path) && ks_root_stat(system->root, path, &st) &&
	       (guint64)st.st_size == file->size_bytes;
}

/* "foo.ko.xz" -> the kernel's own foo, when it is the same or newer. */
static char *find_one(const struct ks_system *system, const struct ks_kernel *kernel,
		      const struct ks_manifest_file *file)
{
	const char *suffix = strstr(file->name, ".ko");
	g_autofree char *name = g_strndup(
		file->name, suffix ? (size_t)(suffix - file->name) : strlen(file->name));
	__attribute__((cleanup(versions_clear))) struct versions own = {0};
	g_autofree char *path = NULL;

	if (!file->version && !file->srcversion)
		return NULL;
	path = ks_module_find_in_tree(system, kernel, name);
	if (!path || is_ours(system, path, file) || !get_versions(system, path, &own) ||
	    !is_same_or_newer(&own, file))
		return NULL;
	return g_steal_pointer(&path);
}

char *ks_in_tree_find(const struct ks_system *system, const struct ks_kernel *kernel,
		      const struct ks_manifest *manifest)
{
	g_autofree char *first = NULL;

	if (!kernel->alive)
		return NULL;
	for (guint i = 0; i < manifest->files->len; i++) {
		g_autofree char *path =
			find_one(system, kernel, manifest->files->pdata[i]);

		if (!path)
			return NULL;
		if (!first)
			first = g_steal_pointer(&path);
	}
	return g_steal_pointer(&first);
}
