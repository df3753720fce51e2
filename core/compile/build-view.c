/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a build sees of elsewhere, as if its user could go there: the kernel's headers
 * wherever they are, and what the administrator names on the command line or in
 * framework.conf. dkms builds as root and has all of that.
 *
 * It is shown at its place by the launcher. Where something in a header tree can be read
 * by root alone, the tree is copied once a run: below root's own directory, readable for
 * the builds' group, and shown in the place of the tree.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/compile/compile-private.h"
#include "core/kernel/trees.h"
#include "core/platform/digest.h"
#include "core/support/error.h"

/* A built kernel without its objects, with room. */
#define TREE_MAX_BYTES	 (6ULL << 30)
#define TREE_MAX_ENTRIES 400000

void ks_build_shown_clear(gpointer data)
{
	struct ks_sandbox_bind *bind = data;

	g_free((char *)bind->source);
	g_free((char *)bind->target);
}

void ks_build_show(struct ks_build *build, const char *source, const char *target)
{
	const struct ks_sandbox_bind bind = {g_strdup(source), g_strdup(target)};

	g_array_append_val(build->shown, bind);
}

/* --- copies: their names are digests of the paths of what was copied */

static char *views_dir(const struct ks_system *system)
{
	g_autofree char *work = ks_system_work_root(system);

	return g_strdup_printf("%s/views.%d", work, (int)getpid());
}

static char *copy_path(const struct ks_system *system, const char *path)
{
	g_autofree char *dir = views_dir(system);
	g_autofree char *name = ks_digest_data(path, strlen(path));

	return g_build_filename(dir, name, NULL);
}

void ks_build_drop_views(const struct ks_system *system)
{
	g_autofree char *dir = views_dir(system);

	ks_ignore(ks_treeop_remove(system->root, dir, NULL));
}

/* The products of make beside the sources; modules need none of them. */
static bool is_left_out(const char *name)
{
	static const char *const suffixes[] = {".a", ".cmd", ".ko", ".mod", ".o"};

	if (strcmp(name, ".git") == 0 || ks_kernel_is_key(name))
		return true;
	if (strcmp(name, "crtsavres.o") == 0) /* PowerPC links it into modules */
		return false;
	for (size_t i = 0; i < G_N_ELEMENTS(suffixes); i++)
		if (g_str_has_suffix(name, suffixes[i]))
			return true;
	return false;
}

static bool copy_file(const struct ks_root *root, const char *from, const char *to,
		      gid_t gid, GError **error)
{
	ks_autofd int in = ks_root_openat(root, from, O_RDONLY | O_NONBLOCK, 0, error);
	ks_autofd int out =
		in >= 0 ? ks_root_openat(root, to, O_WRONLY | O_CREAT | O_EXCL, 0600,
					 error)
			: -1;

	if (out < 0 || !ks_copy_fd(in, out, TREE_MAX_BYTES, NULL, from, error))
		return false;
	if (fchown(out, 0, gid) == 0 && fchmod(out, 0750) == 0)
		return true;
	ks_error_set_errno(error, errno, "cannot copy '%s'", from);
	return false;
}

static bool copy(const struct ks_build *build, const char *from, const char *to,
		 GError **error)
{
	const struct ks_treeop_copy_options options = {
		.chown = true,
		.gid = build->gid,
		.group_reads = true,
		.is_left_out = is_left_out,
		.max_bytes = TREE_MAX_BYTES,
		.max_entries = TREE_MAX_ENTRIES,
	};
	const struct ks_root *root = build->system->root;
	struct stat st;

	if (ks_root_stat(root, from, &st) && !S_ISDIR(st.st_mode))
		return copy_file(root, from, to, build->gid, error);
	return ks_treeop_copy(root, from, to, &options, error);
}

/* The copy that stands in for path, made when there is none yet. Free with g_free. */
static char *find_copy(const struct ks_build *build, const char *path, GError **error)
{
	const struct ks_root *root = build->system->root;
	g_autofree char *dir = views_dir(build->system);
	g_autofree char *to = copy_path(build->system, path);

	if (ks_root_exists(root, to))
		return g_steal_pointer(&to);
	if (!ks_root_mkdir_p(root, dir, 0755, error) || !copy(build, path, to, error)) {
		ks_ignore(ks_treeop_remove(root, to, NULL));
		g_prefix_error(error, "cannot show '%s' to the build user: ", path);
		ks_error_hint(error, "'chmod -R go+rX %s' lets it be read where it is",
			      path);
		return NULL;
	}
	return g_steal_pointer(&to);
}

/* --- the kernel's headers */

static bool show_named(struct ks_build *build, const GPtrArray *trees, const char *path)
{
	g_autofree char *real = ks_root_realpath(build->system->root, path);

	for (guint i = 0; real && i < trees->len; i++) {
		const struct ks_kernel_tree *tree = trees->pdata[i];
		g_autofree char *made = NULL;

		if (strcmp(tree->path, real) != 0)
			continue;
		made = copy_path(build->system, tree->path);
		ks_build_show(build,
			      ks_root_exists(build->system->root, made) ? made : real,
			      path);
		return true;
	}
	return false;
}

static bool hide(struct ks_build *build, const char *path, GError **error)
{
	g_autofree char *nothing = g_build_filename(build->work_dir, "nothing", NULL);
	ks_autofd int fd = ks_root_openat(build->system->root, nothing,
					  O_WRONLY | O_CREAT, 0600, error);

	if (fd >= 0)
		ks_build_show(build, nothing, path);
	return fd >= 0;
}

/* Nobody but root could read them in a home, before the tree was shown. */
static bool hide_keys(struct ks_build *build, const char *tree, GError **error)
{
	g_autofree char *certs = g_build_filename(tree, "certs", NULL);
	g_autoptr(GPtrArray) names =
		ks_root_list_type(build->system->root, certs, S_IFREG, NULL);

	for (guint i = 0; names && i < names->len; i++) {
		g_autofree char *path = g_build_filename(certs, names->pdata[i], NULL);

		if (ks_kernel_is_key(names->pdata[i]) && !hide(build, path, error))
			return false;
	}
	return true;
}

static bool show_headers(struct ks_build *build, GError **error)
{
	const struct ks_kernel *kernel = build->request->kernel;
	g_autofree char *own = g_build_filename(kernel->modules_dir, "build", NULL);
	g_autofree char *source = g_build_filename(kernel->modules_dir, "source", NULL);
	g_autoptr(GPtrArray) trees =
		ks_kernel_list_trees(build->system, kernel, build->gid);

	for (guint i = 0; i < trees->len; i++) {
		const struct ks_kernel_tree *tree = trees->pdata[i];
		g_autofree char *made = NULL;

		if (tree->unreadable) {
			made = find_copy(build, tree->path, error);
			if (!made)
				return false;
		}
		ks_build_show(build, made ? made : tree->path, tree->path);
		if (!made && !hide_keys(build, tree->path, error))
			return false;
	}
	/* and the links by which it is spoken of */
	show_named(build, trees, kernel->headers_dir);
	show_named(build, trees, own);
	show_named(build, trees, source);
	return true;
}

/* --- what the administrator names */

/*
 * The path to show so that path can be seen: itself, or the directory that it
 * is in, directly below the obstacle; a compiler has its parts beside it. NULL:
 * nothing is in the way.
 */
static char *find_entry(const struct ks_build *build, const char *path)
{
	g_autofree char *real = ks_root_realpath(build->system->root, path);
	g_autofree char *closed =
		real ? ks_kernel_find_closed(build->system, real, build->gid) : NULL;
	g_autofree char *entry = NULL;
	const char *name;

	if (!real || (!closed && !ks_sandbox_covers(real)))
		return NULL;
	if (!closed)
		closed = g_strndup(real, strlen("/tmp"));
	name = real + strlen(closed) + 1;
	entry = g_strndup(real, strlen(closed) + 1 + strcspn(name, "/"));
	/* of a home: not all that is configured there; nor over the build's own place */
	if (*name == '.' || g_str_has_prefix(build->entry_path, entry))
		return g_steal_pointer(&real);
	return g_steal_pointer(&entry);
}

/* A program of root's alone; what else only root reads may be a key. */
static bool show_program(struct ks_build *build, const char *path, GError **error)
{
	g_autofree char *made = NULL;
	struct stat st;

	if (!ks_root_stat(build->system->root, path, &st) || !S_ISREG(st.st_mode) ||
	    !(st.st_mode & 0100) || ks_kernel_may(&st, build->gid, 5))
		return true;
	made = find_copy(build, path, error);
	if (made)
		ks_build_show(build, made, path);
	return made != NULL;
}

static bool show_path(struct ks_build *build, const char *path, GError **error)
{
	g_autofree char *entry = NULL;
	struct stat st;

	/* "/tmp" is no name of anything in it */
	if (*path != '/' || !strchr(path + 1, '/') ||
	    !ks_root_stat(build->system->root, path, &st))
		return true;
	entry = find_entry(build, path);
	if (entry) {
		ks_build_show(build, entry, entry);
		ks_build_show(build, path, path);
	}
	return show_program(build, path, error);
}

static bool show_words(struct ks_build *build, const char *text, GError **error)
{
	g_auto(GStrv) words = g_strsplit_set(text, " \t\n=:;,()&|<>'\"`", -1);

	for (char **word = words; *word; word++)
		if (!show_path(build, *word, error))
			return false;
	return true;
}

static bool show_all_words(struct ks_build *build, const char *const *texts,
			   GError **error)
{
	for (; texts && *texts; texts++)
		if (!show_words(build, *texts, error))
			return false;
	return true;
}

static bool show_directory(struct ks_build *build, const char *path, GError **error)
{
	g_autofree char *entry = find_entry(build, path);

	if (entry)
		ks_build_show(build, path, path);
	return true;
}

static bool show_what_is_named(struct ks_build *build, GError **error)
{
	const struct ks_build_request *request = build->request;
	const struct ks_conf_overrides *overrides = build->settings->overrides;
	g_autofree char *own =
		g_build_filename(build->system->dkms_etc, request->module, NULL);

	if (overrides &&
	    ks_conf_overrides_match(overrides, request->module, request->version) &&
	    !show_all_words(build, overrides->directives, error))
		return false;
	return show_all_words(build, (const char *const *)request->conf->environment,
			      error) &&
	       show_directory(build, build->system->source_tree, error) &&
	       show_directory(build, own, error);
}

bool ks_build_show_all(struct ks_build *build, GError **error)
{
	return !build->request->private_build || !build->is_root ||
	       (show_headers(build, error) && show_what_is_named(build, error));
}
