/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See mtree.h. */
#include "plugins/alpm/mtree.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/support/cleanup.h"
#include "core/support/error.h"

#define KEYWORDS "!all,use-set,type,uid,gid,mode,time,size,md5,sha256,link"

struct ks_mtree_item *ks_mtree_item_new(const char *path, const struct stat *st)
{
	struct ks_mtree_item *item = g_new0(struct ks_mtree_item, 1);

	item->path = g_strdup(path);
	item->st = *st;
	item->fd = -1;
	return item;
}

void ks_mtree_item_free(gpointer data)
{
	struct ks_mtree_item *item = data;

	if (item->fd >= 0)
		close(item->fd);
	g_free(item->path);
	g_free(item->link);
	g_free(item->source);
	g_free(item->sha256);
	g_free(item);
}

static la_ssize_t collect(struct archive *archive, void *data, const void *bytes,
			  size_t size)
{
	g_byte_array_append(data, bytes, (guint)size);
	return (la_ssize_t)size;
}

static bool fail(struct archive *archive, GError **error)
{
	ks_error_set(error, KS_ERROR_FAILED, "cannot write the archive: %s",
		     archive_error_string(archive));
	return false;
}

static bool is_as_it_was(const struct ks_mtree_item *item, GChecksum *checksum,
			 guint64 size, GError **error)
{
	if (size == (guint64)item->st.st_size &&
	    (!item->sha256 || strcmp(item->sha256, g_checksum_get_string(checksum)) == 0))
		return true;
	ks_error_set(error, KS_ERROR_INVALID,
		     "'/%s' is not the file that was to be recorded", item->path);
	return false;
}

static bool copy(struct archive *archive, const struct ks_mtree_item *item, int fd,
		 GError **error)
{
	g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
	g_autofree char *buffer = g_malloc(65536);
	guint64 size = 0;
	ssize_t n;

	while ((n = pread(fd, buffer, 65536, (off_t)size)) > 0) {
		g_checksum_update(checksum, (const guchar *)buffer, n);
		size += (guint64)n;
		/* longer than it was: libarchive would cut it off */
		if (size > (guint64)item->st.st_size)
			break;
		if (archive_write_data(archive, buffer, (size_t)n) != n)
			return fail(archive, error);
	}
	if (n < 0) {
		ks_error_set_errno(error, errno, "cannot read '/%s'", item->path);
		return false;
	}
	return is_as_it_was(item, checksum, size, error);
}

static bool copy_content(struct archive *archive, const struct ks_mtree_item *item,
			 GError **error)
{
	ks_autofd int opened = -1;

	if (item->fd >= 0)
		return copy(archive, item, item->fd, error);
	opened = open(item->source, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (opened >= 0)
		return copy(archive, item, opened, error);
	ks_error_set_errno(error, errno, "cannot open '%s'", item->source);
	return false;
}

bool ks_mtree_item_write(const struct ks_mtree_item *item, const char *name,
			 struct archive *archive, GError **error)
{
	struct archive_entry *entry = archive_entry_new();
	bool ok;

	archive_entry_set_pathname(entry, name);
	archive_entry_set_mode(entry, item->st.st_mode);
	archive_entry_set_uid(entry, item->st.st_uid);
	archive_entry_set_gid(entry, item->st.st_gid);
	/* whole seconds: pacman compares no more, and the archive of a package has no
	 * more */
	archive_entry_set_mtime(entry, item->st.st_mtime, 0);
	archive_entry_set_size(entry, S_ISREG(item->st.st_mode) ? item->st.st_size : 0);
	if (item->link)
		archive_entry_set_symlink(entry, item->link);
	ok = archive_write_header(archive, entry) == ARCHIVE_OK || fail(archive, error);
	archive_entry_free(entry);
	return ok && (!S_ISREG(item->st.st_mode) || copy_content(archive, item, error));
}

static bool add_item(struct archive *archive, const struct ks_mtree_item *item,
		     GError **error)
{
	g_autofree char *name = g_strconcat("./", item->path, NULL);

	return ks_mtree_item_write(item, name, archive, error);
}

static bool write_all(struct archive *archive, GPtrArray *items, GByteArray *out,
		      GError **error)
{
	if (archive_write_set_format_mtree(archive) != ARCHIVE_OK ||
	    archive_write_add_filter_gzip(archive) != ARCHIVE_OK ||
	    archive_write_set_filter_option(archive, "gzip", "timestamp", NULL) !=
		    ARCHIVE_OK ||
	    archive_write_set_options(archive, KEYWORDS) != ARCHIVE_OK ||
	    archive_write_open(archive, out, NULL, collect, NULL) != ARCHIVE_OK)
		return fail(archive, error);
	for (guint i = 0; i < items->len; i++)
		if (!add_item(archive, g_ptr_array_index(items, i), error))
			return false;
	return archive_write_close(archive) == ARCHIVE_OK || fail(archive, error);
}

GByteArray *ks_mtree_format(GPtrArray *items, GError **error)
{
	g_autoptr(GByteArray) out = g_byte_array_new();
	struct archive *archive = archive_write_new();
	bool ok = write_all(archive, items, out, error);

	archive_write_free(archive);
	return ok ? g_steal_pointer(&out) : NULL;
}
