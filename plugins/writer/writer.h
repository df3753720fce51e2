/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all package writers (doc/package-protocol.md) share: main() reads and
 * checks the description, makes the file beside its destination, and gives it
 * its name when it is complete. A writer is this and one ks_writer_format.
 */
#pragma once

#include "core/package/package.h"

struct ks_writer_format {
	const char *program; /* "package-deb" */
	/* The package file's name; free with g_free. NULL with an error. */
	char *(*file_name)(const struct ks_package *package, GError **error);
	/*
	 * Write the package to fd, an empty file open for reading and writing. Each
	 * content has to be checked against its digest: KS_ERROR_INVALID when it is
	 * another one.
	 */
	bool (*write)(const struct ks_package *package, int fd, GError **error);
};

/* Defined by the writer. */
extern const struct ks_writer_format ks_writer_format;
