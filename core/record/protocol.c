/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The recorder protocol read and written: two tables for the grammar of
 * text.h, one for the records of a desired set and one for the entries of a
 * list.
 */
#include "core/record/protocol.h"

#include <stddef.h>
#include <string.h>

#include "core/record/text.h"
#include "core/support/error.h"

/* --- the records of a desired set */

static void file_free(gpointer data)
{
	struct ks_record_file *file = data;

	g_free(file->path);
	g_free(file->sha256);
	g_free(file->link);
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

/* "PATH SHA256 SIZE MODE", the path with its blanks escaped too. */
static bool take_file(void *block, const char *value, GError **error)
{
	struct ks_record *record = block;
	g_auto(GStrv) words = g_strsplit(value, " ", 5);
	g_autofree char *path = NULL;
	struct ks_record_file *file;
	guint64 size_bytes, mode;

	path = g_strv_length(words) == 4 ? ks_text_unescape(words[0]) : NULL;
	if (!path || !ks_text_is_plain_path(path) || !ks_text_is_sha256(words[1]) ||
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

/* "PATH TEXT", both with their blanks escaped. */
static bool take_link(void *block, const char *value, GError **error)
{
	struct ks_record *record = block;
	g_auto(GStrv) words = g_strsplit(value, " ", 3);
	const bool is_pair = g_strv_length(words) == 2;
	g_autofree char *path = is_pair ? ks_text_unescape(words[0]) : NULL;
	g_autofree char *link = is_pair ? ks_text_unescape(words[1]) : NULL;
	struct ks_record_file *file;

	if (!path || !ks_text_is_plain_path(path) || !link ||
	    !ks_text_is_plain_path(link)) {
		ks_error_set(error, KS_ERROR_INVALID, "not a 'link=PATH TEXT' line");
		return false;
	}
	file = g_new0(struct ks_record_file, 1);
	file->path = g_steal_pointer(&path);
	file->link = g_steal_pointer(&link);
	g_ptr_array_add(record->files, file);
	return true;
}

static bool take_provides(void *block, const char *value, GError **error)
{
	struct ks_record *record = block;
	char *text = ks_text_unescape(value);

	if (!text) {
		ks_error_set(error, KS_ERROR_INVALID,
			     "'provides' is not escaped rightly");
		return false;
	}
	g_ptr_array_add(record->provides, text);
	return true;
}

static const struct ks_text_key record_keys[] = {
	{"record", true, offsetof(struct ks_record, name)},
	{"module", true, offsetof(struct ks_record, module)},
	{"version", true, offsetof(struct ks_record, version)},
	{"kernel", true, offsetof(struct ks_record, release)},
	{"arch", true, offsetof(struct ks_record, arch)},
	{"digest", true, offsetof(struct ks_record, digest)},
	{"fingerprint", true, offsetof(struct ks_record, fingerprint)},
	{"file", .take = take_file},
	{"link", .take = take_link},
	{"provides", .take = take_provides},
};

static const struct ks_text_grammar record_grammar = {
	"records", record_keys, G_N_ELEMENTS(record_keys), record_block_new,
	record_block_free};

GPtrArray *ks_record_parse(const char *text, size_t size_bytes, const char *label,
			   GError **error)
{
	return ks_text_read(text, size_bytes, label, &record_grammar, error);
}

static void append_file(GString *out, const struct ks_record_file *file)
{
	g_string_append(out, file->link ? "link=" : "file=");
	ks_text_append_escaped(out, file->path, true);
	g_string_append_c(out, ' ');
	if (file->link) {
		ks_text_append_escaped(out, file->link, true);
		g_string_append_c(out, '\n');
		return;
	}
	g_string_append_printf(out, "%s %" G_GUINT64_FORMAT " %o\n", file->sha256,
			       file->size_bytes, file->mode);
}

static void append_record(GString *out, const struct ks_record *record)
{
	ks_text_append_line(out, "record", record->name);
	ks_text_append_line(out, "module", record->module);
	ks_text_append_line(out, "version", record->version);
	ks_text_append_line(out, "kernel", record->release);
	ks_text_append_line(out, "arch", record->arch);
	ks_text_append_line(out, "digest", record->digest);
	ks_text_append_line(out, "fingerprint", record->fingerprint);
	for (guint i = 0; i < record->files->len; i++)
		append_file(out, g_ptr_array_index(record->files, i));
	for (guint i = 0; i < record->provides->len; i++)
		ks_text_append_line(out, "provides",
				    g_ptr_array_index(record->provides, i));
	g_string_append_c(out, '\n');
}

char *ks_record_format(GPtrArray *records)
{
	GString *out = g_string_new(NULL);

	ks_text_append_head(out, "records", records->len);
	for (guint i = 0; i < records->len; i++)
		append_record(out, g_ptr_array_index(records, i));
	return g_string_free(out, FALSE);
}

/* --- the entries of a list */

static void *entry_block_new(void)
{
	return g_new0(struct ks_record_entry, 1);
}

void ks_record_entry_free(struct ks_record_entry *entry)
{
	if (!entry)
		return;
	g_free(entry->package);
	g_free(entry->module);
	g_free(entry->version);
	g_free(entry->release);
	g_free(entry->digest);
	g_free(entry);
}

static void entry_block_free(gpointer data)
{
	ks_record_entry_free(data);
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

static const struct ks_text_key entry_keys[] = {
	{"record", true, offsetof(struct ks_record_entry, package)},
	{"module", true, offsetof(struct ks_record_entry, module)},
	{"version", true, offsetof(struct ks_record_entry, version)},
	{"kernel", true, offsetof(struct ks_record_entry, release)},
	{"digest", true, offsetof(struct ks_record_entry, digest)},
	{"complete", .take = take_complete},
	{"ours", .take = take_ours},
};

static const struct ks_text_grammar entry_grammar = {"records", entry_keys,
						     G_N_ELEMENTS(entry_keys),
						     entry_block_new, entry_block_free};

GPtrArray *ks_record_parse_list(const char *text, size_t size_bytes, const char *label,
				GError **error)
{
	return ks_text_read(text, size_bytes, label, &entry_grammar, error);
}

char *ks_record_format_list(GPtrArray *entries)
{
	GString *out = g_string_new(NULL);

	ks_text_append_head(out, "records", entries->len);
	for (guint i = 0; i < entries->len; i++) {
		const struct ks_record_entry *entry = g_ptr_array_index(entries, i);

		ks_text_append_line(out, "record", entry->package);
		ks_text_append_line(out, "module", entry->module);
		ks_text_append_line(out, "version", entry->version);
		ks_text_append_line(out, "kernel", entry->release);
		ks_text_append_line(out, "digest", entry->digest);
		ks_text_append_line(out, "complete", entry->complete ? "yes" : "no");
		ks_text_append_line(out, "ours", entry->ours ? "yes" : "no");
		g_string_append_c(out, '\n');
	}
	return g_string_free(out, FALSE);
}
