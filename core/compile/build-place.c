/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A build's own place in the state tree: T/M/V, T/M/V/K and T/M/V/K/A, where dkms lets
 * scripts of a build put files beside the modules (OpenZFS its zfs_config.h, which Lustre
 * reads there; others a note from one step to the next), and a home for tools that want
 * one.
 *
 * With mounts it is a private directory that the build sees at T/M/V; what else is in the
 * real one is shown there, read-only. Without, the real directories take files from the
 * build's group meanwhile, and nothing can be done to what is there already, as they are
 * sticky (in a user namespace of root alone, only a new T/M/V/K/A does).
 *
 * What is left there is collected as the modules are. It is kept in the artifact: what
 * was in T/M/V/K/A at its place, the rest below ".beside", from where core/state puts it
 * where it belongs.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "core/compile/compile-private.h"
#include "core/state/tree.h"
#include "core/support/durable.h"
#include "core/support/error.h"

/* Enough for notes, headers and logs; not for products of a build. */
#define KEPT_MAX_BYTES	 (256ULL << 20)
#define KEPT_MAX_ENTRIES 4096
#define KEPT_MAX_DEPTH	 16

static const char *release_of(const struct ks_build *build)
{
	return build->request->kernel->release;
}

static const char *arch_of(const struct ks_build *build)
{
	return build->request->kernel->arch;
}

void ks_build_place_set_paths(struct ks_build *build)
{
	build->entry_path = ks_tree_entry_path(build->system, build->request->module,
					       build->request->version);
	build->artifact_path = g_build_filename(build->entry_path, release_of(build),
						arch_of(build), NULL);
	build->place_path = build->request->private_build
				    ? g_build_filename(build->work_dir, "place", NULL)
				    : g_strdup(build->entry_path);
	build->home_path = g_build_filename(build->entry_path, ".home", NULL);
}

/* --- before the steps */

/* Names that mean something of their own in T/M/V; releases are those of directories. */
static bool is_of_the_tree(const char *name)
{
	static const char *const names[] = {"build", "source", "tarball", NULL};

	return *name == '.' || g_strv_contains(names, name);
}

static bool copy_file(const struct ks_build *build, const char *from, const char *to,
		      GError **error)
{
	const struct ks_root *root = build->system->root;
	ks_autofd int in = -1;
	ks_autofd int out = -1;

	in = ks_root_openat(root, from, O_RDONLY | O_NOFOLLOW, 0, error);
	out = in >= 0 ? ks_root_openat(root, to, O_WRONLY | O_CREAT | O_EXCL, 0644, error)
		      : -1;
	return out >= 0 && ks_copy_fd(in, out, KEPT_MAX_BYTES, NULL, from, error);
}

/*
 * Notes that an earlier build, or dkms, has left there: this build may continue
 * with them.
 */
static bool copy_note(const struct ks_build *build, const char *from, const char *to,
		      const struct stat *st, GError **error)
{
	const struct ks_treeop_copy_options options = {.max_bytes = KEPT_MAX_BYTES,
						       .max_entries = KEPT_MAX_ENTRIES};

	if (S_ISDIR(st->st_mode))
		return ks_treeop_copy(build->system->root, from, to, &options, error);
	return !S_ISREG(st->st_mode) || (guint64)st->st_size > KEPT_MAX_BYTES ||
	       copy_file(build, from, to, error);
}

/* The entries of one of the real directories: notes are copied, artifacts shown. */
static bool fill(struct ks_build *build, const char *from, const char *to,
		 const char *own_name, GError **error)
{
	const struct ks_root *root = build->system->root;
	g_autoptr(GPtrArray) names = ks_root_list(root, from, error);
	const bool is_entry = strcmp(from, build->entry_path) == 0;

	for (guint i = 0; names && i < names->len; i++) {
		const char *name = names->pdata[i];
		g_autofree char *path = g_build_filename(from, name, NULL);
		g_autofree char *copy = g_build_filename(to, name, NULL);
		struct stat st;

		if (is_of_the_tree(name) || strcmp(name, own_name) == 0 ||
		    !ks_root_lstat(root, path, &st))
			continue;
		if (S_ISDIR(st.st_mode) && (!is_entry || g_ascii_isdigit(*name)))
			ks_build_show(build, path, path);
		else if (!copy_note(build, path, copy, &st, error))
			return false;
	}
	return names != NULL;
}

static bool copy_source_link(const struct ks_build *build, GError **error)
{
	const struct ks_root *root = build->system->root;
	g_autofree char *link = g_build_filename(build->entry_path, "source", NULL);
	g_autofree char *copy = g_build_filename(build->place_path, "source", NULL);
	g_autofree char *text = ks_root_readlink(root, link);

	return !text || ks_durable_symlink(root, text, copy, error);
}

static bool give(const struct ks_build *build, const char *path, GError **error)
{
	ks_autofd int fd = ks_root_openat(build->system->root, path,
					  O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, error);

	if (fd < 0)
		return false;
	if (!build->is_root || ks_ownership_give(fd, build->uid, build->gid))
		return true;
	ks_error_set_errno(error, errno, "cannot give '%s' to the build user", path);
	return false;
}

static bool make_private(struct ks_build *build, GError **error)
{
	const struct ks_root *root = build->system->root;
	g_autofree char *release_dir =
		g_build_filename(build->entry_path, release_of(build), NULL);
	g_autofree char *place_release =
		g_build_filename(build->place_path, release_of(build), NULL);
	g_autofree char *log =
		g_build_filename(place_release, arch_of(build), "log", NULL);
	g_autofree char *mountpoint = g_build_filename(build->place_path, "build", NULL);
	g_autofree char *home = g_build_filename(build->place_path, ".home", NULL);

	return ks_root_mkdir_p(root, log, 0755, error) &&
	       ks_root_mkdir_p(root, mountpoint, 0755, error) &&
	       ks_root_mkdir_p(root, home, 0700, error) &&
	       copy_source_link(build, error) &&
	       fill(build, build->entry_path, build->place_path, release_of(build),
		    error) &&
	       fill(build, release_dir, place_release, arch_of(build), error) &&
	       give(build, build->place_path, error);
}

/* Let the build's group add files there; existing ones stay as they are. */
static bool open_directory(const struct ks_build *build, const char *path, GError **error)
{
	const struct ks_root *root = build->system->root;
	ks_autofd int fd = -1;

	if (!ks_root_mkdir_p(root, path, 0755, error))
		return false;
	if (!build->is_root)
		return true;
	fd = ks_root_openat(root, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, error);
	if (fd < 0)
		return false;
	if (fchown(fd, 0, build->gid) == 0 && fchmod(fd, 01775) == 0)
		return true;
	ks_error_set_errno(error, errno, "cannot open '%s' to the build user", path);
	return false;
}

static bool make_in_place(struct ks_build *build, GError **error)
{
	const struct ks_root *root = build->system->root;
	g_autofree char *release_dir =
		g_build_filename(build->entry_path, release_of(build), NULL);

	ks_build_place_close(build->system, build->entry_path);
	build->is_place_new = !ks_root_exists(root, build->artifact_path);
	return open_directory(build, build->artifact_path, error) &&
	       open_directory(build, release_dir, error) &&
	       open_directory(build, build->entry_path, error) &&
	       ks_root_mkdir_p(root, build->home_path, 0700, error) &&
	       give(build, build->home_path, error);
}

bool ks_build_place_make(struct ks_build *build, GError **error)
{
	return build->request->private_build ? make_private(build, error)
					     : make_in_place(build, error);
}

void ks_build_place_writable(const struct ks_build *build, const char **writable)
{
	size_t n = 0;

	if (build->request->private_build || build->is_root) {
		writable[n++] = build->entry_path;
	} else {
		writable[n++] = build->build_path;
		writable[n++] = build->home_path;
		if (build->is_place_new)
			writable[n++] = build->artifact_path;
	}
	writable[n] = NULL;
}

/* --- after them */

struct keeping {
	struct ks_build *build;
	const char *to; /* below the staged directory; "" for itself */
	bool owned;	/* only what the build user owns */
	guint64 bytes;
	guint n_entries;
};

static void leave_out(struct keeping *keeping, const char *name, const char *why)
{
	GError *warning = NULL;

	ks_build_log_line(keeping->build, "\n'%s' is not kept: %s", name, why);
	ks_error_set(&warning, KS_ERROR_INVALID,
		     "'%s', which the build has left in '%s', is not kept: %s", name,
		     keeping->build->entry_path, why);
	g_ptr_array_add(keeping->build->warnings, warning);
}

static char *kept_path(const struct keeping *keeping, const char *name)
{
	return g_build_filename(keeping->build->staged_dir, keeping->to, name, NULL);
}

static bool keep_file(struct keeping *keeping, int from, const struct stat *st,
		      const char *name, GError **error)
{
	const struct ks_root *root = keeping->build->system->root;
	g_autofree char *path = kept_path(keeping, name);
	g_autofree char *parent = g_path_get_dirname(path);
	ks_autofd int to = -1;

	keeping->bytes += (guint64)st->st_size;
	if (st->st_nlink != 1 || keeping->bytes > KEPT_MAX_BYTES) {
		leave_out(keeping, name,
			  st->st_nlink != 1 ? "it has several names"
					    : "all of it is larger than 256 MiB");
		return true;
	}
	/* the engine's own are there already, and stay */
	if (ks_root_exists(root, path))
		return true;
	if (!ks_root_mkdir_p(root, parent, 0755, error))
		return false;
	to = ks_root_openat(root, path, O_WRONLY | O_CREAT | O_EXCL, 0644, error);
	if (to < 0 || !ks_copy_fd(from, to, KEPT_MAX_BYTES, NULL, name, error))
		return false;
	if (st->st_mode & 0111 && fchmod(to, 0755) != 0) {
		ks_error_set_errno(error, errno, "cannot copy '%s'", name);
		return false;
	}
	return true;
}

static bool keep_entry(struct keeping *keeping, int dir_fd, const char *leaf,
		       const char *name, unsigned int depth, GError **error);

static bool keep_directory(struct keeping *keeping, int fd, const char *name,
			   unsigned int depth, GError **error)
{
	g_autofree char *path = kept_path(keeping, name);
	DIR *dir;
	struct dirent *entry;
	bool ok = true;

	if (depth > KEPT_MAX_DEPTH) {
		leave_out(keeping, name, "it lies too deep");
		return true;
	}
	if (!ks_root_mkdir_p(keeping->build->system->root, path, 0755, error))
		return false;
	dir = fdopendir(fcntl(fd, F_DUPFD_CLOEXEC, 3));
	while (ok && dir && (entry = readdir(dir))) {
		g_autofree char *child = g_build_filename(name, entry->d_name, NULL);

		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			ok = keep_entry(keeping, fd, entry->d_name, child, depth + 1,
					error);
	}
	if (dir)
		closedir(dir);
	return ok;
}

/* The entries are hostile: anything but a plain file or directory is left out. */
static bool keep_entry(struct keeping *keeping, int dir_fd, const char *leaf,
		       const char *name, unsigned int depth, GError **error)
{
	ks_autofd int fd = -1;
	struct stat st;

	if (fstatat(dir_fd, leaf, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return true;
	if (keeping->owned && st.st_uid != keeping->build->uid)
		return true;
	if (++keeping->n_entries > KEPT_MAX_ENTRIES) {
		if (keeping->n_entries == KEPT_MAX_ENTRIES + 1)
			leave_out(keeping, name, "there are too many files");
		return true;
	}
	fd = openat(dir_fd, leaf,
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0 ||
	    !(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))) {
		leave_out(keeping, name, "it is not a regular file");
		return true;
	}
	return S_ISDIR(st.st_mode) ? keep_directory(keeping, fd, name, depth, error)
				   : keep_file(keeping, fd, &st, name, error);
}

/* Does a name belong to the build in that one of its directories? */
typedef bool (*own_func)(const struct ks_build *build, int dir_fd, const char *name);

static bool is_directory_at(int dir_fd, const char *name)
{
	struct stat st;

	return fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISDIR(st.st_mode);
}

static bool is_own_of_entry(const struct ks_build *build, int dir_fd, const char *name)
{
	/* a directory that begins with a digit is a kernel's */
	return !is_of_the_tree(name) &&
	       !(g_ascii_isdigit(*name) && is_directory_at(dir_fd, name));
}

static bool is_own_of_release(const struct ks_build *build, int dir_fd, const char *name)
{
	/* a directory is an architecture's */
	return *name != '.' && !is_directory_at(dir_fd, name);
}

static bool is_own_of_artifact(const struct ks_build *build, int dir_fd, const char *name)
{
	static const char *const engine[] = {"manifest", "installed", NULL};

	return *name != '.' && !g_strv_contains(engine, name);
}

/* Where there is no private directory, entries from before the steps are not
 * the build's. */
static bool keep_all(struct keeping *keeping, int place_fd, const char *dir,
		     own_func is_own, GError **error)
{
	ks_autofd int fd =
		ks_openat2(place_fd, dir, O_RDONLY | O_DIRECTORY, 0, KS_RESOLVE_BENEATH);
	DIR *stream = fd >= 0 ? fdopendir(fcntl(fd, F_DUPFD_CLOEXEC, 3)) : NULL;
	struct dirent *entry;
	bool ok = true;

	while (ok && stream && (entry = readdir(stream))) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
		    is_own(keeping->build, fd, entry->d_name))
			ok = keep_entry(keeping, fd, entry->d_name, entry->d_name, 0,
					error);
	}
	if (stream)
		closedir(stream);
	return ok;
}

bool ks_build_place_collect(struct ks_build *build, GError **error)
{
	g_autofree char *artifact =
		g_build_filename(release_of(build), arch_of(build), NULL);
	struct keeping keeping = {
		.build = build,
		.to = "",
		.owned = !build->request->private_build && build->is_root,
	};
	ks_autofd int fd = ks_root_openat(build->system->root, build->place_path,
					  O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, error);

	if (fd < 0)
		return false;
	if (build->request->private_build || build->is_root || build->is_place_new)
		if (!keep_all(&keeping, fd, artifact, is_own_of_artifact, error))
			return false;
	if (!build->request->private_build && !build->is_root)
		return true;
	keeping.to = KS_TREE_BESIDE_RELEASE;
	if (!keep_all(&keeping, fd, release_of(build), is_own_of_release, error))
		return false;
	keeping.to = KS_TREE_BESIDE_ENTRY;
	return keep_all(&keeping, fd, ".", is_own_of_entry, error);
}

/* --- without mounts: root's alone again */

static bool is_open(const struct ks_root *root, const char *path)
{
	struct stat st;

	return ks_root_lstat(root, path, &st) && S_ISDIR(st.st_mode) &&
	       (st.st_mode & 01777) == 01775;
}

/* Remove what others than root have left there. */
static void close_directory(const struct ks_system *system, const char *path)
{
	const struct ks_root *root = system->root;
	g_autoptr(GPtrArray) names = NULL;
	ks_autofd int fd =
		ks_root_openat(root, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, NULL);

	if (fd < 0)
		return;
	(void)!fchmod(fd, 0755);
	(void)!fchown(fd, 0, 0);
	names = ks_root_list(root, path, NULL);
	for (guint i = 0; names && i < names->len; i++) {
		g_autofree char *entry = g_build_filename(path, names->pdata[i], NULL);
		struct stat st;

		if (strcmp(names->pdata[i], "build") != 0 &&
		    ks_root_lstat(root, entry, &st) && st.st_uid != geteuid())
			ks_ignore(ks_treeop_remove(root, entry, NULL));
	}
}

static void close_all(const struct ks_system *system, const char *dir, guint depth)
{
	g_autoptr(GPtrArray) names = ks_root_list_type(system->root, dir, S_IFDIR, NULL);

	if (is_open(system->root, dir))
		close_directory(system, dir);
	for (guint i = 0; depth && names && i < names->len; i++) {
		g_autofree char *path = g_build_filename(dir, names->pdata[i], NULL);

		if (g_ascii_isdigit(*(const char *)names->pdata[i]) || depth == 1)
			close_all(system, path, depth - 1);
	}
}

void ks_build_place_close(const struct ks_system *system, const char *entry_path)
{
	g_autofree char *home = g_build_filename(entry_path, ".home", NULL);

	close_all(system, entry_path, 2);
	ks_ignore(ks_treeop_remove(system->root, home, NULL));
}

void ks_build_place_clean_up(struct ks_build *build)
{
	const struct ks_root *root = build->system->root;

	if (build->request->private_build)
		return; /* with the work directory */
	ks_build_place_close(build->system, build->entry_path);
	if (!build->is_place_new)
		return;
	/* nothing was published there yet: an artifact comes with a rename */
	ks_ignore(ks_treeop_remove(root, build->artifact_path, NULL));
}
