/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Distinct package names for modules whose names differ only in what databases fold. */
#include <stdlib.h>
#include <string.h>

#include "core/platform/digest.h"
#include "core/record/record.h"

#define SUFFIX_CHARS 6

/* What dpkg allows, which is the least of all (Debian Policy, 5.6.7). */
static char *fold(const char *name)
{
	char *folded = g_ascii_strdown(name, -1);

	for (char *p = folded; *p; p++) {
		if (*p == '~')
			*p = '.';
		else if (!g_ascii_isalnum(*p) && !strchr("+-.", *p))
			*p = '-';
	}
	return folded;
}

static bool is_same_folded(const char *a, const char *b)
{
	g_autofree char *one = fold(a);
	g_autofree char *other = fold(b);

	return g_str_equal(one, other);
}

static char *name_with_suffix(const struct ks_record *record)
{
	g_autofree char *digest = ks_digest_data(record->module, strlen(record->module));

	return g_strdup_printf("kmod-%s-%.*s-%s", record->module, SUFFIX_CHARS, digest,
			       record->release);
}

static const struct ks_record_entry *find_entry(GPtrArray *entries,
						const struct ks_record *record)
{
	for (guint i = 0; entries && i < entries->len; i++) {
		const struct ks_record_entry *entry = g_ptr_array_index(entries, i);

		if (entry->ours && g_strcmp0(entry->module, record->module) == 0 &&
		    g_strcmp0(entry->release, record->release) == 0)
			return entry;
	}
	return NULL;
}

/* The database has it by that name: to rename a package is to remove and to install. */
static bool is_called(const struct ks_record *record, GPtrArray *entries,
		      const char *name)
{
	const struct ks_record_entry *entry = find_entry(entries, record);

	return entry && entry->package && is_same_folded(entry->package, name);
}

static bool needs_no_folding(const struct ks_record *record)
{
	g_autofree char *folded = fold(record->module);

	return g_str_equal(folded, record->module);
}

/* Has a a better right to the name that both would have? */
static bool goes_before(const struct ks_record *a, const struct ks_record *b,
			GPtrArray *entries)
{
	bool a_is = is_called(a, entries, a->name);
	bool b_is = is_called(b, entries, b->name);

	if (a_is != b_is)
		return a_is;
	if (needs_no_folding(a) != needs_no_folding(b))
		return needs_no_folding(a);
	return strcmp(a->module, b->module) < 0;
}

static bool gives_way(const struct ks_record *record, const GPtrArray *records,
		      GPtrArray *entries)
{
	for (guint i = 0; i < records->len; i++) {
		const struct ks_record *other = g_ptr_array_index(records, i);

		if (other != record && is_same_folded(other->name, record->name) &&
		    goes_before(other, record, entries))
			return true;
	}
	return false;
}

void ks_record_name_apart(GPtrArray *records, GPtrArray *entries)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < records->len; i++) {
		const struct ks_record *record = g_ptr_array_index(records, i);
		char *name = name_with_suffix(record);

		if (!is_called(record, entries, name) &&
		    !gives_way(record, records, entries))
			g_clear_pointer(&name, g_free);
		g_ptr_array_add(names, name);
	}
	for (guint i = 0; i < records->len; i++) {
		struct ks_record *record = g_ptr_array_index(records, i);

		if (!names->pdata[i])
			continue;
		free(record->name);
		record->name = strdup(names->pdata[i]);
	}
}
