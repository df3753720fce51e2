/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/kernel/trees.h"

#include <dirent.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#define MAX_TREES   64
#define MAX_ENTRIES 400000
#define MAX_DEPTH   32
/* What kbuild writes for O= is a few lines; a kernel's own makefile is 60 kB. */
#define MAX_INCLUDER_BYTES 4096

struct listing {
	const struct ks_system *system;
	gid_t gid;
	GPtrArray *trees;
	guint n_entries;
};

static void tree_free(gpointer data)
{
	struct ks_kernel_tree *tree = data;

	g_free(tree->path);
	g_free(tree->unreadable);
	g_free(tree);
}

/* By the mode alone. An ACL may allow more: then something is done in vain. */
bool ks_kernel_may(const struct stat *st, gid_t gid, mode_t bits)
{
	const mode_t mode = st->st_gid == gid ? st->st_mode >> 3 : st->st_mode;

	return (mode & bits) == bits;
}

bool ks_kernel_is_key(const char *name)
{
	static const char *const endings[] = {".key", ".p12", ".pem", ".pfx", ".priv"};

	for (size_t i = 0; i < G_N_ELEMENTS(endings); i++)
		if (g_str_has_suffix(name, endings[i]))
			return true;
	return g_str_has_prefix(name, "signing_key.");
}

static bool is_below(const char *path, const char *dir)
{
	size_t length = strlen(dir);

	return strncmp(path, dir, length) == 0 && (!path[length] || path[length] == '/');
}

/* path, which is there, is read as well. */
static void add_tree(struct listing *listing, const char *path)
{
	g_autofree char *real = ks_root_realpath(listing->system->root, path);
	struct ks_kernel_tree *tree;

	/* a link to "/usr" is none to headers */
	if (!real || !strchr(real + 1, '/') || listing->trees->len == MAX_TREES)
		return;
	for (guint i = 0; i < listing->trees->len; i++) {
		const struct ks_kernel_tree *other = listing->trees->pdata[i];

		if (is_below(real, other->path))
			return;
	}
	tree = g_new0(struct ks_kernel_tree, 1);
	tree->path = g_steal_pointer(&real);
	g_ptr_array_add(listing->trees, tree);
}

static void add_link(struct listing *listing, int dir_fd, const char *dir,
		     const char *name)
{
	char text[PATH_MAX];
	ssize_t n = readlinkat(dir_fd, name, text, sizeof(text) - 1);
	g_autofree char *path = NULL;

	if (n <= 0)
		return;
	text[n] = '\0';
	if (*text != '/' && !strstr(text, ".."))
		return;
	path = g_build_filename(dir, name, NULL);
	add_tree(listing, path);
}

static void note_unreadable(struct ks_kernel_tree *tree, const char *dir,
			    const char *name)
{
	if (!tree->unreadable)
		tree->unreadable = g_build_filename(dir, name, NULL);
}

static void walk(struct listing *listing, struct ks_kernel_tree *tree, const char *dir,
		 guint depth);

static void walk_entry(struct listing *listing, struct ks_kernel_tree *tree, int dir_fd,
		       const char *dir, const char *name, guint depth)
{
	g_autofree char *path = NULL;
	struct stat st;

	if (++listing->n_entries > MAX_ENTRIES || strcmp(name, ".git") == 0 ||
	    fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return;
	if (S_ISLNK(st.st_mode)) {
		add_link(listing, dir_fd, dir, name);
		return;
	}
	if (!ks_kernel_may(&st, listing->gid, S_ISDIR(st.st_mode) ? 5 : 4) &&
	    !ks_kernel_is_key(name))
		note_unreadable(tree, dir, name);
	if (!S_ISDIR(st.st_mode) || depth == MAX_DEPTH)
		return;
	path = g_build_filename(dir, name, NULL);
	walk(listing, tree, path, depth + 1);
}

static void walk(struct listing *listing, struct ks_kernel_tree *tree, const char *dir,
		 guint depth)
{
	ks_autofd int fd = ks_root_openat(listing->system->root, dir,
					  O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, NULL);
	DIR *stream = fd >= 0 ? fdopendir(fcntl(fd, F_DUPFD_CLOEXEC, 3)) : NULL;
	struct dirent *entry;

	while (stream && (entry = readdir(stream)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			walk_entry(listing, tree, fd, dir, entry->d_name, depth);
	if (stream)
		closedir(stream);
}

static void look_at(struct listing *listing, struct ks_kernel_tree *tree)
{
	struct stat st;

	if (!ks_root_stat(listing->system->root, tree->path, &st))
		return;
	if (!ks_kernel_may(&st, listing->gid, S_ISDIR(st.st_mode) ? 5 : 4))
		tree->unreadable = g_strdup(tree->path);
	if (S_ISDIR(st.st_mode))
		walk(listing, tree, tree->path, 0);
}

/* "include /home/me/linux/Makefile", or "make -C /home/me/linux". */
static void add_included(struct listing *listing, const struct ks_kernel *kernel)
{
	const struct ks_root *root = listing->system->root;
	g_autofree char *path = g_build_filename(kernel->headers_dir, "Makefile", NULL);
	g_autofree char *text =
		ks_root_read_file(root, path, MAX_INCLUDER_BYTES, NULL, NULL);
	g_auto(GStrv) words = g_strsplit_set(text ? text : "", " \t\n=()'\"", -1);

	for (char **word = words; *word; word++) {
		struct stat st;
		g_autofree char *dir = NULL;

		if (**word != '/' || !ks_root_stat(root, *word, &st))
			continue;
		dir = S_ISDIR(st.st_mode) ? g_strdup(*word) : g_path_get_dirname(*word);
		if (S_ISDIR(st.st_mode) || g_str_has_suffix(*word, "/Makefile"))
			add_tree(listing, dir);
	}
}

GPtrArray *ks_kernel_list_trees(const struct ks_system *system,
				const struct ks_kernel *kernel, gid_t gid)
{
	struct listing listing = {
		.system = system,
		.gid = gid,
		.trees = g_ptr_array_new_with_free_func(tree_free),
	};
	g_autofree char *build = g_build_filename(kernel->modules_dir, "build", NULL);
	g_autofree char *source = g_build_filename(kernel->modules_dir, "source", NULL);

	add_tree(&listing, kernel->headers_dir);
	add_tree(&listing, build);
	add_tree(&listing, source);
	add_included(&listing, kernel);
	/* what is added meanwhile is looked at, too */
	for (guint i = 0; i < listing.trees->len; i++)
		look_at(&listing, listing.trees->pdata[i]);
	return listing.trees;
}

char *ks_kernel_find_closed(const struct ks_system *system, const char *path, gid_t gid)
{
	g_autofree char *real = ks_root_realpath(system->root, path);
	g_autofree char *closed = NULL;

	for (char *slash = real ? strchr(real + 1, '/') : NULL; slash;
	     slash = strchr(slash + 1, '/')) {
		struct stat st;

		*slash = '\0';
		if (ks_root_stat(system->root, real, &st) &&
		    !ks_kernel_may(&st, gid, 1)) {
			g_free(closed);
			closed = g_strdup(real);
		}
		*slash = '/';
	}
	return g_steal_pointer(&closed);
}

static char *describe(const struct ks_system *system, const struct ks_kernel *kernel,
		      const char *path, const char *verb)
{
	struct stat st;

	if (!ks_root_stat(system->root, path, &st))
		return NULL;
	return g_strdup_printf("its headers '%s' need '%s', which the build user may not "
			       "%s (mode %04o, uid %u), and nothing can be mounted here",
			       kernel->headers_dir, path, verb,
			       (unsigned int)(st.st_mode & 07777),
			       (unsigned int)st.st_uid);
}

/* What every build reads; that there are others that it may not read is seen then. */
char *ks_kernel_describe_closed(const struct ks_system *system,
				const struct ks_kernel *kernel, gid_t gid)
{
	static const char *const names[] = {
		".",
		"Makefile",
		"include/config/auto.conf",
		"include/generated/autoconf.h",
		"scripts/Makefile.build",
		"scripts/basic/fixdep",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *named =
			g_build_filename(kernel->headers_dir, names[i], NULL);
		g_autofree char *path = ks_root_realpath(system->root, named);
		g_autofree char *closed =
			path ? ks_kernel_find_closed(system, path, gid) : NULL;
		struct stat st;

		if (closed)
			return describe(system, kernel, closed, "enter");
		if (path && ks_root_stat(system->root, path, &st) &&
		    !ks_kernel_may(&st, gid, S_ISDIR(st.st_mode) ? 5 : 4))
			return describe(system, kernel, path, "read");
	}
	return NULL;
}
