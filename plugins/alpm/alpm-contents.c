/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See contents.h. */
#include "plugins/alpm/alpm-contents.h"

#include <limits.h>
#include <string.h>

#include "core/record/record.h"
#include "core/support/error.h"
#include "plugins/alpm/mtree.h"
#include "plugins/alpm/pacname.h"

void ks_alpm_contents_free(struct ks_alpm_contents *contents)
{
	if (!contents)
		return;
	g_free(contents->name);
	g_free(contents->version);
	g_free(contents->dir);
	g_free(contents->desc);
	g_free(contents->files);
	g_free(contents->changelog);
	if (contents->mtree)
		g_byte_array_unref(contents->mtree);
	if (contents->paths)
		g_ptr_array_unref(contents->paths);
	g_free(contents);
}

char *ks_alpm_contents_name(const struct ks_record *record)
{
	return ks_alpm_package_name(record->name);
}

char *ks_alpm_contents_path(const struct ks_system *system, const char *path)
{
	g_autofree char *parent = g_path_get_dirname(path);
	g_autofree char *name = g_path_get_basename(path);
	g_autofree char *real = ks_root_realpath(system->root, parent);
	g_autofree char *whole = g_build_filename(real ? real : parent, name, NULL);

	return g_strdup(whole + strspn(whole, "/"));
}

/* --- may it stand in the database at all */

static bool is_one_line(const char *text)
{
	for (const char *p = text; *p; p++)
		if (g_ascii_iscntrl(*p))
			return false;
	return true;
}

static bool is_sound(const struct ks_alpm_contents *contents,
		     const struct ks_record *record, GError **error)
{
	const char *const texts[] = {record->name,    record->module, record->version,
				     record->release, record->arch,   record->digest};

	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
		if (*texts[i] && is_one_line(texts[i]))
			continue;
		ks_error_set(error, KS_ERROR_INVALID,
			     "empty or with a control character: a field of the record");
		return false;
	}
	if (!g_str_has_prefix(contents->name, "kmod-") || !record->n_files) {
		ks_error_set(error, KS_ERROR_INVALID, "'%s' is not a usable record",
			     record->name);
		return false;
	}
	if (strlen(contents->dir) > NAME_MAX) {
		ks_error_set(error, KS_ERROR_INVALID,
			     "the name of its package is too long");
		return false;
	}
	return true;
}

/* --- what it lists */

static gint compare_items(gconstpointer a, gconstpointer b)
{
	const struct ks_mtree_item *left = *(struct ks_mtree_item *const *)a;
	const struct ks_mtree_item *right = *(struct ks_mtree_item *const *)b;
	g_autofree char *l = g_strconcat(left->path, "/", NULL);
	g_autofree char *r = g_strconcat(right->path, "/", NULL);

	/* as with the slash that directories have in "files" */
	return strcmp(S_ISDIR(left->st.st_mode) ? l : left->path,
		      S_ISDIR(right->st.st_mode) ? r : right->path);
}

static bool has_item(GPtrArray *items, const char *path)
{
	for (guint i = 0; i < items->len; i++)
		if (strcmp(((struct ks_mtree_item *)g_ptr_array_index(items, i))->path,
			   path) == 0)
			return true;
	return false;
}

static bool add_directories(const struct ks_system *system, const char *path,
			    GPtrArray *items, GError **error)
{
	for (const char *slash = strchr(path, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		g_autofree char *dir = g_strndup(path, slash - path);
		g_autofree char *inside = g_strconcat("/", dir, NULL);
		struct stat st;

		if (has_item(items, dir))
			continue;
		if (!ks_root_lstat(system->root, inside, &st) || !S_ISDIR(st.st_mode)) {
			ks_error_set(error, KS_ERROR_INVALID, "'%s' is no directory",
				     inside);
			return false;
		}
		g_ptr_array_add(items, ks_mtree_item_new(dir, &st));
	}
	return true;
}

static bool add_link(const struct ks_system *system, const struct ks_record_file *file,
		     GPtrArray *items, GError **error)
{
	g_autofree char *path = ks_alpm_contents_path(system, file->path);
	g_autofree char *text = ks_root_readlink(system->root, file->path);
	struct ks_mtree_item *item;
	struct stat st;

	if (g_strcmp0(text, file->link) != 0 || strchr(path, '\n') ||
	    !ks_root_lstat(system->root, file->path, &st)) {
		ks_error_set(error, KS_ERROR_INVALID,
			     "'%s' is not the link that was to be recorded", file->path);
		return false;
	}
	item = ks_mtree_item_new(path, &st);
	item->link = g_steal_pointer(&text);
	g_ptr_array_add(items, item);
	return add_directories(system, path, items, error);
}

static bool add_file(const struct ks_system *system, const struct ks_record_file *file,
		     GPtrArray *items, GError **error)
{
	g_autofree char *path = ks_alpm_contents_path(system, file->path);
	g_autofree char *inside = g_strconcat("/", path, NULL);
	struct ks_mtree_item *item;
	struct stat st;
	ks_autofd int fd = ks_root_openat(system->root, inside,
					  O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0, error);

	if (fd < 0)
		return false;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    (guint64)st.st_size != file->size_bytes || strchr(path, '\n')) {
		ks_error_set(error, KS_ERROR_INVALID,
			     "'%s' is not the file that was to be recorded", file->path);
		return false;
	}
	item = ks_mtree_item_new(path, &st);
	item->fd = ks_steal_fd(&fd);
	item->sha256 = g_strdup(file->sha256);
	g_ptr_array_add(items, item);
	return add_directories(system, path, items, error);
}

static GPtrArray *make_items(const struct ks_system *system,
			     const struct ks_record *record, GError **error)
{
	g_autoptr(GPtrArray) items = g_ptr_array_new_with_free_func(ks_mtree_item_free);

	for (size_t i = 0; i < record->n_files; i++) {
		const struct ks_record_file *file = &record->files[i];

		if (!(file->link ? add_link : add_file)(system, file, items, error))
			return NULL;
	}
	g_ptr_array_sort(items, compare_items);
	return g_steal_pointer(&items);
}

/* --- the texts */

static void append_field(GString *out, const char *key, const char *value)
{
	g_string_append_printf(out, "%%%s%%\n%s\n\n", key, value);
}

static void append_number(GString *out, const char *key, gint64 value)
{
	g_string_append_printf(out, "%%%s%%\n%" G_GINT64_FORMAT "\n\n", key, value);
}

static char *format_desc(const struct ks_alpm_contents *contents,
			 const struct ks_record *record, GPtrArray *items)
{
	g_autofree char *about =
		g_strdup_printf("%s %s for Linux %s, built on this machine by kmodsmith",
				record->module, record->version, record->release);
	gint64 built = 0, size = 0;
	GString *out = g_string_new(NULL);

	for (guint i = 0; i < items->len; i++) {
		const struct ks_mtree_item *item = g_ptr_array_index(items, i);

		if (!S_ISREG(item->st.st_mode))
			continue;
		size += item->st.st_size;
		built = MAX(built, (gint64)item->st.st_mtime);
	}
	append_field(out, "NAME", contents->name);
	append_field(out, "VERSION", contents->version);
	append_field(out, "BASE", contents->name);
	append_field(out, "DESC", about);
	append_field(out, "ARCH", record->arch);
	append_number(out, "BUILDDATE", built);
	append_number(out, "INSTALLDATE", g_get_real_time() / G_USEC_PER_SEC);
	append_field(out, "PACKAGER", "kmodsmith");
	append_number(out, "SIZE", size);
	append_field(out, "VALIDATION", "none");
	return g_string_free(out, FALSE);
}

static char *format_files(struct ks_alpm_contents *contents, GPtrArray *items)
{
	GString *out = g_string_new("%FILES%\n");

	contents->paths = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; i < items->len; i++) {
		const struct ks_mtree_item *item = g_ptr_array_index(items, i);
		bool is_dir = S_ISDIR(item->st.st_mode);

		g_string_append_printf(out, "%s%s\n", item->path, is_dir ? "/" : "");
		if (!is_dir)
			g_ptr_array_add(contents->paths, g_strdup(item->path));
	}
	g_string_append_c(out, '\n');
	return g_string_free(out, FALSE);
}

static char *format_changelog(const struct ks_alpm_contents *contents,
			      const struct ks_record *record)
{
	struct ks_record_entry entry = {.package = contents->name,
					.module = record->module,
					.version = record->version,
					.release = record->release,
					.digest = record->digest,
					.complete = true,
					.ours = true};
	g_autoptr(GPtrArray) entries = g_ptr_array_new();

	g_ptr_array_add(entries, &entry);
	return ks_record_format_list(entries);
}

struct ks_alpm_contents *ks_alpm_contents_new(const struct ks_system *system,
					      const struct ks_record *record,
					      GError **error)
{
	ks_auto(ks_alpm_contents) contents = g_new0(struct ks_alpm_contents, 1);
	g_autoptr(GPtrArray) items = NULL;

	contents->name = ks_alpm_contents_name(record);
	contents->version = ks_alpm_package_version(record->version);
	contents->dir = g_strconcat(contents->name, "-", contents->version, NULL);
	if (!is_sound(contents, record, error))
		return NULL;
	items = make_items(system, record, error);
	if (!items)
		return NULL;
	contents->mtree = ks_mtree_format(items, error);
	if (!contents->mtree)
		return NULL;
	contents->desc = format_desc(contents, record, items);
	contents->files = format_files(contents, items);
	contents->changelog = format_changelog(contents, record);
	return g_steal_pointer(&contents);
}
