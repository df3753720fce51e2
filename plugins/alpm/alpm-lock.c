/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See lock.h. */
#include "plugins/alpm/alpm-lock.h"

#include <errno.h>
#include <sys/file.h>

#include "core/support/durable.h"
#include "core/support/error.h"

#define LOCK	 "/db.lck"
#define OUR_NAME "/.kmodsmith.lck"

struct ks_alpm_lock {
	const struct ks_alpm *alpm;
	int fd; /* -1: it is the lock of a pacman above */
};

static bool is_taken(const struct ks_alpm *alpm, GError **error)
{
	g_autofree char *path = ks_alpm_lock_path(alpm);

	ks_error_set(error, KS_ERROR_PENDING,
		     "'%s' is there: another pacman is at work, or one that was killed "
		     "has left it",
		     path);
	return false;
}

bool ks_alpm_lock_check(const struct ks_alpm *alpm, GError **error)
{
	struct stat st;

	return alpm->is_locked_above || !ks_root_lstat(alpm->db, LOCK, &st) ||
	       is_taken(alpm, error);
}

static void remove_name(const struct ks_alpm *alpm, const char *name)
{
	unlinkat(ks_root_fd(alpm->db), name + 1, 0);
}

static bool is_same_file(const struct ks_alpm *alpm, int fd, const char *name)
{
	struct stat ours, there;

	return fstat(fd, &ours) == 0 && ks_root_lstat(alpm->db, name, &there) &&
	       ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

bool ks_alpm_lock_heal(const struct ks_alpm *alpm, GError **error)
{
	ks_autofd int fd = openat(ks_root_fd(alpm->db), OUR_NAME + 1,
				  O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return true;
	if (fd < 0) {
		ks_error_set_errno(error, errno, "cannot open '%s%s'",
				   ks_root_prefix(alpm->db), OUR_NAME);
		return false;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return true; /* a recorder that is alive */
	if (is_same_file(alpm, fd, LOCK))
		remove_name(alpm, LOCK);
	remove_name(alpm, OUR_NAME);
	return true;
}

static bool make_ours(const struct ks_alpm *alpm, int *fd, GError **error)
{
	*fd = openat(ks_root_fd(alpm->db), OUR_NAME + 1,
		     O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0);
	if (*fd >= 0 && flock(*fd, LOCK_EX | LOCK_NB) == 0)
		return true;
	if (*fd < 0 && errno == EEXIST)
		return is_taken(alpm, error);
	ks_error_set_errno(error, errno, "cannot lock the package database '%s'",
			   alpm->path);
	return false;
}

struct ks_alpm_lock *ks_alpm_lock_take(const struct ks_alpm *alpm, GError **error)
{
	struct ks_alpm_lock *lock;
	ks_autofd int fd = -1;
	int db = ks_root_fd(alpm->db);

	if (!alpm->is_locked_above) {
		if (!ks_alpm_lock_heal(alpm, error) || !make_ours(alpm, &fd, error))
			return NULL;
		/* link(2) fails when the name is there, as O_EXCL does */
		if (linkat(db, OUR_NAME + 1, db, LOCK + 1, 0) < 0) {
			if (errno == EEXIST)
				is_taken(alpm, error);
			else
				ks_error_set_errno(error, errno,
						   "cannot lock the package database "
						   "'%s'",
						   alpm->path);
			remove_name(alpm, OUR_NAME);
			return NULL;
		}
	}
	lock = g_new0(struct ks_alpm_lock, 1);
	lock->alpm = alpm;
	lock->fd = ks_steal_fd(&fd);
	return lock;
}

void ks_alpm_lock_release(struct ks_alpm_lock *lock)
{
	if (lock->fd >= 0) {
		remove_name(lock->alpm, LOCK);
		remove_name(lock->alpm, OUR_NAME);
		close(lock->fd);
	}
	g_free(lock);
}
