/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Temporary beside, fsync, rename, fsync of the directory. */
#include "core/support/durable.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/support/error.h"
#include "core/support/write-all.h"

/* The directory an entry is changed in. */
struct place {
	const struct ks_root *root;
	const char *path;
	const char *name;
	int dir_fd;
};

static void close_place(struct place *place)
{
	if (place->dir_fd >= 0)
		close(place->dir_fd);
}

static bool fail(const struct place *place, const char *act, GError **error)
{
	ks_error_set_errno(error, errno, "cannot %s '%s%s'", act,
			   ks_root_prefix(place->root), place->path);
	return false;
}

static bool sync_dir(const struct place *place, GError **error)
{
	/* EINVAL: a file system that has nothing to sync for a directory */
	if (fsync(place->dir_fd) < 0 && errno != EINVAL)
		return fail(place, "sync the directory of", error);
	return true;
}

static bool open_place(const struct ks_root *root, const char *path, struct place *place,
		       GError **error)
{
	place->root = root;
	place->path = path;
	place->dir_fd = ks_root_open_parent(root, path, &place->name, error);
	return place->dir_fd >= 0;
}

/* A new directory is as durable as what will be in it. */
static bool make_parents(const struct ks_root *root, const char *path, GError **error)
{
	const char *end = path + strspn(path, "/");

	for (end += strcspn(end, "/"); *end; end += strcspn(end, "/")) {
		g_autofree char *prefix = g_strndup(path, end - path);
		struct place place;
		bool ok;

		end += strspn(end, "/");
		if (ks_root_exists(root, prefix))
			continue;
		if (!ks_root_mkdir_p(root, prefix, 0755, error) ||
		    !open_place(root, prefix, &place, error))
			return false;
		ok = sync_dir(&place, error);
		close_place(&place);
		if (!ok)
			return false;
	}
	return true;
}

static bool open_place_making(const struct ks_root *root, const char *path,
			      struct place *place, GError **error)
{
	return make_parents(root, path, error) && open_place(root, path, place, error);
}

static char *temporary_name(void)
{
	return g_strdup_printf(KS_DURABLE_TEMPORARY_PREFIX "%08x%08x", g_random_int(),
			       g_random_int());
}

/* Returns false with errno; the temporary may exist then. */
static bool fill_temporary(const struct place *place, const char *name, const void *data,
			   size_t size_bytes, mode_t mode)
{
	bool ok;
	int fd = openat(place->dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
			0600);

	if (fd < 0)
		return false;
	ok = ks_write_all(fd, data, size_bytes) && fchmod(fd, mode & 07777) == 0 &&
	     fsync(fd) == 0;
	if (!ok) {
		int saved = errno;

		close(fd);
		errno = saved;
		return false;
	}
	/* A network file system may report a failed write only now. */
	return close(fd) == 0;
}

/* Give the temporary its name, or remove it; the cause stays in errno. */
static bool commit(const struct place *place, const char *temporary, bool filled,
		   GError **error)
{
	if (filled && renameat(place->dir_fd, temporary, place->dir_fd, place->name) == 0)
		return sync_dir(place, error);
	fail(place, "write", error);
	unlinkat(place->dir_fd, temporary, 0);
	return false;
}

bool ks_durable_write(const struct ks_root *root, const char *path, const void *data,
		      size_t size_bytes, mode_t mode, GError **error)
{
	g_autofree char *temporary = temporary_name();
	struct place place;
	bool ok;

	if (!open_place_making(root, path, &place, error))
		return false;
	ok = fill_temporary(&place, temporary, data, size_bytes, mode);
	ok = commit(&place, temporary, ok, error);
	close_place(&place);
	return ok;
}

bool ks_durable_symlink(const struct ks_root *root, const char *target, const char *path,
			GError **error)
{
	g_autofree char *temporary = temporary_name();
	struct place place;
	bool ok;

	if (!open_place_making(root, path, &place, error))
		return false;
	ok = symlinkat(target, place.dir_fd, temporary) == 0;
	ok = commit(&place, temporary, ok, error);
	close_place(&place);
	return ok;
}

bool ks_durable_rename(const struct ks_root *root, const char *from, const char *to,
		       GError **error)
{
	struct place source, dest;
	bool ok = false;

	if (!open_place(root, from, &source, error))
		return false;
	if (!open_place_making(root, to, &dest, error)) {
		close_place(&source);
		return false;
	}
	if (renameat(source.dir_fd, source.name, dest.dir_fd, dest.name) < 0)
		ks_error_set_errno(error, errno, "cannot rename '%s%s' to '%s%s'",
				   ks_root_prefix(root), from, ks_root_prefix(root), to);
	else
		/* the new name first: a file with two names is no loss */
		ok = sync_dir(&dest, error) && sync_dir(&source, error);
	close_place(&source);
	close_place(&dest);
	return ok;
}

bool ks_durable_unlink(const struct ks_root *root, const char *path, GError **error)
{
	struct place place;
	struct stat st;
	bool ok;

	if (!ks_root_lstat(root, path, &st) && errno == ENOENT)
		return true;
	if (!open_place(root, path, &place, error))
		return false;
	if (unlinkat(place.dir_fd, place.name, 0) < 0)
		ok = errno == ENOENT || fail(&place, "remove", error);
	else
		ok = sync_dir(&place, error);
	close_place(&place);
	return ok;
}
