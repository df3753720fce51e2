/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the build tree to the staged artifact. The build's files are hostile:
 * each is opened beneath the tree without following any link, has to be a
 * regular file with one name, of bounded size, and is copied, never renamed,
 * so that nobody holds it open.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/compile/compile-private.h"
#include "core/support/error.h"

#define MODULE_MAX_BYTES  (512ULL << 20)
#define SYMVERS_MAX_BYTES (64ULL << 20)

/*
 * Errors that a build can cause by putting something in the place of its
 * result; any other is the machine's.
 */
static bool is_of_the_tree(int err)
{
	switch (err) {
	case EACCES:
	case EISDIR:
	case ENAMETOOLONG:
	case ENODEV:
	case ENOTDIR:
	case ENXIO: /* a socket */
	case EPERM:
	case EXDEV: /* out of the tree */
		return true;
	default:
		return false;
	}
}

/* A result of the build, or -1. KS_ERROR_INVALID when it left something else there;
 * *found is false when there is nothing. */
static int open_output(const struct ks_build *build, const char *path, guint64 max_bytes,
		       bool *found, GError **error)
{
	/* O_NONBLOCK: a FIFO must not stop us. */
	ks_autofd int fd =
		ks_openat2(build->tree_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0,
			   KS_RESOLVE_BENEATH);
	struct stat st;

	*found = fd >= 0 || errno != ENOENT;
	if (fd < 0) {
		int err = errno;

		if (err == ELOOP)
			ks_error_set(error, KS_ERROR_INVALID,
				     "the build left a symbolic link at '%s'", path);
		else if (is_of_the_tree(err))
			ks_error_set(error, KS_ERROR_INVALID,
				     "cannot open '%s' of the build: %s", path,
				     g_strerror(err));
		else
			ks_error_set_errno(error, err, "cannot open '%s' of the build",
					   path);
		return -1;
	}
	if (fstat(fd, &st) != 0) {
		ks_error_set_errno(error, errno, "cannot read '%s' of the build", path);
		return -1;
	}
	if (!S_ISREG(st.st_mode) || st.st_nlink != 1 || (guint64)st.st_size > max_bytes) {
		ks_error_set(
			error, KS_ERROR_INVALID,
			"'%s' of the build is not a regular file of one name and of at "
			"most %" G_GUINT64_FORMAT " bytes",
			path, max_bytes);
		return -1;
	}
	return ks_steal_fd(&fd);
}

static bool stage(const struct ks_build *build, int from, const char *name,
		  guint64 max_bytes, char **sha256, GError **error)
{
	g_autofree char *path = g_build_filename(build->staged_dir, name, NULL);
	ks_autofd int to = ks_root_openat(build->system->root, path,
					  O_WRONLY | O_CREAT | O_EXCL, 0644, error);

	return to >= 0 && ks_copy_fd(from, to, max_bytes, sha256, name, error);
}

/* Sparse files take no space in the tree, but their full size in the copy. */
static bool is_within_limit(const struct ks_build *build, int fd, guint64 *total_bytes,
			    GError **error)
{
	const unsigned int limit_mib = build->settings->build_size_mib;
	struct stat st;

	if (fstat(fd, &st) != 0) {
		ks_error_set_errno(error, errno, "cannot read a module of the build");
		return false;
	}
	*total_bytes += (guint64)st.st_size;
	if (!limit_mib || *total_bytes <= (guint64)limit_mib << 20)
		return true;
	ks_error_set(error, KS_ERROR_INVALID,
		     "the modules of the build are larger than 'build-size', %u MiB",
		     limit_mib);
	return false;
}

static bool collect_module(struct ks_build *build, const struct ks_conf_module *module,
			   guint64 *total_bytes, GError **error)
{
	g_autofree char *path =
		g_strconcat(module->built_location, module->built_name, ".ko", NULL);
	g_autofree char *name = g_strdup_printf("module/%s.ko", module->dest_name);
	g_autofree char *sha256 = NULL;
	bool found;
	ks_autofd int from = open_output(build, path, MODULE_MAX_BYTES, &found, error);

	if (from < 0) {
		if (!found) {
			g_clear_error(error);
			ks_error_set(error, KS_ERROR_BUILD_FAILED,
				     "the build did not produce '%s'", path);
			g_free(build->missing_output);
			build->missing_output = g_steal_pointer(&path);
		}
		return false;
	}
	if (!is_within_limit(build, from, total_bytes, error) ||
	    !stage(build, from, name, MODULE_MAX_BYTES, &sha256, error))
		return false;
	g_ptr_array_add(build->built_digests, g_steal_pointer(&sha256));
	return true;
}

static bool collect_symvers(struct ks_build *build, GError **error)
{
	g_autoptr(GError) absent = NULL;
	bool found;
	ks_autofd int from =
		open_output(build, "Module.symvers", SYMVERS_MAX_BYTES, &found, &absent);

	if (from < 0) {
		if (!found)
			return true;
		g_propagate_error(error, g_steal_pointer(&absent));
		return false;
	}
	return stage(build, from, "module/Module.symvers", SYMVERS_MAX_BYTES, NULL,
		     error);
}

static bool collect_log(struct ks_build *build, GError **error)
{
	/* Nobody shares the descriptor any more. */
	if (!ks_build_log_rewind(build)) {
		ks_error_set_errno(error, errno, "cannot read '%s'", build->log_path);
		return false;
	}
	return stage(build, build->log_fd, "log/make.log", KS_BUILD_FILE_MAX, NULL,
		     error);
}

bool ks_build_collect(struct ks_build *build, GError **error)
{
	const GPtrArray *modules = build->request->conf->modules;
	const struct ks_root *root = build->system->root;
	g_autofree char *module_dir = g_build_filename(build->staged_dir, "module", NULL);
	g_autofree char *log_dir = g_build_filename(build->staged_dir, "log", NULL);
	guint64 total_bytes = 0;

	if (!ks_root_mkdir_p(root, module_dir, 0755, error) ||
	    !ks_root_mkdir_p(root, log_dir, 0755, error))
		return false;
	g_ptr_array_set_size(build->built_digests, 0);
	for (guint i = 0; i < modules->len; i++) {
		const struct ks_conf_module *module = modules->pdata[i];

		if (!module->excluded &&
		    !collect_module(build, module, &total_bytes, error))
			return false;
	}
	return collect_symvers(build, error) && collect_log(build, error) &&
	       ks_build_place_collect(build, error);
}
