/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See unpack.h. */
#include "core/package/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/package/archive.h"
#include "core/support/cleanup.h"
#include "core/support/error.h"
#include "core/support/write-all.h"

#define BLOCK_BYTES	 (64 * 1024)
#define MAX_NAME_BYTES	 4096
#define MAX_DEPTH	 64
#define RATIO_FROM_BYTES (16 * 1024 * 1024)

const struct ks_unpack_limits ks_unpack_default_limits = {
	.max_bytes = G_GUINT64_CONSTANT(4) << 30,
	.max_entries = 200000,
	.max_ratio = 300,
};

struct unpack {
	const struct ks_archive *lib;
	struct archive *archive;
	const char *label;
	int dir_fd;
	const struct ks_unpack_limits *limits;
	GHashTable *seen; /* names of members, so that none stands twice */
	guint64 n_bytes;
	guint n_entries;
	char *buffer;
	ks_unpack_place place; /* NULL: everything goes where it says */
	void *place_data;
};

static bool refuse(const struct unpack *unpack, const char *name, const char *why,
		   GError **error)
{
	g_autofree char *valid = g_utf8_make_valid(name, -1);

	ks_error_set(error, KS_ERROR_INVALID, "%s: '%s' %s", unpack->label, valid, why);
	return false;
}

static bool fail_errno(const struct unpack *unpack, const char *name, GError **error)
{
	g_autofree char *valid = NULL;
	int err = errno;

	if (err == EEXIST)
		return refuse(unpack, name, "appears twice", error);
	if (err == ENOTDIR || err == ELOOP)
		return refuse(unpack, name, "lies below a file or link", error);
	valid = g_utf8_make_valid(name, -1);
	ks_error_set_errno(error, err, "%s: cannot unpack '%s'", unpack->label, valid);
	return false;
}

static bool fail_archive(const struct unpack *unpack, GError **error)
{
	const char *said = unpack->lib->archive_error_string(unpack->archive);
	g_autofree char *valid = g_utf8_make_valid(said ? said : "damaged", -1);

	ks_error_set(error, KS_ERROR_INVALID, "%s: not a readable tarball: %s",
		     unpack->label, valid);
	return false;
}

/*
 * The name without "./", "//" and a "/" at its end; "" for the tarball's own
 * directory; NULL when it leads elsewhere or is no name.
 */
static char *plain_name(const char *name)
{
	g_autoptr(GString) out = g_string_new(NULL);
	g_auto(GStrv) parts = NULL;
	guint depth = 0;

	if (*name == '/' || strlen(name) > MAX_NAME_BYTES)
		return NULL;
	for (const char *p = name; *p; p++)
		if (g_ascii_iscntrl(*p))
			return NULL;
	parts = g_strsplit(name, "/", -1);
	for (char **part = parts; *part; part++) {
		if (!**part || strcmp(*part, ".") == 0)
			continue;
		if (strcmp(*part, "..") == 0 || strlen(*part) > NAME_MAX ||
		    ++depth > MAX_DEPTH)
			return NULL;
		g_string_append_printf(out, "%s%s", out->len ? "/" : "", *part);
	}
	return g_string_free(g_steal_pointer(&out), FALSE);
}

/*
 * First any number of "..", no more than name has directories above it, then
 * names only: each of these is an entry inside, or a link of which the same holds.
 */
bool ks_unpack_link_stays_inside(const char *name, const char *target)
{
	g_auto(GStrv) parts = g_strsplit(target, "/", -1);
	guint depth = 0;
	bool named = false;

	if (!*target || *target == '/' || strlen(target) > MAX_NAME_BYTES)
		return false;
	for (const char *p = name; *p; p++)
		depth += *p == '/';
	for (char **part = parts; *part; part++) {
		if (!**part || strcmp(*part, ".") == 0)
			continue;
		if (strcmp(*part, "..") != 0) {
			named = true;
			continue;
		}
		if (named || !depth)
			return false;
		depth--;
	}
	return true;
}

/* The directory that holds name, made where it is not there; never through a link. */
static int open_parent(const struct unpack *unpack, const char *name, const char **last)
{
	ks_autofd int fd = dup(unpack->dir_fd);

	while (fd >= 0) {
		const char *slash = strchr(name, '/');
		g_autofree char *part = NULL;
		int next;

		if (!slash)
			break;
		part = g_strndup(name, (size_t)(slash - name));
		if (mkdirat(fd, part, 0755) != 0 && errno != EEXIST)
			return -1;
		next = openat(fd, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			return -1;
		close(fd);
		fd = next;
		name = slash + 1;
	}
	*last = name;
	return ks_steal_fd(&fd);
}

static bool account(struct unpack *unpack, const char *name, guint64 n_bytes,
		    GError **error)
{
	la_int64_t n_read = unpack->lib->archive_filter_bytes(unpack->archive, -1);

	unpack->n_bytes += n_bytes;
	if (unpack->n_bytes > unpack->limits->max_bytes)
		return refuse(unpack, name, "does not fit: the tarball holds too much",
			      error);
	if (unpack->n_bytes > RATIO_FROM_BYTES &&
	    unpack->n_bytes / unpack->limits->max_ratio > (guint64)MAX(n_read, 1))
		return refuse(unpack, name,
			      "is refused: the tarball holds too much for its size",
			      error);
	return true;
}

static bool copy_content(struct unpack *unpack, const char *name, int fd, GError **error)
{
	la_ssize_t n;

	while ((n = unpack->lib->archive_read_data(unpack->archive, unpack->buffer,
						   BLOCK_BYTES)) > 0) {
		if (!account(unpack, name, (guint64)n, error))
			return false;
		if (!ks_write_all(fd, unpack->buffer, (size_t)n))
			return fail_errno(unpack, name, error);
	}
	return n == 0 || fail_archive(unpack, error);
}

static bool unpack_file(struct unpack *unpack, const char *name,
			struct archive_entry *entry, GError **error)
{
	mode_t mode = unpack->lib->archive_entry_perm(entry) & 0111 ? 0755 : 0644;
	const struct timespec times[] = {
		{.tv_nsec = UTIME_OMIT},
		{.tv_sec = unpack->lib->archive_entry_mtime(entry)}};
	const char *last = NULL;
	ks_autofd int parent = -1;
	ks_autofd int fd = -1;

	/* what a sparse file announces costs no bytes in the tarball */
	if (unpack->lib->archive_entry_size_is_set(entry) &&
	    (guint64)unpack->lib->archive_entry_size(entry) > unpack->limits->max_bytes)
		return refuse(unpack, name, "does not fit: the tarball holds too much",
			      error);
	parent = open_parent(unpack, name, &last);
	if (parent >= 0)
		fd = openat(parent, last,
			    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail_errno(unpack, name, error);
	if (!copy_content(unpack, name, fd, error))
		return false;
	if (fchmod(fd, mode) != 0)
		return fail_errno(unpack, name, error);
	/* a time that the file system cannot hold is not worth a failure */
	(void)futimens(fd, times);
	return true;
}

static bool unpack_dir(struct unpack *unpack, const char *name, GError **error)
{
	const char *last = NULL;
	ks_autofd int parent = open_parent(unpack, name, &last);
	struct stat st;

	if (parent < 0)
		return fail_errno(unpack, name, error);
	if (mkdirat(parent, last, 0755) == 0)
		return true;
	/* made before, for a member below it */
	if (errno == EEXIST && fstatat(parent, last, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISDIR(st.st_mode))
		return true;
	errno = EEXIST;
	return fail_errno(unpack, name, error);
}

static bool unpack_link(struct unpack *unpack, const char *name, const char *target,
			GError **error)
{
	const char *last = NULL;
	ks_autofd int parent = -1;

	if (!target || (!unpack->place && !ks_unpack_link_stays_inside(name, target)))
		return refuse(unpack, name, "is a link that may lead outside", error);
	parent = open_parent(unpack, name, &last);
	if (parent < 0 || symlinkat(target, parent, last) != 0)
		return fail_errno(unpack, name, error);
	return true;
}

/* Takes name, which may be NULL. NULL: it is passed over. */
static char *find_place(const struct unpack *unpack, char *name)
{
	char *place;

	if (!name || !unpack->place)
		return name;
	place = unpack->place(name, unpack->place_data);
	g_free(name);
	return place;
}

/* A second name of a file that was unpacked before: the file itself, not a link. */
static bool unpack_hard_link(struct unpack *unpack, const char *name, const char *target,
			     GError **error)
{
	g_autofree char *plain = target ? find_place(unpack, plain_name(target)) : NULL;
	const char *from_last = NULL, *last = NULL;
	ks_autofd int from = -1;
	ks_autofd int parent = -1;
	struct stat st;

	if (!plain || !*plain || !g_hash_table_contains(unpack->seen, plain))
		return refuse(unpack, name,
			      "is a hard link to what is not in the tarball", error);
	from = open_parent(unpack, plain, &from_last);
	if (from < 0 || fstatat(from, from_last, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return fail_errno(unpack, name, error);
	if (!S_ISREG(st.st_mode))
		return refuse(unpack, name, "is a hard link to what is no file", error);
	parent = open_parent(unpack, name, &last);
	if (parent < 0 || linkat(from, from_last, parent, last, 0) != 0)
		return fail_errno(unpack, name, error);
	return true;
}

static bool unpack_entry(struct unpack *unpack, struct archive_entry *entry,
			 GError **error)
{
	const char *written = unpack->lib->archive_entry_pathname(entry);
	const char *hard = unpack->lib->archive_entry_hardlink(entry);
	char *name = written ? plain_name(written) : NULL;
	bool is_dir = !hard && unpack->lib->archive_entry_filetype(entry) == AE_IFDIR;

	if (!name)
		return refuse(unpack, written ? written : "?",
			      "is no name inside the tarball", error);
	if (!*name) {
		g_free(name);
		return is_dir ||
		       refuse(unpack, written, "is no name inside the tarball", error);
	}
	name = find_place(unpack, name);
	if (!name)
		return true;
	if (!g_hash_table_add(unpack->seen, name))
		return refuse(unpack, written, "appears twice", error);
	if (hard)
		return unpack_hard_link(unpack, name, hard, error);
	switch (unpack->lib->archive_entry_filetype(entry)) {
	case AE_IFREG:
		return unpack_file(unpack, name, entry, error);
	case AE_IFDIR:
		return unpack_dir(unpack, name, error);
	case AE_IFLNK:
		return unpack_link(unpack, name,
				   unpack->lib->archive_entry_symlink(entry), error);
	default:
		return refuse(unpack, name, "is neither a file, a directory nor a link",
			      error);
	}
}

static bool unpack_all(struct unpack *unpack, GError **error)
{
	struct archive_entry *entry;
	int result;

	/* a warning concerns a name or an attribute that it had to guess */
	while ((result = unpack->lib->archive_read_next_header(unpack->archive,
							       &entry)) == ARCHIVE_OK ||
	       result == ARCHIVE_WARN) {
		if (++unpack->n_entries > unpack->limits->max_entries) {
			ks_error_set(error, KS_ERROR_INVALID,
				     "%s: the tarball has more than %u members",
				     unpack->label, unpack->limits->max_entries);
			return false;
		}
		if (!unpack_entry(unpack, entry, error))
			return false;
	}
	if (result != ARCHIVE_EOF)
		return fail_archive(unpack, error);
	if (unpack->n_entries)
		return true;
	ks_error_set(error, KS_ERROR_INVALID, "%s: the tarball is empty", unpack->label);
	return false;
}

bool ks_unpack_some(int archive_fd, const char *label, int dir_fd,
		    const struct ks_unpack_limits *limits, ks_unpack_place place,
		    void *data, GError **error)
{
	const struct ks_archive *lib = ks_archive_load(error);
	struct unpack unpack = {
		.lib = lib,
		.label = label,
		.dir_fd = dir_fd,
		.limits = limits,
		.place = place,
		.place_data = data,
	};
	bool ok;

	if (!lib)
		return false;
	unpack.archive = lib->archive_read_new();
	unpack.seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	unpack.buffer = g_malloc(BLOCK_BYTES);
	/* no other format and no filter that would run a program */
	lib->archive_read_support_format_tar(unpack.archive);
	lib->archive_read_support_filter_gzip(unpack.archive);
	lib->archive_read_support_filter_bzip2(unpack.archive);
	lib->archive_read_support_filter_xz(unpack.archive);
	lib->archive_read_support_filter_zstd(unpack.archive);
	ok = lib->archive_read_open_fd(unpack.archive, archive_fd, BLOCK_BYTES) ==
		     ARCHIVE_OK ||
	     fail_archive(&unpack, error);
	ok = ok && unpack_all(&unpack, error);
	lib->archive_read_free(unpack.archive);
	g_hash_table_unref(unpack.seen);
	g_free(unpack.buffer);
	return ok;
}

bool ks_unpack(int archive_fd, const char *label, int dir_fd,
	       const struct ks_unpack_limits *limits, GError **error)
{
	return ks_unpack_some(archive_fd, label, dir_fd, limits, NULL, NULL, error);
}
