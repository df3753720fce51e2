/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A package to be made, and the text that describes it to a package writer
 * (doc/package-protocol.md). A writer is a program
 *
 *	libexec/kmodsmith/package-{deb,rpm,pacman} --output DIR
 *
 * that reads one description from its standard input, writes one real package
 * file into DIR and prints its path. It needs neither root nor the database of
 * its package manager. The same description and contents give the same bytes.
 *
 * This unit makes, reads and checks descriptions; which files a module's
 * package has is said in contents.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <glib.h>

#include "core/support/cleanup.h"
#include "core/support/contract.h"

enum ks_package_kind {
	KS_PACKAGE_PREBUILT, /* modules for one kernel; works without kmodsmith there */
	KS_PACKAGE_SOURCE,   /* /usr/src/MODULE-VERSION, to be built where it
	                      * is installed */
};

struct ks_package_file {
	char *dest;   /* absolute, in the package */
	char *sha256; /* the content must have this digest */
	guint64 size_bytes;
	unsigned int mode; /* permission bits */
	char *source;	   /* where the content is: a path of the calling process */
};

struct ks_package_link {
	char *dest;
	char *target; /* the link's text, as it is */
};

struct ks_package_dir {
	char *dest;
	unsigned int mode;
};

struct ks_package {
	enum ks_package_kind kind;
	char *name;	/* "kmod-foo-6.1.0-56-amd64"; the writer maps it to the characters
	                 * of its format */
	char *version;	/* of the module; likewise */
	char *revision; /* of the package of this version: digits, "1" */
	char *module;
	char *release;	   /* the kernel's; NULL for a source package */
	char *arch;	   /* the kernel's machine name ("x86_64"), or "all" */
	char *summary;	   /* one line */
	char *description; /* lines, without an end of line at the end */
	char *maintainer;  /* "NAME <ADDRESS>" */
	char *licence;	   /* as the module says: "GPL" */
	gint64 mtime;	   /* seconds since 1970: of every time in the package */
	/* Each sorted by dest; no dest stands twice, or below one that is
	 * no directory. */
	GPtrArray *files;    /* struct ks_package_file */
	GPtrArray *links;    /* struct ks_package_link */
	GPtrArray *dirs;     /* struct ks_package_dir: the package's own directories */
	GPtrArray *provides; /* char *: as struct ks_record has them */
};

/* An empty package: arrays there, texts NULL, revision "1". */
struct ks_package *ks_package_new(enum ks_package_kind kind);
void ks_package_free(struct ks_package *package);
KS_DEFINE_CLEANUP(ks_package, ks_package_free)

/* Add to the arrays; the arguments are copied. */
KS_NONNULL(1)
void ks_package_add_file(struct ks_package *package, const char *dest, const char *sha256,
			 guint64 size_bytes, unsigned int mode, const char *source);
KS_NONNULL(1)
void ks_package_add_link(struct ks_package *package, const char *dest,
			 const char *target);
KS_NONNULL(1)
void ks_package_add_dir(struct ks_package *package, const char *dest, unsigned int mode);

/* The text, its arrays sorted. Same package, same bytes; free with g_free. */
KS_NONNULL(1)
char *ks_package_format(struct ks_package *package);

/*
 * Read a text and check it, so that a writer can rely on everything above and
 * on this: module, version, release and name have only ASCII letters, digits
 * and "._+~-:@^,=" and do not begin with '-' or '.', so that they may stand in a
 * file name, a header and between single quotes in a script; summary,
 * maintainer and licence are one line. KS_ERROR_INVALID otherwise (hostile
 * input, bounded).
 */
KS_MUST_CHECK
struct ks_package *ks_package_parse(const char *text, size_t size_bytes,
				    const char *label, GError **error);

/*
 * Open a file's content: a regular file of the announced size, no link. The
 * digest is for the reader to check while it copies. -1 with an error.
 */
KS_MUST_CHECK
KS_NONNULL(1)
int ks_package_open_content(const struct ks_package_file *file, GError **error);
