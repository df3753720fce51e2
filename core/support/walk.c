/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See walk.h. */
#include "core/support/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_LINKS 40 /* path_resolution(7) */
#define MAX_TRIES 16 /* somebody puts another file there all the time */
#define MAX_DEPTH (PATH_MAX / 2)

struct walk {
	int start;
	uint64_t resolve;
	uint64_t mount; /* of start, for RESOLVE_NO_XDEV */
	/* the directories from start to where we are; the last one is where */
	int dirs[MAX_DEPTH];
	int depth;
	char *rest; /* the path that is left */
	int n_links;
	bool is_open_ended; /* it ends in a slash: a directory, link or not */
};

static bool fail(int err)
{
	errno = err;
	return false;
}

static int here(const struct walk *walk)
{
	return walk->depth ? walk->dirs[walk->depth - 1] : walk->start;
}

static void leave_to(struct walk *walk, int depth)
{
	const int saved = errno;

	while (walk->depth > depth)
		close(walk->dirs[--walk->depth]);
	errno = saved;
}

static bool ask_statx(int fd, uint64_t *mount)
{
#ifdef STATX_MNT_ID
	struct statx stx;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &stx) == 0 &&
	    stx.stx_mask & STATX_MNT_ID) {
		*mount = stx.stx_mnt_id;
		return true;
	}
#else
	(void)fd;
	(void)mount;
#endif
	return false;
}

/* It fails, since there is no room for a handle, but has filled in the mount. */
static bool ask_handle(int fd, uint64_t *mount)
{
	struct file_handle handle = {.handle_bytes = 0};
	int id;

	if (name_to_handle_at(fd, "", &handle, &id, AT_EMPTY_PATH) != 0 &&
	    errno != EOVERFLOW)
		return false;
	*mount = (uint64_t)id;
	return true;
}

/*
 * Two mounts of one file system differ in this. Where nothing tells, the device of a
 * directory does; on an overlay that of a file is no help, and known is that of its
 * directory.
 */
static bool get_mount(int fd, uint64_t known, uint64_t *mount)
{
	struct stat st;

	if (ask_statx(fd, mount) || ask_handle(fd, mount))
		return true;
	if (fstat(fd, &st) != 0)
		return false;
	*mount = S_ISDIR(st.st_mode) ? st.st_dev : known;
	return true;
}

static bool is_on_mount(const struct walk *walk, int fd)
{
	uint64_t mount;

	if (!(walk->resolve & RESOLVE_NO_XDEV))
		return true;
	if (!get_mount(fd, walk->mount, &mount))
		return false;
	return mount == walk->mount || fail(EXDEV);
}

/* The next component, copied to name; false at the end of the path. */
static bool next_name(struct walk *walk, char *name, bool *is_last)
{
	char *rest = walk->rest;
	size_t length;

	rest += strspn(rest, "/");
	length = strcspn(rest, "/");
	if (length > NAME_MAX)
		length = NAME_MAX + 1; /* no such name: openat(2) says so */
	memcpy(name, rest, length);
	name[length] = '\0';
	rest += strcspn(rest, "/");
	*is_last = !rest[strspn(rest, "/")];
	memmove(walk->rest, rest, strlen(rest) + 1);
	return length > 0;
}

/* A path that is absolute begins anew, at start; else it goes on from here. */
static bool begin_path(struct walk *walk, const char *path)
{
	if (*path != '/')
		return true;
	if (walk->resolve & RESOLVE_BENEATH)
		return fail(EXDEV);
	leave_to(walk, 0);
	return true;
}

static bool go_up(struct walk *walk)
{
	if (walk->depth)
		leave_to(walk, walk->depth - 1);
	else if (walk->resolve & RESOLVE_BENEATH)
		return fail(EXDEV);
	return true;
}

/* fd is that of a directory, and the walk's from here on. */
static bool go_down(struct walk *walk, int fd)
{
	if (walk->depth == MAX_DEPTH) {
		close(fd);
		return fail(ENAMETOOLONG);
	}
	walk->dirs[walk->depth++] = fd;
	return true;
}

static bool follow(struct walk *walk, int link_fd)
{
	char text[PATH_MAX];
	const ssize_t n = readlinkat(link_fd, "", text, sizeof(text) - 1);
	char *rest;

	if (n < 0)
		return false;
	if (walk->resolve & RESOLVE_NO_SYMLINKS || ++walk->n_links > MAX_LINKS)
		return fail(ELOOP);
	text[n] = '\0';
	rest = malloc((size_t)n + 1 + strlen(walk->rest) + 1);
	if (!rest)
		return fail(ENOMEM);
	memcpy(rest, text, (size_t)n);
	strcpy(rest + n, walk->rest);
	free(walk->rest);
	walk->rest = rest;
	return begin_path(walk, text);
}

enum step { STEP_GOES_ON, STEP_FAILED, STEP_OPENED };

/* The end of the path: name is not a link, or the caller wants the link itself. */
static enum step open_last(struct walk *walk, const char *name, int flags, mode_t mode,
			   int *fd)
{
	*fd = openat(here(walk), name, flags | O_NOFOLLOW | O_CLOEXEC, mode);
	if (*fd < 0)
		return STEP_FAILED;
	if (is_on_mount(walk, *fd))
		return STEP_OPENED;
	close(*fd);
	return STEP_FAILED;
}

static enum step step_into(struct walk *walk, const char *name, bool is_last, int flags,
			   mode_t mode, int *fd)
{
	const int entry = openat(here(walk), name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	const bool opens_links = flags & O_NOFOLLOW && !walk->is_open_ended;
	struct stat st;

	if (entry < 0)
		return is_last && errno == ENOENT && flags & O_CREAT
			       ? open_last(walk, name, flags, mode, fd)
			       : STEP_FAILED;
	if (fstat(entry, &st) != 0 || !is_on_mount(walk, entry)) {
		close(entry);
		return STEP_FAILED;
	}
	if (S_ISLNK(st.st_mode) && !(is_last && opens_links)) {
		const bool followed =
			(flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL) && is_last
				? fail(EEXIST)
				: follow(walk, entry);

		close(entry);
		return followed ? STEP_GOES_ON : STEP_FAILED;
	}
	if (!is_last && S_ISDIR(st.st_mode))
		return go_down(walk, entry) ? STEP_GOES_ON : STEP_FAILED;
	close(entry);
	if (!is_last || (walk->is_open_ended && !S_ISDIR(st.st_mode))) {
		errno = ENOTDIR;
		return STEP_FAILED;
	}
	/* it may have become a link since: then it fails, and is looked at again */
	return open_last(walk, name, flags, mode, fd);
}

static enum step step(struct walk *walk, int flags, mode_t mode, int *fd)
{
	char name[NAME_MAX + 2];
	bool is_last;

	if (!next_name(walk, name, &is_last) ||
	    (is_last && (strcmp(name, ".") == 0 || strcmp(name, "..") == 0))) {
		if (strcmp(name, "..") == 0 && !go_up(walk))
			return STEP_FAILED;
		if (flags & O_CREAT) {
			errno = flags & O_EXCL ? EEXIST : EISDIR;
			return STEP_FAILED;
		}
		*fd = openat(here(walk), ".", flags | O_CLOEXEC);
		return *fd < 0 ? STEP_FAILED : STEP_OPENED;
	}
	if (strcmp(name, ".") == 0)
		return STEP_GOES_ON;
	if (strcmp(name, "..") == 0)
		return go_up(walk) ? STEP_GOES_ON : STEP_FAILED;
	if (is_last && walk->is_open_ended && flags & O_CREAT) {
		errno = EISDIR;
		return STEP_FAILED;
	}
	return step_into(walk, name, is_last, flags, mode, fd);
}

static int walk_once(struct walk *walk, const char *path, int flags, mode_t mode)
{
	enum step done = STEP_FAILED;
	int fd = -1;

	walk->depth = walk->n_links = 0;
	walk->is_open_ended = *path && path[strlen(path) - 1] == '/';
	walk->rest = strdup(path);
	if (walk->rest && begin_path(walk, path)) {
		do
			done = step(walk, flags, mode, &fd);
		while (done == STEP_GOES_ON);
	}
	leave_to(walk, 0);
	free(walk->rest);
	return done == STEP_OPENED ? fd : -1;
}

int ks_walk_openat(int dir_fd, const char *path, int flags, mode_t mode, uint64_t resolve)
{
	struct walk walk = {.start = dir_fd, .resolve = resolve};
	int fd, tries = MAX_TRIES;

	if (!*path) {
		errno = ENOENT;
		return -1;
	}
	if (resolve & RESOLVE_NO_XDEV && !get_mount(dir_fd, 0, &walk.mount))
		return -1;
	do
		fd = walk_once(&walk, path, flags, mode);
	while (fd < 0 && errno == ELOOP && !(flags & O_NOFOLLOW) &&
	       !(resolve & RESOLVE_NO_SYMLINKS) && walk.n_links <= MAX_LINKS &&
	       --tries > 0);
	return fd;
}

int ks_walk_is_needed(int err)
{
	static int needed = -1;
	const struct open_how how = {.flags = O_PATH | O_CLOEXEC};
	int fd;

	if (err != ENOSYS && err != EPERM)
		return 0;
	if (needed < 0) {
		fd = (int)syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof(how));
		needed = fd < 0 && (errno == ENOSYS || errno == EPERM);
		if (fd >= 0)
			close(fd);
	}
	return needed;
}
