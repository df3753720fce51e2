/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tarballs read: unpacked privately, then looked at. */
#include "core/package/tarball.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/support/durable.h"
#include "core/support/error.h"
#include "core/support/treeop.h"
#include "core/support/name.h"

#define PRIVATE_PREFIX	   KS_DURABLE_TEMPORARY_PREFIX "tarball-"
#define MAX_SEARCH_DEPTH   8
#define MAX_IDENTITY_BYTES 4096

/* --- the private directory */

/* Directories of killed processes: the name holds the pid of the process that made it. */
static void sweep(const struct ks_system *system)
{
	g_autoptr(GPtrArray) names = ks_root_list(system->root, system->dkms_tree, NULL);

	for (guint i = 0; names && i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);
		g_autofree char *path = NULL;
		pid_t pid;

		if (!g_str_has_prefix(name, PRIVATE_PREFIX))
			continue;
		pid = (pid_t)g_ascii_strtoll(name + strlen(PRIVATE_PREFIX), NULL, 10);
		if (pid > 0 && (kill(pid, 0) == 0 || errno != ESRCH))
			continue;
		path = g_build_filename(system->dkms_tree, name, NULL);
		ks_ignore(ks_treeop_remove(system->root, path, NULL));
	}
}

static char *make_private_dir(const struct ks_system *system, GError **error)
{
	g_autofree char *name = g_strdup_printf("%s%d", PRIVATE_PREFIX, (int)getpid());
	g_autofree char *dir = g_build_filename(system->dkms_tree, name, NULL);

	sweep(system);
	if (!ks_root_mkdir_p(system->root, system->dkms_tree, 0755, error) ||
	    !ks_treeop_remove(system->root, dir, error) ||
	    !ks_root_mkdir_p(system->root, dir, 0700, error))
		return NULL;
	return g_steal_pointer(&dir);
}

/* --- finding the source */

static bool is_dir(const struct ks_system *system, const char *path)
{
	struct stat st;

	return ks_root_lstat(system->root, path, &st) && S_ISDIR(st.st_mode);
}

static bool has_conf(const struct ks_system *system, const char *dir)
{
	g_autofree char *conf = g_build_filename(dir, "dkms.conf", NULL);
	struct stat st;

	return ks_root_lstat(system->root, conf, &st) && S_ISREG(st.st_mode);
}

/* The first directory with a dkms.conf, the highest ones first. */
static char *search_conf(const struct ks_system *system, const char *top)
{
	g_autoptr(GPtrArray) level = g_ptr_array_new_with_free_func(g_free);

	g_ptr_array_add(level, g_strdup(top));
	for (guint depth = 0; depth < MAX_SEARCH_DEPTH && level->len; depth++) {
		g_autoptr(GPtrArray) next = g_ptr_array_new_with_free_func(g_free);

		for (guint i = 0; i < level->len; i++) {
			const char *dir = g_ptr_array_index(level, i);
			g_autoptr(GPtrArray) names =
				ks_root_list(system->root, dir, NULL);

			if (has_conf(system, dir))
				return g_strdup(dir);
			for (guint n = 0; names && n < names->len; n++) {
				g_autofree char *path =
					g_build_filename(dir, names->pdata[n], NULL);

				if (is_dir(system, path))
					g_ptr_array_add(next, g_steal_pointer(&path));
			}
		}
		g_ptr_array_unref(level);
		level = g_steal_pointer(&next);
	}
	return NULL;
}

static bool find_source(const struct ks_system *system, struct ks_tarball *tarball,
			const char *label, GError **error)
{
	g_autofree char *main = g_build_filename(tarball->dir, "dkms_main_tree", NULL);
	g_autofree char *source =
		g_build_filename(tarball->dir, "dkms_source_tree", NULL);
	g_autofree char *binaries =
		g_build_filename(tarball->dir, "dkms_binaries_only", NULL);

	tarball->made_by_mktarball = is_dir(system, main);
	if (has_conf(system, source)) {
		tarball->source_dir = g_steal_pointer(&source);
	} else if (has_conf(system, binaries)) {
		tarball->source_dir = g_steal_pointer(&binaries);
		tarball->binaries_only = true;
	} else if (!tarball->made_by_mktarball) {
		tarball->source_dir = search_conf(system, tarball->dir);
	}
	if (tarball->source_dir)
		return true;
	ks_error_set(error,
		     tarball->made_by_mktarball ? KS_ERROR_INVALID : KS_ERROR_NOT_FOUND,
		     "%s: there is no dkms.conf in %s", label,
		     tarball->made_by_mktarball ? "dkms_source_tree or dkms_binaries_only"
						: "it");
	return false;
}

/* The source goes elsewhere: its links must not lead out of it. */
static bool check_links(const struct ks_system *system, const char *dir, const char *name,
			const char *label, GError **error)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);
	g_autoptr(GPtrArray) names = ks_root_list(system->root, path, error);

	if (!names)
		return false;
	for (guint i = 0; i < names->len; i++) {
		g_autofree char *inner = g_build_filename(name, names->pdata[i], NULL);
		g_autofree char *inner_path = g_build_filename(dir, inner, NULL);
		g_autofree char *target = ks_root_readlink(system->root, inner_path);

		if (target && !ks_unpack_link_stays_inside(inner, target)) {
			ks_error_set(error, KS_ERROR_INVALID,
				     "%s: '%s' is a link that may lead outside", label,
				     inner);
			return false;
		}
		if (!target && is_dir(system, inner_path) &&
		    !check_links(system, dir, inner, label, error))
			return false;
	}
	return true;
}

/* dkms_binaries_only/PACKAGE_NAME says the same as the conf, when it is there. */
static bool check_identity(const struct ks_system *system,
			   const struct ks_tarball *tarball, const char *file,
			   const char *value, const char *label, GError **error)
{
	g_autofree char *path = g_build_filename(tarball->source_dir, file, NULL);
	g_autofree char *text =
		ks_root_read_file(system->root, path, MAX_IDENTITY_BYTES, NULL, NULL);

	if (!text || g_strcmp0(g_strstrip(text), value) == 0)
		return true;
	ks_error_set(error, KS_ERROR_INVALID,
		     "%s: '%s' in it does not say '%s', as its dkms.conf does", label,
		     file, value);
	return false;
}

static bool load_conf(const struct ks_system *system, const struct ks_settings *settings,
		      struct ks_tarball *tarball, const char *label, GError **error)
{
	tarball->conf = ks_conf_load(system, settings, tarball->source_dir, NULL, NULL,
				     NULL, error);
	if (!tarball->conf) {
		/* where it was unpacked is gone when somebody reads this */
		g_prefix_error(error, "%s: ", label);
		return false;
	}
	return !tarball->binaries_only ||
	       (check_identity(system, tarball, "PACKAGE_NAME",
			       tarball->conf->package_name, label, error) &&
		check_identity(system, tarball, "PACKAGE_VERSION",
			       tarball->conf->package_version, label, error));
}

/* --- the builds */

static void build_free(gpointer data)
{
	struct ks_tarball_build *build = data;

	g_free(build->release);
	g_free(build->arch);
	g_free(build->dir);
	g_free(build);
}

static bool refuse(const char *label, const char *what, const char *why, GError **error)
{
	ks_error_set(error, KS_ERROR_INVALID, "%s: '%s' %s", label, what, why);
	return false;
}

static bool is_module_file(const char *name)
{
	static const char *const suffixes[] = {".ko", ".ko.gz", ".ko.xz", ".ko.zst"};

	if (strcmp(name, "Module.symvers") == 0)
		return true;
	for (size_t i = 0; i < G_N_ELEMENTS(suffixes); i++)
		if (g_str_has_suffix(name, suffixes[i]))
			return true;
	return false;
}

/* Plain files only in DIR/part. */
static bool check_files(const struct ks_system *system, const char *dir, const char *part,
			bool modules, const char *label, GError **error)
{
	g_autofree char *path = g_build_filename(dir, part, NULL);
	g_autoptr(GPtrArray) names = ks_root_list(system->root, path, error);

	if (!names)
		return false;
	for (guint i = 0; i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);
		g_autofree char *file = g_build_filename(path, name, NULL);
		struct stat st;

		if (!ks_root_lstat(system->root, file, &st) || !S_ISREG(st.st_mode) ||
		    (modules && !is_module_file(name)))
			return refuse(label, file + strlen(dir) + 1,
				      "has no place in a build", error);
	}
	if (modules && !names->len)
		return refuse(label, part, "of a build is empty", error);
	return true;
}

/* Known are module/, log/, a manifest, and dkms's own ".dep_NAME". */
static bool check_build(const struct ks_system *system, const char *dir,
			const char *label, GError **error)
{
	g_autoptr(GPtrArray) names = ks_root_list(system->root, dir, error);
	g_autofree char *module = g_build_filename(dir, "module", NULL);

	if (!names)
		return false;
	if (!is_dir(system, module))
		return refuse(label, strstr(dir, "dkms_main_tree"), "has no modules",
			      error);
	for (guint i = 0; i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);
		g_autofree char *path = g_build_filename(dir, name, NULL);
		bool is_part = strcmp(name, "module") == 0 || strcmp(name, "log") == 0;
		struct stat st;

		if (is_part && is_dir(system, path)) {
			if (!check_files(system, dir, name, *name == 'm', label, error))
				return false;
		} else if (is_part || !ks_root_lstat(system->root, path, &st) ||
			   !S_ISREG(st.st_mode) ||
			   (strcmp(name, "manifest") != 0 &&
			    !g_str_has_prefix(name, ".dep_"))) {
			return refuse(label, name, "has no place in a build", error);
		} else if (strcmp(name, "manifest") == 0 &&
			   !ks_treeop_remove(system->root, path, error)) {
			return false;
		}
	}
	return true;
}

static bool find_arches(const struct ks_system *system, struct ks_tarball *tarball,
			const char *dir, const char *release, const char *label,
			GError **error)
{
	g_autoptr(GPtrArray) names = ks_root_list(system->root, dir, error);

	if (!names)
		return false;
	for (guint i = 0; i < names->len; i++) {
		const char *arch = g_ptr_array_index(names, i);
		struct ks_tarball_build *build;
		g_autofree char *path = g_build_filename(dir, arch, NULL);

		if (!ks_name_is_plain(arch) || !is_dir(system, path))
			return refuse(label, arch, "can be no architecture", error);
		if (!check_build(system, path, label, error))
			return false;
		build = g_new0(struct ks_tarball_build, 1);
		build->release = g_strdup(release);
		build->arch = g_strdup(arch);
		build->dir = g_steal_pointer(&path);
		g_ptr_array_add(tarball->builds, build);
	}
	return true;
}

static bool find_builds(const struct ks_system *system, struct ks_tarball *tarball,
			const char *label, GError **error)
{
	g_autofree char *main = g_build_filename(tarball->dir, "dkms_main_tree", NULL);
	g_autoptr(GPtrArray) names = NULL;

	if (!tarball->made_by_mktarball)
		return true;
	names = ks_root_list(system->root, main, error);
	if (!names)
		return false;
	for (guint i = 0; i < names->len; i++) {
		const char *release = g_ptr_array_index(names, i);
		g_autofree char *path = g_build_filename(main, release, NULL);

		if (!g_ascii_isdigit(*release) || !ks_name_is_plain(release) ||
		    !is_dir(system, path))
			return refuse(label, release, "can be no kernel", error);
		if (!find_arches(system, tarball, path, release, label, error))
			return false;
	}
	return true;
}

/* --- all of it */

static bool unpack(const struct ks_system *system, const struct ks_tarball *tarball,
		   int archive_fd, const char *label, GError **error)
{
	ks_autofd int dir_fd =
		ks_root_openat(system->root, tarball->dir,
			       O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, error);

	return dir_fd >= 0 &&
	       ks_unpack(archive_fd, label, dir_fd, &ks_unpack_default_limits, error);
}

struct ks_tarball *ks_tarball_open(const struct ks_system *system,
				   const struct ks_settings *settings, int archive_fd,
				   const char *label, GError **error)
{
	struct ks_tarball *tarball = g_new0(struct ks_tarball, 1);

	tarball->builds = g_ptr_array_new_with_free_func(build_free);
	tarball->dir = make_private_dir(system, error);
	if (tarball->dir && unpack(system, tarball, archive_fd, label, error) &&
	    find_source(system, tarball, label, error) &&
	    check_links(system, tarball->source_dir, "", label, error) &&
	    find_builds(system, tarball, label, error) &&
	    load_conf(system, settings, tarball, label, error))
		return tarball;
	ks_tarball_close(system, tarball);
	return NULL;
}

void ks_tarball_close(const struct ks_system *system, struct ks_tarball *tarball)
{
	if (!tarball)
		return;
	if (tarball->dir)
		ks_ignore(ks_treeop_remove(system->root, tarball->dir, NULL));
	ks_conf_free(tarball->conf);
	g_ptr_array_unref(tarball->builds);
	g_free(tarball->source_dir);
	g_free(tarball->dir);
	g_free(tarball);
}
