/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See text-array.h. */
#include "core/record/text-array.h"

#include "core/support/error.h"

static bool read_blocks(struct ks_text *text, const struct ks_text_grammar *grammar,
			GPtrArray *blocks)
{
	while (blocks->len < text->n_blocks) {
		void *block = grammar->block_new();

		g_ptr_array_add(blocks, block);
		if (!ks_text_read_block(text, grammar->keys, block))
			return false;
	}
	return ks_text_end(text);
}

GPtrArray *ks_text_read_array(const char *bytes, size_t size_bytes, const char *label,
			      const struct ks_text_grammar *grammar, GError **error)
{
	g_autoptr(GPtrArray) blocks = g_ptr_array_new_with_free_func(grammar->block_free);
	struct ks_text text;
	struct ks_why why;

	if (ks_text_begin(&text, bytes, size_bytes, label, grammar->count_key, &why) &&
	    read_blocks(&text, grammar, blocks))
		return g_steal_pointer(&blocks);
	ks_error_set(error, KS_ERROR_INVALID, "%s", why.text);
	return NULL;
}

void ks_text_append_escaped(GString *out, const char *value, bool blanks)
{
	for (const char *p = value; *p; p++) {
		if (ks_text_is_escaped((unsigned char)*p, blanks))
			g_string_append_printf(out, "%%%02X", (unsigned char)*p);
		else
			g_string_append_c(out, *p);
	}
}

void ks_text_append_line(GString *out, const char *key, const char *value)
{
	g_string_append_printf(out, "%s=", key);
	ks_text_append_escaped(out, value ? value : "", false);
	g_string_append_c(out, '\n');
}

void ks_text_append_head(GString *out, const char *count_key, guint n_blocks)
{
	g_string_append_printf(out, "protocol=1\n%s=%u\n\n", count_key, n_blocks);
}
