/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The grammar that records, lists and package descriptions are written in
 * (doc/record-protocol.md): a head that says how many blocks follow, blocks of
 * "key=value" lines, an empty line behind each, %XX for control characters.
 *
 * Reading is driven by a table: each key says where its value goes and whether
 * a block may lack it. Keys that are not in the table are ignored. A text is
 * bounded to 64 MiB, 20000 blocks and 64 KiB a line; one that ends early, or
 * goes on behind the announced blocks, is KS_ERROR_INVALID, as is any other
 * fault, with "LABEL:LINE: " before it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <glib.h>

struct ks_text_key {
	const char *name;
	bool required;
	size_t offset; /* of a char * in the block's struct */
	/* Instead of the offset, for what is not one text. Sets *error without label and
	 * line. */
	bool (*take)(void *block, const char *value, GError **error);
};

struct ks_text_grammar {
	const char *count_key; /* in the head: how many blocks follow */
	const struct ks_text_key *keys;
	size_t n_keys;
	void *(*block_new)(void);
	GDestroyNotify block_free;
};

/* The blocks of text, as block_new made them; they are freed with block_free. */
GPtrArray *ks_text_read(const char *text, size_t size_bytes, const char *label,
			const struct ks_text_grammar *grammar, GError **error);

/* "protocol=1", "COUNT_KEY=N" and the empty line. */
void ks_text_append_head(GString *out, const char *count_key, guint n_blocks);
/* "KEY=VALUE", escaped. NULL is written as an empty value. */
void ks_text_append_line(GString *out, const char *key, const char *value);
/* The value alone; with blanks, ' ' is escaped too. */
void ks_text_append_escaped(GString *out, const char *value, bool blanks);

/* The value with %XX undone; NULL for a broken escape, a NUL or a raw control character.
 */
char *ks_text_unescape(const char *value);

/* Absolute, and the same file however it is spelt: no "//", ".", ".." or "/" at the end.
 */
bool ks_text_is_plain_path(const char *path);
/* 64 hexadecimal digits in lower case. */
bool ks_text_is_sha256(const char *text);
