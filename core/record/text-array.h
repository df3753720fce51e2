/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The grammar of core/record/text.h for code with GLib, and its writer. */
#pragma once

#include <glib.h>

#include "core/record/text.h"
#include "core/support/contract.h"

struct ks_text_grammar {
	const char *count_key; /* in the head: how many blocks follow */
	const struct ks_text_key *keys;
	void *(*block_new)(void);
	GDestroyNotify block_free;
};

/*
 * The blocks of a text, as block_new made them; they are freed with block_free.
 * KS_ERROR_INVALID with "LABEL:LINE: " before it for a text that the grammar refuses.
 */
KS_MUST_CHECK
GPtrArray *ks_text_read_array(const char *bytes, size_t size_bytes, const char *label,
			      const struct ks_text_grammar *grammar, GError **error);

/* "protocol=1", "COUNT_KEY=N" and the empty line. */
void ks_text_append_head(GString *out, const char *count_key, guint n_blocks);
/* "KEY=VALUE", escaped. NULL is written as an empty value. */
void ks_text_append_line(GString *out, const char *key, const char *value);
/* The value alone; with blanks, ' ' is escaped too. */
void ks_text_append_escaped(GString *out, const char *value, bool blanks);
