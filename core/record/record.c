/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A record for an installed artifact: its name, files, provides and digest. */
#include "core/record/record.h"

#include <string.h>

#include "core/platform/digest.h"

/* "kmod(NAME.ko)": the module's own name, whatever the file is compressed with. */
static char *provide_of_file(const char *file_name)
{
	const char *end = strstr(file_name, ".ko");

	return g_strdup_printf("kmod(%.*s.ko)",
			       end ? (int)(end - file_name) : (int)strlen(file_name),
			       file_name);
}

static gint compare_strings(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* One hash over all exported symbols and their CRCs, as SUSE's KMPs have one per set. */
static char *symbol_set_provide(GPtrArray *exports)
{
	g_autoptr(GString) text = g_string_new(NULL);
	g_autofree char *digest = NULL;

	g_ptr_array_sort(exports, compare_strings);
	for (guint i = 0; i < exports->len; i++)
		g_string_append_printf(text, "%s\n",
				       (const char *)g_ptr_array_index(exports, i));
	digest = ks_digest_data(text->str, text->len);
	digest[16] = '\0';
	return g_strdup_printf("ksyms-set(%s)", digest);
}

static void add_provides(struct ks_record *record, const struct ks_manifest *manifest)
{
	GPtrArray *provides = g_ptr_array_new();
	g_autoptr(GPtrArray) exports = g_ptr_array_new();

	for (guint i = 0; i < manifest->files->len; i++) {
		const struct ks_manifest_file *file =
			g_ptr_array_index(manifest->files, i);

		g_ptr_array_add(provides, provide_of_file(file->name));
		for (char **alias = file->aliases; alias && *alias; alias++)
			g_ptr_array_add(provides,
					g_strdup_printf("modalias(%s)", *alias));
		for (char **export = file->exports; export && *export; export ++)
			g_ptr_array_add(exports, *export);
	}
	if (exports->len)
		g_ptr_array_add(provides, symbol_set_provide(exports));
	g_ptr_array_sort(provides, compare_strings);
	record->n_provides = provides->len;
	record->provides = (char **)g_ptr_array_free(provides, FALSE);
}

static void add_files(struct ks_record *record, const struct ks_manifest *manifest)
{
	record->files = g_new0(struct ks_record_file, manifest->files->len);
	for (guint i = 0; i < manifest->files->len; i++) {
		const struct ks_manifest_file *from =
			g_ptr_array_index(manifest->files, i);
		struct ks_record_file *file = &record->files[record->n_files++];

		file->path = ks_manifest_file_path(from);
		if (from->link) {
			file->link = g_strdup(from->link);
			continue;
		}
		file->sha256 = g_strdup(from->sha256);
		file->size_bytes = from->size_bytes;
		file->mode = 0644;
	}
}

char *ks_record_name(const char *module, const char *release)
{
	return g_strdup_printf("kmod-%s-%s", module, release);
}

struct ks_record *ks_record_new(const struct ks_manifest *manifest)
{
	struct ks_record *record = g_new0(struct ks_record, 1);
	g_autoptr(GPtrArray) set = g_ptr_array_new();
	g_autofree char *text = NULL;

	record->name = ks_record_name(manifest->module, manifest->release);
	record->module = g_strdup(manifest->module);
	record->version = g_strdup(manifest->version);
	record->release = g_strdup(manifest->release);
	record->arch = g_strdup(manifest->arch);
	record->digest = g_strdup("");
	record->fingerprint =
		g_strdup(manifest->build_fingerprint ? manifest->build_fingerprint : "");
	add_files(record, manifest);
	add_provides(record, manifest);

	/* the digest covers the text that says everything else */
	g_ptr_array_add(set, record);
	text = ks_record_format(set);
	g_free(record->digest);
	record->digest = ks_digest_data(text, strlen(text));
	return record;
}

char *ks_record_digest(const struct ks_manifest *manifest)
{
	ks_auto(ks_record) record = ks_record_new(manifest);

	return g_steal_pointer(&record->digest);
}
