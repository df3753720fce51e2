/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The recorder protocol read: two tables for the grammar of text.h, one for the records
 * of a desired set and one for the entries of a list.
 */
#include "core/record/protocol.h"

#include <stdlib.h>
#include <string.h>

/* --- the records of a desired set */

static void file_clear(struct ks_record_file *file)
{
	free(file->path);
	free(file->sha256);
	free(file->link);
}

static void record_clear(struct ks_record *record)
{
	free(record->name);
	free(record->module);
	free(record->version);
	free(record->release);
	free(record->arch);
	free(record->digest);
	free(record->fingerprint);
	for (size_t i = 0; i < record->n_files; i++)
		file_clear(&record->files[i]);
	free(record->files);
	for (size_t i = 0; i < record->n_provides; i++)
		free(record->provides[i]);
	free(record->provides);
}

void ks_record_free(struct ks_record *record)
{
	if (record)
		record_clear(record);
	free(record);
}

/* Room for one more; doubles, so that a long list costs no square. */
static void *grow(void *array, size_t n, size_t element_bytes)
{
	if (n & (n - 1))
		return array;
	return reallocarray(array, n ? 2 * n : 1, element_bytes);
}

/* Takes over what the file holds. */
static bool add_file(struct ks_record *record, struct ks_record_file *file,
		     struct ks_why *why)
{
	struct ks_record_file *files =
		grow(record->files, record->n_files, sizeof(*record->files));

	if (!files) {
		file_clear(file);
		return ks_why_no_memory(why);
	}
	record->files = files;
	files[record->n_files++] = *file;
	return true;
}

static bool read_file(char *const *words, struct ks_record_file *file)
{
	uint64_t mode;

	if (!ks_text_is_plain_path(file->path) || !ks_text_is_sha256(file->sha256) ||
	    !ks_text_read_number(words[2], 10, INT64_MAX, &file->size_bytes) ||
	    !ks_text_read_number(words[3], 8, 07777, &mode))
		return false;
	file->mode = (unsigned int)mode;
	return true;
}

/* "PATH SHA256 SIZE MODE" */
static bool take_file(void *block, const char *value, struct ks_why *why)
{
	char *words[4];
	bool ok = ks_text_split(value, 4, words);
	struct ks_record_file file = {.path = words[0], .sha256 = words[1]};

	ok = ok && read_file(words, &file);
	free(words[2]);
	free(words[3]);
	if (ok)
		return add_file(block, &file, why);
	file_clear(&file);
	return ks_why_set(why, "not a 'file=PATH SHA256 SIZE MODE' line");
}

/* "PATH TEXT" */
static bool take_link(void *block, const char *value, struct ks_why *why)
{
	char *words[2];
	bool ok = ks_text_split(value, 2, words);
	struct ks_record_file file = {.path = words[0], .link = words[1]};

	if (ok && ks_text_is_plain_path(file.path) && ks_text_is_plain_path(file.link))
		return add_file(block, &file, why);
	file_clear(&file);
	return ks_why_set(why, "not a 'link=PATH TEXT' line");
}

static bool take_provides(void *block, const char *value, struct ks_why *why)
{
	struct ks_record *record = block;
	char *text = ks_text_unescape(value);
	char **provides;

	if (!text)
		return ks_why_set(why, "'provides' is not escaped correctly");
	provides = grow(record->provides, record->n_provides, sizeof(*provides));
	if (!provides) {
		free(text);
		return ks_why_no_memory(why);
	}
	record->provides = provides;
	provides[record->n_provides++] = text;
	return true;
}

const struct ks_text_key ks_record_keys[] = {
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
	{NULL},
};

static bool read_records(struct ks_text *text, struct ks_record_set *set)
{
	set->records = calloc(text->n_blocks + 1, sizeof(*set->records));
	if (!set->records)
		return ks_why_no_memory(text->why);
	while (set->n_records < text->n_blocks)
		if (!ks_text_read_block(text, ks_record_keys,
					&set->records[set->n_records++]))
			return false;
	return ks_text_end(text);
}

bool ks_record_set_read(const char *bytes, size_t size_bytes, const char *label,
			struct ks_record_set *set, struct ks_why *why)
{
	struct ks_text text;

	*set = (struct ks_record_set){0};
	return ks_text_begin(&text, bytes, size_bytes, label, "records", why) &&
	       read_records(&text, set);
}

void ks_record_set_clear(struct ks_record_set *set)
{
	for (size_t i = 0; i < set->n_records; i++)
		record_clear(&set->records[i]);
	free(set->records);
	*set = (struct ks_record_set){0};
}

/* --- the entries of a list */

void ks_record_entry_free(struct ks_record_entry *entry)
{
	if (!entry)
		return;
	free(entry->package);
	free(entry->module);
	free(entry->version);
	free(entry->release);
	free(entry->digest);
	free(entry);
}

static bool take_flag(bool *flag, const char *key, const char *value, struct ks_why *why)
{
	if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
		return ks_why_set(why, "'%s' is neither 'yes' nor 'no'", key);
	*flag = strcmp(value, "yes") == 0;
	return true;
}

static bool take_complete(void *block, const char *value, struct ks_why *why)
{
	return take_flag(&((struct ks_record_entry *)block)->complete, "complete", value,
			 why);
}

static bool take_ours(void *block, const char *value, struct ks_why *why)
{
	return take_flag(&((struct ks_record_entry *)block)->ours, "ours", value, why);
}

const struct ks_text_key ks_record_entry_keys[] = {
	{"record", true, offsetof(struct ks_record_entry, package)},
	{"module", true, offsetof(struct ks_record_entry, module)},
	{"version", true, offsetof(struct ks_record_entry, version)},
	{"kernel", true, offsetof(struct ks_record_entry, release)},
	{"digest", true, offsetof(struct ks_record_entry, digest)},
	{"complete", .take = take_complete},
	{"ours", .take = take_ours},
	{NULL},
};
