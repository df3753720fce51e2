/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A package's header made in memory: what rpmbuild would have written, for files
 * that are described, not read. Used for records, whose files the engine has
 * installed already, and for packages that are written to a file.
 *
 * The tags and their types are those of rpm's docs/manual/tags.md.
 */
#pragma once

#include <stdint.h>
#include <sys/stat.h>

#include "plugins/rpm/compat.h"
#include "core/support/why.h"

struct ks_header_dep {
	char *name;
	char *evr;	/* NULL: any */
	uint32_t flags; /* RPMSENSE_* */
};

struct ks_header_file {
	char *path; /* absolute, a directory without "/" at the end */
	mode_t mode;
	uint64_t size_bytes; /* of a regular file; all together below 4 GiB */
	char *sha256;	     /* of a regular file; else "" */
	char *link_target;   /* of a symbolic link; else "" */
	time_t mtime;
};

/* Texts are borrowed; the elements of the arrays are this struct's own. */
struct ks_header {
	const char *name, *version, *release, *arch;
	const char *summary, *description, *licence;
	const char *vendor;   /* NULL: none */
	const char *packager; /* NULL: none */
	const char *cookie;   /* NULL: none; machine-readable, not shown by rpm -qi */
	const char *post;     /* NULL, or a script for /bin/sh after installation */
	const char *preun;    /* before removal */
	const char *postun;   /* after removal */
	time_t build_time;
	struct ks_header_dep *provides, *requires, *recommends;
	size_t n_provides, n_requires, n_recommends;
	struct ks_header_file *files;
	size_t n_files;
};

/* Copy the texts in. False when memory runs out. */
bool ks_header_add_provides(struct ks_header *header, const char *name, const char *evr,
			    uint32_t flags);
bool ks_header_add_requires(struct ks_header *header, const char *name, const char *evr,
			    uint32_t flags);
bool ks_header_add_recommends(struct ks_header *header, const char *name, const char *evr,
			      uint32_t flags);
bool ks_header_add_file(struct ks_header *header, const struct ks_header_file *file);
void ks_header_clear(struct ks_header *header);

/*
 * The immutable header: free with headerFree(). Sorts and thins out files and
 * dependencies, adds the package's own "NAME = VERSION-RELEASE".
 */
Header ks_header_build(struct ks_header *header, struct ks_why *why);

/*
 * The same for a package file whose payload, cpio compressed by gzip at this level
 * ("9"), has this SHA-256; NULL for a header that only serves to write the payload.
 */
Header ks_header_build_for_file(struct ks_header *header, const char *level,
				const char *payload_sha256, struct ks_why *why);

/*
 * Add what rpm puts beside the immutable part when it installs a package: digests
 * of the header, times, states of n_files files.
 */
bool ks_header_mark_installed(Header h, size_t n_files, rpm_tid_t tid,
			      struct ks_why *why);

/* Digest (KS_HASH_*) of a header as it is in a file, in hexadecimal; to be freed. */
char *ks_header_digest(Header h, int algorithm);

/* The bytes before a header in a file: magic, version, four zero bytes. */
#define KS_HEADER_MAGIC_BYTES 8
extern const uint8_t ks_header_magic[KS_HEADER_MAGIC_BYTES];
