/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A system tree, reached by directory descriptor and openat2(2). */
#include "core/support/root.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "core/support/error.h"
#include "core/support/openat2.h"

/* The links that a path walk may follow: the kernel's own limit (path_resolution(7)). */
#define MAX_LINKS 40
/* Hostile directories are bounded, like every other input. */
#define MAX_ENTRIES (1u << 20)

struct ks_root {
	int fd;
	char *prefix;
};

struct ks_root *ks_root_open(const char *path, GError **error)
{
	g_autofree char *resolved = realpath(path, NULL);
	struct ks_root *root;
	int fd;

	fd = resolved ? open(resolved, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	if (fd < 0) {
		ks_error_set_errno(error, errno, "cannot open root directory '%s'", path);
		return NULL;
	}
	root = g_new0(struct ks_root, 1);
	root->fd = fd;
	root->prefix = g_strdup(strcmp(resolved, "/") ? resolved : "");
	return root;
}

bool ks_root_reopen(struct ks_root *root, GError **error)
{
	const char *path = *root->prefix ? root->prefix : "/";
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0) {
		ks_error_set_errno(error, errno, "cannot open root directory '%s'", path);
		return false;
	}
	close(root->fd);
	root->fd = fd;
	return true;
}

void ks_root_close(struct ks_root *root)
{
	if (!root)
		return;
	close(root->fd);
	g_free(root->prefix);
	g_free(root);
}

bool ks_root_is_host(const struct ks_root *root)
{
	return !*root->prefix;
}

int ks_root_fd(const struct ks_root *root)
{
	return root->fd;
}

const char *ks_root_prefix(const struct ks_root *root)
{
	return root->prefix;
}

char *ks_root_host_path(const struct ks_root *root, const char *path)
{
	return g_strconcat(root->prefix, *path == '/' ? "" : "/", path, NULL);
}

static int open_inside(const struct ks_root *root, const char *path, int flags,
		       mode_t mode)
{
	return ks_openat2(root->fd, path, flags, mode,
			  RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

int ks_root_openat(const struct ks_root *root, const char *path, int flags, mode_t mode,
		   GError **error)
{
	int fd = open_inside(root, path, flags, mode);

	if (fd < 0)
		ks_error_set_errno(error, errno, "cannot open '%s%s'", root->prefix,
				   path);
	return fd;
}

int ks_root_open_parent(const struct ks_root *root, const char *path, const char **name,
			GError **error)
{
	const char *slash = strrchr(path, '/');
	const char *last = slash ? slash + 1 : path;
	g_autofree char *parent = NULL;
	int fd;

	/* These would name something other than an entry of the parent. */
	if (!*last || !strcmp(last, ".") || !strcmp(last, "..")) {
		ks_error_set(error, KS_ERROR_INVALID, "'%s' does not name a file", path);
		return -1;
	}
	parent = slash ? g_strndup(path, slash - path + 1) : g_strdup("/");
	fd = ks_root_openat(root, parent, O_RDONLY | O_DIRECTORY, 0, error);
	if (fd >= 0)
		*name = last;
	return fd;
}

static bool stat_with(const struct ks_root *root, const char *path, int flags,
		      struct stat *st)
{
	struct stat found;
	int saved;
	int fd = open_inside(root, path, O_PATH | flags, 0);

	if (fd < 0)
		return false;
	if (fstat(fd, &found) < 0) {
		saved = errno;
		close(fd);
		errno = saved;
		return false;
	}
	close(fd);
	*st = found;
	return true;
}

bool ks_root_stat(const struct ks_root *root, const char *path, struct stat *st)
{
	return stat_with(root, path, 0, st);
}

bool ks_root_lstat(const struct ks_root *root, const char *path, struct stat *st)
{
	return stat_with(root, path, O_NOFOLLOW, st);
}

bool ks_root_exists(const struct ks_root *root, const char *path)
{
	ks_autofd int fd = open_inside(root, path, O_PATH, 0);

	return fd >= 0;
}

char *ks_root_readlink(const struct ks_root *root, const char *path)
{
	char text[PATH_MAX];
	ks_autofd int fd = open_inside(root, path, O_PATH | O_NOFOLLOW, 0);
	ssize_t n;

	if (fd < 0)
		return NULL;
	n = readlinkat(fd, "", text, sizeof(text));
	if (n < 0 || (size_t)n >= sizeof(text))
		return NULL;
	return g_strndup(text, n);
}

/* Put the components of path, the last one deepest, on the stack. */
static void push_components(GPtrArray *stack, const char *path)
{
	g_auto(GStrv) parts = g_strsplit(path, "/", -1);

	for (guint i = g_strv_length(parts); i > 0; i--)
		if (*parts[i - 1] && strcmp(parts[i - 1], "."))
			g_ptr_array_add(stack, g_strdup(parts[i - 1]));
}

/*
 * Done by hand rather than by /proc/self/fd, because a chroot in which a
 * package manager runs does not always have /proc.
 */
char *ks_root_realpath(const struct ks_root *root, const char *path)
{
	g_autoptr(GPtrArray) todo = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GString) done = g_string_new(NULL);
	int links = 0;

	push_components(todo, path);
	while (todo->len) {
		g_autofree char *part = g_ptr_array_steal_index(todo, todo->len - 1);
		g_autofree char *target = NULL;
		gsize parent = done->len;
		struct stat st;

		if (!strcmp(part, "..")) {
			const char *slash = strrchr(done->str, '/');

			g_string_truncate(done, slash ? slash - done->str : 0);
			continue;
		}
		g_string_append_printf(done, "/%s", part);
		if (!ks_root_lstat(root, done->str, &st))
			return NULL;
		if (S_ISLNK(st.st_mode)) {
			target = ks_root_readlink(root, done->str);
			if (!target || ++links > MAX_LINKS)
				return NULL;
			g_string_truncate(done, *target == '/' ? 0 : parent);
			push_components(todo, target);
		} else if (todo->len && !S_ISDIR(st.st_mode)) {
			return NULL;
		}
	}
	return g_strdup(done->len ? done->str : "/");
}

bool ks_root_is_same(const struct ks_root *root, const char *a, const char *b)
{
	g_autofree char *real_a = ks_root_realpath(root, a);
	g_autofree char *real_b = ks_root_realpath(root, b);

	return real_a && g_strcmp0(real_a, real_b) == 0;
}

/* Read at most max_bytes + 1, so that the caller sees that there is more. */
static bool read_bounded(int fd, size_t max_bytes, GString *into)
{
	char buffer[65536];

	while (into->len <= max_bytes) {
		size_t want = MIN(sizeof(buffer), max_bytes + 1 - into->len);
		ssize_t n = read(fd, buffer, want);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0;
		g_string_append_len(into, buffer, n);
	}
	return true;
}

char *ks_root_read_file(const struct ks_root *root, const char *path, size_t max_bytes,
			size_t *size_bytes, GError **error)
{
	g_autoptr(GString) content = NULL;
	struct stat st;
	size_t size;
	/* O_NONBLOCK: opening a FIFO must not wait for a writer */
	ks_autofd int fd =
		ks_root_openat(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, error);

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) < 0) {
		ks_error_set_errno(error, errno, "cannot read '%s%s'", root->prefix,
				   path);
		return NULL;
	}
	if (!S_ISREG(st.st_mode)) {
		ks_error_set(error, KS_ERROR_INVALID,
			     "cannot read '%s%s': not a regular file", root->prefix,
			     path);
		return NULL;
	}
	max_bytes = MIN(max_bytes, G_MAXSSIZE - 1);
	content = g_string_sized_new(MIN((size_t)st.st_size, max_bytes) + 1);
	if (!read_bounded(fd, max_bytes, content)) {
		ks_error_set_errno(error, errno, "cannot read '%s%s'", root->prefix,
				   path);
		return NULL;
	}
	if (content->len > max_bytes) {
		ks_error_set(error, KS_ERROR_INVALID,
			     "cannot read '%s%s': larger than %zu bytes", root->prefix,
			     path, max_bytes);
		return NULL;
	}
	size = content->len;
	if (size_bytes)
		*size_bytes = size;
	return g_string_free(g_steal_pointer(&content), FALSE);
}

char *ks_root_read_head(const struct ks_root *root, const char *path, size_t max_bytes)
{
	g_autofree char *text = g_malloc0(max_bytes + 1);
	ks_autofd int fd =
		ks_root_openat(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, NULL);
	size_t size = 0;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return NULL;
	while (size < max_bytes) {
		ssize_t n = read(fd, text + size, max_bytes - size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return NULL;
		if (n == 0)
			break;
		size += n;
	}
	return g_steal_pointer(&text);
}

static bool is_mounted_read_only(int fd)
{
	struct statvfs fs;

	return fstatvfs(fd, &fs) == 0 && (fs.f_flag & ST_RDONLY);
}

bool ks_root_is_read_only(const struct ks_root *root, const char *path)
{
	g_autofree char *dir = g_strdup(path);

	for (;;) {
		ks_autofd int fd =
			ks_root_openat(root, dir, O_RDONLY | O_DIRECTORY, 0, NULL);
		char *above;

		if (fd >= 0)
			return is_mounted_read_only(fd);
		if (!strcmp(dir, "/") || !strcmp(dir, "."))
			return false;
		above = g_path_get_dirname(dir);
		g_free(dir);
		dir = above;
	}
}

static int compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* By readdir(3), or by stat where the file system gives no type there. */
static bool is_of_type(int dir_fd, const struct dirent *entry, mode_t type)
{
	struct stat st;

	if (entry->d_type != DT_UNKNOWN)
		return (mode_t)DTTOIF(entry->d_type) == type;
	return fstatat(dir_fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       (st.st_mode & S_IFMT) == type;
}

/* Entries of one type, or with 0 all. */
static GPtrArray *list(const struct ks_root *root, const char *path, mode_t type,
		       GError **error)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	struct dirent *entry;
	DIR *dir;
	int fd = open_inside(root, path, O_RDONLY | O_DIRECTORY, 0);
	int saved;

	if (fd < 0 && errno == ENOENT)
		return g_steal_pointer(&names);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		ks_error_set_errno(error, errno, "cannot list '%s%s'", root->prefix,
				   path);
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	while (errno = 0, (entry = readdir(dir)) && names->len < MAX_ENTRIES)
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..") &&
		    (!type || is_of_type(dirfd(dir), entry, type)))
			g_ptr_array_add(names, g_strdup(entry->d_name));
	saved = entry ? EOVERFLOW : errno;
	closedir(dir);
	if (saved) {
		ks_error_set_errno(error, saved, "cannot list '%s%s'", root->prefix,
				   path);
		return NULL;
	}
	g_ptr_array_sort(names, compare_names);
	return g_steal_pointer(&names);
}

GPtrArray *ks_root_list(const struct ks_root *root, const char *path, GError **error)
{
	return list(root, path, 0, error);
}

GPtrArray *ks_root_list_type(const struct ks_root *root, const char *path, mode_t type,
			     GError **error)
{
	return list(root, path, type, error);
}

/* Make one directory whose parent exists; the mode is exact whatever the umask is. */
static bool make_directory(const struct ks_root *root, const char *path, mode_t mode,
			   GError **error)
{
	ks_autofd int made = -1;
	const char *name;
	ks_autofd int parent = ks_root_open_parent(root, path, &name, error);

	if (parent < 0)
		return false;
	if (mkdirat(parent, name, mode) < 0) {
		/* Another process may have been faster. */
		made = errno == EEXIST ? open_inside(root, path, O_PATH | O_DIRECTORY, 0)
				       : -1;
		if (made < 0)
			ks_error_set_errno(error, errno, "cannot create directory '%s%s'",
					   root->prefix, path);
		return made >= 0;
	}
	made = ks_openat2(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0,
			  KS_RESOLVE_PLAIN);
	if (made < 0 || fchmod(made, mode) < 0) {
		ks_error_set_errno(error, errno,
				   "cannot set the mode of directory '%s%s'",
				   root->prefix, path);
		return false;
	}
	return true;
}

bool ks_root_mkdir_p(const struct ks_root *root, const char *path, mode_t mode,
		     GError **error)
{
	const char *end = path;
	struct stat st;

	if (ks_root_stat(root, path, &st) && S_ISDIR(st.st_mode))
		return true;
	do {
		g_autofree char *prefix = NULL;

		end += strspn(end, "/");
		if (!*end)
			break;
		end += strcspn(end, "/");
		prefix = g_strndup(path, end - path);
		if (ks_root_stat(root, prefix, &st) && S_ISDIR(st.st_mode))
			continue;
		if (!make_directory(root, prefix, mode, error))
			return false;
	} while (*end);
	return true;
}
