/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See text.h. */
#include "core/record/text.h"

#include <stdlib.h>
#include <string.h>

#define MAX_TEXT_BYTES (64 * 1024 * 1024)
#define MAX_LINE_BYTES (64 * 1024)
#define MAX_PATH_BYTES 4096
#define MAX_BLOCKS     20000
#define SHA256_CHARS   64

static bool fail(const struct ks_text *text, const char *what)
{
	return ks_why_set(text->why, "%s:%u: %s", text->label, text->line, what);
}

/* --- values */

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The byte that "%XX" stands for, or 0. */
static char read_escape(const char *escape)
{
	int high = hex_value(escape[1]);
	int low = high < 0 ? -1 : hex_value(escape[2]);

	return low < 0 ? '\0' : (char)(high * 16 + low);
}

static bool unescape_to(char *to, const char *value)
{
	for (const char *p = value; *p; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return false;
		if (*p != '%') {
			*to++ = *p;
			continue;
		}
		*to = read_escape(p);
		if (!*to++)
			return false;
		p += 2;
	}
	*to = '\0';
	return true;
}

char *ks_text_unescape(const char *value)
{
	char *text = malloc(strlen(value) + 1);

	if (text && unescape_to(text, value))
		return text;
	free(text);
	return NULL;
}

static char *unescape_word(const char *value, size_t length)
{
	char *word = strndup(value, length);
	char *text = word && *word ? ks_text_unescape(word) : NULL;

	free(word);
	return text;
}

bool ks_text_split(const char *value, size_t n, char **words)
{
	size_t taken = 0;
	bool more = true;

	memset(words, 0, n * sizeof(*words));
	while (more && taken < n) {
		size_t length = strcspn(value, " ");

		words[taken] = unescape_word(value, length);
		if (!words[taken])
			break;
		taken++;
		more = value[length] == ' ';
		value += length + more;
	}
	if (taken == n && !more)
		return true;
	while (taken--) {
		free(words[taken]);
		words[taken] = NULL;
	}
	return false;
}

bool ks_text_read_number(const char *text, unsigned int base, uint64_t max,
			 uint64_t *number)
{
	uint64_t value = 0;

	for (const char *p = text; *p; p++) {
		unsigned int digit = (unsigned int)*p - '0';

		if (digit >= base || digit > max || value > (max - digit) / base)
			return false;
		value = value * base + digit;
	}
	*number = value;
	return *text != '\0';
}

bool ks_text_is_plain_path(const char *path)
{
	if (path[0] != '/' || strlen(path) >= MAX_PATH_BYTES)
		return false;
	for (const char *part = path; *part;) {
		size_t length = strcspn(++part, "/");

		if (!length || (length == 1 && part[0] == '.') ||
		    (length == 2 && part[0] == '.' && part[1] == '.'))
			return false;
		part += length;
	}
	return true;
}

bool ks_text_is_sha256(const char *text)
{
	return strlen(text) == SHA256_CHARS &&
	       strspn(text, "0123456789abcdef") == SHA256_CHARS;
}

/* --- lines */

/* The next line, without its newline, as bytes; *more is false at the end of the text. */
static bool next_line(struct ks_text *text, const char **line, size_t *length, bool *more)
{
	const char *newline;

	*more = text->at < text->end;
	if (!*more)
		return true;
	text->line++;
	newline = memchr(text->at, '\n', (size_t)(text->end - text->at));
	if (!newline)
		return fail(text, "the text is cut off");
	*length = (size_t)(newline - text->at);
	if (*length > MAX_LINE_BYTES)
		return fail(text, "the line is too long");
	if (memchr(text->at, '\0', *length))
		return fail(text, "the line holds a zero byte");
	*line = text->at;
	text->at = newline + 1;
	return true;
}

static bool take_text(void *block, const struct ks_text_key *key, const char *value,
		      struct ks_why *why)
{
	char **slot = (char **)((char *)block + key->offset);

	if (*slot)
		return ks_why_set(why, "'%s' appears twice", key->name);
	*slot = ks_text_unescape(value);
	return *slot || ks_why_set(why, "'%s' is not escaped correctly", key->name);
}

/* One "key=value" line into the block. Unknown keys are for later versions: ignored. */
static bool take_line(const struct ks_text *text, const struct ks_text_key *keys,
		      char *line, void *block)
{
	struct ks_why inner = {""};
	char *equals = strchr(line, '=');
	bool ok;

	if (!equals || equals == line)
		return fail(text, "not a 'key=value' line");
	*equals = '\0';
	while (keys->name && strcmp(keys->name, line) != 0)
		keys++;
	if (!keys->name)
		return true;
	ok = keys->take ? keys->take(block, equals + 1, &inner)
			: take_text(block, keys, equals + 1, &inner);
	return ok || fail(text, inner.text);
}

static bool has_required(const struct ks_text *text, const struct ks_text_key *keys,
			 const void *block)
{
	for (; keys->name; keys++) {
		struct ks_why what;

		if (!keys->required ||
		    *(char *const *)((const char *)block + keys->offset))
			continue;
		ks_why_set(&what, "the block that ends here has no '%s'", keys->name);
		return fail(text, what.text);
	}
	return true;
}

bool ks_text_read_block(struct ks_text *text, const struct ks_text_key *keys, void *block)
{
	const char *line = NULL;
	size_t length = 0;

	for (;;) {
		char *copy;
		bool more, ok;

		if (!next_line(text, &line, &length, &more))
			return false;
		if (!more)
			return fail(text, "the text is cut off");
		if (!length)
			return has_required(text, keys, block);
		copy = strndup(line, length);
		ok = copy ? take_line(text, keys, copy, block)
			  : ks_why_no_memory(text->why);
		free(copy);
		if (!ok)
			return false;
	}
}

/* --- a whole text */

struct head {
	char *protocol, *count;
};

static bool check_head(struct ks_text *text, const struct head *head)
{
	struct ks_why what;
	uint64_t n_blocks = 0;

	if (strcmp(head->protocol, "1") != 0)
		return fail(text, "not protocol version 1");
	if (!ks_text_read_number(head->count, 10, MAX_BLOCKS, &n_blocks)) {
		ks_why_set(&what, "not a usable number of %s", text->count_key);
		return fail(text, what.text);
	}
	text->n_blocks = n_blocks;
	return true;
}

bool ks_text_begin(struct ks_text *text, const char *bytes, size_t size_bytes,
		   const char *label, const char *count_key, struct ks_why *why)
{
	/* a block like any other, except for the name of its second key */
	const struct ks_text_key keys[] = {
		{"protocol", true, offsetof(struct head, protocol)},
		{count_key, true, offsetof(struct head, count)},
		{NULL},
	};
	struct head head = {NULL, NULL};
	bool ok;

	*text = (struct ks_text){.label = label, .count_key = count_key, .why = why};
	if (!size_bytes)
		return fail(text, "the text is empty");
	if (size_bytes > MAX_TEXT_BYTES)
		return fail(text, "the text is too long");
	text->at = bytes;
	text->end = bytes + size_bytes;
	ok = ks_text_read_block(text, keys, &head) && check_head(text, &head);
	free(head.protocol);
	free(head.count);
	return ok;
}

bool ks_text_end(const struct ks_text *text)
{
	struct ks_why what;

	if (text->at == text->end)
		return true;
	ks_why_set(&what, "more %s than announced", text->count_key);
	return fail(text, what.text);
}

bool ks_text_read_only_block(const char *bytes, const char *label,
			     const struct ks_text_key *keys, void *block,
			     struct ks_why *why)
{
	struct ks_text text = {
		.label = label, .at = bytes, .end = bytes + strlen(bytes), .why = why};

	return ks_text_read_block(&text, keys, block);
}

void ks_text_print_line(FILE *to, const char *key, const char *value)
{
	fprintf(to, "%s=", key);
	for (const unsigned char *p = (const unsigned char *)value; *p; p++) {
		if (ks_text_is_escaped(*p, false))
			fprintf(to, "%%%02X", *p);
		else
			putc(*p, to);
	}
	putc('\n', to);
}
