/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing a .deb (deb(5)) with libarchive: an ar archive of debian-binary,
 * control.tar and data.tar; a record's is not compressed, since it lives only
 * until dpkg has unpacked it.
 *
 * Deterministic: owners are root, entries are sorted. The same contents and
 * times give the same bytes.
 */
#pragma once

#include <stdbool.h>
#include <time.h>

#include <glib.h>

#include "core/support/contract.h"

/* A file; a link, when link is set; a directory, when none of fd, content and link is. */
struct ks_deb_file {
	char *path;    /* absolute, as the package shall spell it */
	int fd;	       /* open for reading; closed by ks_deb_file_free(); or -1 */
	char *content; /* instead of fd: a path, opened when its turn comes */
	char *link;    /* the link's text, or NULL */
	char *sha256;  /* hex; the content must have this digest */
	guint64 size_bytes;
	unsigned int mode;
	time_t mtime;
};

void ks_deb_file_free(struct ks_deb_file *file);

/* The members of control.tar besides control and md5sums; maintainer scripts have
 * mode 0755. */
struct ks_deb_script {
	const char *name; /* "postinst" */
	const char *text;
};

struct ks_deb {
	const char *control; /* the complete control file; md5sums is made here */
	GPtrArray *files;    /* struct ks_deb_file; sorted by path when it is written */
	const struct ks_deb_script *scripts; /* by name; ended by one without a name; or
						NULL */
	bool compress; /* members are .tar.xz: for packages that live longer than
	                * a moment */
	time_t mtime;  /* of control files and parent directories; 0: the newest of the
			  files' */
};

/*
 * Write the package to fd. Each file is read twice, so that neither memory nor
 * a temporary file is needed. KS_ERROR_INVALID when a file is not what its digest
 * says; fd then holds garbage, as after any other failure.
 */
KS_MUST_CHECK
bool ks_deb_write(const struct ks_deb *deb, int fd, GError **error);
