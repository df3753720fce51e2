/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The recorder protocol's reader for code without GLib. Like its model it is
 * driven by a table: each key says where its value goes and whether a block may
 * lack it.
 */
#include "plugins/rpm/recordtext.h"

#include <stdlib.h>
#include <string.h>

#define MAX_TEXT_BYTES (64 * 1024 * 1024)
#define MAX_LINE_BYTES (64 * 1024)
#define MAX_PATH_BYTES 4096
#define MAX_RECORDS    20000
#define SHA256_CHARS   64

struct reader {
	const char *at, *end;
	unsigned int line;
	struct ks_why *why;
};

struct key {
	const char *name;
	bool required;
	size_t offset; /* of a char * in the block's struct */
	/* Instead of the offset, for what is not one text; sets *why. */
	bool (*take)(void *block, const char *value, struct ks_why *why);
};

static bool fail(const struct reader *reader, const char *what)
{
	return ks_why_set(reader->why, "line %u: %s", reader->line, what);
}

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

/*
 * The value with %XX undone, or NULL for a broken escape, a NUL or a raw control
 * character; when memory runs out too, which reads as a refusal.
 */
static char *unescape(const char *value, size_t length)
{
	char *out = malloc(length + 1);
	char *to = out;

	for (const char *p = value; out && p < value + length; p++) {
		int high, low;

		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			goto broken;
		if (*p != '%') {
			*to++ = *p;
			continue;
		}
		high = p + 2 < value + length ? hex_value(p[1]) : -1;
		low = high < 0 ? -1 : hex_value(p[2]);
		if (low < 0 || high + low == 0)
			goto broken;
		*to++ = (char)(high * 16 + low);
		p += 2;
	}
	if (out)
		*to = '\0';
	return out;
broken:
	free(out);
	return NULL;
}

/* All digits of the base and nothing else, at most max. */
static bool read_number(const char *text, size_t length, unsigned int base, uint64_t max,
			uint64_t *number)
{
	uint64_t value = 0;

	for (size_t i = 0; i < length; i++) {
		unsigned int digit = (unsigned int)text[i] - '0';

		if (digit >= base || value > (max - digit) / base)
			return false;
		value = value * base + digit;
	}
	*number = value;
	return length > 0;
}

/* --- lines */

/* The next line, without its newline, as bytes; *more is false at the end of the text. */
static bool next_line(struct reader *reader, const char **line, size_t *length,
		      bool *more)
{
	const char *newline;

	*more = reader->at < reader->end;
	if (!*more)
		return true;
	reader->line++;
	newline = memchr(reader->at, '\n', (size_t)(reader->end - reader->at));
	if (!newline)
		return fail(reader, "the text is cut off");
	*length = (size_t)(newline - reader->at);
	if (*length > MAX_LINE_BYTES)
		return fail(reader, "the line is too long");
	if (memchr(reader->at, '\0', *length))
		return fail(reader, "the line holds a zero byte");
	*line = reader->at;
	reader->at = newline + 1;
	return true;
}

static bool take_text(void *block, const struct key *key, const char *value,
		      struct ks_why *why)
{
	char **slot = (char **)((char *)block + key->offset);

	if (*slot)
		return ks_why_set(why, "'%s' is there twice", key->name);
	*slot = unescape(value, strlen(value));
	if (!*slot)
		return ks_why_set(why, "'%s' is not escaped rightly", key->name);
	return true;
}

/* One "key=value" line into the block. Unknown keys are for later versions: ignored. */
static bool take_line(const struct reader *reader, const struct key *keys, char *line,
		      void *block)
{
	struct ks_why inner;
	char *equals = strchr(line, '=');
	bool ok;

	if (!equals || equals == line)
		return fail(reader, "not a 'key=value' line");
	*equals = '\0';
	while (keys->name && strcmp(keys->name, line) != 0)
		keys++;
	if (!keys->name)
		return true;
	ok = keys->take ? keys->take(block, equals + 1, &inner)
			: take_text(block, keys, equals + 1, &inner);
	return ok || fail(reader, inner.text);
}

static bool has_required(const struct reader *reader, const struct key *keys,
			 const void *block)
{
	for (; keys->name; keys++)
		if (keys->required &&
		    !*(char *const *)((const char *)block + keys->offset))
			return ks_why_set(reader->why,
					  "line %u: the block that ends here has no '%s'",
					  reader->line, keys->name);
	return true;
}

/* One block into *block; *more is false, without error, where the text ends instead. */
static bool read_block(struct reader *reader, const struct key *keys, void *block,
		       bool *more)
{
	const char *line = NULL;
	size_t length = 0;

	for (bool first = true;; first = false) {
		char *copy;
		bool ok;

		if (!next_line(reader, &line, &length, more))
			return false;
		if (!*more)
			return first || fail(reader, "the text is cut off");
		if (!length)
			return has_required(reader, keys, block);
		copy = strndup(line, length);
		ok = copy ? take_line(reader, keys, copy, block)
			  : ks_why_no_memory(reader->why);
		free(copy);
		if (!ok)
			return false;
	}
}

/* --- what is in a record */

/* Absolute, and the same file however it is spelt: no "//", ".", ".." or "/" at the end.
 */
static bool is_plain_path(const char *path)
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

static bool is_sha256(const char *text, size_t length)
{
	return length == SHA256_CHARS && strspn(text, "0123456789abcdef") >= length;
}

/* Room for one more; doubles, so that a long list costs no square. */
static void *grow(void *array, size_t n, size_t element_bytes)
{
	if (n & (n - 1))
		return array;
	return reallocarray(array, n ? 2 * n : 1, element_bytes);
}

static bool add_file(struct ks_text_record *record, const struct ks_text_file *file)
{
	struct ks_text_file *files =
		grow(record->files, record->n_files, sizeof(*record->files));

	if (!files)
		return false;
	record->files = files;
	files[record->n_files++] = *file;
	return true;
}

/* "PATH SHA256 SIZE MODE", the path with its blanks escaped too. */
static bool take_file(void *block, const char *value, struct ks_why *why)
{
	struct ks_text_file file = {0};
	const char *words[4];
	size_t lengths[4];
	uint64_t mode = 0;
	size_t n = 0;

	for (const char *p = value; n < 4; n++) {
		words[n] = p;
		lengths[n] = strcspn(p, " ");
		p += lengths[n];
		if (!*p) {
			n++;
			break;
		}
		p++;
	}
	if (n == 4 && !words[3][lengths[3]])
		file.path = unescape(words[0], lengths[0]);
	if (!file.path || !is_plain_path(file.path) || !is_sha256(words[1], lengths[1]) ||
	    !read_number(words[2], lengths[2], 10, INT64_MAX, &file.size_bytes) ||
	    !read_number(words[3], lengths[3], 8, 07777, &mode)) {
		free(file.path);
		return ks_why_set(why, "not a 'file=PATH SHA256 SIZE MODE' line");
	}
	file.mode = (unsigned int)mode;
	file.sha256 = strndup(words[1], lengths[1]);
	if (file.sha256 && add_file(block, &file))
		return true;
	free(file.path);
	free(file.sha256);
	return ks_why_no_memory(why);
}

/* "PATH TEXT", both with their blanks escaped. */
static bool take_link(void *block, const char *value, struct ks_why *why)
{
	struct ks_text_file file = {0};
	size_t length = strcspn(value, " ");
	const char *text = value + length + (value[length] != '\0');

	if (*text && !strchr(text, ' ')) {
		file.path = unescape(value, length);
		file.link = unescape(text, strlen(text));
	}
	if (file.path && is_plain_path(file.path) && file.link &&
	    is_plain_path(file.link)) {
		if (add_file(block, &file))
			return true;
		ks_why_no_memory(why);
	} else {
		ks_why_set(why, "not a 'link=PATH TEXT' line");
	}
	free(file.path);
	free(file.link);
	return false;
}

static bool take_provides(void *block, const char *value, struct ks_why *why)
{
	struct ks_text_record *record = block;
	char *text = unescape(value, strlen(value));
	char **provides;

	if (!text)
		return ks_why_set(why, "'provides' is not escaped rightly");
	provides = grow(record->provides, record->n_provides, sizeof(*provides));
	if (!provides) {
		free(text);
		return ks_why_no_memory(why);
	}
	record->provides = provides;
	provides[record->n_provides++] = text;
	return true;
}

static const struct key record_keys[] = {
	{"record", true, offsetof(struct ks_text_record, name)},
	{"module", true, offsetof(struct ks_text_record, module)},
	{"version", true, offsetof(struct ks_text_record, version)},
	{"kernel", true, offsetof(struct ks_text_record, release)},
	{"arch", true, offsetof(struct ks_text_record, arch)},
	{"digest", true, offsetof(struct ks_text_record, digest)},
	{"fingerprint", true, offsetof(struct ks_text_record, fingerprint)},
	{"file", .take = take_file},
	{"link", .take = take_link},
	{"provides", .take = take_provides},
	{NULL},
};

static const struct key cookie_keys[] = {
	{"module", true, offsetof(struct ks_text_record, module)},
	{"version", true, offsetof(struct ks_text_record, version)},
	{"kernel", true, offsetof(struct ks_text_record, release)},
	{"digest", true, offsetof(struct ks_text_record, digest)},
	{NULL},
};

void ks_text_record_clear(struct ks_text_record *record)
{
	free(record->name);
	free(record->module);
	free(record->version);
	free(record->release);
	free(record->arch);
	free(record->digest);
	free(record->fingerprint);
	for (size_t i = 0; i < record->n_files; i++) {
		free(record->files[i].path);
		free(record->files[i].sha256);
		free(record->files[i].link);
	}
	free(record->files);
	for (size_t i = 0; i < record->n_provides; i++)
		free(record->provides[i]);
	free(record->provides);
	memset(record, 0, sizeof(*record));
}

/* --- a whole text */

struct head {
	char *protocol, *records;
};

static const struct key head_keys[] = {
	{"protocol", true, offsetof(struct head, protocol)},
	{"records", true, offsetof(struct head, records)},
	{NULL},
};

static bool read_head(struct reader *reader, uint64_t *n_records)
{
	struct head head = {NULL, NULL};
	bool more = false;
	bool ok = read_block(reader, head_keys, &head, &more);

	if (ok && !more)
		ok = fail(reader, "the text is empty");
	else if (ok && strcmp(head.protocol, "1") != 0)
		ok = fail(reader, "not protocol version 1");
	else if (ok && !read_number(head.records, strlen(head.records), 10, MAX_RECORDS,
				    n_records))
		ok = fail(reader, "not a usable number of records");
	free(head.protocol);
	free(head.records);
	return ok;
}

bool ks_text_parse(const char *text, size_t size_bytes, struct ks_text_set *set,
		   struct ks_why *why)
{
	struct reader reader = {.at = text, .end = text + size_bytes, .why = why};
	uint64_t n_records = 0;
	bool more = true;

	memset(set, 0, sizeof(*set));
	if (size_bytes > MAX_TEXT_BYTES)
		return fail(&reader, "the text is too long");
	if (!read_head(&reader, &n_records))
		return false;
	while (set->n_records < n_records) {
		struct ks_text_record *records =
			grow(set->records, set->n_records, sizeof(*records));

		if (!records)
			return ks_why_no_memory(why);
		set->records = records;
		memset(&records[set->n_records], 0, sizeof(*records));
		if (!read_block(&reader, record_keys, &records[set->n_records++], &more))
			return false;
		if (!more)
			return fail(&reader, "the text is cut off");
	}
	return reader.at == reader.end || fail(&reader, "more records than announced");
}

void ks_text_clear(struct ks_text_set *set)
{
	for (size_t i = 0; i < set->n_records; i++)
		ks_text_record_clear(&set->records[i]);
	free(set->records);
	memset(set, 0, sizeof(*set));
}

bool ks_text_parse_block(const char *text, struct ks_text_record *record,
			 struct ks_why *why)
{
	struct reader reader = {.at = text, .end = text + strlen(text), .why = why};
	bool more = true;

	memset(record, 0, sizeof(*record));
	return read_block(&reader, cookie_keys, record, &more) &&
	       (more || fail(&reader, "the text is empty"));
}

void ks_text_print_line(FILE *to, const char *key, const char *value)
{
	fprintf(to, "%s=", key);
	for (const unsigned char *p = (const unsigned char *)value; *p; p++) {
		if (*p < 0x20 || *p == 0x7f || *p == '%')
			fprintf(to, "%%%02X", *p);
		else
			putc(*p, to);
	}
	putc('\n', to);
}
