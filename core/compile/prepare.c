/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The directories of a build: made, filled with the source, removed. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/compile/compile-private.h"
#include "core/state/tree.h"
#include "core/support/error.h"
#include "core/support/leftover.h"
#include "core/support/treeop.h"

/* Far above any driver's source; below what fills a disk unnoticed. */
#define SOURCE_MAX_BYTES   (4ULL << 30)
#define SOURCE_MAX_ENTRIES 200000
#define PATCH_MAX_BYTES	   (64u << 20)

void ks_build_set_paths(struct ks_build *build)
{
	const struct ks_build_request *request = build->request;
	const struct ks_kernel *kernel = request->kernel;
	g_autofree char *root = ks_system_work_root(build->system);
	g_autofree char *entry =
		ks_tree_entry_path(build->system, request->module, request->version);
	/* Unique under the engine's lock; what a killed run left is swept before. */
	g_autofree char *name =
		g_strdup_printf("%s-%s-%s-%s.%d", request->module, request->version,
				kernel->release, kernel->arch, (int)getpid());
	g_autofree char *staged =
		g_strdup_printf(".tmp_%s_%d", kernel->arch, (int)getpid());

	build->work_dir = g_build_filename(root, name, NULL);
	build->build_path = g_build_filename(entry, "build", NULL);
	build->tree_path = request->private_build
				   ? g_build_filename(build->work_dir, "tree", NULL)
				   : g_strdup(build->build_path);
	build->log_path = g_build_filename(build->work_dir, "make.log", NULL);
	build->staged_dir = g_build_filename(entry, kernel->release, staged, NULL);
	ks_build_place_set_paths(build);
}

static bool copy_source(struct ks_build *build, GError **error)
{
	const struct ks_treeop_copy_options options = {
		.chown = build->is_root,
		.uid = build->uid,
		.gid = build->gid,
		.max_bytes = SOURCE_MAX_BYTES,
		.max_entries = SOURCE_MAX_ENTRIES,
	};
	const struct ks_root *root = build->system->root;

	if (!ks_treeop_remove(root, build->tree_path, error))
		return false;
	if (!ks_treeop_copy(root, build->request->source_dir, build->tree_path, &options,
			    error)) {
		g_prefix_error(error, "cannot copy the source '%s': ",
			       build->request->source_dir);
		return false;
	}
	build->tree_fd = ks_root_openat(root, build->tree_path,
					O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, error);
	return build->tree_fd >= 0;
}

static bool copy_patch(struct ks_build *build, const char *dir, int patches_fd,
		       const char *name, GError **error)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);
	struct stat st;

	if (!ks_root_stat(build->system->root, path, &st) || !S_ISREG(st.st_mode))
		return true;
	ks_autofd int from =
		ks_root_openat(build->system->root, path, O_RDONLY, 0, error);
	if (from < 0)
		return false;
	unlinkat(patches_fd, name, 0);
	ks_autofd int to =
		openat(patches_fd, name,
		       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (to < 0) {
		ks_error_set_errno(error, errno, "cannot create 'patches/%s'", name);
		return false;
	}
	return ks_copy_fd(from, to, PATCH_MAX_BYTES, NULL, path, error);
}

/* dkms: files in /etc/dkms/M/patches replace those of the source's own patches/. */
static bool copy_patches(struct ks_build *build, GError **error)
{
	g_autofree char *dir = g_build_filename(build->system->dkms_etc,
						build->request->module, "patches", NULL);
	g_autoptr(GPtrArray) names = ks_root_list(build->system->root, dir, error);

	if (!names)
		return false;
	if (!names->len)
		return true;
	if (mkdirat(build->tree_fd, "patches", 0755) != 0 && errno != EEXIST) {
		ks_error_set_errno(error, errno, "cannot create 'patches'");
		return false;
	}
	/* The source may have a link there, to have us write anywhere. */
	ks_autofd int fd = ks_openat2(build->tree_fd, "patches", O_RDONLY | O_DIRECTORY,
				      0, KS_RESOLVE_BENEATH);
	if (fd < 0) {
		ks_error_set_errno(error, errno, "cannot open 'patches' of the source");
		return false;
	}
	for (guint i = 0; i < names->len; i++) {
		if (!copy_patch(build, dir, fd, names->pdata[i], error))
			return false;
	}
	return true;
}

static bool make_tmp(struct ks_build *build, GError **error)
{
	if (build->request->private_build)
		return true; /* it has a /tmp of its own */
	if (mkdirat(build->tree_fd, ".tmp", 0700) == 0 || errno == EEXIST)
		return true;
	ks_error_set_errno(error, errno, "cannot create '.tmp' in the build directory");
	return false;
}

static bool give_tree(struct ks_build *build, GError **error)
{
	if (!build->is_root || ks_ownership_give(build->tree_fd, build->uid, build->gid))
		return true;
	ks_error_set_errno(error, errno, "cannot give '%s' to the build user",
			   build->tree_path);
	return false;
}

static bool make_directories(struct ks_build *build, GError **error)
{
	const struct ks_root *root = build->system->root;
	g_autofree char *work_root = ks_system_work_root(build->system);

	/* The build directory must be there to be covered; it stays in place. */
	return ks_treeop_remove(root, build->work_dir, error) &&
	       ks_treeop_remove(root, build->staged_dir, error) &&
	       ks_root_mkdir_p(root, build->build_path, 0755, error) &&
	       ks_root_mkdir_p(root, build->system->state_dir, 0755, error) &&
	       /*
	        * The build user may be "nobody": other processes of that user
	        * stay out.
	        */
	       ks_root_mkdir_p(root, work_root, 0700, error) &&
	       ks_root_mkdir_p(root, build->work_dir, 0755, error);
}

/* The source was copied as it is; of a developer's own make nothing is to be used. */
static bool sweep(struct ks_build *build)
{
	bool has_others;

	build->needs_clean =
		ks_leftover_remove(build->tree_fd, &has_others) > 0 && !has_others;
	return true;
}

bool ks_build_prepare(struct ks_build *build, GError **error)
{
	return make_directories(build, error) && ks_build_log_open(build, error) &&
	       ks_build_write_uname(build, error) && copy_source(build, error) &&
	       sweep(build) && copy_patches(build, error) &&
	       ks_build_check_source(build, error) && make_tmp(build, error) &&
	       give_tree(build, error) && ks_build_place_make(build, error) &&
	       ks_build_show_all(build, error);
}

void ks_build_clean_up(struct ks_build *build)
{
	const struct ks_root *root = build->system->root;

	if (build->entry_path)
		ks_build_place_clean_up(build);
	if (build->work_dir)
		ks_ignore(ks_treeop_remove(root, build->work_dir, NULL));
	if (build->staged_dir) {
		g_autofree char *release_dir = g_path_get_dirname(build->staged_dir);
		g_autofree char *entry = g_path_get_dirname(release_dir);

		ks_ignore(ks_treeop_remove(root, build->staged_dir, NULL));
		ks_ignore(ks_treeop_prune_empty(root, release_dir, entry, NULL));
	}
}
