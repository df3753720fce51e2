/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The desired set of records as text (doc/record-protocol.md), read without GLib:
 * a plugin of rpm is loaded into every program that installs a package, and links
 * nothing that these do not. The grammar is that of core/record/protocol.c, the
 * same texts are taken and refused (tests/fuzz/fuzz-recordtext.c compares them).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "plugins/rpm/why.h"

struct ks_text_file {
	char *path;   /* absolute in the tree, without ".", ".." or "//" */
	char *sha256; /* NULL: a link */
	char *link;   /* the text of a symbolic link; NULL: a file */
	uint64_t size_bytes;
	unsigned int mode;
};

struct ks_text_record {
	char *name; /* kmod-foo-6.1.0-56-amd64, in the protocol's spelling */
	char *module, *version, *release, *arch;
	char *digest, *fingerprint;
	struct ks_text_file *files;
	size_t n_files;
	char **provides;
	size_t n_provides;
};

struct ks_text_set {
	struct ks_text_record *records;
	size_t n_records;
};

/*
 * Read a set; false, with the line in *why, for anything but a whole and valid
 * text. *set is to be cleared in either case.
 */
bool ks_text_parse(const char *text, size_t size_bytes, struct ks_text_set *set,
		   struct ks_why *why);
void ks_text_clear(struct ks_text_set *set);

/*
 * Read one block of keys as the cookie of a package of ours has it: module,
 * version, kernel and digest; others are ignored. *record is to be cleared with
 * ks_text_record_clear() in either case.
 */
bool ks_text_parse_block(const char *text, struct ks_text_record *record,
			 struct ks_why *why);
void ks_text_record_clear(struct ks_text_record *record);

/* "KEY=VALUE\n", the value escaped. */
void ks_text_print_line(FILE *to, const char *key, const char *value);
