/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See contents.h. */
#include "core/package/contents.h"

#include <errno.h>

#include "core/record/record.h"
#include "core/state/tree.h"
#include "core/support/error.h"

#define MAX_ENTRIES 200000
#define MAX_DEPTH   100

/* A walk through a source directory: into package, or, without one, for its
 * newest time. */
struct walk {
	const struct ks_system *system;
	struct ks_digest_cache *cache;
	struct ks_package *package;
	gint64 newest;
	guint n_entries;
};

static bool add_file(struct walk *walk, const char *path, const char *dest,
		     const struct stat *st, GError **error)
{
	g_autofree char *sha256 = ks_digest_file(walk->cache, path, error);
	g_autofree char *source = ks_root_host_path(walk->system->root, path);

	if (!sha256)
		return false;
	ks_package_add_file(walk->package, dest, sha256, (guint64)st->st_size,
			    st->st_mode & 0111 ? 0755 : 0644, source);
	return true;
}

static bool walk_dir(struct walk *walk, const char *path, const char *dest, guint depth,
		     GError **error);

static bool walk_entry(struct walk *walk, const char *path, const char *dest, guint depth,
		       GError **error)
{
	struct stat st;

	if (!ks_root_lstat(walk->system->root, path, &st)) {
		ks_error_set_errno(error, errno, "cannot read '%s'", path);
		return false;
	}
	if (++walk->n_entries > MAX_ENTRIES || depth > MAX_DEPTH) {
		ks_error_set(error, KS_ERROR_INVALID,
			     "'%s': too many or too deep directories", path);
		return false;
	}
	walk->newest = MAX(walk->newest, (gint64)st.st_mtime);
	if (S_ISDIR(st.st_mode))
		return walk_dir(walk, path, dest, depth + 1, error);
	if (!walk->package)
		return true;
	if (S_ISREG(st.st_mode))
		return add_file(walk, path, dest, &st, error);
	if (S_ISLNK(st.st_mode)) {
		g_autofree char *target = ks_root_readlink(walk->system->root, path);

		ks_package_add_link(walk->package, dest, target ? target : "");
		return true;
	}
	ks_error_set(error, KS_ERROR_INVALID,
		     "'%s' is neither a file, a directory nor a link", path);
	return false;
}

static bool walk_dir(struct walk *walk, const char *path, const char *dest, guint depth,
		     GError **error)
{
	g_autoptr(GPtrArray) names = ks_root_list(walk->system->root, path, error);

	if (!names)
		return false;
	if (walk->package)
		ks_package_add_dir(walk->package, dest, 0755);
	for (guint i = 0; i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);
		g_autofree char *inner = g_build_filename(path, name, NULL);
		g_autofree char *inner_dest = g_build_filename(dest, name, NULL);

		if (!walk_entry(walk, inner, inner_dest, depth, error))
			return false;
	}
	return true;
}

/* The newest time below source_dir, or otherwise where that is unknown. */
static gint64 newest_time(const struct ks_system *system, const char *source_dir,
			  gint64 otherwise)
{
	struct walk walk = {.system = system, .newest = -1};

	if (!source_dir || !walk_dir(&walk, source_dir, "", 0, NULL) || walk.newest < 0)
		return otherwise;
	return walk.newest;
}

static void set_common(struct ks_package *package, const char *module,
		       const char *version, const struct ks_package_options *options)
{
	package->module = g_strdup(module);
	package->version = g_strdup(version);
	if (options->revision) {
		g_free(package->revision);
		package->revision = g_strdup(options->revision);
	}
	package->maintainer = g_strdup(
		options->maintainer ? options->maintainer : "kmodsmith <root@localhost>");
	package->licence = g_strdup(options->licence ? options->licence : "unspecified");
}

static bool add_modules(const struct ks_system *system, struct ks_digest_cache *cache,
			const struct ks_manifest *manifest, struct ks_package *package,
			GError **error)
{
	g_autofree char *dir =
		ks_tree_artifact_path(system, manifest->module, manifest->version,
				      manifest->release, manifest->arch);

	for (guint i = 0; i < manifest->files->len; i++) {
		const struct ks_manifest_file *file =
			g_ptr_array_index(manifest->files, i);
		g_autofree char *path = g_build_filename(dir, "module", file->name, NULL);
		g_autofree char *dest = ks_manifest_file_path(file);
		g_autofree char *sha256 = ks_digest_file(cache, path, error);
		g_autofree char *source = ks_root_host_path(system->root, path);

		if (!sha256)
			return false;
		if (g_strcmp0(sha256, file->sha256) != 0) {
			ks_error_set(error, KS_ERROR_INVALID,
				     "'%s' is not the file that was built", path);
			return false;
		}
		ks_package_add_file(package, dest, sha256, file->size_bytes, 0644,
				    source);
	}
	return true;
}

struct ks_package *ks_package_of_artifact(const struct ks_system *system,
					  struct ks_digest_cache *cache,
					  const struct ks_manifest *manifest,
					  const char *source_dir,
					  const struct ks_package_options *options,
					  GError **error)
{
	ks_auto(ks_package) package = ks_package_new(KS_PACKAGE_PREBUILT);
	ks_auto(ks_record) record = ks_record_new(manifest);

	if (!add_modules(system, cache, manifest, package, error))
		return NULL;
	set_common(package, manifest->module, manifest->version, options);
	package->name = g_strdup(record->name);
	package->release = g_strdup(manifest->release);
	package->arch = g_strdup(manifest->arch);
	package->summary = g_strdup_printf("%s %s for Linux %s", manifest->module,
					   manifest->version, manifest->release);
	package->description = g_strdup_printf(
		"Kernel modules built from %s %s for this one kernel.\n"
		"They need neither their source nor a compiler where they are installed.",
		manifest->module, manifest->version);
	for (size_t i = 0; i < record->n_provides; i++)
		g_ptr_array_add(package->provides, g_strdup(record->provides[i]));
	package->mtime = options->mtime >= 0
				 ? options->mtime
				 : newest_time(system, source_dir,
					       manifest->built_at_us / G_USEC_PER_SEC);
	return g_steal_pointer(&package);
}

struct ks_package *ks_package_of_source(const struct ks_system *system,
					struct ks_digest_cache *cache, const char *module,
					const char *version, const char *source_dir,
					const struct ks_package_options *options,
					GError **error)
{
	ks_auto(ks_package) package = ks_package_new(KS_PACKAGE_SOURCE);
	struct walk walk = {
		.system = system, .cache = cache, .package = package, .newest = 0};
	g_autofree char *dest = g_strdup_printf("/usr/src/%s-%s", module, version);
	/* T/M/V/source is a link, which outside of the tree leads elsewhere */
	g_autofree char *real = ks_root_realpath(system->root, source_dir);

	if (!walk_dir(&walk, real ? real : source_dir, dest, 0, error))
		return NULL;
	set_common(package, module, version, options);
	package->name = g_strdup_printf("%s-dkms", module);
	package->arch = g_strdup("all");
	package->summary = g_strdup_printf("source of the kernel modules of %s", module);
	package->description = g_strdup_printf(
		"The source of %s %s in /usr/src, with a dkms.conf.\n"
		"kmodsmith or dkms builds the modules for each kernel of the system.",
		module, version);
	package->mtime = options->mtime >= 0 ? options->mtime : walk.newest;
	return g_steal_pointer(&package);
}

gint64 ks_package_parse_epoch(const char *text)
{
	gint64 mtime;

	/* what every format can hold */
	if (!text || !g_ascii_string_to_signed(text, 10, 0, G_MAXUINT32, &mtime, NULL))
		return -1;
	return mtime;
}
