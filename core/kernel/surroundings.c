/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/kernel/surroundings.h"

#include <dirent.h>
#include <stdint.h>
#include <string.h>

#include "core/platform/digest.h"

#define MAX_ENTRIES 200000
#define MAX_DEPTH   32

/* Their entries change when something is installed or removed, whoever does it. */
static const char *const directories[] = {
	"/bin",		  "/sbin",	     "/usr/bin",     "/usr/sbin",
	"/usr/local/bin", "/usr/local/sbin", "/usr/include", "/usr/local/include",
	"/lib",		  "/lib64",	     "/usr/lib",     "/usr/lib64",
	"/usr/libexec",	  "/usr/local/lib",  "/usr/lib/gcc",
};

/* Every package's list of files is written when it is unpacked: dpkg. */
#define DPKG_LISTS "/var/lib/dpkg/info"
/* A directory for each package, with its version in the name: pacman. */
#define PACMAN_PACKAGES "/var/lib/pacman/local"

/*
 * rpm's database has no list to be read from outside, and its times change with our own
 * records and at the end of the very transaction in which a build has failed: for rpm only
 * the directories above count.
 */

/* The recorders name the packages that own modules so (core/record). */
#define RECORD_PREFIX "kmod-"

struct looking {
	const struct ks_system *system;
	GChecksum *checksum;
	guint n_entries;
	bool is_unpacked; /* what is looked at was unpacked just now, to be seen */
};

static void add_text(struct looking *looking, const char *text)
{
	g_checksum_update(looking->checksum, (const guchar *)text,
			  (gssize)strlen(text) + 1);
}

/* Of what is unpacked again for each run, only what the package says of it stays the same. */
static void add_identity(struct looking *looking, const char *name,
			 const struct stat *given)
{
	char line[160];
	struct stat copy = *given;
	const struct stat *st = &copy;

	if (looking->is_unpacked)
		copy.st_ctim = (struct timespec){0};
	if (looking->is_unpacked && !S_ISREG(copy.st_mode))
		copy.st_mtim = (struct timespec){0};

	g_snprintf(line, sizeof(line), "%o %u %jd %jd.%09ld %jd.%09ld", st->st_mode,
		   st->st_uid, S_ISDIR(st->st_mode) ? 0 : (intmax_t)st->st_size,
		   (intmax_t)st->st_mtim.tv_sec, st->st_mtim.tv_nsec,
		   (intmax_t)st->st_ctim.tv_sec, st->st_ctim.tv_nsec);
	add_text(looking, name);
	add_text(looking, line);
}

/*
 * The times of a directory change with its entries; its ctime also with what is
 * mounted on it.
 */
static void add_path(struct looking *looking, const char *path)
{
	struct stat st;

	if (ks_root_stat(looking->system->root, path, &st))
		add_identity(looking, path, &st);
}

static int compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static GPtrArray *list_names(DIR *dir)
{
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	const struct dirent *entry;

	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			g_ptr_array_add(names, g_strdup(entry->d_name));
	g_ptr_array_sort(names, compare_names);
	return names;
}

static DIR *open_directory(int parent, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (fd >= 0 && !dir)
		close(fd);
	return dir;
}

static void add_entries(struct looking *looking, DIR *dir, guint depth)
{
	g_autoptr(GPtrArray) names = list_names(dir);

	for (guint i = 0; i < names->len && looking->n_entries++ < MAX_ENTRIES; i++) {
		const char *name = names->pdata[i];
		struct stat st;
		DIR *below;

		if (fstatat(dirfd(dir), name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		add_identity(looking, name, &st);
		if (!S_ISDIR(st.st_mode) || depth == MAX_DEPTH)
			continue;
		below = open_directory(dirfd(dir), name);
		if (!below)
			continue;
		add_entries(looking, below, depth + 1);
		closedir(below);
	}
}

/* A build must be able to enter the directories above it, too. */
static void add_parents(struct looking *looking, const char *path)
{
	g_autofree char *parent = g_path_get_dirname(path);
	struct stat st;

	if (strcmp(parent, "/") == 0 || !ks_root_stat(looking->system->root, parent, &st))
		return;
	st.st_mtim = st.st_ctim = (struct timespec){0};
	add_identity(looking, parent, &st);
	add_parents(looking, parent);
}

static void add_tree(struct looking *looking, const char *path)
{
	int fd = ks_root_openat(looking->system->root, path, O_RDONLY | O_DIRECTORY, 0,
				NULL);
	g_autofree char *real = ks_root_realpath(looking->system->root, path);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return;
	}
	add_text(looking, path);
	if (real)
		add_parents(looking, real);
	add_entries(looking, dir, 0);
	closedir(dir);
}

/* Debian's "scripts" and "tools" are links into another package's directory. */
static void add_linked(struct looking *looking, const char *path)
{
	g_autoptr(GPtrArray) names =
		ks_root_list_type(looking->system->root, path, S_IFLNK, NULL);

	for (guint i = 0; names && i < names->len; i++) {
		g_autofree char *link = g_build_filename(path, names->pdata[i], NULL);

		add_tree(looking, link);
	}
}

static void add_headers(struct looking *looking, const struct ks_kernel *kernel)
{
	g_autofree char *source = g_build_filename(kernel->modules_dir, "source", NULL);

	looking->is_unpacked = kernel->incoming;
	add_tree(looking, kernel->headers_dir);
	add_linked(looking, kernel->headers_dir);
	if (!ks_root_is_same(looking->system->root, source, kernel->headers_dir))
		add_tree(looking, source);
	looking->is_unpacked = false;
}

/* An incoming kernel is laid over these. */
static bool is_covered(const char *path)
{
	return strcmp(path, "/lib") == 0 || strcmp(path, "/usr/lib") == 0;
}

static void add_programs(struct looking *looking, const struct ks_kernel *kernel)
{
	g_auto(GStrv) programs = ks_kernel_list_programs(looking->system, kernel);

	for (guint i = 0; i < G_N_ELEMENTS(directories); i++)
		if (!kernel->incoming || !is_covered(directories[i]))
			add_path(looking, directories[i]);
	for (char **path = programs; *path; path++)
		add_path(looking, *path);
}

/* "kmod-foo-6.1.0-56-amd64.list" is of a package that the run itself has made. */
static void add_packages(struct looking *looking, const char *dir, const char *suffix)
{
	g_autoptr(GPtrArray) names = ks_root_list(looking->system->root, dir, NULL);
	struct stat st;

	for (guint i = 0; names && i < names->len; i++) {
		const char *name = names->pdata[i];
		g_autofree char *path = NULL;

		if (g_str_has_prefix(name, RECORD_PREFIX) ||
		    !g_str_has_suffix(name, suffix))
			continue;
		path = g_build_filename(dir, name, NULL);
		if (ks_root_lstat(looking->system->root, path, &st))
			add_identity(looking, name, &st);
	}
}

char *ks_kernel_surroundings(const struct ks_system *system,
			     const struct ks_kernel *kernel)
{
	g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
	struct looking looking = {.system = system, .checksum = checksum};

	add_headers(&looking, kernel);
	add_programs(&looking, kernel);
	add_packages(&looking, DPKG_LISTS, ".list");
	add_packages(&looking, PACMAN_PACKAGES, "");
	return g_strdup(g_checksum_get_string(checksum));
}
