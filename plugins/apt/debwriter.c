/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See debwriter.h. An ar member's size stands before its bytes. It is found by
 * writing the tar once into a counter, which is also when the digests are
 * made; the second time the bytes go out.
 */
#include "plugins/apt/debwriter.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/support/cleanup.h"
#include "core/support/error.h"

#define BUFFER_BYTES (256 * 1024)

/* The destination of a tar: a count, or the current member of an ar archive. */
struct sink {
	gint64 n_bytes;
	struct archive *ar;
};

struct deb {
	const struct ks_deb *from;
	time_t mtime;
	GString *md5sums;
	struct archive *ar;
	char *buffer;
};

void ks_deb_file_free(struct ks_deb_file *file)
{
	if (!file)
		return;
	if (file->fd >= 0)
		close(file->fd);
	g_free(file->path);
	g_free(file->content);
	g_free(file->link);
	g_free(file->sha256);
	g_free(file);
}

static bool archive_fail(struct archive *archive, GError **error)
{
	int err = archive_errno(archive);

	if (err > 0)
		ks_error_set_errno(error, err, "cannot write the package");
	else
		ks_error_set(error, KS_ERROR_FAILED, "cannot write the package: %s",
			     archive_error_string(archive));
	return false;
}

static la_ssize_t sink_write(struct archive *tar, void *data, const void *buffer,
			     size_t size_bytes)
{
	struct sink *sink = data;

	sink->n_bytes += (gint64)size_bytes;
	if (!sink->ar)
		return (la_ssize_t)size_bytes;
	if (archive_write_data(sink->ar, buffer, size_bytes) == (la_ssize_t)size_bytes)
		return (la_ssize_t)size_bytes;
	archive_set_error(tar, archive_errno(sink->ar), "%s",
			  archive_error_string(sink->ar));
	return -1;
}

static bool add_item(struct archive *archive, const char *name, unsigned int type,
		     const char *link, unsigned int mode, guint64 size_bytes,
		     time_t mtime, GError **error)
{
	struct archive_entry *entry = archive_entry_new();
	bool ok;

	archive_entry_set_pathname(entry, name);
	archive_entry_set_filetype(entry, type);
	if (link)
		archive_entry_set_symlink(entry, link);
	archive_entry_set_perm(entry, (__LA_MODE_T)mode);
	archive_entry_set_size(entry, (la_int64_t)size_bytes);
	archive_entry_set_mtime(entry, mtime, 0);
	archive_entry_set_uid(entry, 0);
	archive_entry_set_gid(entry, 0);
	archive_entry_set_uname(entry, "root");
	archive_entry_set_gname(entry, "root");
	ok = archive_write_header(archive, entry) == ARCHIVE_OK ||
	     archive_fail(archive, error);
	archive_entry_free(entry);
	return ok;
}

static bool add_entry(struct archive *archive, const char *name, unsigned int type,
		      unsigned int mode, guint64 size_bytes, time_t mtime, GError **error)
{
	return add_item(archive, name, type, NULL, mode, size_bytes, mtime, error);
}

static bool add_data(struct archive *archive, const void *data, size_t size_bytes,
		     GError **error)
{
	return archive_write_data(archive, data, size_bytes) == (la_ssize_t)size_bytes ||
	       archive_fail(archive, error);
}

static bool add_text(struct archive *archive, const char *name, unsigned int mode,
		     const char *text, time_t mtime, GError **error)
{
	size_t size_bytes = strlen(text);

	return add_entry(archive, name, AE_IFREG, mode, size_bytes, mtime, error) &&
	       add_data(archive, text, size_bytes, error);
}

static gint compare_paths(gconstpointer a, gconstpointer b)
{
	const struct ks_deb_file *const *left = a, *const *right = b;

	return strcmp((*left)->path, (*right)->path);
}

/* "./", "./lib/", ... for path, each once: seen holds those already written. */
static bool add_parents(struct deb *deb, struct archive *tar, const char *path,
			GHashTable *seen, GError **error)
{
	for (const char *slash = path; slash; slash = strchr(slash + 1, '/')) {
		char *name = g_strdup_printf(".%.*s/", (int)(slash - path), path);

		if (!g_hash_table_add(seen, name))
			continue;
		if (!add_entry(tar, name, AE_IFDIR, 0755, 0, deb->mtime, error))
			return false;
	}
	return true;
}

static int open_content(const struct ks_deb_file *file, GError **error)
{
	struct stat st;
	ks_autofd int fd =
		open(file->content, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0) {
		ks_error_set_errno(error, errno, "cannot read '%s'", file->content);
		return -1;
	}
	if (!S_ISREG(st.st_mode) || (guint64)st.st_size != file->size_bytes) {
		ks_error_set(error, KS_ERROR_INVALID,
			     "'%s' is not the file that was to be packed", file->content);
		return -1;
	}
	return ks_steal_fd(&fd);
}

static bool copy_bytes(struct deb *deb, struct archive *tar,
		       const struct ks_deb_file *file, int fd, GChecksum *sha256,
		       GChecksum *md5, GError **error)
{
	guint64 left = file->size_bytes;

	while (left) {
		ssize_t n = read(fd, deb->buffer, MIN(left, BUFFER_BYTES));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			ks_error_set(error, KS_ERROR_INVALID, "cannot read '%s': %s",
				     file->path,
				     n ? g_strerror(errno) : "it became shorter");
			return false;
		}
		if (sha256)
			g_checksum_update(sha256, (guchar *)deb->buffer, n);
		if (md5)
			g_checksum_update(md5, (guchar *)deb->buffer, n);
		if (!add_data(tar, deb->buffer, (size_t)n, error))
			return false;
		left -= (guint64)n;
	}
	return true;
}

static bool copy_content(struct deb *deb, struct archive *tar,
			 const struct ks_deb_file *file, GChecksum *sha256,
			 GChecksum *md5, GError **error)
{
	ks_autofd int opened = -1;

	if (file->content) {
		opened = open_content(file, error);
		return opened >= 0 &&
		       copy_bytes(deb, tar, file, opened, sha256, md5, error);
	}
	if (lseek(file->fd, 0, SEEK_SET) < 0) {
		ks_error_set_errno(error, errno, "cannot read '%s'", file->path);
		return false;
	}
	return copy_bytes(deb, tar, file, file->fd, sha256, md5, error);
}

/* One file of data.tar. While counting, its digest is checked and its md5sums
 * line made. */
static bool add_file(struct deb *deb, struct archive *tar, const struct ks_deb_file *file,
		     bool counting, GError **error)
{
	g_autoptr(GChecksum) sha256 = counting ? g_checksum_new(G_CHECKSUM_SHA256) : NULL;
	g_autoptr(GChecksum) md5 = counting ? g_checksum_new(G_CHECKSUM_MD5) : NULL;
	g_autofree char *name = g_strdup_printf(".%s", file->path);

	if (!add_entry(tar, name, AE_IFREG, file->mode, file->size_bytes, file->mtime,
		       error) ||
	    !copy_content(deb, tar, file, sha256, md5, error))
		return false;
	if (!counting)
		return true;
	if (strcmp(g_checksum_get_string(sha256), file->sha256) != 0) {
		ks_error_set(error, KS_ERROR_INVALID,
			     "'%s' is not the file that was to be packed: its digest "
			     "differs",
			     file->path);
		return false;
	}
	g_string_append_printf(deb->md5sums, "%s  %s\n", g_checksum_get_string(md5),
			       file->path + 1);
	return true;
}

static bool add_link(struct archive *tar, const struct ks_deb_file *file, GError **error)
{
	g_autofree char *name = g_strdup_printf(".%s", file->path);

	return add_item(tar, name, AE_IFLNK, file->link, 0777, 0, file->mtime, error);
}

static bool add_dir(struct archive *tar, const struct ks_deb_file *file, GHashTable *seen,
		    GError **error)
{
	char *name = g_strdup_printf(".%s/", file->path);

	return !g_hash_table_add(seen, name) ||
	       add_entry(tar, name, AE_IFDIR, file->mode, 0, file->mtime, error);
}

static bool fill_data(struct deb *deb, struct archive *tar, bool counting, GError **error)
{
	g_autoptr(GHashTable) seen =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (guint i = 0; i < deb->from->files->len; i++) {
		const struct ks_deb_file *file = g_ptr_array_index(deb->from->files, i);
		bool ok = add_parents(deb, tar, file->path, seen, error);

		if (ok && file->link)
			ok = add_link(tar, file, error);
		else if (ok && file->fd < 0 && !file->content)
			ok = add_dir(tar, file, seen, error);
		else if (ok)
			ok = add_file(deb, tar, file, counting, error);
		if (!ok)
			return false;
	}
	return true;
}

static bool fill_control(struct deb *deb, struct archive *tar, bool counting,
			 GError **error)
{
	const struct ks_deb_script *script = deb->from->scripts;

	if (!add_entry(tar, "./", AE_IFDIR, 0755, 0, deb->mtime, error) ||
	    !add_text(tar, "./control", 0644, deb->from->control, deb->mtime, error) ||
	    !add_text(tar, "./md5sums", 0644, deb->md5sums->str, deb->mtime, error))
		return false;
	for (; script && script->name; script++) {
		g_autofree char *name = g_strconcat("./", script->name, NULL);

		if (!add_text(tar, name, 0755, script->text, deb->mtime, error))
			return false;
	}
	return true;
}

typedef bool (*fill_func)(struct deb *deb, struct archive *tar, bool counting,
			  GError **error);

/* gnutar: long names as dpkg knows them; it refuses pax headers. */
static bool write_tar(struct deb *deb, fill_func fill, struct sink *sink, GError **error)
{
	struct archive *tar = archive_write_new();
	bool ok;

	archive_write_set_format_gnutar(tar);
	if (deb->from->compress)
		archive_write_add_filter_xz(tar);
	archive_write_set_bytes_in_last_block(tar, 1);
	ok = archive_write_open(tar, sink, NULL, sink_write, NULL) == ARCHIVE_OK ||
	     archive_fail(tar, error);
	ok = ok && fill(deb, tar, sink->ar == NULL, error);
	ok = ok && (archive_write_close(tar) == ARCHIVE_OK || archive_fail(tar, error));
	archive_write_free(tar);
	return ok;
}

static bool add_member(struct deb *deb, const char *name, fill_func fill, gint64 n_bytes,
		       GError **error)
{
	struct sink sink = {.ar = deb->ar};

	return add_entry(deb->ar, name, AE_IFREG, 0644, (guint64)n_bytes, deb->mtime,
			 error) &&
	       write_tar(deb, fill, &sink, error);
}

static bool write_ar(struct deb *deb, int fd, GError **error)
{
	struct sink control = {0}, data = {0};

	/* data first: it makes the md5sums that control holds */
	if (!write_tar(deb, fill_data, &data, error) ||
	    !write_tar(deb, fill_control, &control, error))
		return false;
	archive_write_set_format_ar_bsd(deb->ar);
	archive_write_set_bytes_per_block(deb->ar, BUFFER_BYTES);
	archive_write_set_bytes_in_last_block(deb->ar, 1);
	if (archive_write_open_fd(deb->ar, fd) != ARCHIVE_OK)
		return archive_fail(deb->ar, error);
	return add_text(deb->ar, "debian-binary", 0644, "2.0\n", deb->mtime, error) &&
	       add_member(deb, deb->from->compress ? "control.tar.xz" : "control.tar",
			  fill_control, control.n_bytes, error) &&
	       add_member(deb, deb->from->compress ? "data.tar.xz" : "data.tar",
			  fill_data, data.n_bytes, error) &&
	       (archive_write_close(deb->ar) == ARCHIVE_OK ||
		archive_fail(deb->ar, error));
}

bool ks_deb_write(const struct ks_deb *from, int fd, GError **error)
{
	struct deb deb = {.from = from, .mtime = from->mtime};
	bool ok;

	g_ptr_array_sort(from->files, compare_paths);
	for (guint i = 0; !from->mtime && i < from->files->len; i++) {
		const struct ks_deb_file *file = g_ptr_array_index(from->files, i);

		deb.mtime = MAX(deb.mtime, file->mtime);
	}
	deb.md5sums = g_string_new(NULL);
	deb.buffer = g_malloc(BUFFER_BYTES);
	deb.ar = archive_write_new();
	ok = write_ar(&deb, fd, error);
	archive_write_free(deb.ar);
	g_free(deb.buffer);
	g_string_free(deb.md5sums, TRUE);
	return ok;
}
