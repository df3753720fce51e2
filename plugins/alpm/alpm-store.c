/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See store.h. */
#include "plugins/alpm/alpm-store.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/support/durable.h"
#include "core/support/error.h"
#include "core/support/treeop.h"
#include "plugins/alpm/entry.h"

#define TEMPORARY ".kmodsmith."
#define OUR_LOCK  ".kmodsmith.lck"

static char *temporary_path(void)
{
	return g_strdup_printf("/" TEMPORARY "%08x%08x", g_random_int(), g_random_int());
}

static char *entry_path(const char *dir)
{
	return g_build_filename(KS_ALPM_LOCAL, dir, NULL);
}

static bool write_file(const struct ks_alpm *alpm, const char *dir, const char *name,
		       const void *data, size_t size_bytes, GError **error)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);

	return ks_durable_write(alpm->db, path, data, size_bytes, 0644, error);
}

static bool write_entry(const struct ks_alpm *alpm, const char *dir,
			const struct ks_alpm_contents *contents, GError **error)
{
	return ks_root_mkdir_p(alpm->db, dir, 0755, error) &&
	       write_file(alpm, dir, "desc", contents->desc, strlen(contents->desc),
			  error) &&
	       write_file(alpm, dir, "files", contents->files, strlen(contents->files),
			  error) &&
	       write_file(alpm, dir, "mtree", contents->mtree->data, contents->mtree->len,
			  error) &&
	       write_file(alpm, dir, "changelog", contents->changelog,
			  strlen(contents->changelog), error);
}

static bool sync_dir(const struct ks_alpm *alpm, const char *dir, GError **error)
{
	ks_autofd int fd =
		ks_root_openat(alpm->db, dir, O_RDONLY | O_DIRECTORY, 0, error);

	if (fd < 0)
		return false;
	if (fsync(fd) == 0 || errno == EINVAL)
		return true;
	ks_error_set_errno(error, errno, "cannot sync '%s%s'", ks_root_prefix(alpm->db),
			   dir);
	return false;
}

static bool exchange(const struct ks_alpm *alpm, const char *temporary, const char *path,
		     GError **error)
{
	ks_autofd int local =
		ks_root_openat(alpm->db, KS_ALPM_LOCAL, O_RDONLY | O_DIRECTORY, 0, error);

	if (local < 0)
		return false;
	if (renameat2(ks_root_fd(alpm->db), temporary + 1, local,
		      path + strlen(KS_ALPM_LOCAL "/"), RENAME_EXCHANGE) < 0) {
		ks_error_set_errno(error, errno, "cannot replace '%s%s'",
				   ks_root_prefix(alpm->db), path);
		return false;
	}
	return sync_dir(alpm, KS_ALPM_LOCAL, error) && sync_dir(alpm, "/", error);
}

/* The old one is then in the temporary, or in another one for the sweep. */
static bool place(const struct ks_alpm *alpm, const char *temporary, const char *old,
		  const char *dir, GError **error)
{
	g_autofree char *path = entry_path(dir);

	if (old && strcmp(old, dir) == 0)
		return exchange(alpm, temporary, path, error);
	if (old && !ks_alpm_store_drop(alpm, old, error))
		return false;
	return ks_durable_rename(alpm->db, temporary, path, error);
}

bool ks_alpm_store_put(const struct ks_alpm *alpm, const char *old,
		       const struct ks_alpm_contents *contents, GError **error)
{
	g_autofree char *temporary = temporary_path();
	bool ok = write_entry(alpm, temporary, contents, error) &&
		  place(alpm, temporary, old, contents->dir, error);

	/* its remains are useless and harmless: recover tries again */
	ks_ignore(ks_treeop_remove(alpm->db, temporary, NULL));
	if (!ok)
		g_prefix_error(error, "cannot write the package database: ");
	return ok;
}

bool ks_alpm_store_drop(const struct ks_alpm *alpm, const char *dir, GError **error)
{
	g_autofree char *path = entry_path(dir);
	g_autofree char *temporary = temporary_path();

	if (!ks_durable_rename(alpm->db, path, temporary, error)) {
		g_prefix_error(error, "cannot remove a package's entry: ");
		return false;
	}
	ks_ignore(ks_treeop_remove(alpm->db, temporary, NULL));
	return true;
}

bool ks_alpm_store_sweep(const struct ks_alpm *alpm, GError **error)
{
	g_autoptr(GPtrArray) names = ks_root_list(alpm->db, "/", error);

	for (guint i = 0; names && i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);
		g_autofree char *path = g_strconcat("/", name, NULL);

		if (g_str_has_prefix(name, TEMPORARY) && strcmp(name, OUR_LOCK) != 0 &&
		    !ks_treeop_remove(alpm->db, path, error))
			return false;
	}
	return names != NULL;
}
