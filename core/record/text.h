/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The grammar that records, lists and package descriptions are written in
 * (doc/record-protocol.md): a head that says how many blocks follow, blocks of
 * "key=value" lines, an empty line after each, %XX for control characters.
 *
 * This is its only reader. It is plain C on the C library alone, because the plugin of
 * rpm is loaded into every program that installs a package, and links nothing that
 * these do not; code with GLib reads through core/record/text-array.h.
 *
 * Reading is driven by a table: each key says where its value goes and whether
 * a block may lack it. Keys that are not in the table are ignored. A text is
 * bounded to 64 MiB, 20000 blocks and 64 KiB a line; one that ends early, or
 * goes on after the announced blocks, is refused, as is any other fault, with
 * "LABEL:LINE: " before it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/support/why.h"
#include "core/support/contract.h"

struct ks_text_key {
	const char *name;
	bool required;
	size_t offset; /* of a char * in the block's struct: allocated, or NULL */
	/* Instead of the offset, for a value that is not one text. Sets *why without
	 * label and line. */
	bool (*take)(void *block, const char *value, struct ks_why *why);
};

/* A text that is being read. What it was begun with is the caller's until the end. */
struct ks_text {
	const char *label, *count_key;
	const char *at, *end;
	unsigned int line;
	size_t n_blocks; /* as the head says */
	struct ks_why *why;
};

/* Read the head, in which count_key says how many blocks follow. */
KS_NONNULL(1)
bool ks_text_begin(struct ks_text *text, const char *bytes, size_t size_bytes,
		   const char *label, const char *count_key, struct ks_why *why);
/*
 * Read the next block into a zeroed struct. keys ends with one without a name. On failure
 * the block holds what was read so far.
 */
KS_NONNULL(1)
bool ks_text_read_block(struct ks_text *text, const struct ks_text_key *keys,
			void *block);
/* After the last block: false when something follows. */
KS_NONNULL(1)
bool ks_text_end(const struct ks_text *text);

/* Read bytes that are one block without a head. */
bool ks_text_read_only_block(const char *bytes, const char *label,
			     const struct ks_text_key *keys, void *block,
			     struct ks_why *why);

/*
 * The value with %XX undone, to be freed; NULL for a broken escape, a NUL or a raw
 * control character (and without memory, which reads as a refusal).
 */
char *ks_text_unescape(const char *value);

/*
 * Split a value at its blanks into exactly n words, none of them empty, and unescape
 * each; they are to be freed. False, and all of them NULL, for anything else.
 */
bool ks_text_split(const char *value, size_t n, char **words);

/* All digits of the base (up to ten) and nothing else, at most max. */
bool ks_text_read_number(const char *text, unsigned int base, uint64_t max,
			 uint64_t *number);

/* Absolute, and the same file however it is spelt: no "//", ".", ".." or "/" at
 * the end. */
bool ks_text_is_plain_path(const char *path);
/* 64 hexadecimal digits in lower case. */
bool ks_text_is_sha256(const char *text);

/* Does a writer escape it as %XX? With blanks, ' ' too. */
static inline bool ks_text_is_escaped(unsigned char c, bool blanks)
{
	return c < 0x20 || c == 0x7f || c == '%' || (blanks && c == ' ');
}

/* "KEY=VALUE\n", the value escaped. */
void ks_text_print_line(FILE *to, const char *key, const char *value);
