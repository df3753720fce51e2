/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files that a build leaves at T/M/V/build, and those that a killed run
 * left anywhere.
 *
 * T/M/V/build itself is never renamed nor removed: other kernels of the same
 * M/V may be building right now with something mounted on it, and the kernel
 * takes such mounts away with the directory. Only its contents change.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/compile/compile-private.h"
#include "core/state/failure.h"
#include "core/support/error.h"
#include "core/support/treeop.h"

#define HEAD_MAX 1024

/*
 * Lock the directories for one build at a time, until the descriptor is closed:
 * builds for several kernels of an M/V may end at the same moment, each in a
 * process of its own. The lock is on the directory that only root enters: at
 * T/M/V/build anybody could hold it.
 */
static int lock_build_directories(const struct ks_build *build)
{
	const struct ks_root *root = build->system->root;
	g_autofree char *path = ks_system_work_root(build->system);
	int fd = ks_root_openat(root, path, O_RDONLY | O_DIRECTORY, 0, NULL);

	if (fd >= 0)
		(void)flock(fd, LOCK_EX);
	return fd;
}

static bool empty_directory(const struct ks_root *root, const char *path)
{
	g_autoptr(GPtrArray) names = ks_root_list(root, path, NULL);
	bool ok = names != NULL;

	for (guint i = 0; names && i < names->len; i++) {
		g_autofree char *entry = g_build_filename(path, names->pdata[i], NULL);

		ok = ks_treeop_remove(root, entry, NULL) && ok;
	}
	return ok;
}

static bool move_entries(const struct ks_build *build, int to_fd)
{
	g_autoptr(GPtrArray) names =
		ks_root_list(build->system->root, build->tree_path, NULL);

	for (guint i = 0; names && i < names->len; i++) {
		/* Fails with EXDEV on another file system: then the log alone is left. */
		if (renameat(build->tree_fd, names->pdata[i], to_fd, names->pdata[i]) !=
		    0)
			return false;
	}
	return names != NULL;
}

/* The log was kept out of the build's reach; whatever is in its place goes. */
static bool place_log(struct ks_build *build, int dir_fd, const char *name)
{
	unlinkat(dir_fd, name, 0);
	ks_autofd int fd = openat(
		dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);

	return fd >= 0 && ks_build_log_rewind(build) &&
	       ks_copy_fd(build->log_fd, fd, KS_BUILD_FILE_MAX, NULL, name, NULL);
}

/* The files of an earlier failure go in either case: a log belongs to the tree
 * beside it. */
static void keep_tree(const struct ks_build *build, int to_fd, bool wanted)
{
	const struct ks_root *root = build->system->root;

	if (!wanted || build->request->private_build)
		empty_directory(root, build->build_path);
	if (build->tree_fd < 0)
		return;
	if (!wanted && build->request->private_build) {
		ks_ignore(ks_treeop_remove(root, build->tree_path, NULL));
		return;
	}
	unlinkat(build->tree_fd, ".tmp", AT_REMOVEDIR); /* when it is empty */
	if (build->is_root)
		ks_ownership_take(build->tree_fd, build->uid);
	if (build->request->private_build)
		move_entries(build, to_fd);
}

char *ks_build_keep(struct ks_build *build, bool with_tree)
{
	const struct ks_root *root = build->system->root;
	ks_autofd int lock_fd = lock_build_directories(build);
	ks_autofd int to_fd = ks_root_openat(
		root, build->build_path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, NULL);

	if (lock_fd < 0 || to_fd < 0 || build->log_fd < 0 ||
	    (build->request->is_trial && build->request->private_build))
		return NULL;
	keep_tree(build, to_fd, with_tree);
	if (!place_log(build, to_fd, "make.log"))
		return NULL;
	return g_build_filename(build->build_path, "make.log", NULL);
}

char *ks_build_keep_log(struct ks_build *build)
{
	const struct ks_root *root = build->system->root;
	const struct ks_build_request *request = build->request;
	g_autofree char *path =
		ks_failure_log_path(build->system, request->module, request->version,
				    request->kernel->release, request->kernel->arch);
	g_autofree char *dir = g_path_get_dirname(path);
	g_autofree char *name = g_path_get_basename(path);

	if ((request->is_trial && !request->keeps_log) || build->log_fd < 0 ||
	    !ks_root_mkdir_p(root, dir, 0755, NULL))
		return NULL;
	ks_autofd int fd =
		ks_root_openat(root, dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, NULL);

	return fd >= 0 && place_log(build, fd, name) ? g_steal_pointer(&path) : NULL;
}

/* Does the log at path belong to this target? Its first line says so. */
static bool is_own_log(const struct ks_build *build, const char *path)
{
	const struct ks_build_request *request = build->request;
	g_autofree char *mark = g_strdup_printf(
		" make.log for %s/%s for kernel %s (%s)\n", request->module,
		request->version, request->kernel->release, request->kernel->arch);
	char head[HEAD_MAX + 1];
	ks_autofd int fd = ks_root_openat(build->system->root, path,
					  O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, NULL);
	ssize_t n = fd >= 0 ? read(fd, head, HEAD_MAX) : -1;

	if (n <= 0)
		return false;
	head[n] = '\0';
	return strstr(head, mark) != NULL;
}

void ks_build_forget_kept(struct ks_build *build)
{
	g_autofree char *log = g_build_filename(build->build_path, "make.log", NULL);
	/* not there when none is being built in this run: then there is no other */
	ks_autofd int lock_fd = lock_build_directories(build);

	if (!build->request->private_build ||
	    (!build->request->is_trial && is_own_log(build, log)))
		empty_directory(build->system->root, build->build_path);
}

/* --- what a killed run left --- */

static void sweep_staged(const struct ks_system *system, const char *version_dir)
{
	const struct ks_root *root = system->root;
	g_autoptr(GPtrArray) releases = NULL;

	ks_build_place_close(system, version_dir);
	releases = ks_root_list(root, version_dir, NULL);

	for (guint i = 0; releases && i < releases->len; i++) {
		const char *release = releases->pdata[i];
		g_autofree char *dir = g_build_filename(version_dir, release, NULL);
		g_autoptr(GPtrArray) names = NULL;
		struct stat st;

		/* source/ and build/ live here too; kernels begin with a digit */
		if (!g_ascii_isdigit(*release) || !ks_root_lstat(root, dir, &st) ||
		    !S_ISDIR(st.st_mode))
			continue;
		names = ks_root_list(root, dir, NULL);
		for (guint j = 0; names && j < names->len; j++) {
			g_autofree char *path =
				g_build_filename(dir, names->pdata[j], NULL);

			if (g_str_has_prefix(names->pdata[j], ".tmp_"))
				ks_ignore(ks_treeop_remove(root, path, NULL));
		}
		ks_ignore(ks_treeop_prune_empty(root, dir, version_dir, NULL));
	}
}

static bool for_each_directory(const struct ks_system *system, const char *dir,
			       void (*func)(const struct ks_system *system,
					    const char *path),
			       GError **error)
{
	const struct ks_root *root = system->root;
	g_autoptr(GPtrArray) names = ks_root_list(root, dir, error);

	for (guint i = 0; names && i < names->len; i++) {
		g_autofree char *path = g_build_filename(dir, names->pdata[i], NULL);
		struct stat st;

		if (ks_root_lstat(root, path, &st) && S_ISDIR(st.st_mode))
			func(system, path);
	}
	return names != NULL;
}

static void sweep_module(const struct ks_system *system, const char *module_dir)
{
	for_each_directory(system, module_dir, sweep_staged, NULL);
}

bool ks_build_sweep(const struct ks_system *system, GError **error)
{
	g_autofree char *work_root = ks_system_work_root(system);

	ks_jobserver_sweep(system);
	return ks_treeop_remove(system->root, work_root, error) &&
	       for_each_directory(system, system->dkms_tree, sweep_module, error);
}
