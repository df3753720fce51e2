/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who owns a build tree. Walks by descriptor and never follows a link: the
 * tree is hostile on its way back.
 */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/build/build-private.h"

/* Deeper is no source tree; what is below keeps its owner and is removed with the rest.
 */
#define DEPTH_MAX 128

struct walk {
	bool (*entry)(const struct walk *walk, int dir_fd, const char *name,
		      const struct stat *st);
	uid_t uid;
	gid_t gid;
};

static bool walk_dir(const struct walk *walk, int dir_fd, unsigned int depth)
{
	ks_autofd int own_fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = own_fd >= 0 ? fdopendir(own_fd) : NULL;
	struct dirent *entry;
	bool ok = true;

	if (!dir)
		return false;
	ks_steal_fd(&own_fd);
	while (ok && (entry = readdir(dir))) {
		struct stat st;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (fstatat(dir_fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		ok = walk->entry(walk, dir_fd, entry->d_name, &st);
		if (!ok || !S_ISDIR(st.st_mode) || depth == DEPTH_MAX)
			continue;
		ks_autofd int fd =
			openat(dir_fd, entry->d_name,
			       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		ok = fd >= 0 && walk_dir(walk, fd, depth + 1);
	}
	closedir(dir);
	return ok;
}

/* As root a build could write to its read-only files; its owner cannot. */
static bool give_entry(const struct walk *walk, int dir_fd, const char *name,
		       const struct stat *st)
{
	mode_t wanted = S_ISDIR(st->st_mode) ? 0700 : 0600;
	mode_t mode = (st->st_mode & 0777) | wanted;

	if (!S_ISLNK(st->st_mode) && (st->st_mode & 07777) != mode &&
	    fchmodat(dir_fd, name, mode, 0) != 0)
		return false;
	if (st->st_uid == walk->uid && st->st_gid == walk->gid)
		return true;
	return fchownat(dir_fd, name, walk->uid, walk->gid, AT_SYMLINK_NOFOLLOW) == 0;
}

bool ks_ownership_give(int dir_fd, uid_t uid, gid_t gid)
{
	const struct walk walk = {.entry = give_entry, .uid = uid, .gid = gid};

	return walk_dir(&walk, dir_fd, 0) && fchown(dir_fd, uid, gid) == 0 &&
	       fchmod(dir_fd, 0755) == 0;
}

/* chown(2) takes the set-id bits of files away; a directory's set-gid bit is harmless. */
static bool take_entry(const struct walk *walk, int dir_fd, const char *name,
		       const struct stat *st)
{
	if (st->st_uid != walk->uid)
		return true;
	return fchownat(dir_fd, name, 0, 0, AT_SYMLINK_NOFOLLOW) == 0;
}

bool ks_ownership_take(int dir_fd, uid_t uid)
{
	const struct walk walk = {.entry = take_entry, .uid = uid};

	return walk_dir(&walk, dir_fd, 0) && fchown(dir_fd, 0, 0) == 0 &&
	       fchmod(dir_fd, 0755) == 0;
}
