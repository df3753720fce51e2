/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Paths that the command has to see although something is in the way: a
 * private /tmp, the build's own directory over the one that has it, or a
 * directory above that the command's user may not enter, as a home of mode
 * 0700. Such a directory is covered by an empty one that contains only the way
 * there. All of it is read-only.
 *
 * As the mounts, it is set up before any third-party code runs, by the engine's paths.
 */
#include "core/sandbox/launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOPS_MAX 40

/* A link on the way to something that is shown. */
struct link {
	struct link *next;
	char *path, *text;
};

/* A directory that the command's user may not enter. */
struct closed {
	struct closed *next;
	char *path;
	bool is_covered;
};

struct shown {
	struct shown *next;
	char *place; /* without links */
	int fd;	     /* a detached copy */
};

static struct link *links;
static struct closed *closed_dirs;
static struct shown *shown_first, **shown_last = &shown_first;

static bool may_enter(const struct policy *policy, const char *dir)
{
	struct stat st;

	if (!policy->drop || stat(dir, &st) != 0)
		return true;
	if (st.st_uid == policy->uid)
		return st.st_mode & S_IXUSR;
	return st.st_mode & (st.st_gid == policy->gid ? S_IXGRP : S_IXOTH);
}

/* A directory that lies over it would hide what is set up there. */
static bool is_in_use(const struct policy *policy, const char *dir)
{
	for (size_t i = 0; i < policy->bind_target.n; i++) {
		if (mounts_is_below(policy->bind_target.v[i], dir))
			return true;
	}
	for (size_t i = 0; i < policy->writable.n; i++) {
		if (mounts_is_below(policy->writable.v[i], dir))
			return true;
	}
	return mounts_is_below(policy->cwd, dir) ||
	       (policy->fifo && mounts_is_below(policy->fifo, dir));
}

static bool closed_add(const struct policy *policy, const char *dir)
{
	struct closed *closed;

	for (closed = closed_dirs; closed; closed = closed->next) {
		if (strcmp(closed->path, dir) == 0)
			return true;
	}
	if (is_in_use(policy, dir))
		return true;
	closed = calloc(1, sizeof(*closed));
	if (!closed || !(closed->path = strdup(dir)))
		return false;
	closed->next = closed_dirs;
	closed_dirs = closed;
	return true;
}

static bool link_add(const char *path, const char *text)
{
	struct link *link = calloc(1, sizeof(*link));

	if (!link || !(link->path = strdup(path)) || !(link->text = strdup(text)))
		return false;
	link->next = links;
	links = link;
	return true;
}

/* rest = text of a link, and the components that came after it. */
static bool rest_replace(char rest[PATH_MAX], const char *text, const char *after)
{
	char joined[PATH_MAX];
	int n = snprintf(joined, sizeof(joined), "%s%s", text, after);

	if (n < 0 || n >= PATH_MAX)
		return false;
	memcpy(rest, joined, n + 1);
	return true;
}

/* One component of the way, at rest; place is where we are. Returns an errno value. */
static int step(const struct policy *policy, char place[PATH_MAX], char rest[PATH_MAX],
		unsigned int *hops)
{
	char *name = rest + strspn(rest, "/");
	size_t length = strcspn(name, "/");
	char next[PATH_MAX], text[PATH_MAX];
	struct stat st;
	ssize_t n;

	if (length == 1 && *name == '.') {
		memmove(rest, name + 1, strlen(name));
		return 0;
	}
	if (length == 2 && name[0] == '.' && name[1] == '.') {
		if (*place)
			*strrchr(place, '/') = '\0';
		memmove(rest, name + 2, strlen(name) - 1);
		return 0;
	}
	if (*place && !may_enter(policy, place) && !closed_add(policy, place))
		return ENOMEM;
	if (snprintf(next, sizeof(next), "%s/%.*s", place, (int)length, name) >= PATH_MAX)
		return ENAMETOOLONG;
	if (lstat(next, &st) != 0)
		return errno;
	if (!S_ISLNK(st.st_mode)) {
		strcpy(place, next);
		memmove(rest, name + length, strlen(name + length) + 1);
		return 0;
	}
	n = readlink(next, text, sizeof(text) - 1);
	if (n < 0)
		return errno;
	text[n] = '\0';
	if (++*hops > HOPS_MAX || !rest_replace(rest, text, name + length))
		return ELOOP;
	if (*text == '/')
		*place = '\0';
	return link_add(next, text) ? 0 : ENOMEM;
}

/* The end of path, noting everything on the way. */
static int walk(const struct policy *policy, const char *path, char place[PATH_MAX])
{
	unsigned int hops = 0;
	char rest[PATH_MAX];
	int err = 0;

	*place = '\0';
	if (!rest_replace(rest, path, ""))
		return ENAMETOOLONG;
	while (!err && rest[strspn(rest, "/")])
		err = step(policy, place, rest, &hops);
	return err;
}

static int shown_add(const char *source, const char *place)
{
	struct shown *shown = calloc(1, sizeof(*shown));

	if (!shown || !(shown->place = strdup(place)))
		return ENOMEM;
	shown->fd = mounts_copy(AT_FDCWD, source, AT_RECURSIVE);
	if (shown->fd < 0)
		return errno;
	*shown_last = shown;
	shown_last = &shown->next;
	return 0;
}

int shows_take(const struct launch *launch)
{
	const struct policy *policy = &launch->policy;

	for (size_t i = 0; i < policy->show_source.n; i++) {
		const char *source = policy->show_source.v[i];
		char place[PATH_MAX];
		int err = walk(policy, policy->show_target.v[i], place);

		/* the system reports the error to whoever uses the path */
		if (err == ENOENT || err == ENOTDIR || err == ELOOP || !*place)
			continue;
		if (!err)
			err = shown_add(source, place);
		if (err && err != ENOENT)
			return err;
	}
	return 0;
}

static bool is_below_closed(const char *path, bool covered_only)
{
	for (struct closed *closed = closed_dirs; closed; closed = closed->next) {
		if ((closed->is_covered || !covered_only) &&
		    strcmp(path, closed->path) != 0 &&
		    mounts_is_below(path, closed->path))
			return true;
	}
	return false;
}

int shows_cover(const struct launch *launch)
{
	for (struct closed *closed = closed_dirs; closed; closed = closed->next) {
		int err;

		if (is_below_closed(closed->path, false) ||
		    launch->is_hidden(launch, closed->path))
			continue;
		err = mounts_cover(closed->path, "mode=0755,size=1m");
		if (err)
			return err;
		closed->is_covered = true;
	}
	return 0;
}

static bool is_hidden(const struct launch *launch, const char *path)
{
	return launch->is_hidden(launch, path) || is_below_closed(path, true);
}

static void link_restore(const struct link *link)
{
	char *dir = strdup(link->path);

	if (!dir)
		return;
	*strrchr(dir, '/') = '\0';
	if (*dir)
		mounts_mkdir_parents(dir);
	/* there already when two ways lead over it */
	if (symlink(link->text, link->path) != 0 && errno != EEXIST)
		(void)errno;
	free(dir);
}

static bool is_in_place(const struct shown *shown)
{
	struct stat wanted, found;

	return fstat(shown->fd, &wanted) == 0 && lstat(shown->place, &found) == 0 &&
	       wanted.st_dev == found.st_dev && wanted.st_ino == found.st_ino;
}

static int shown_restore(const struct shown *shown)
{
	struct stat st;

	if (is_in_place(shown))
		return 0;
	if (lstat(shown->place, &st) != 0)
		mounts_place_make(shown->fd, shown->place);
	if (mounts_set_read_only(shown->fd) != 0 ||
	    mounts_attach(shown->fd, AT_FDCWD, shown->place, 0) != 0)
		return errno;
	return 0;
}

int shows_restore(const struct launch *launch)
{
	for (const struct link *link = links; link; link = link->next) {
		if (is_hidden(launch, link->path))
			link_restore(link);
	}
	for (const struct shown *shown = shown_first; shown; shown = shown->next) {
		int err = shown_restore(shown);

		close(shown->fd);
		if (err)
			return err;
	}
	return 0;
}
