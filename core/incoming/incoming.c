/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See incoming.h. */
#include "core/incoming/incoming.h"

#include <errno.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/incoming/content.h"
#include "core/package/unpack.h"
#include "core/support/error.h"
#include "core/support/treeop.h"

/* What may be unpacked for a build is below these, and they are laid over the tree's. */
static const char *const tops[] = {"usr/src", "usr/lib", "lib"};

struct ks_incoming {
	const struct ks_system *system;
	char *path;
	int dir_fd;	      /* locked: somebody uses it */
	bool is_merged;	      /* the tree's /lib is a link to usr/lib */
	GHashTable *releases; /* char * */
};

static char *parent_path(const struct ks_system *system)
{
	return g_build_filename(system->state_dir, "incoming", NULL);
}

/* A directory that nobody has locked is left from a process that is gone. */
static void remove_left(const struct ks_system *system, const char *path)
{
	ks_autofd int fd = ks_root_openat(system->root, path,
					  O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, NULL);

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) == 0)
		ks_ignore(ks_treeop_remove(system->root, path, NULL));
}

static void sweep(const struct ks_system *system, const char *parent)
{
	g_autoptr(GPtrArray) names = ks_root_list(system->root, parent, NULL);

	for (guint i = 0; names && i < names->len; i++) {
		g_autofree char *path = g_build_filename(parent, names->pdata[i], NULL);

		remove_left(system, path);
	}
}

static bool is_merged(const struct ks_system *system)
{
	return ks_root_is_same(system->root, "/lib", "/usr/lib");
}

/* Whoever sweeps waits for the lock of the parent, so that none is removed before it is
 * locked itself. */
static bool make_directory(struct ks_incoming *incoming, GError **error)
{
	const struct ks_root *root = incoming->system->root;
	g_autofree char *parent = parent_path(incoming->system);
	ks_autofd int parent_fd = -1;

	if (!ks_root_mkdir_p(root, parent, 0700, error))
		return false;
	parent_fd = ks_root_openat(root, parent, O_RDONLY | O_DIRECTORY, 0, error);
	if (parent_fd < 0)
		return false;
	(void)flock(parent_fd, LOCK_EX);
	sweep(incoming->system, parent);
	if (!ks_root_mkdir_p(root, incoming->path, 0755, error))
		return false;
	incoming->dir_fd =
		ks_root_openat(root, incoming->path, O_RDONLY | O_DIRECTORY, 0, error);
	if (incoming->dir_fd < 0)
		return false;
	(void)flock(incoming->dir_fd, LOCK_EX);
	return true;
}

struct ks_incoming *ks_incoming_new(const struct ks_system *system, GError **error)
{
	ks_auto(ks_incoming) incoming = g_new0(struct ks_incoming, 1);
	g_autofree char *name = g_strdup_printf("%d", (int)getpid());

	incoming->system = system;
	incoming->dir_fd = -1;
	incoming->path = g_build_filename(system->state_dir, "incoming", name, NULL);
	incoming->is_merged = is_merged(system);
	incoming->releases = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	if (!make_directory(incoming, error)) {
		g_prefix_error(error, "cannot unpack kernels' packages: ");
		return NULL;
	}
	return g_steal_pointer(&incoming);
}

void ks_incoming_close(struct ks_incoming *incoming)
{
	g_autofree char *parent = NULL;

	if (!incoming)
		return;
	parent = parent_path(incoming->system);
	if (incoming->dir_fd >= 0) {
		ks_ignore(ks_treeop_remove(incoming->system->root, incoming->path, NULL));
		close(incoming->dir_fd);
		ks_ignore(ks_treeop_prune_empty(incoming->system->root, parent,
						incoming->system->state_dir, NULL));
	}
	g_hash_table_unref(incoming->releases);
	g_free(incoming->path);
	g_free(incoming);
}

/* --- which members, and where they go */

/* name as it will be in the tree, or NULL where it is not below any of the tops. */
static char *settle(const struct ks_incoming *incoming, const char *name)
{
	char *settled = incoming->is_merged && g_str_has_prefix(name, "lib/")
				? g_strconcat("usr/", name, NULL)
				: g_strdup(name);

	for (size_t i = 0; i < G_N_ELEMENTS(tops); i++) {
		const size_t length = strlen(tops[i]);

		if (g_str_has_prefix(settled, tops[i]) && settled[length] == '/')
			return settled;
	}
	g_free(settled);
	return NULL;
}

/* As the names in /lib/modules that are kernels': see core/kernel. */
static void note_release(struct ks_incoming *incoming, const char *release, size_t length)
{
	if (length && g_ascii_isdigit(*release))
		g_hash_table_add(incoming->releases, g_strndup(release, length));
}

/* "lib/modules/6.1.0-56-amd64/build/x": what is after "modules/", or NULL. */
static const char *below_modules(const char *name)
{
	static const char *const dirs[] = {"lib/modules/", "usr/lib/modules/"};

	for (size_t i = 0; i < G_N_ELEMENTS(dirs); i++)
		if (g_str_has_prefix(name, dirs[i]))
			return name + strlen(dirs[i]);
	return NULL;
}

/* An image may be alone in its package, with the modules in another. */
static void note_image(struct ks_incoming *incoming, const char *name)
{
	static const char image[] = "boot/vmlinuz-";
	const char *release = g_str_has_prefix(name, image) ? name + strlen(image) : NULL;

	if (release && !strchr(release, '/'))
		note_release(incoming, release, strlen(release));
}

/* Of a kernel's own directory the headers: "6.1.0-56-amd64/build", and below it. */
static bool is_of_headers(const char *below)
{
	const char *entry = strchr(below, '/');
	const size_t length = entry ? strcspn(entry + 1, "/") : 0;

	return (length == strlen("build") && g_str_has_prefix(entry, "/build")) ||
	       (length == strlen("source") && g_str_has_prefix(entry, "/source"));
}

static char *place(const char *name, void *data)
{
	struct ks_incoming *incoming = data;
	const char *below = below_modules(name);

	note_image(incoming, name);
	if (below && strchr(below, '/'))
		note_release(incoming, below, strcspn(below, "/"));
	if (below ? !is_of_headers(below)
		  : !g_str_has_prefix(name, "usr/src/") &&
			    !g_str_has_prefix(name, "usr/lib/linux-kbuild") &&
			    !g_str_has_prefix(name, "lib/linux-kbuild"))
		return NULL;
	return settle(incoming, name);
}

bool ks_incoming_add(struct ks_incoming *incoming, int fd, const char *label,
		     GError **error)
{
	return ks_incoming_seek_content(fd, label, error) &&
	       ks_unpack_some(fd, label, incoming->dir_fd, &ks_unpack_default_limits,
			      place, incoming, error);
}

void ks_incoming_add_release(struct ks_incoming *incoming, const char *release)
{
	if (!strchr(release, '/'))
		note_release(incoming, release, strlen(release));
}

/* --- what came of it */

static int compare_text(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool make_release_directory(const struct ks_incoming *incoming,
				   const char *release, GError **error)
{
	g_autofree char *path =
		g_build_filename(incoming->path, incoming->is_merged ? "usr/lib" : "lib",
				 "modules", release, NULL);

	return ks_root_mkdir_p(incoming->system->root, path, 0755, error);
}

char **ks_incoming_list_releases(struct ks_incoming *incoming, GError **error)
{
	g_autoptr(GPtrArray) releases = g_ptr_array_new_with_free_func(g_free);
	GHashTableIter iter;
	gpointer release;

	g_hash_table_iter_init(&iter, incoming->releases);
	while (g_hash_table_iter_next(&iter, &release, NULL)) {
		if (!make_release_directory(incoming, release, error))
			return NULL;
		g_ptr_array_add(releases, g_strdup(release));
	}
	g_ptr_array_sort(releases, compare_text);
	g_ptr_array_add(releases, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&releases), FALSE);
}

const char *ks_incoming_path(const struct ks_incoming *incoming)
{
	return incoming->path;
}

/* With the first headers of a machine, /usr/src may not be there yet: then it is not seen,
 * and so are no headers. */
static bool add_covered(const struct ks_incoming *incoming, const char *top,
			GPtrArray *covered, GPtrArray *covers, GError **error)
{
	const struct ks_root *root = incoming->system->root;
	g_autofree char *cover = g_build_filename(incoming->path, top, NULL);
	g_autofree char *path = g_strconcat("/", top, NULL);
	char *real;

	if (!ks_root_exists(root, cover))
		return true;
	real = ks_root_realpath(root, path);
	if (!real) {
		ks_error_set(error, KS_ERROR_NOT_FOUND, "there is no '%s'", path);
		return false;
	}
	g_ptr_array_add(covered, real);
	g_ptr_array_add(covers, g_steal_pointer(&cover));
	return true;
}

bool ks_incoming_list_covered(const struct ks_incoming *incoming, char ***covered,
			      char ***covers, GError **error)
{
	g_autoptr(GPtrArray) to = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) from = g_ptr_array_new_with_free_func(g_free);

	for (size_t i = 0; i < G_N_ELEMENTS(tops); i++)
		if (!add_covered(incoming, tops[i], to, from, error))
			return false;
	g_ptr_array_add(to, NULL);
	g_ptr_array_add(from, NULL);
	*covered = (char **)g_ptr_array_free(g_steal_pointer(&to), FALSE);
	*covers = (char **)g_ptr_array_free(g_steal_pointer(&from), FALSE);
	return true;
}
