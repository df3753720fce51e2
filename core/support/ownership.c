/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changing the owner of a build tree. It walks by descriptor and never follows
 * a link: the tree is hostile on its way back.
 */
#include "core/support/ownership.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/support/cleanup.h"

/* No source tree is deeper; deeper entries keep their owner and are removed with
 * the rest. */
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

/*
 * As root a build could write to read-only files of its tree; their owner
 * cannot, and gets the right here. It works through a descriptor: a name may
 * have become a link to anywhere since the stat, as other processes of the
 * build user may reach the tree.
 */
static bool give_open(const struct walk *walk, int dir_fd, const char *name)
{
	ks_autofd int fd = openat(
		dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	mode_t mode;

	if (fd < 0 || fstat(fd, &st) != 0)
		return false;
	/* A copied file has one name; another name makes it somebody else's file. */
	if (S_ISREG(st.st_mode) && st.st_nlink != 1) {
		errno = EMLINK;
		return false;
	}
	mode = (st.st_mode & 0777) | (S_ISDIR(st.st_mode) ? 0700 : 0600);
	if ((st.st_mode & 07777) != mode && fchmod(fd, mode) != 0)
		return false;
	if (st.st_uid == walk->uid && st.st_gid == walk->gid)
		return true;
	return fchown(fd, walk->uid, walk->gid) == 0;
}

static bool give_entry(const struct walk *walk, int dir_fd, const char *name,
		       const struct stat *st)
{
	if (S_ISREG(st->st_mode) || S_ISDIR(st->st_mode))
		return give_open(walk, dir_fd, name);
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
	ks_autofd int fd = -1;
	struct stat now;

	if (st->st_uid != walk->uid)
		return true;
	if (fchownat(dir_fd, name, 0, 0, AT_SYMLINK_NOFOLLOW) != 0)
		return false;
	if (!S_ISREG(st->st_mode) && !S_ISDIR(st->st_mode))
		return true;
	if (!(st->st_mode & 0022))
		return true;
	/* Root's own now: not for everybody to write to. */
	fd = openat(dir_fd, name,
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return fd >= 0 && fstat(fd, &now) == 0 &&
	       fchmod(fd, now.st_mode & 07777 & ~(mode_t)0022) == 0;
}

bool ks_ownership_take(int dir_fd, uid_t uid)
{
	const struct walk walk = {.entry = take_entry, .uid = uid};

	return walk_dir(&walk, dir_fd, 0) && fchown(dir_fd, 0, 0) == 0 &&
	       fchmod(dir_fd, 0755) == 0;
}
