/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The recorder protocol read and written. Reading is driven by two tables, one
 * for the records of a desired set and one for the entries of a list: each key
 * says where its value goes and whether a block may lack it.
 */
#include "core/record/protocol.h"

#include <stddef.h>
#include <string.h>

#include "core/support/error.h"

#define MAX_TEXT_BYTES (64 * 1024 * 1024)
#define MAX_LINE_BYTES (64 * 1024)
#define MAX_RECORDS    20000
#define SHA256_CHARS   64

struct reader {
	const char *label;
	const char *at, *end;
	guint line;
};

struct key {
	const char *name;
	bool required;
	size_t offset; /* of a char * in the block's struct */
	/* Instead of the offset, for what is not one text. Sets *error without file and
	 * line. */
	bool (*take)(void *block, const char *value, GError **error);
};

struct grammar {
	const struct key *keys;
	size_t n_keys;
	void *(*block_new)(void);
	GDestroyNotify block_free;
};

static bool fail(const struct reader *reader, GError **error, const char *what)
{
	ks_error_set(error, KS_ERROR_INVALID, "%s:%u: %s", reader->label, reader->line,
		     what);
	return false;
}

/* The value with %XX undone, or NULL for a broken escape, a NUL or a raw control
 * character. */
static char *unescape(const char *value)
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

static void append_escaped(GString *out, const char *value, bool blanks)
{
	for (const char *p = value; *p; p++) {
		guchar c = (guchar)*p;

		if (c < 0x20 || c == 0x7f || c == '%' || (blanks && c == ' '))
			g_string_append_printf(out, "%%%02X", c);
		else
			g_string_append_c(out, *p);
	}
}

static void append_line(GString *out, const char *key, const char *value)
{
	g_string_append_printf(out, "%s=", key);
	append_escaped(out, value ? value : "", false);
	g_string_append_c(out, '\n');
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

static const struct key *find_key(const struct grammar *grammar, const char *name)
{
	for (size_t i = 0; i < grammar->n_keys; i++)
		if (strcmp(grammar->keys[i].name, name) == 0)
			return &grammar->keys[i];
	return NULL;
}

static bool take_text(void *block, const struct key *key, const char *value,
		      GError **error)
{
	char **slot = (char **)((char *)block + key->offset);
	char *text;

	if (*slot) {
		ks_error_set(error, KS_ERROR_INVALID, "'%s' is there twice", key->name);
		return false;
	}
	text = unescape(value);
	if (!text) {
		ks_error_set(error, KS_ERROR_INVALID, "'%s' is not escaped rightly",
			     key->name);
		return false;
	}
	*slot = text;
	return true;
}

/* One "key=value" line into the block. Unknown keys are for later versions: ignored. */
static bool take_line(const struct reader *reader, const struct grammar *grammar,
		      char *line, void *block, GError **error)
{
	g_autoptr(GError) inner = NULL;
	char *equals = strchr(line, '=');
	const struct key *key;
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

static bool has_required(const struct reader *reader, const struct grammar *grammar,
			 const void *block, GError **error)
{
	for (size_t i = 0; i < grammar->n_keys; i++) {
		const struct key *key = &grammar->keys[i];
		g_autofree char *what = NULL;

		if (!key->required || *(char *const *)((const char *)block + key->offset))
			continue;
		what = g_strdup_printf("the block that ends here has no '%s'", key->name);
		return fail(reader, error, what);
	}
	return true;
}

/* One block into *block; *more is false, without error, where the text ends instead. */
static bool read_block(struct reader *reader, const struct grammar *grammar, void *block,
		       bool *more, GError **error)
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
	char *protocol, *records;
};

static const struct key head_keys[] = {
	{"protocol", true, offsetof(struct head, protocol)},
	{"records", true, offsetof(struct head, records)},
};

static const struct grammar head_grammar = {head_keys, G_N_ELEMENTS(head_keys), NULL,
					    NULL};

static bool read_head(struct reader *reader, guint64 *n_records, GError **error)
{
	struct head head = {NULL, NULL};
	bool more = false;
	bool ok = read_block(reader, &head_grammar, &head, &more, error);

	if (ok && !more)
		ok = fail(reader, error, "the text is empty");
	else if (ok && strcmp(head.protocol, "1") != 0)
		ok = fail(reader, error, "not protocol version 1");
	else if (ok && !g_ascii_string_to_unsigned(head.records, 10, 0, MAX_RECORDS,
						   n_records, NULL))
		ok = fail(reader, error, "not a usable number of records");
	g_free(head.protocol);
	g_free(head.records);
	return ok;
}

static GPtrArray *read_blocks(const char *text, size_t size_bytes, const char *label,
			      const struct grammar *grammar, GError **error)
{
	struct reader reader = {.label = label};
	g_autoptr(GPtrArray) blocks = g_ptr_array_new_with_free_func(grammar->block_free);
	guint64 n_records = 0;
	bool more = true;

	if (size_bytes > MAX_TEXT_BYTES) {
		fail(&reader, error, "the text is too long");
		return NULL;
	}
	if (size_bytes) {
		reader.at = text;
		reader.end = text + size_bytes;
	}
	if (!read_head(&reader, &n_records, error))
		return NULL;
	while (blocks->len < n_records) {
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
		fail(&reader, error, "more records than announced");
		return NULL;
	}
	return g_steal_pointer(&blocks);
}

/* --- the records of a desired set */

static void file_free(gpointer data)
{
	struct ks_record_file *file = data;

	g_free(file->path);
	g_free(file->sha256);
	g_free(file);
}

void ks_record_free(struct ks_record *record)
{
	if (!record)
		return;
	g_free(record->name);
	g_free(record->module);
	g_free(record->version);
	g_free(record->release);
	g_free(record->arch);
	g_free(record->digest);
	g_free(record->fingerprint);
	g_clear_pointer(&record->files, g_ptr_array_unref);
	g_clear_pointer(&record->provides, g_ptr_array_unref);
	g_free(record);
}

static void *record_block_new(void)
{
	struct ks_record *record = g_new0(struct ks_record, 1);

	record->files = g_ptr_array_new_with_free_func(file_free);
	record->provides = g_ptr_array_new_with_free_func(g_free);
	return record;
}

static void record_block_free(gpointer data)
{
	ks_record_free(data);
}

/* Absolute, and the same file however it is spelt: no "//", ".", ".." or "/" at the end.
 */
static bool is_plain_path(const char *path)
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

static bool is_sha256(const char *text)
{
	return strlen(text) == SHA256_CHARS &&
	       strspn(text, "0123456789abcdef") == SHA256_CHARS;
}

/* "PATH SHA256 SIZE MODE", the path with its blanks escaped too. */
static bool take_file(void *block, const char *value, GError **error)
{
	struct ks_record *record = block;
	g_auto(GStrv) words = g_strsplit(value, " ", 5);
	g_autofree char *path = NULL;
	struct ks_record_file *file;
	guint64 size_bytes, mode;

	path = g_strv_length(words) == 4 ? unescape(words[0]) : NULL;
	if (!path || !is_plain_path(path) || !is_sha256(words[1]) ||
	    !g_ascii_string_to_unsigned(words[2], 10, 0, G_MAXINT64, &size_bytes, NULL) ||
	    !g_ascii_string_to_unsigned(words[3], 8, 0, 07777, &mode, NULL)) {
		ks_error_set(error, KS_ERROR_INVALID,
			     "not a 'file=PATH SHA256 SIZE MODE' line");
		return false;
	}
	file = g_new0(struct ks_record_file, 1);
	file->path = g_steal_pointer(&path);
	file->sha256 = g_strdup(words[1]);
	file->size_bytes = size_bytes;
	file->mode = (unsigned int)mode;
	g_ptr_array_add(record->files, file);
	return true;
}

static bool take_provides(void *block, const char *value, GError **error)
{
	struct ks_record *record = block;
	char *text = unescape(value);

	if (!text) {
		ks_error_set(error, KS_ERROR_INVALID,
			     "'provides' is not escaped rightly");
		return false;
	}
	g_ptr_array_add(record->provides, text);
	return true;
}

static const struct key record_keys[] = {
	{"record", true, offsetof(struct ks_record, name)},
	{"module", true, offsetof(struct ks_record, module)},
	{"version", true, offsetof(struct ks_record, version)},
	{"kernel", true, offsetof(struct ks_record, release)},
	{"arch", true, offsetof(struct ks_record, arch)},
	{"digest", true, offsetof(struct ks_record, digest)},
	{"fingerprint", true, offsetof(struct ks_record, fingerprint)},
	{"file", .take = take_file},
	{"provides", .take = take_provides},
};

static const struct grammar record_grammar = {record_keys, G_N_ELEMENTS(record_keys),
					      record_block_new, record_block_free};

GPtrArray *ks_record_parse(const char *text, size_t size_bytes, const char *label,
			   GError **error)
{
	return read_blocks(text, size_bytes, label, &record_grammar, error);
}

static void append_head(GString *out, guint n_records)
{
	g_string_append_printf(out, "protocol=1\nrecords=%u\n\n", n_records);
}

static void append_record(GString *out, const struct ks_record *record)
{
	append_line(out, "record", record->name);
	append_line(out, "module", record->module);
	append_line(out, "version", record->version);
	append_line(out, "kernel", record->release);
	append_line(out, "arch", record->arch);
	append_line(out, "digest", record->digest);
	append_line(out, "fingerprint", record->fingerprint);
	for (guint i = 0; i < record->files->len; i++) {
		const struct ks_record_file *file = g_ptr_array_index(record->files, i);

		g_string_append(out, "file=");
		append_escaped(out, file->path, true);
		g_string_append_printf(out, " %s %" G_GUINT64_FORMAT " %o\n",
				       file->sha256, file->size_bytes, file->mode);
	}
	for (guint i = 0; i < record->provides->len; i++)
		append_line(out, "provides", g_ptr_array_index(record->provides, i));
	g_string_append_c(out, '\n');
}

char *ks_record_format(GPtrArray *records)
{
	GString *out = g_string_new(NULL);

	append_head(out, records->len);
	for (guint i = 0; i < records->len; i++)
		append_record(out, g_ptr_array_index(records, i));
	return g_string_free(out, FALSE);
}

/* --- the entries of a list */

static void *entry_block_new(void)
{
	return g_new0(struct ks_record_entry, 1);
}

/* Not ks_record_entry_free(): a recorder would then link the inventory and all below it.
 */
static void entry_block_free(gpointer data)
{
	struct ks_record_entry *entry = data;

	g_free(entry->package);
	g_free(entry->module);
	g_free(entry->version);
	g_free(entry->release);
	g_free(entry->digest);
	g_free(entry);
}

static bool take_flag(bool *flag, const char *key, const char *value, GError **error)
{
	if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0) {
		ks_error_set(error, KS_ERROR_INVALID, "'%s' is neither 'yes' nor 'no'",
			     key);
		return false;
	}
	*flag = strcmp(value, "yes") == 0;
	return true;
}

static bool take_complete(void *block, const char *value, GError **error)
{
	return take_flag(&((struct ks_record_entry *)block)->complete, "complete", value,
			 error);
}

static bool take_ours(void *block, const char *value, GError **error)
{
	return take_flag(&((struct ks_record_entry *)block)->ours, "ours", value, error);
}

static const struct key entry_keys[] = {
	{"record", true, offsetof(struct ks_record_entry, package)},
	{"module", true, offsetof(struct ks_record_entry, module)},
	{"version", true, offsetof(struct ks_record_entry, version)},
	{"kernel", true, offsetof(struct ks_record_entry, release)},
	{"digest", true, offsetof(struct ks_record_entry, digest)},
	{"complete", .take = take_complete},
	{"ours", .take = take_ours},
};

static const struct grammar entry_grammar = {entry_keys, G_N_ELEMENTS(entry_keys),
					     entry_block_new, entry_block_free};

GPtrArray *ks_record_parse_list(const char *text, size_t size_bytes, const char *label,
				GError **error)
{
	return read_blocks(text, size_bytes, label, &entry_grammar, error);
}

char *ks_record_format_list(GPtrArray *entries)
{
	GString *out = g_string_new(NULL);

	append_head(out, entries->len);
	for (guint i = 0; i < entries->len; i++) {
		const struct ks_record_entry *entry = g_ptr_array_index(entries, i);

		append_line(out, "record", entry->package);
		append_line(out, "module", entry->module);
		append_line(out, "version", entry->version);
		append_line(out, "kernel", entry->release);
		append_line(out, "digest", entry->digest);
		append_line(out, "complete", entry->complete ? "yes" : "no");
		append_line(out, "ours", entry->ours ? "yes" : "no");
		g_string_append_c(out, '\n');
	}
	return g_string_free(out, FALSE);
}
