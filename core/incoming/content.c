/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See content.h. */
#include "core/incoming/content.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/support/error.h"

#define AR_MAGIC "!<arch>\n"
/* deb(5) has three, and programs that sign packages add some. */
#define MAX_MEMBERS 32

/* ar(5): text, padded with blanks. */
struct ar_header {
	char name[16];
	char times_and_owners[32];
	char size[10];
	char end[2];
};
G_STATIC_ASSERT(sizeof(struct ar_header) == 60);

static bool refuse(const char *label, const char *why, GError **error)
{
	ks_error_set(error, KS_ERROR_INVALID, "%s: %s", label, why);
	return false;
}

static bool read_header(int fd, struct ar_header *header)
{
	return read(fd, header, sizeof(*header)) == (ssize_t)sizeof(*header) &&
	       memcmp(header->end, "`\n", sizeof(header->end)) == 0;
}

/* "data.tar.xz", or as GNU's ar writes it, "data.tar.xz/". */
static bool is_content(const struct ar_header *header)
{
	static const char wanted[] = "data.tar";
	const size_t length = sizeof(wanted) - 1;

	return memcmp(header->name, wanted, length) == 0 &&
	       strchr("./ ", header->name[length]);
}

/* Ten digits at most: no overflow. -1: it is no number. */
static gint64 get_size(const struct ar_header *header)
{
	g_autofree char *text = g_strndup(header->size, sizeof(header->size));
	guint64 size;

	return g_ascii_string_to_unsigned(g_strchomp(text), 10, 0, G_MAXUINT32 * 16ULL,
					  &size, NULL)
		       ? (gint64)size
		       : -1;
}

bool ks_incoming_seek_content(int fd, const char *label, GError **error)
{
	char magic[sizeof(AR_MAGIC) - 1];
	struct ar_header header;

	if (lseek(fd, 0, SEEK_SET) != 0) {
		ks_error_set_errno(error, errno, "cannot read '%s'", label);
		return false;
	}
	if (read(fd, magic, sizeof(magic)) != (ssize_t)sizeof(magic) ||
	    memcmp(magic, AR_MAGIC, sizeof(magic)) != 0)
		return lseek(fd, 0, SEEK_SET) == 0;
	for (int i = 0; i < MAX_MEMBERS && read_header(fd, &header); i++) {
		gint64 size = get_size(&header);

		if (is_content(&header))
			return true;
		if (size < 0 || lseek(fd, size + size % 2, SEEK_CUR) < 0)
			return refuse(label, "its archive is damaged", error);
	}
	return refuse(label, "not a Debian package: it has no 'data.tar'", error);
}
