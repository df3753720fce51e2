/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The text that the engine and the recorders exchange, version 1: what a record and an
 * entry of a list are, and their one reader. The grammar, the keys and the exit codes
 * are described in doc/record-protocol.md.
 *
 *	protocol=1
 *	records=1
 *
 *	record=kmod-foo-6.1.0-56-amd64
 *	module=foo
 *	...
 *	file=/lib/modules/6.1.0-56-amd64/updates/dkms/foo.ko 9f86... 12345 644
 *
 * Every block, the last one too, ends with an empty line, and the head says
 * how many follow: a text that was cut off anywhere is refused, so that a
 * writer that died is never mistaken for an empty desired set.
 *
 * Plain C, as core/record/text.h is. With GLib, core/record/record.h reads and writes
 * whole texts. Texts and arrays may come from malloc() or g_malloc(), which are the same.
 */
#pragma once

#include "core/record/text.h"

struct ks_record_file {
	char *path;	     /* absolute in the tree */
	char *sha256;	     /* of a file; NULL: a link */
	char *link;	     /* a symbolic link's text; NULL: a file */
	uint64_t size_bytes; /* of a file */
	unsigned int mode;   /* of a file */
};

struct ks_record {
	char *name; /* kmod-foo-6.1.0-56-amd64, in the protocol's spelling */
	char *module, *version, *release, *arch;
	char *digest;	   /* over everything else: the record is right iff equal */
	char *fingerprint; /* build fingerprint */
	struct ks_record_file *files;
	size_t n_files;
	char **provides; /* "kmod(foo.ko)", "modalias(pci:...)", "ksyms-set(...)" */
	size_t n_provides;
};

/* What the package database holds, as the recorder lists it. */
struct ks_record_entry {
	char *package; /* kmod-foo-6.1.0-56-amd64 */
	char *module, *version, *release;
	char *digest;  /* that of struct ks_record */
	bool complete; /* fully installed, nothing half configured */
	bool ours;     /* carries our mark; false: a foreign package with such a name */
};

/* The keys of the two blocks, for ks_text_read_block(). */
extern const struct ks_text_key ks_record_keys[];
extern const struct ks_text_key ks_record_entry_keys[];

void ks_record_free(struct ks_record *record);
void ks_record_entry_free(struct ks_record_entry *entry);

struct ks_record_set {
	struct ks_record *records;
	size_t n_records;
};

/*
 * Read a desired set; false, with "LABEL:LINE: " in *why, unless the text is
 * whole and valid. The caller clears *set in either case.
 */
bool ks_record_set_read(const char *bytes, size_t size_bytes, const char *label,
			struct ks_record_set *set, struct ks_why *why);
void ks_record_set_clear(struct ks_record_set *set);
