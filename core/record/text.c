/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See text.h. */
#include "core/record/text.h"

#include <string.h>

#include "core/support/error.h"

#define MAX_TEXT_BYTES (64 * 1024 * 1024)
#define MAX_LINE_BYTES (64 * 1024)
#define MAX_BLOCKS     20000
#define SHA256_CHARS   64

struct reader {
	const char *label;
	const char *at, *end;
	guint line;
};

static bool fail(const struct reader *reader, GError **error, const char *what)
{
	ks_error_set(error, KS_ERROR_INVALID, "%s:%u: %s", reader->label, reader->line,
		     what);
	return false;
}

char *ks_text_unescape(const char *value)
{
	g_autoptr(GString) out = g_string_new(NULL);

	for (const char *p = value; *p; p++) {
		int high, low;

		if ((guchar)*p < 0x20 || *p == 0x7f)
			return NULL;
		if (*p != '%') {
			g_string_append_c(out, *p);
			continue;
		}
		high = g_ascii_xdigit_value(p[1]);
		low = high < 0 ? -1 : g_ascii_xdigit_value(p[2]);
		if (low < 0 || high + low == 0)
			return NULL;
		g_string_append_c(out, (char)(high * 16 + low));
		p += 2;
	}
	return g_string_free(g_steal_pointer(&out), FALSE);
}

void ks_text_append_escaped(GString *out, const char *value, bool blanks)
{
	for (const char *p = value; *p; p++) {
		guchar c = (guchar)*p;

		if (c < 0x20 || c == 0x7f || c == '%' || (blanks && c == ' '))
			g_string_append_printf(out, "%%%02X", c);
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

bool ks_text_is_plain_path(const char *path)
{
	g_auto(GStrv) parts = NULL;

	if (path[0] != '/' || strlen(path) >= 4096)
		return false;
	parts = g_strsplit(path + 1, "/", -1);
	for (char **part = parts; *part; part++)
		if (!**part || strcmp(*part, ".") == 0 || strcmp(*part, "..") == 0)
			return false;
	return parts[0] != NULL;
}

bool ks_text_is_sha256(const char *text)
{
	return strlen(text) == SHA256_CHARS &&
	       strspn(text, "0123456789abcdef") == SHA256_CHARS;
}

/* --- reading */

/* The next line without its newline; *more is false at the end of the text. */
static char *next_line(struct reader *reader, bool *more, GError **error)
{
	const char *newline;
	char *line;

	*more = reader->at < reader->end;
	if (!*more)
		return NULL;
	reader->line++;
	newline = memchr(reader->at, '\n', (size_t)(reader->end - reader->at));
	if (!newline) {
		fail(reader, error, "the text is cut off");
		return NULL;
	}
	if (newline - reader->at > MAX_LINE_BYTES) {
		fail(reader, error, "the line is too long");
		return NULL;
	}
	if (memchr(reader->at, '\0', (size_t)(newline - reader->at))) {
		fail(reader, error, "the line holds a zero byte");
		return NULL;
	}
	line = g_strndup(reader->at, (size_t)(newline - reader->at));
	reader->at = newline + 1;
	return line;
}

static const struct ks_text_key *find_key(const struct ks_text_grammar *grammar,
					  const char *name)
{
	for (size_t i = 0; i < grammar->n_keys; i++)
		if (strcmp(grammar->keys[i].name, name) == 0)
			return &grammar->keys[i];
	return NULL;
}

static bool take_text(void *block, const struct ks_text_key *key, const char *value,
		      GError **error)
{
	char **slot = (char **)((char *)block + key->offset);
	char *text;

	if (*slot) {
		ks_error_set(error, KS_ERROR_INVALID, "'%s' is there twice", key->name);
		return false;
	}
	text = ks_text_unescape(value);
	if (!text) {
		ks_error_set(error, KS_ERROR_INVALID, "'%s' is not escaped rightly",
			     key->name);
		return false;
	}
	*slot = text;
	return true;
}

/* One "key=value" line into the block. Unknown keys are for later versions: ignored. */
static bool take_line(const struct reader *reader, const struct ks_text_grammar *grammar,
		      char *line, void *block, GError **error)
{
	g_autoptr(GError) inner = NULL;
	char *equals = strchr(line, '=');
	const struct ks_text_key *key;
	bool ok;

	if (!equals || equals == line)
		return fail(reader, error, "not a 'key=value' line");
	*equals = '\0';
	key = find_key(grammar, line);
	if (!key)
		return true;
	ok = key->take ? key->take(block, equals + 1, &inner)
		       : take_text(block, key, equals + 1, &inner);
	return ok || fail(reader, error, inner->message);
}

static bool has_required(const struct reader *reader,
			 const struct ks_text_grammar *grammar, const void *block,
			 GError **error)
{
	for (size_t i = 0; i < grammar->n_keys; i++) {
		const struct ks_text_key *key = &grammar->keys[i];
		g_autofree char *what = NULL;

		if (!key->required || *(char *const *)((const char *)block + key->offset))
			continue;
		what = g_strdup_printf("the block that ends here has no '%s'", key->name);
		return fail(reader, error, what);
	}
	return true;
}

/* One block into *block; *more is false, without error, where the text ends instead. */
static bool read_block(struct reader *reader, const struct ks_text_grammar *grammar,
		       void *block, bool *more, GError **error)
{
	bool first = true;

	for (;; first = false) {
		g_autofree char *line = next_line(reader, more, error);

		if (!line && *more)
			return false;
		if (!line)
			return first || fail(reader, error, "the text is cut off");
		if (!*line)
			return has_required(reader, grammar, block, error);
		if (!take_line(reader, grammar, line, block, error))
			return false;
	}
}

struct head {
	char *protocol, *count;
};

/* The head is a block like any other, but for the name of its second key. */
static bool read_head(struct reader *reader, const char *count_key, guint64 *n_blocks,
		      GError **error)
{
	const struct ks_text_key keys[] = {
		{"protocol", true, offsetof(struct head, protocol)},
		{count_key, true, offsetof(struct head, count)},
	};
	const struct ks_text_grammar grammar = {.keys = keys,
						.n_keys = G_N_ELEMENTS(keys)};
	struct head head = {NULL, NULL};
	bool more = false;
	bool ok = read_block(reader, &grammar, &head, &more, error);

	if (ok && !more)
		ok = fail(reader, error, "the text is empty");
	else if (ok && strcmp(head.protocol, "1") != 0)
		ok = fail(reader, error, "not protocol version 1");
	else if (ok && !g_ascii_string_to_unsigned(head.count, 10, 0, MAX_BLOCKS,
						   n_blocks, NULL)) {
		g_autofree char *what =
			g_strdup_printf("not a usable number of %s", count_key);

		ok = fail(reader, error, what);
	}
	g_free(head.protocol);
	g_free(head.count);
	return ok;
}

GPtrArray *ks_text_read(const char *text, size_t size_bytes, const char *label,
			const struct ks_text_grammar *grammar, GError **error)
{
	struct reader reader = {.label = label};
	g_autoptr(GPtrArray) blocks = g_ptr_array_new_with_free_func(grammar->block_free);
	guint64 n_blocks = 0;
	bool more = true;

	if (size_bytes > MAX_TEXT_BYTES) {
		fail(&reader, error, "the text is too long");
		return NULL;
	}
	if (size_bytes) {
		reader.at = text;
		reader.end = text + size_bytes;
	}
	if (!read_head(&reader, grammar->count_key, &n_blocks, error))
		return NULL;
	while (blocks->len < n_blocks) {
		void *block = grammar->block_new();

		g_ptr_array_add(blocks, block);
		if (!read_block(&reader, grammar, block, &more, error))
			return NULL;
		if (!more) {
			fail(&reader, error, "the text is cut off");
			return NULL;
		}
	}
	if (reader.at != reader.end) {
		g_autofree char *what =
			g_strdup_printf("more %s than announced", grammar->count_key);

		fail(&reader, error, what);
		return NULL;
	}
	return g_steal_pointer(&blocks);
}
