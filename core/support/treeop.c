/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Copying and removing trees, by directory descriptor: whoever renames things
 * meanwhile gains nothing, because every step opens one name below a directory
 * that is already open, without following links and without leaving the mount.
 */
#include "core/support/treeop.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/support/error.h"
#include "core/support/openat2.h"
#include "core/support/write-all.h"

/* Each level costs two descriptors; nobody's sources are a hundred deep. */
#define MAX_DEPTH 100
/* How often a directory is emptied again that did not stay empty. */
#define MAX_ROUNDS 10

/* ---- names in an open directory ---- */

/* The descriptor stays the caller's. Returns NULL with errno. */
static DIR *open_stream(int fd)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);

	if (!dir && copy >= 0)
		close(copy);
	return dir;
}

/* The next name but "." and ".."; NULL at the end, or with errno set. */
static const char *next_name(DIR *dir)
{
	struct dirent *entry;

	do {
		errno = 0;
		entry = readdir(dir);
	} while (entry && (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")));
	return entry ? entry->d_name : NULL;
}

/* ---- copy ---- */

struct copy {
	const struct ks_treeop_copy_options *options;
	const char *prefix; /* of the tree, for messages */
	GString *path;	    /* where we are, for messages */
	guint64 bytes;
	guint64 entries;
	GError **error;
};

static bool copy_fail(struct copy *copy, const char *name)
{
	ks_error_set_errno(copy->error, errno, "cannot copy '%s%s/%s'", copy->prefix,
			   copy->path->str, name);
	return false;
}

static bool copy_refuse(struct copy *copy, const char *name, const char *why)
{
	ks_error_set(copy->error, KS_ERROR_INVALID, "cannot copy '%s%s/%s': %s",
		     copy->prefix, copy->path->str, name, why);
	return false;
}

static bool count_entry(struct copy *copy, const char *name, const struct stat *st)
{
	copy->entries++;
	if (copy->options->max_entries && copy->entries > copy->options->max_entries)
		return copy_refuse(copy, name, "the tree has too many entries");
	if (!S_ISREG(st->st_mode))
		return true;
	copy->bytes += st->st_size;
	if (copy->options->max_bytes && copy->bytes > copy->options->max_bytes)
		return copy_refuse(copy, name, "the tree is too large");
	return true;
}

static bool copy_by_hand(int from, int to, guint64 left)
{
	char buffer[65536];

	while (left) {
		ssize_t n = read(from, buffer, MIN(left, sizeof(buffer)));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0;
		if (!ks_write_all(to, buffer, (size_t)n))
			return false;
		left -= n;
	}
	return true;
}

/*
 * At most size_bytes, which were counted: a file that grows meanwhile does not
 * get past the limit. Every fast way may be refused for reasons of the file
 * system, and then the next one goes on where it stopped.
 */
static bool copy_bytes(int from, int to, guint64 size_bytes)
{
	guint64 left = size_bytes;
	struct stat st;

	if (ioctl(to, FICLONE, from) == 0)
		return fstat(to, &st) == 0 && ((guint64)st.st_size <= size_bytes ||
					       ftruncate(to, size_bytes) == 0);
	while (left) {
		ssize_t n = copy_file_range(from, NULL, to, NULL, MIN(left, G_MAXINT), 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == ENOSPC || errno == EDQUOT || errno == EIO))
			return false;
		if (n <= 0)
			break;
		left -= n;
	}
	return copy_by_hand(from, to, left);
}

/* Owner first: chown(2) may take mode bits away. */
static bool set_attributes(struct copy *copy, int fd, const struct stat *st, mode_t add)
{
	const struct timespec times[2] = {st->st_atim, st->st_mtim};
	mode_t mode = st->st_mode & 0777;

	if (copy->options->chown &&
	    fchown(fd, copy->options->uid, copy->options->gid) < 0)
		return false;
	/* A file that becomes root's must not stay writable by others through its
	 * old mode. */
	if (copy->options->chown && copy->options->uid == 0)
		mode &= ~(mode_t)022;
	if (copy->options->group_reads)
		mode |= 0440 | (mode & 0111 || S_ISDIR(st->st_mode) ? 0110 : 0);
	return fchmod(fd, mode | add) == 0 &&
	       (!S_ISREG(st->st_mode) || futimens(fd, times) == 0);
}

static bool copy_file(struct copy *copy, int from_dir, int to_dir, const char *name)
{
	/* O_NONBLOCK: it may have become a FIFO since it was looked at */
	ks_autofd int from = ks_openat2(
		from_dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0, KS_RESOLVE_PLAIN);
	ks_autofd int to = -1;
	struct stat st;

	if (from < 0 || fstat(from, &st) < 0)
		return copy_fail(copy, name);
	if (!S_ISREG(st.st_mode))
		return copy_refuse(copy, name, "it changes while it is copied");
	if (!count_entry(copy, name, &st))
		return false;
	to = openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (to < 0 || !copy_bytes(from, to, st.st_size) ||
	    !set_attributes(copy, to, &st, 0))
		return copy_fail(copy, name);
	return true;
}

static bool copy_link(struct copy *copy, int from_dir, int to_dir, const char *name,
		      const struct stat *st)
{
	const struct timespec times[2] = {st->st_atim, st->st_mtim};
	char text[PATH_MAX];
	ssize_t n = readlinkat(from_dir, name, text, sizeof(text));

	if (n < 0)
		return copy_fail(copy, name);
	if ((size_t)n >= sizeof(text))
		return copy_refuse(copy, name, "the text of the link is too long");
	text[n] = '\0';
	if (!count_entry(copy, name, st))
		return false;
	if (symlinkat(text, to_dir, name) < 0 ||
	    (copy->options->chown &&
	     fchownat(to_dir, name, copy->options->uid, copy->options->gid,
		      AT_SYMLINK_NOFOLLOW) < 0))
		return copy_fail(copy, name);
	/* not every file system keeps times of links; they do not matter */
	utimensat(to_dir, name, times, AT_SYMLINK_NOFOLLOW);
	return true;
}

static bool copy_contents(struct copy *copy, int from, int to, int depth);

static bool copy_directory(struct copy *copy, int from_dir, int to_dir, const char *name,
			   int depth)
{
	gsize length = copy->path->len;
	ks_autofd int from = ks_openat2(
		from_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, KS_RESOLVE_PLAIN);
	ks_autofd int to = -1;
	struct stat st;

	if (depth >= MAX_DEPTH)
		return copy_refuse(copy, name, "the tree is too deep");
	if (from < 0 && errno == EXDEV)
		return copy_refuse(copy, name, "something is mounted there");
	if (from < 0 || fstat(from, &st) < 0)
		return copy_fail(copy, name);
	if (!count_entry(copy, name, &st))
		return false;
	if (mkdirat(to_dir, name, 0700) < 0)
		return copy_fail(copy, name);
	to = ks_openat2(to_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0,
			KS_RESOLVE_PLAIN);
	if (to < 0)
		return copy_fail(copy, name);
	g_string_append_printf(copy->path, "/%s", name);
	if (!copy_contents(copy, from, to, depth + 1))
		return false;
	g_string_truncate(copy->path, length);
	/* its owner must be able to build in it, and to remove it */
	return set_attributes(copy, to, &st, 0700) || copy_fail(copy, name);
}

static bool copy_entry(struct copy *copy, int from, int to, const char *name, int depth)
{
	struct stat st;

	if (copy->options->is_left_out && copy->options->is_left_out(name))
		return true;
	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return copy_fail(copy, name);
	switch (st.st_mode & S_IFMT) {
	case S_IFREG:
		return copy_file(copy, from, to, name);
	case S_IFDIR:
		return copy_directory(copy, from, to, name, depth);
	case S_IFLNK:
		return copy_link(copy, from, to, name, &st);
	default:
		return copy_refuse(copy, name, "not a file, directory or link");
	}
}

static bool copy_contents(struct copy *copy, int from, int to, int depth)
{
	DIR *dir = open_stream(from);
	const char *name;
	bool ok = true;

	if (!dir)
		return copy_fail(copy, ".");
	while (ok && (name = next_name(dir)))
		ok = copy_entry(copy, from, to, name, depth);
	if (ok && errno)
		ok = copy_fail(copy, ".");
	closedir(dir);
	return ok;
}

/* The new directory, 0700 until it is complete. Returns -1 with the error set. */
static int make_destination(const struct ks_root *root, const char *to, GError **error)
{
	g_autofree char *parent = g_path_get_dirname(to);
	const char *name;
	ks_autofd int parent_fd = -1;
	int fd;

	if (!ks_root_mkdir_p(root, parent, 0755, error))
		return -1;
	parent_fd = ks_root_open_parent(root, to, &name, error);
	if (parent_fd < 0)
		return -1;
	fd = mkdirat(parent_fd, name, 0700) < 0
		     ? -1
		     : ks_openat2(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0,
				  KS_RESOLVE_PLAIN);
	if (fd < 0)
		ks_error_set_errno(error, errno, "cannot create directory '%s%s'",
				   ks_root_prefix(root), to);
	return fd;
}

bool ks_treeop_copy(const struct ks_root *root, const char *from, const char *to,
		    const struct ks_treeop_copy_options *options, GError **error)
{
	static const struct ks_treeop_copy_options no_options;
	g_autoptr(GString) path = g_string_new(from);
	struct copy copy = {
		.options = options ? options : &no_options,
		.prefix = ks_root_prefix(root),
		.path = path,
		.error = error,
	};
	ks_autofd int from_fd =
		ks_root_openat(root, from, O_RDONLY | O_DIRECTORY, 0, error);
	ks_autofd int to_fd = -1;
	struct stat st;

	if (from_fd < 0)
		return false;
	to_fd = make_destination(root, to, error);
	if (to_fd < 0)
		return false;
	if (!copy_contents(&copy, from_fd, to_fd, 0))
		return false;
	return (fstat(from_fd, &st) == 0 && set_attributes(&copy, to_fd, &st, 0700)) ||
	       copy_fail(&copy, ".");
}

/* ---- remove ---- */

struct removal {
	int top_fd; /* the directory that is being emptied */
	int rounds; /* over the top, since something was last moved there */
};

static bool remove_contents(struct removal *removal, int fd, int depth);

/*
 * More than one round: readdir(3) may leave out names while others go away, and
 * the too deep ones come back at the top. False with errno.
 */
static bool empty_and_remove(struct removal *removal, int dir_fd, const char *name,
			     int fd, int depth)
{
	int own_rounds = 0;
	int *rounds = fd == removal->top_fd ? &removal->rounds : &own_rounds;

	while ((*rounds)++ < MAX_ROUNDS) {
		if (!remove_contents(removal, fd, depth))
			return false;
		if (unlinkat(dir_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
			return true;
		if (errno != ENOTEMPTY && errno != EEXIST)
			return false;
	}
	return false;
}

/* Remove one directory below an open one. False with errno. */
static bool remove_directory(struct removal *removal, int dir_fd, const char *name,
			     int depth)
{
	g_autofree char *moved = NULL;
	ks_autofd int fd = -1;
	struct stat st;

	/*
	 * A build can make a tree deeper than anybody has descriptors for. Too
	 * deep directories are moved up to the top, whose next round removes
	 * them. The name is random, so that the tree cannot have it already.
	 */
	if (depth >= MAX_DEPTH) {
		moved = g_strdup_printf(".kmodsmith-deep-%08x%08x", g_random_int(),
					g_random_int());
		removal->rounds = 0;
		return renameat(dir_fd, name, removal->top_fd, moved) == 0;
	}
	fd = ks_openat2(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0,
			KS_RESOLVE_PLAIN);
	if (fd < 0)
		return errno == ENOENT;
	/* without w or x for its owner nothing in it can be removed, except by root */
	if (fstat(fd, &st) == 0 && (st.st_mode & 0300) != 0300 && st.st_uid == geteuid())
		fchmod(fd, 0700);
	return empty_and_remove(removal, dir_fd, name, fd, depth + 1);
}

static bool remove_entry(struct removal *removal, int dir_fd, const char *name, int depth)
{
	if (unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT)
		return true;
	/* EPERM is what POSIX wants for a directory, EISDIR what Linux gives */
	if (errno != EISDIR && errno != EPERM)
		return false;
	return remove_directory(removal, dir_fd, name, depth);
}

static bool remove_contents(struct removal *removal, int fd, int depth)
{
	DIR *dir = open_stream(fd);
	const char *name;
	bool ok = true;
	int saved;

	if (!dir)
		return false;
	while (ok && (name = next_name(dir)))
		ok = remove_entry(removal, fd, name, depth);
	if (ok && errno)
		ok = false;
	saved = errno;
	closedir(dir);
	errno = saved;
	return ok;
}

static bool remove_tree(int parent_fd, const char *name)
{
	struct removal removal = {.top_fd = -1};
	ks_autofd int fd =
		ks_openat2(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0,
			   KS_RESOLVE_PLAIN);

	if (fd < 0)
		return errno == ENOENT;
	removal.top_fd = fd;
	fchmod(fd, 0700);
	return empty_and_remove(&removal, parent_fd, name, fd, 0);
}

bool ks_treeop_remove(const struct ks_root *root, const char *path, GError **error)
{
	const char *name;
	ks_autofd int parent_fd = -1;
	struct stat st;

	if (!ks_root_lstat(root, path, &st)) {
		if (errno == ENOENT)
			return true;
		ks_error_set_errno(error, errno, "cannot remove '%s%s'",
				   ks_root_prefix(root), path);
		return false;
	}
	parent_fd = ks_root_open_parent(root, path, &name, error);
	if (parent_fd < 0)
		return false;
	if (S_ISDIR(st.st_mode) ? remove_tree(parent_fd, name)
				: unlinkat(parent_fd, name, 0) == 0 || errno == ENOENT)
		return true;
	if (errno == EXDEV)
		ks_error_set(error, KS_ERROR_INVALID,
			     "cannot remove '%s%s': something is mounted in it",
			     ks_root_prefix(root), path);
	else
		ks_error_set_errno(error, errno, "cannot remove '%s%s'",
				   ks_root_prefix(root), path);
	return false;
}

/* 1: gone; 0: it stays, which is no error; -1: error. */
static int remove_if_empty(const struct ks_root *root, const char *path, GError **error)
{
	const char *name;
	ks_autofd int parent_fd = -1;
	struct stat st;

	if (!ks_root_lstat(root, path, &st) && errno == ENOENT)
		return 1;
	parent_fd = ks_root_open_parent(root, path, &name, error);
	if (parent_fd < 0)
		return -1;
	if (unlinkat(parent_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 1;
	/* EBUSY: a mount point; EROFS: said before anything is looked at */
	if (errno == ENOTEMPTY || errno == EEXIST || errno == EBUSY || errno == EROFS)
		return 0;
	ks_error_set_errno(error, errno, "cannot remove directory '%s%s'",
			   ks_root_prefix(root), path);
	return -1;
}

bool ks_treeop_prune_empty(const struct ks_root *root, const char *path, const char *stop,
			   GError **error)
{
	g_autofree char *current = g_strdup(path);
	size_t stop_length = strlen(stop);
	int removed = 1;

	while (stop_length > 1 && stop[stop_length - 1] == '/')
		stop_length--;
	if (stop_length == 1 && *stop == '/')
		stop_length = 0;
	if (strncmp(path, stop, stop_length) || path[stop_length] != '/') {
		ks_error_set(error, KS_ERROR_INVALID, "'%s' is not below '%s'", path,
			     stop);
		return false;
	}
	while (removed > 0 && strlen(current) > stop_length) {
		removed = remove_if_empty(root, current, error);
		*strrchr(current, '/') = '\0';
	}
	return removed >= 0;
}
