/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See spool.h. */
#include "plugins/apt/spool.h"

#include <errno.h>
#include <string.h>
#include <sys/file.h>

#include "core/support/durable.h"
#include "core/support/error.h"

#define DEB_SUFFIX   ".deb"
#define PURGE_SUFFIX ".purge"
#define NEW_SUFFIX   ".new"
#define LOCK_NAME    "lock"

struct ks_spool {
	const struct ks_system *system;
	char *dir; /* inside the tree */
	int lock_fd;
};

static char *spool_dir(const struct ks_system *system)
{
	return g_build_filename(system->state_dir, "spool", NULL);
}

static char *entry_path(const struct ks_spool *spool, const char *package,
			const char *suffix)
{
	return g_strdup_printf("%s/%s%s", spool->dir, package, suffix);
}

static bool take_lock(struct ks_spool *spool, GError **error)
{
	g_autofree char *path = g_build_filename(spool->dir, LOCK_NAME, NULL);

	spool->lock_fd =
		ks_root_openat(spool->system->root, path, O_RDWR | O_CREAT, 0600, error);
	if (spool->lock_fd < 0)
		return false;
	if (flock(spool->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return true;
	if (errno == EWOULDBLOCK)
		ks_error_set(error, KS_ERROR_LOCKED, "another recorder is at work");
	else
		ks_error_set_errno(error, errno, "cannot lock '%s'", path);
	return false;
}

/* Remove the half-written files of a writer that died. */
static bool tidy(struct ks_spool *spool, GError **error)
{
	g_autoptr(GPtrArray) names = ks_root_list(spool->system->root, spool->dir, error);

	for (guint i = 0; names && i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);
		g_autofree char *path = g_build_filename(spool->dir, name, NULL);

		if (g_str_has_suffix(name, NEW_SUFFIX) &&
		    !ks_durable_unlink(spool->system->root, path, error))
			return false;
	}
	return names != NULL;
}

struct ks_spool *ks_spool_open(const struct ks_system *system, GError **error)
{
	ks_auto(ks_spool) spool = g_new0(struct ks_spool, 1);

	spool->system = system;
	spool->dir = spool_dir(system);
	spool->lock_fd = -1;
	if (!ks_root_mkdir_p(system->root, spool->dir, 0755, error) ||
	    !take_lock(spool, error) || !tidy(spool, error))
		return NULL;
	return g_steal_pointer(&spool);
}

void ks_spool_close(struct ks_spool *spool)
{
	if (!spool)
		return;
	if (spool->lock_fd >= 0)
		close(spool->lock_fd);
	g_free(spool->dir);
	g_free(spool);
}

bool ks_spool_is_empty(const struct ks_system *system)
{
	g_autofree char *dir = spool_dir(system);
	g_autoptr(GPtrArray) names = ks_root_list(system->root, dir, NULL);

	for (guint i = 0; names && i < names->len; i++)
		if (strcmp(g_ptr_array_index(names, i), LOCK_NAME) != 0)
			return false;
	return true;
}

bool ks_spool_put_deb(struct ks_spool *spool, const char *package,
		      ks_spool_write_func write, void *data, GError **error)
{
	const struct ks_root *root = spool->system->root;
	g_autofree char *path = entry_path(spool, package, DEB_SUFFIX);
	g_autofree char *new_path = g_strconcat(path, NEW_SUFFIX, NULL);
	ks_autofd int fd = ks_root_openat(
		root, new_path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0644, error);

	if (fd < 0)
		return false;
	if (!write(fd, data, error))
		goto remove;
	if (fsync(fd) < 0) {
		ks_error_set_errno(error, errno, "cannot write '%s'", path);
		goto remove;
	}
	if (ks_durable_rename(root, new_path, path, error))
		return true;
remove:
	ks_ignore(ks_durable_unlink(root, new_path, NULL));
	return false;
}

bool ks_spool_put_purge(struct ks_spool *spool, const char *package, GError **error)
{
	g_autofree char *path = entry_path(spool, package, PURGE_SUFFIX);
	g_autofree char *deb = entry_path(spool, package, DEB_SUFFIX);

	return ks_durable_write(spool->system->root, path, "", 0, 0644, error) &&
	       ks_durable_unlink(spool->system->root, deb, error);
}

static GPtrArray *names_with(const struct ks_spool *spool, const char *suffix,
			     GError **error)
{
	g_autoptr(GPtrArray) names = ks_root_list(spool->system->root, spool->dir, error);
	g_autoptr(GPtrArray) packages = g_ptr_array_new_with_free_func(g_free);

	if (!names)
		return NULL;
	for (guint i = 0; i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);

		if (g_str_has_suffix(name, suffix) && g_str_has_prefix(name, "kmod-"))
			g_ptr_array_add(packages,
					g_strndup(name, strlen(name) - strlen(suffix)));
	}
	return g_steal_pointer(&packages);
}

GPtrArray *ks_spool_debs(const struct ks_spool *spool, GError **error)
{
	return names_with(spool, DEB_SUFFIX, error);
}

GPtrArray *ks_spool_purges(const struct ks_spool *spool, GError **error)
{
	return names_with(spool, PURGE_SUFFIX, error);
}

char *ks_spool_deb_path(const struct ks_spool *spool, const char *package)
{
	g_autofree char *path = entry_path(spool, package, DEB_SUFFIX);

	return ks_root_host_path(spool->system->root, path);
}

bool ks_spool_drop(struct ks_spool *spool, const char *package, GError **error)
{
	g_autofree char *deb = entry_path(spool, package, DEB_SUFFIX);
	g_autofree char *purge = entry_path(spool, package, PURGE_SUFFIX);

	return ks_durable_unlink(spool->system->root, deb, error) &&
	       ks_durable_unlink(spool->system->root, purge, error);
}
