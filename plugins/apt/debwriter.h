/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing a .deb (deb(5)) with libarchive: an ar archive of debian-binary,
 * control.tar and data.tar, not compressed, since it lives only until dpkg has
 * unpacked it.
 *
 * Deterministic: owners are root, directories and control files carry the
 * newest of the files' times, entries are sorted. The same files, times and
 * control text give the same bytes.
 */
#pragma once

#include <stdbool.h>
#include <time.h>

#include <glib.h>

struct ks_deb_file {
	char *path;   /* absolute, as the package shall spell it */
	int fd;	      /* open for reading; closed by ks_deb_file_free() */
	char *sha256; /* hex; the content must have this digest */
	guint64 size_bytes;
	unsigned int mode;
	time_t mtime;
};

void ks_deb_file_free(struct ks_deb_file *file);

/*
 * Write the package to fd. control is the complete control file; md5sums is
 * made here. files holds struct ks_deb_file and is sorted by path. Each file is
 * read twice, so that neither memory nor a temporary file is needed.
 * KS_ERROR_INVALID when a file is not what its digest says; fd then holds
 * garbage, as after any other failure.
 */
bool ks_deb_write(const char *control, GPtrArray *files, int fd, GError **error);
