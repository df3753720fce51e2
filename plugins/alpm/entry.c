/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See entry.h. */
#include "plugins/alpm/entry.h"

#include <string.h>

#include "core/record/record.h"
#include "plugins/alpm/pacname.h"

#define PREFIX		    "kmod-"
#define MAX_CHANGELOG_BYTES (64 * 1024)
#define MAX_FILES_BYTES	    (64 * 1024 * 1024)

static void entry_free(gpointer data)
{
	struct ks_alpm_entry *entry = data;

	g_free(entry->dir);
	g_free(entry->name);
	g_free(entry->version);
	if (entry->changelog)
		g_ptr_array_unref(entry->changelog);
	g_free(entry);
}

static bool has_file(const struct ks_alpm *alpm, const char *dir, const char *file)
{
	g_autofree char *path = g_build_filename(KS_ALPM_LOCAL, dir, file, NULL);
	struct stat st;

	return ks_root_lstat(alpm->db, path, &st) && S_ISREG(st.st_mode);
}

/* Says nothing when it is not one of ours for this very package. */
static void read_changelog(const struct ks_alpm *alpm, struct ks_alpm_entry *entry)
{
	g_autofree char *path =
		g_build_filename(KS_ALPM_LOCAL, entry->dir, "changelog", NULL);
	size_t size = 0;
	g_autofree char *text =
		ks_root_read_file(alpm->db, path, MAX_CHANGELOG_BYTES, &size, NULL);
	const struct ks_record_entry *only;

	entry->changelog = text ? ks_record_parse_list(text, size, path, NULL) : NULL;
	if (!entry->changelog || entry->changelog->len != 1)
		return;
	only = g_ptr_array_index(entry->changelog, 0);
	if (only->ours && g_strcmp0(only->package, entry->name) == 0)
		entry->said = only;
}

static struct ks_alpm_entry *read_entry(const struct ks_alpm *alpm, const char *dir)
{
	struct ks_alpm_entry *entry = g_new0(struct ks_alpm_entry, 1);

	/* "kmod-29-1" is kmod itself */
	if (!ks_alpm_split_entry(dir, &entry->name, &entry->version) ||
	    !g_str_has_prefix(entry->name, PREFIX)) {
		entry_free(entry);
		return NULL;
	}
	entry->dir = g_strdup(dir);
	read_changelog(alpm, entry);
	entry->complete = has_file(alpm, dir, "desc") && has_file(alpm, dir, "files") &&
			  has_file(alpm, dir, "mtree");
	return entry;
}

GPtrArray *ks_alpm_entries(const struct ks_alpm *alpm, GError **error)
{
	g_autoptr(GPtrArray) names = ks_root_list(alpm->db, KS_ALPM_LOCAL, error);
	GPtrArray *entries;

	if (!names)
		return NULL;
	entries = g_ptr_array_new_with_free_func(entry_free);
	for (guint i = 0; i < names->len; i++) {
		struct ks_alpm_entry *entry =
			read_entry(alpm, g_ptr_array_index(names, i));

		if (entry)
			g_ptr_array_add(entries, entry);
	}
	return entries;
}

struct ks_alpm_entry *ks_alpm_entry_find(GPtrArray *entries, const char *name)
{
	for (guint i = 0; i < entries->len; i++) {
		struct ks_alpm_entry *entry = g_ptr_array_index(entries, i);

		if (strcmp(entry->name, name) == 0)
			return entry;
	}
	return NULL;
}

static bool is_plain(const char *path)
{
	g_auto(GStrv) parts = g_strsplit(path, "/", -1);

	for (char **part = parts; *part; part++) {
		bool last = !part[1];

		if (strcmp(*part, "..") == 0 || strcmp(*part, ".") == 0 ||
		    (!**part && !last))
			return false;
	}
	return *path != '\0';
}

GPtrArray *ks_alpm_entry_files(const struct ks_alpm *alpm, const char *dir,
			       GError **error)
{
	g_autofree char *path = g_build_filename(KS_ALPM_LOCAL, dir, "files", NULL);
	g_autofree char *text =
		ks_root_read_file(alpm->db, path, MAX_FILES_BYTES, NULL, error);
	g_auto(GStrv) lines = text ? g_strsplit(text, "\n", -1) : NULL;
	bool in_files = false;
	GPtrArray *files;

	if (!lines)
		return NULL;
	files = g_ptr_array_new_with_free_func(g_free);
	for (char **line = lines; *line; line++) {
		if (strcmp(*line, "%FILES%") == 0)
			in_files = true;
		else if (!**line)
			in_files = false;
		else if (in_files && is_plain(*line))
			g_ptr_array_add(files, g_strdup(*line));
	}
	return files;
}
