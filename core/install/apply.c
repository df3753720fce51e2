/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Staging, renaming, removing. Everything goes through descriptors of the
 * destination directories, each opened once and synced once.
 */
#include "core/install/apply.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "core/install/fault.h"
#include "core/support/error.h"
#include "core/support/treeop.h"
#include "core/support/write-all.h"

#define COPY_BUFFER_BYTES (128 * 1024)

/* The destination directories of a journal: path -> descriptor. */
struct directories {
	const struct ks_system *system;
	GHashTable *fds;
};

static void close_pointer(gpointer data)
{
	close(GPOINTER_TO_INT(data));
}

static void directories_init(struct directories *dirs, const struct ks_system *system)
{
	dirs->system = system;
	dirs->fds = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, close_pointer);
}

static void directories_clear(struct directories *dirs)
{
	g_hash_table_unref(dirs->fds);
}

/* The directory of path, or -1. */
static int directories_open(struct directories *dirs, const char *path, GError **error)
{
	g_autofree char *dir = g_path_get_dirname(path);
	gpointer known;
	int fd;

	if (g_hash_table_lookup_extended(dirs->fds, dir, NULL, &known))
		return GPOINTER_TO_INT(known);
	fd = ks_root_openat(dirs->system->root, dir, O_RDONLY | O_DIRECTORY, 0, error);
	if (fd >= 0)
		g_hash_table_insert(dirs->fds, g_steal_pointer(&dir),
				    GINT_TO_POINTER(fd));
	return fd;
}

static bool directories_sync(struct directories *dirs, GError **error)
{
	GHashTableIter iter;
	gpointer path, fd;

	g_hash_table_iter_init(&iter, dirs->fds);
	while (g_hash_table_iter_next(&iter, &path, &fd)) {
		/* EINVAL: a file system that has nothing to sync for a directory */
		if (KS_INSTALL_FAULT("directory-fsync") ||
		    (fsync(GPOINTER_TO_INT(fd)) < 0 && errno != EINVAL)) {
			ks_error_set_errno(error, errno, "cannot sync '%s'",
					   (const char *)path);
			return false;
		}
	}
	return true;
}

static const char *name_of(const char *path)
{
	return strrchr(path, '/') + 1;
}

static char *staged_name(const char *path)
{
	return g_strconcat(KS_APPLY_STAGED_PREFIX, name_of(path), KS_APPLY_STAGED_SUFFIX,
			   NULL);
}

/* mkdir -p of one directory below base, each new one synced into its parent. */
static bool make_directory(const struct ks_system *system, const char *dir,
			   size_t base_len, GError **error)
{
	for (const char *end = dir + base_len; *end;) {
		g_autofree char *prefix = NULL;
		g_autofree char *parent = NULL;
		ks_autofd int fd = -1;

		end += 1 + strcspn(end + 1, "/");
		prefix = g_strndup(dir, (size_t)(end - dir));
		if (ks_root_exists(system->root, prefix))
			continue;
		if (KS_INSTALL_FAULT("mkdir")) {
			ks_error_set_errno(error, errno, "cannot make '%s'", prefix);
			return false;
		}
		if (!ks_root_mkdir_p(system->root, prefix, 0755, error))
			return false;
		parent = g_path_get_dirname(prefix);
		fd = ks_root_openat(system->root, parent, O_RDONLY | O_DIRECTORY, 0,
				    error);
		if (fd < 0)
			return false;
		if (fsync(fd) < 0 && errno != EINVAL) {
			ks_error_set_errno(error, errno, "cannot sync '%s'", parent);
			return false;
		}
	}
	return true;
}

/* Copy and digest in one go; to < 0: digest only. NULL with errno. */
static char *copy_and_digest(int from, int to)
{
	g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
	g_autofree char *buffer = g_malloc(COPY_BUFFER_BYTES);
	ssize_t got;

	while ((got = read(from, buffer, COPY_BUFFER_BYTES)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return NULL;
		g_checksum_update(checksum, (const guchar *)buffer, got);
		if (to < 0)
			continue;
		if (KS_INSTALL_FAULT("stage-write") ||
		    !ks_write_all(to, buffer, (size_t)got))
			return NULL;
	}
	return g_strdup(g_checksum_get_string(checksum));
}

/* links and devices are not followed: only a regular file is anybody's module */
static int open_file(int directory, const char *name)
{
	ks_autofd int fd =
		openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -1;
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		return -1;
	}
	return ks_steal_fd(&fd);
}

static char *digest_at(int directory, const char *name)
{
	ks_autofd int fd = open_file(directory, name);

	return fd < 0 ? NULL : copy_and_digest(fd, -1);
}

char *ks_apply_digest(const struct ks_system *system, const char *path)
{
	const char *name;
	ks_autofd int directory = ks_root_open_parent(system->root, path, &name, NULL);

	return directory < 0 ? NULL : digest_at(directory, name);
}

/*
 * A file that was lost and is placed again is the file that was recorded, also for
 * package managers that verify the time.
 */
static bool copy_time(int from, int to)
{
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}};
	struct stat st;

	if (fstat(from, &st) < 0)
		return false;
	times[1] = st.st_mtim;
	return futimens(to, times) == 0;
}

static bool fill(int from, int to, const struct ks_journal_step *step, GError **error)
{
	g_autofree char *sha256 = copy_and_digest(from, to);

	if (!sha256) {
		ks_error_set_errno(error, errno, "cannot copy '%s'", name_of(step->path));
		return false;
	}
	if (step->sha256 && strcmp(sha256, step->sha256)) {
		ks_error_set(error, KS_ERROR_INVALID, "'%s' is not as its manifest says",
			     name_of(step->path));
		ks_error_hint(error, "build it again");
		return false;
	}
	/* a set-group-id directory would give its group; a plain user can give nothing */
	if ((geteuid() == 0 && fchown(to, 0, 0) < 0) || fchmod(to, 0644) < 0 ||
	    !copy_time(from, to) || KS_INSTALL_FAULT("stage-fsync") || fsync(to) < 0) {
		ks_error_set_errno(error, errno, "cannot write '%s'", step->path);
		return false;
	}
	return true;
}

/*
 * The link's own time is its file's, as for a copy. There is nothing to sync but the
 * directory.
 */
static bool stage_link(int directory, const char *staged, int from,
		       const struct ks_journal_step *step, GError **error)
{
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}};
	struct stat st;

	if (!KS_INSTALL_FAULT("stage-symlink") && fstat(from, &st) == 0 &&
	    symlinkat(step->link, directory, staged) == 0) {
		times[1] = st.st_mtim;
		if ((geteuid() != 0 ||
		     fchownat(directory, staged, 0, 0, AT_SYMLINK_NOFOLLOW) == 0) &&
		    utimensat(directory, staged, times, AT_SYMLINK_NOFOLLOW) == 0)
			return true;
	}
	ks_error_set_errno(error, errno, "cannot create the link '%s' beside '%s'",
			   staged, step->path);
	return false;
}

static bool stage_one(struct directories *dirs, const struct ks_journal_step *step,
		      const char *module_dir, GError **error)
{
	g_autofree char *source = g_build_filename(module_dir, name_of(step->path), NULL);
	g_autofree char *staged = staged_name(step->path);
	int directory = directories_open(dirs, step->path, error);
	ks_autofd int from = -1;
	ks_autofd int to = -1;

	if (directory < 0)
		return false;
	from = ks_root_openat(dirs->system->root, source, O_RDONLY | O_NOFOLLOW, 0,
			      error);
	if (from < 0)
		return false;
	if (unlinkat(directory, staged, 0) < 0 && errno != ENOENT) {
		ks_error_set_errno(error, errno, "cannot remove '%s'", staged);
		return false;
	}
	if (step->link)
		return stage_link(directory, staged, from, step, error);
	if (!KS_INSTALL_FAULT("stage-create"))
		to = openat(directory, staged, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
			    0600);
	if (to < 0) {
		ks_error_set_errno(error, errno, "cannot create '%s' beside '%s'", staged,
				   step->path);
		return false;
	}
	return fill(from, to, step, error);
}

bool ks_apply_stage(const struct ks_system *system, const struct ks_journal *journal,
		    const char *module_dir, GError **error)
{
	struct directories dirs;
	bool ok = true;

	directories_init(&dirs, system);
	for (guint i = 0; ok && i < journal->steps->len; i++) {
		const struct ks_journal_step *step = g_ptr_array_index(journal->steps, i);
		g_autofree char *dir = g_path_get_dirname(step->path);

		if (step->kind == KS_JOURNAL_PLACE)
			ok = make_directory(system, dir, strlen(journal->base), error) &&
			     stage_one(&dirs, step, module_dir, error);
	}
	ok = ok && directories_sync(&dirs, error);
	directories_clear(&dirs);
	return ok;
}

/* Is the step's link there, by that name? */
static bool has_link(int directory, const char *name, const struct ks_journal_step *step)
{
	char text[PATH_MAX];
	ssize_t n = readlinkat(directory, name, text, sizeof(text));

	return n > 0 && (size_t)n < sizeof(text) && (size_t)n == strlen(step->link) &&
	       memcmp(text, step->link, (size_t)n) == 0;
}

/* After a power cut a disk that lied about its cache may have lost synced data. */
static bool drop_damaged(int directory, const char *staged,
			 const struct ks_journal_step *step)
{
	g_autofree char *sha256 = step->link ? NULL : digest_at(directory, staged);

	if (step->link ? has_link(directory, staged, step)
		       : sha256 && (!step->sha256 || !strcmp(sha256, step->sha256)))
		return true;
	return unlinkat(directory, staged, 0) == 0 || errno == ENOENT;
}

static bool place_one(int directory, const struct ks_journal_step *step, bool recovering,
		      GError **error)
{
	g_autofree char *staged = staged_name(step->path);

	if ((recovering && !drop_damaged(directory, staged, step)) ||
	    KS_INSTALL_FAULT("rename") ||
	    (renameat(directory, staged, directory, name_of(step->path)) < 0 &&
	     errno != ENOENT)) {
		ks_error_set_errno(error, errno, "cannot put '%s' in place", step->path);
		return false;
	}
	return true;
}

/* Not when it is gone, or somebody else's by now. */
static bool is_to_go(int directory, const struct ks_journal_step *step)
{
	const char *name = name_of(step->path);
	g_autofree char *sha256 = step->link ? NULL : digest_at(directory, name);

	if (step->link)
		return has_link(directory, name, step);
	return sha256 && (!step->sha256 || !strcmp(sha256, step->sha256));
}

static bool remove_one(int directory, const struct ks_journal_step *step, GError **error)
{
	if (!is_to_go(directory, step))
		return true;
	if (KS_INSTALL_FAULT("unlink") ||
	    (unlinkat(directory, name_of(step->path), 0) < 0 && errno != ENOENT)) {
		ks_error_set_errno(error, errno, "cannot remove '%s'", step->path);
		return false;
	}
	return true;
}

/* The directory of a step; -1 without error when it is gone, and so is its work. */
static bool open_if_there(struct directories *dirs, const struct ks_journal_step *step,
			  int *directory, GError **error)
{
	g_autoptr(GError) local = NULL;

	*directory = directories_open(dirs, step->path, &local);
	if (*directory >= 0 || g_error_matches(local, KS_ERROR, KS_ERROR_NOT_FOUND))
		return true;
	g_propagate_error(error, g_steal_pointer(&local));
	return false;
}

static bool commit_steps(struct directories *dirs, const struct ks_journal *journal,
			 enum ks_journal_kind kind, bool recovering, GError **error)
{
	for (guint i = 0; i < journal->steps->len; i++) {
		const struct ks_journal_step *step = g_ptr_array_index(journal->steps, i);
		int directory;

		if (step->kind != kind)
			continue;
		if (!open_if_there(dirs, step, &directory, error))
			return false;
		if (directory < 0)
			continue;
		if (kind == KS_JOURNAL_PLACE
			    ? !place_one(directory, step, recovering, error)
			    : !remove_one(directory, step, error))
			return false;
	}
	return true;
}

/* The directory of a step, or the deepest existing one on the way to it. */
static char *deepest_directory(const struct ks_system *system, const char *path)
{
	g_autofree char *dir = g_path_get_dirname(path);

	while (!ks_root_exists(system->root, dir))
		*strrchr(dir, '/') = '\0';
	return g_steal_pointer(&dir);
}

static bool prune(const struct ks_system *system, const struct ks_journal *journal,
		  enum ks_journal_kind kind, GError **error)
{
	size_t base_len = strlen(journal->base);

	for (guint i = 0; i < journal->steps->len; i++) {
		const struct ks_journal_step *step = g_ptr_array_index(journal->steps, i);
		g_autofree char *dir = NULL;

		if (step->kind != kind || !ks_root_exists(system->root, journal->base))
			continue;
		dir = deepest_directory(system, step->path);
		if (strlen(dir) > base_len &&
		    !ks_treeop_prune_empty(system->root, dir, journal->base, error))
			return false;
	}
	return true;
}

bool ks_apply_commit(const struct ks_system *system, const struct ks_journal *journal,
		     bool recovering, GError **error)
{
	struct directories dirs;
	bool ok;

	directories_init(&dirs, system);
	/* new files first: a module that is replaced under another name is
	 * never absent */
	ok = commit_steps(&dirs, journal, KS_JOURNAL_PLACE, recovering, error) &&
	     directories_sync(&dirs, error) &&
	     commit_steps(&dirs, journal, KS_JOURNAL_REMOVE, recovering, error) &&
	     directories_sync(&dirs, error);
	directories_clear(&dirs);
	return ok && prune(system, journal, KS_JOURNAL_REMOVE, error);
}

/* A file system that is read-only now gives that error even for missing files. */
static bool remove_staged(int directory, const char *staged)
{
	struct stat st;

	if (unlinkat(directory, staged, 0) == 0 || errno == ENOENT)
		return true;
	if (errno != EROFS)
		return false;
	if (fstatat(directory, staged, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT;
	errno = EROFS;
	return false;
}

bool ks_apply_undo(const struct ks_system *system, const struct ks_journal *journal,
		   GError **error)
{
	struct directories dirs;
	bool ok = true;

	directories_init(&dirs, system);
	for (guint i = 0; ok && i < journal->steps->len; i++) {
		const struct ks_journal_step *step = g_ptr_array_index(journal->steps, i);
		g_autofree char *staged = staged_name(step->path);
		int directory;

		if (step->kind != KS_JOURNAL_PLACE)
			continue;
		ok = open_if_there(&dirs, step, &directory, error);
		if (ok && directory >= 0 &&
		    (KS_INSTALL_FAULT("undo-unlink") ||
		     !remove_staged(directory, staged))) {
			ks_error_set_errno(error, errno, "cannot remove '%s' beside '%s'",
					   staged, step->path);
			ok = false;
		}
	}
	ok = ok && directories_sync(&dirs, error);
	directories_clear(&dirs);
	return ok && prune(system, journal, KS_JOURNAL_PLACE, error);
}
