/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whole texts of the recorder protocol, for code with GLib: read and written. */
#include "core/record/record.h"

#include <inttypes.h>

#include "core/record/text-array.h"

/* --- the records of a desired set */

static void *record_block_new(void)
{
	return g_new0(struct ks_record, 1);
}

static void record_block_free(gpointer data)
{
	ks_record_free(data);
}

static const struct ks_text_grammar record_grammar = {
	"records", ks_record_keys, record_block_new, record_block_free};

GPtrArray *ks_record_parse(const char *text, size_t size_bytes, const char *label,
			   GError **error)
{
	return ks_text_read_array(text, size_bytes, label, &record_grammar, error);
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
	g_string_append_printf(out, "%s %" PRIu64 " %o\n", file->sha256, file->size_bytes,
			       file->mode);
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
	for (size_t i = 0; i < record->n_files; i++)
		append_file(out, &record->files[i]);
	for (size_t i = 0; i < record->n_provides; i++)
		ks_text_append_line(out, "provides", record->provides[i]);
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

static void entry_block_free(gpointer data)
{
	ks_record_entry_free(data);
}

static const struct ks_text_grammar entry_grammar = {"records", ks_record_entry_keys,
						     entry_block_new, entry_block_free};

GPtrArray *ks_record_parse_list(const char *text, size_t size_bytes, const char *label,
				GError **error)
{
	return ks_text_read_array(text, size_bytes, label, &entry_grammar, error);
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
