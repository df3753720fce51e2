/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Taking the kernel's own modules, and giving them back. */
#include "core/install/original.h"

#include <errno.h>
#include <string.h>

#include "core/install/apply.h"
#include "core/install/occupant.h"
#include "core/support/durable.h"
#include "core/support/error.h"
#include "core/support/treeop.h"

#define ORIGIN_SUFFIX	 ".origin"
#define MAX_ORIGIN_BYTES 8192
#define MAX_MODULE_BYTES (256 * 1024 * 1024)
#define MAX_DEPTH	 32

static char *store_dir(const struct ks_system *system, const char *module,
		       const char *release, const char *arch)
{
	return g_build_filename(system->dkms_tree, module, "original_module", release,
				arch, NULL);
}

/* One directory has two names on a merged /usr: as the system spells it. */
static const char *spell(const struct ks_system *system, const char *path)
{
	return g_str_has_prefix(path, "/usr/lib/") &&
			       !g_str_has_prefix(system->install_tree, "/usr/")
		       ? path + strlen("/usr")
		       : path;
}

static char *own_dir(const struct ks_system *system, const char *release)
{
	return g_build_filename(system->install_tree, release, "kernel", NULL);
}

/* Where the file was: a path below the kernel's own modules, or NULL. */
static char *read_origin(const struct ks_system *system, const char *release,
			 const char *stored)
{
	g_autofree char *path = g_strconcat(stored, ORIGIN_SUFFIX, NULL);
	g_autofree char *base = own_dir(system, release);
	g_autofree char *text =
		ks_root_read_file(system->root, path, MAX_ORIGIN_BYTES, NULL, NULL);
	const char *origin;

	if (!text)
		return NULL;
	text[strcspn(text, "\n")] = '\0';
	origin = spell(system, text);
	return ks_journal_is_path_below(origin, base) ? g_strdup(origin) : NULL;
}

/* With its time and mode, which package managers verify. */
static bool copy(const struct ks_system *system, const char *from, const char *to,
		 GError **error)
{
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}};
	g_autofree char *data = NULL;
	size_t size_bytes = 0;
	const char *name;
	ks_autofd int parent = -1;
	struct stat st;

	data = ks_root_read_file(system->root, from, MAX_MODULE_BYTES, &size_bytes,
				 error);
	if (!data || !ks_root_lstat(system->root, from, &st) ||
	    !ks_durable_write(system->root, to, data, size_bytes, st.st_mode & 0777,
			      error))
		return false;
	times[1] = st.st_mtim;
	parent = ks_root_open_parent(system->root, to, &name, error);
	if (parent < 0)
		return false;
	if (utimensat(parent, name, times, AT_SYMLINK_NOFOLLOW) == 0)
		return true;
	ks_error_set_errno(error, errno, "cannot set the time of '%s'", to);
	return false;
}

static bool have_same_bytes(const struct ks_system *system, const char *a, const char *b)
{
	g_autofree char *digest_a = ks_apply_digest(system, a);
	g_autofree char *digest_b = ks_apply_digest(system, b);

	return digest_a && g_strcmp0(digest_a, digest_b) == 0;
}

/* --- finding */

struct search {
	const struct ks_system *system;
	const char *artifact_dir;
	const struct ks_manifest *manifest, *old;
};

/* Is it what one of the manifest's files should be? */
static bool is_file_of(const struct search *search, const struct ks_manifest *manifest,
		       const char *path)
{
	for (guint i = 0; manifest && i < manifest->files->len; i++) {
		const struct ks_manifest_file *file =
			g_ptr_array_index(manifest->files, i);
		g_autofree char *own = ks_manifest_file_path(file);

		if (!strcmp(spell(search->system, own), path))
			return ks_occupant_is_ours(search->system, search->artifact_dir,
						   manifest, file);
	}
	return false;
}

static bool is_the_kernels(const struct search *search, const char *path)
{
	g_autofree char *claim =
		ks_occupant_find_claim(search->system, search->manifest->module, path);

	return !claim && !is_file_of(search, search->manifest, path) &&
	       !is_file_of(search, search->old, path);
}

/* "foo.ko", "foo.ko.xz" and so on for "foo". */
static bool has_name(const char *file, const char *stem)
{
	size_t length = strlen(stem);

	return !strncmp(file, stem, length) && g_str_has_prefix(file + length, ".ko") &&
	       (!file[length + 3] || file[length + 3] == '.');
}

/* Regular files of that module below dir, except those that are not the kernel's. */
static void find_below(const struct search *search, const char *dir, const char *stem,
		       unsigned int depth, GPtrArray *found)
{
	const struct ks_root *root = search->system->root;
	g_autoptr(GPtrArray) names = ks_root_list(root, dir, NULL);

	for (guint i = 0; names && depth < MAX_DEPTH && i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);
		g_autofree char *path = g_build_filename(dir, name, NULL);
		struct stat st;

		if (strstr(name, ".ko") && !has_name(name, stem))
			continue;
		if (!ks_root_lstat(root, path, &st))
			continue;
		if (S_ISDIR(st.st_mode))
			find_below(search, path, stem, depth + 1, found);
		else if (S_ISREG(st.st_mode) && has_name(name, stem) &&
			 is_the_kernels(search, path))
			g_ptr_array_add(found, g_steal_pointer(&path));
	}
}

/* The file that is in the way of the new one, or NULL. */
static char *find_original(const struct search *search,
			   const struct ks_manifest_file *file)
{
	g_autofree char *dir = own_dir(search->system, search->manifest->release);
	g_autofree char *whole = ks_manifest_file_path(file);
	const char *path = spell(search->system, whole);
	const char *suffix = strstr(file->name, ".ko");
	g_autofree char *stem = suffix ? g_strndup(file->name, suffix - file->name)
				       : g_strdup(file->name);
	g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);

	if (!ks_journal_is_path_below(path, dir))
		return NULL;
	find_below(search, dir, stem, 0, found);
	for (guint i = 0; i < found->len; i++)
		if (!strcmp(g_ptr_array_index(found, i), path))
			return g_strdup(path);
	return found->len == 1 ? g_strdup(g_ptr_array_index(found, 0)) : NULL;
}

/* --- taking */

static bool store(const struct ks_system *system, const struct ks_manifest *manifest,
		  const char *path, GError **error)
{
	g_autofree char *dir =
		store_dir(system, manifest->module, manifest->release, manifest->arch);
	g_autofree char *name = g_path_get_basename(path);
	g_autofree char *stored = g_build_filename(dir, name, NULL);
	g_autofree char *origin = g_strconcat(stored, ORIGIN_SUFFIX, NULL);
	g_autofree char *text = g_strconcat(path, "\n", NULL);

	/* without the other, either of them is nothing to be put back */
	return copy(system, path, stored, error) &&
	       ks_durable_write(system->root, origin, text, strlen(text), 0644, error);
}

bool ks_original_put_aside(const struct ks_system *system, const char *artifact_dir,
			   const struct ks_manifest *manifest,
			   const struct ks_manifest *old,
			   const struct ks_original_options *options, GPtrArray *others,
			   GError **error)
{
	const struct search search = {system, artifact_dir, manifest, old};

	for (guint i = 0; i < manifest->files->len; i++) {
		g_autofree char *path =
			find_original(&search, g_ptr_array_index(manifest->files, i));

		if (!path ||
		    (options->may_take && !options->may_take(path, options->data)))
			continue;
		if (!store(system, manifest, path, error)) {
			g_prefix_error(error, "cannot put '%s' aside: ", path);
			return false;
		}
		if (!ks_manifest_has_path(manifest, path))
			g_ptr_array_add(others, g_strdup(path));
		if (options->report)
			options->report(path, options->data);
	}
	return true;
}

bool ks_original_is_put_aside(const struct ks_system *system,
			      const struct ks_manifest *manifest, const char *path)
{
	g_autofree char *dir =
		store_dir(system, manifest->module, manifest->release, manifest->arch);
	g_autofree char *name = g_path_get_basename(path);
	g_autofree char *stored = g_build_filename(dir, name, NULL);
	g_autofree char *origin = read_origin(system, manifest->release, stored);

	return origin && !strcmp(origin, spell(system, path)) &&
	       have_same_bytes(system, stored, path);
}

bool ks_original_remove(const struct ks_system *system,
			const struct ks_manifest *manifest, GPtrArray *others,
			GError **error)
{
	for (guint i = 0; i < others->len; i++) {
		const char *path = g_ptr_array_index(others, i);

		if (ks_original_is_put_aside(system, manifest, path) &&
		    !ks_durable_unlink(system->root, path, error))
			return false;
	}
	return true;
}

/* --- giving back */

static bool is_our_own(const struct ks_system *system, const struct ks_manifest *manifest,
		       const char *path)
{
	const struct search search = {.system = system};

	return manifest && is_file_of(&search, manifest, path);
}

static bool restore_one(const struct ks_system *system,
			const struct ks_manifest *manifest, const char *stored,
			const char *origin, const struct ks_original_options *options,
			GError **error)
{
	struct stat st;

	/* the kernel's package has brought its own again */
	if (ks_root_lstat(system->root, origin, &st) &&
	    !is_our_own(system, manifest, origin))
		return true;
	if (!copy(system, stored, origin, error))
		return false;
	if (options && options->report)
		options->report(origin, options->data);
	return true;
}

bool ks_original_restore(const struct ks_system *system,
			 const struct ks_manifest *manifest, const char *module,
			 const char *release, const char *arch,
			 const struct ks_original_options *options, GError **error)
{
	g_autofree char *top = g_build_filename(system->dkms_tree, module, NULL);
	g_autofree char *dir = store_dir(system, module, release, arch);
	g_autofree char *parent = g_path_get_dirname(dir);
	g_autoptr(GPtrArray) names = ks_root_list(system->root, dir, error);
	bool all = true;

	for (guint i = 0; names && i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);
		g_autofree char *stored = g_build_filename(dir, name, NULL);
		g_autofree char *origin = NULL;

		if (g_str_has_suffix(name, ORIGIN_SUFFIX))
			continue;
		origin = read_origin(system, release, stored);
		all &= origin != NULL;
		if (origin &&
		    !restore_one(system, manifest, stored, origin, options, error)) {
			g_prefix_error(error, "cannot put '%s' back: ", origin);
			return false;
		}
	}
	if (!names)
		return false;
	if (!names->len || !all)
		return true;
	return ks_treeop_remove(system->root, dir, error) &&
	       ks_treeop_prune_empty(system->root, parent, top, error);
}
