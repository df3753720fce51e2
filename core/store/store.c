/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files of the store. */
#include "core/store/store.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/support/durable.h"
#include "core/support/error.h"
#include "core/support/treeop.h"
#include "core/support/copy.h"

#define SCHEMA		"1"
#define GROUP		"entry"
#define MAX_INDEX_BYTES (4u << 20)
#define MAX_FILES	16384
#define MAX_FILE_BYTES	(1ULL << 30)

static const char *const directories[] = {"module", "log", NULL};

static void file_free(gpointer data)
{
	struct ks_store_file *file = data;

	g_free(file->path);
	g_free(file->sha256);
	g_free(file);
}

void ks_store_entry_free(struct ks_store_entry *entry)
{
	if (!entry)
		return;
	g_free(entry->fingerprint);
	g_free(entry->module);
	g_free(entry->version);
	g_free(entry->release);
	g_free(entry->arch);
	g_free(entry->sandbox_layers);
	g_free(entry->problem);
	if (entry->files)
		g_ptr_array_unref(entry->files);
	g_free(entry);
}

static char *store_dir(const struct ks_system *system)
{
	return g_build_filename(system->state_dir, "store", NULL);
}

char *ks_store_entry_path(const struct ks_system *system, const char *fingerprint)
{
	return g_build_filename(system->state_dir, "store", fingerprint, NULL);
}

static char *temporary_dir(const struct ks_system *system,
			   const struct ks_store_entry *entry)
{
	return g_strdup_printf("%s/store/" KS_DURABLE_TEMPORARY_PREFIX "%s",
			       system->state_dir, entry->fingerprint);
}

static bool is_fingerprint(const char *name)
{
	return strlen(name) == 64 && !name[strspn(name, "0123456789abcdef")];
}

/* --- the index */

static char *index_text(const struct ks_store_entry *entry)
{
	g_autoptr(GKeyFile) file = g_key_file_new();

	g_key_file_set_string(file, GROUP, "schema", SCHEMA);
	g_key_file_set_string(file, GROUP, "fingerprint", entry->fingerprint);
	g_key_file_set_string(file, GROUP, "module", entry->module);
	g_key_file_set_string(file, GROUP, "version", entry->version);
	g_key_file_set_string(file, GROUP, "release", entry->release);
	g_key_file_set_string(file, GROUP, "arch", entry->arch);
	g_key_file_set_string(file, GROUP, "sandbox-layers", entry->sandbox_layers);
	g_key_file_set_int64(file, GROUP, "duration-ms", entry->duration_ms);
	g_key_file_set_int64(file, GROUP, "stored-at-us", entry->stored_at_us);
	g_key_file_set_int64(file, GROUP, "n-files", entry->files->len);
	for (guint i = 0; i < entry->files->len; i++) {
		const struct ks_store_file *stored = entry->files->pdata[i];
		g_autofree char *group = g_strdup_printf("file %u", i);

		g_key_file_set_string(file, group, "path", stored->path);
		g_key_file_set_string(file, group, "sha256", stored->sha256);
		g_key_file_set_uint64(file, group, "size", stored->size_bytes);
	}
	return g_key_file_to_data(file, NULL, NULL);
}

/* "module/NAME", and nothing that leads elsewhere; of files that the index is beside. */
static bool is_stored_path(const char *path)
{
	g_auto(GStrv) parts = g_strsplit(path ? path : "", "/", -1);

	if (!parts[0] || strcmp(parts[0], "index") == 0 ||
	    strcmp(parts[0], "manifest") == 0)
		return false;
	for (char **part = parts; *part; part++)
		if (!**part || strcmp(*part, ".") == 0 || strcmp(*part, "..") == 0)
			return false;
	return true;
}

static bool read_file(GKeyFile *file, guint i, struct ks_store_entry *entry)
{
	g_autofree char *group = g_strdup_printf("file %u", i);
	struct ks_store_file *stored = g_new0(struct ks_store_file, 1);

	g_ptr_array_add(entry->files, stored);
	stored->path = g_key_file_get_string(file, group, "path", NULL);
	stored->sha256 = g_key_file_get_string(file, group, "sha256", NULL);
	stored->size_bytes = g_key_file_get_uint64(file, group, "size", NULL);
	entry->size_bytes += stored->size_bytes;
	return is_stored_path(stored->path) && stored->sha256 &&
	       is_fingerprint(stored->sha256);
}

static bool read_index(const char *text, struct ks_store_entry *entry)
{
	g_autoptr(GKeyFile) file = g_key_file_new();
	g_autofree char *schema = NULL;
	g_autofree char *fingerprint = NULL;
	guint64 n_files;

	if (!g_key_file_load_from_data(file, text, strlen(text), G_KEY_FILE_NONE, NULL))
		return false;
	schema = g_key_file_get_string(file, GROUP, "schema", NULL);
	fingerprint = g_key_file_get_string(file, GROUP, "fingerprint", NULL);
	entry->module = g_key_file_get_string(file, GROUP, "module", NULL);
	entry->version = g_key_file_get_string(file, GROUP, "version", NULL);
	entry->release = g_key_file_get_string(file, GROUP, "release", NULL);
	entry->arch = g_key_file_get_string(file, GROUP, "arch", NULL);
	entry->sandbox_layers =
		g_key_file_get_string(file, GROUP, "sandbox-layers", NULL);
	entry->duration_ms = g_key_file_get_int64(file, GROUP, "duration-ms", NULL);
	entry->stored_at_us = g_key_file_get_int64(file, GROUP, "stored-at-us", NULL);
	n_files = g_key_file_get_uint64(file, GROUP, "n-files", NULL);
	/* an earlier version kept objects, by such a key */
	if (g_key_file_has_key(file, GROUP, "objects-key", NULL) ||
	    g_strcmp0(schema, SCHEMA) != 0 || !entry->module || !entry->version ||
	    !entry->release || !entry->arch || !entry->sandbox_layers ||
	    g_strcmp0(fingerprint, entry->fingerprint) != 0 || n_files > MAX_FILES)
		return false;
	for (guint i = 0; i < n_files; i++)
		if (!read_file(file, i, entry))
			return false;
	return true;
}

/* Is the entry damaged? After any other error it cannot be read now. */
static bool is_damage(const GError *error)
{
	return g_error_matches(error, KS_ERROR, KS_ERROR_INVALID) ||
	       g_error_matches(error, KS_ERROR, KS_ERROR_NOT_FOUND);
}

static void set_damaged(struct ks_store_entry *entry, char *problem)
{
	entry->problem = problem;
	entry->is_damaged = true;
}

/* Never NULL; entry->problem says whether it is of use. */
static struct ks_store_entry *load(const struct ks_system *system,
				   const char *fingerprint)
{
	struct ks_store_entry *entry = g_new0(struct ks_store_entry, 1);
	g_autofree char *dir = ks_store_entry_path(system, fingerprint);
	g_autofree char *path = g_build_filename(dir, "index", NULL);
	g_autoptr(GError) error = NULL;
	g_autofree char *text = NULL;
	struct stat st;

	entry->fingerprint = g_strdup(fingerprint);
	entry->files = g_ptr_array_new_with_free_func(file_free);
	if (ks_root_lstat(system->root, path, &st)) {
		entry->used_at_us = st.st_mtim.tv_sec * (gint64)G_USEC_PER_SEC +
				    st.st_mtim.tv_nsec / 1000;
		if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || st.st_mode & 022) {
			set_damaged(entry, g_strdup("its index is not root's alone"));
			return entry;
		}
	}
	text = ks_root_read_file(system->root, path, MAX_INDEX_BYTES, NULL, &error);
	if (!text) {
		entry->problem = g_strdup(error->message);
		entry->is_damaged = is_damage(error);
	} else if (!read_index(text, entry)) {
		set_damaged(entry, g_strdup("its index is damaged"));
	}
	return entry;
}

/* --- copying */

/* KS_ERROR_INVALID when the path holds something that was never stored. */
static int open_stored(const struct ks_root *root, const char *path, GError **error)
{
	g_autoptr(GError) cause = NULL;
	ks_autofd int fd =
		ks_root_openat(root, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0, &cause);
	struct stat st;

	if (fd < 0 && !is_damage(cause) &&
	    !(ks_root_lstat(root, path, &st) && S_ISLNK(st.st_mode))) {
		g_propagate_error(error, g_steal_pointer(&cause));
		return -1;
	}
	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		ks_error_set(error, KS_ERROR_INVALID, "'%s' is not a regular file", path);
		return -1;
	}
	return ks_steal_fd(&fd);
}

static bool copy(const struct ks_system *from, const char *from_dir,
		 const struct ks_system *to, const char *to_dir,
		 struct ks_store_file *file, char **sha256, GError **error)
{
	g_autofree char *source = g_build_filename(from_dir, file->path, NULL);
	g_autofree char *target = g_build_filename(to_dir, file->path, NULL);
	ks_autofd int in = open_stored(from->root, source, error);
	g_autofree char *parent = NULL;
	ks_autofd int out = -1;
	struct stat st;

	if (in < 0)
		return false;
	if (fstat(in, &st) != 0) {
		ks_error_set_errno(error, errno, "cannot read '%s'", source);
		return false;
	}
	parent = g_path_get_dirname(target);
	if (!ks_root_mkdir_p(to->root, parent, 0755, error))
		return false;
	out = ks_root_openat(to->root, target, O_WRONLY | O_CREAT | O_EXCL, 0644, error);
	if (out < 0 || !ks_copy_fd(in, out, MAX_FILE_BYTES, sha256, file->path, error))
		return false;
	if (st.st_mode & 0111 && fchmod(out, 0755) != 0) {
		ks_error_set_errno(error, errno, "cannot copy '%s'", source);
		return false;
	}
	file->size_bytes = (guint64)st.st_size;
	return true;
}

static bool make_directories(const struct ks_system *system, const char *dir,
			     GError **error)
{
	if (!ks_treeop_remove(system->root, dir, error))
		return false;
	for (const char *const *name = directories; *name; name++) {
		g_autofree char *path = g_build_filename(dir, *name, NULL);

		if (!ks_root_mkdir_p(system->root, path, 0755, error))
			return false;
	}
	return true;
}

static bool copy_directory(const struct ks_system *system, struct ks_store_entry *entry,
			   const char *staged_dir, const char *below, const char *to_dir,
			   GError **error);

static bool copy_entry(const struct ks_system *system, struct ks_store_entry *entry,
		       const char *staged_dir, const char *name, const char *to_dir,
		       GError **error)
{
	g_autofree char *path = g_build_filename(staged_dir, name, NULL);
	struct ks_store_file *file;
	struct stat st;

	if (!is_stored_path(name) || !ks_root_lstat(system->root, path, &st))
		return true;
	if (S_ISDIR(st.st_mode))
		return copy_directory(system, entry, staged_dir, name, to_dir, error);
	file = g_new0(struct ks_store_file, 1);
	g_ptr_array_add(entry->files, file);
	file->path = g_strdup(name);
	if (!copy(system, staged_dir, system, to_dir, file, &file->sha256, error))
		return false;
	entry->size_bytes += file->size_bytes;
	return true;
}

/* below: "" at the top. */
static bool copy_directory(const struct ks_system *system, struct ks_store_entry *entry,
			   const char *staged_dir, const char *below, const char *to_dir,
			   GError **error)
{
	g_autofree char *dir = g_build_filename(staged_dir, below, NULL);
	g_autoptr(GPtrArray) names = ks_root_list(system->root, dir, error);

	for (guint i = 0; names && i < names->len; i++) {
		g_autofree char *name =
			*below ? g_build_filename(below, names->pdata[i], NULL)
			       : g_strdup(names->pdata[i]);

		if (!copy_entry(system, entry, staged_dir, name, to_dir, error))
			return false;
	}
	return names != NULL;
}

bool ks_store_prepare(const struct ks_system *system, struct ks_store_entry *entry,
		      const char *staged_dir, GError **error)
{
	g_autofree char *parent = store_dir(system);
	g_autofree char *dir = temporary_dir(system, entry);
	g_autofree char *path = g_build_filename(dir, "index", NULL);
	g_autofree char *text = NULL;

	entry->files = g_ptr_array_new_with_free_func(file_free);
	entry->stored_at_us = entry->used_at_us = g_get_real_time();
	if (ks_root_mkdir_p(system->root, system->state_dir, 0755, error) &&
	    ks_root_mkdir_p(system->root, parent, 0700, error) &&
	    make_directories(system, dir, error) &&
	    copy_directory(system, entry, staged_dir, "", dir, error)) {
		text = index_text(entry);
		if (ks_durable_write(system->root, path, text, strlen(text), 0644, error))
			return true;
	}
	ks_store_discard(system, entry);
	return false;
}

bool ks_store_commit(const struct ks_system *system, const struct ks_store_entry *entry,
		     GError **error)
{
	g_autofree char *from = temporary_dir(system, entry);
	g_autofree char *to = ks_store_entry_path(system, entry->fingerprint);

	return ks_treeop_remove(system->root, to, error) &&
	       ks_durable_rename(system->root, from, to, error);
}

void ks_store_discard(const struct ks_system *system, const struct ks_store_entry *entry)
{
	g_autofree char *dir = temporary_dir(system, entry);

	ks_ignore(ks_treeop_remove(system->root, dir, NULL));
}

static bool copy_checked(const struct ks_system *from, const struct ks_store_entry *entry,
			 const struct ks_system *system, const char *to_dir,
			 GError **error)
{
	g_autofree char *dir = ks_store_entry_path(from, entry->fingerprint);

	for (guint i = 0; i < entry->files->len; i++) {
		struct ks_store_file *file = entry->files->pdata[i];
		g_autofree char *sha256 = NULL;

		if (!copy(from, dir, system, to_dir, file, &sha256, error))
			return false;
		if (strcmp(sha256, file->sha256) != 0) {
			ks_error_set(error, KS_ERROR_INVALID,
				     "'%s/%s' is damaged: its digest is another", dir,
				     file->path);
			return false;
		}
	}
	return true;
}

static void mark_used(const struct ks_system *system, const char *fingerprint)
{
	g_autofree char *dir = ks_store_entry_path(system, fingerprint);
	g_autofree char *path = g_build_filename(dir, "index", NULL);
	ks_autofd int fd =
		ks_root_openat(system->root, path, O_RDONLY | O_NOFOLLOW, 0, NULL);

	if (fd >= 0)
		futimens(fd, NULL);
}

struct ks_store_entry *ks_store_fetch(const struct ks_system *from,
				      const char *fingerprint,
				      const struct ks_system *system, const char *to_dir,
				      GError **error)
{
	g_autofree char *dir = ks_store_entry_path(from, fingerprint);
	ks_auto(ks_store_entry) entry = NULL;
	g_autoptr(GError) cause = NULL;
	bool is_damaged;

	if (!is_fingerprint(fingerprint) || !ks_root_exists(from->root, dir))
		return NULL;
	entry = load(from, fingerprint);
	is_damaged = entry->is_damaged;
	if (entry->problem) {
		ks_error_set(error, is_damaged ? KS_ERROR_INVALID : KS_ERROR_FAILED,
			     "'%s': %s", dir, entry->problem);
	} else if (make_directories(system, to_dir, error)) {
		if (copy_checked(from, entry, system, to_dir, &cause)) {
			if (from == system)
				mark_used(system, fingerprint);
			return g_steal_pointer(&entry);
		}
		/* and not of the place that it is copied to */
		is_damaged = g_error_matches(cause, KS_ERROR, KS_ERROR_INVALID);
		g_propagate_error(error, g_steal_pointer(&cause));
	}
	ks_ignore(ks_treeop_remove(system->root, to_dir, NULL));
	if (from == system && is_damaged)
		ks_ignore(ks_store_remove(system, fingerprint, NULL));
	return NULL;
}

static char *digest_stored(int fd, const char *path, GError **error)
{
	g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
	guchar buffer[65536];
	ssize_t n;

	while ((n = read(fd, buffer, sizeof(buffer))) > 0)
		g_checksum_update(checksum, buffer, n);
	if (n == 0)
		return g_strdup(g_checksum_get_string(checksum));
	ks_error_set_errno(error, errno, "cannot read '%s'", path);
	return NULL;
}

bool ks_store_has(const struct ks_system *system, const char *fingerprint)
{
	g_autofree char *dir = ks_store_entry_path(system, fingerprint);

	return ks_root_exists(system->root, dir);
}

/* --- all of it */

static int compare_use(gconstpointer a, gconstpointer b)
{
	const struct ks_store_entry *x = *(struct ks_store_entry *const *)a;
	const struct ks_store_entry *y = *(struct ks_store_entry *const *)b;

	if (x->used_at_us != y->used_at_us)
		return x->used_at_us < y->used_at_us ? -1 : 1;
	return strcmp(x->fingerprint, y->fingerprint);
}

GPtrArray *ks_store_list(const struct ks_system *system, GError **error)
{
	g_autofree char *dir = store_dir(system);
	g_autoptr(GPtrArray) names = ks_root_list(system->root, dir, error);
	GPtrArray *entries;

	if (!names)
		return NULL;
	entries = g_ptr_array_new_with_free_func((GDestroyNotify)ks_store_entry_free);
	for (guint i = 0; i < names->len; i++)
		if (is_fingerprint(names->pdata[i]))
			g_ptr_array_add(entries, load(system, names->pdata[i]));
	g_ptr_array_sort(entries, compare_use);
	return entries;
}

void ks_store_check(const struct ks_system *system, struct ks_store_entry *entry)
{
	g_autofree char *dir = ks_store_entry_path(system, entry->fingerprint);

	for (guint i = 0; !entry->problem && i < entry->files->len; i++) {
		const struct ks_store_file *file = entry->files->pdata[i];
		g_autofree char *path = g_build_filename(dir, file->path, NULL);
		g_autoptr(GError) error = NULL;
		ks_autofd int fd = open_stored(system->root, path, &error);
		g_autofree char *sha256 =
			fd >= 0 ? digest_stored(fd, path, &error) : NULL;

		if (!sha256) {
			entry->problem = g_strdup(error->message);
			entry->is_damaged = is_damage(error);
		} else if (strcmp(sha256, file->sha256) != 0) {
			set_damaged(entry,
				    g_strdup_printf("'%s' is damaged", file->path));
		}
	}
}

bool ks_store_remove(const struct ks_system *system, const char *fingerprint,
		     GError **error)
{
	g_autofree char *dir = ks_store_entry_path(system, fingerprint);

	return ks_treeop_remove(system->root, dir, error);
}

static bool remove_strange(const struct ks_system *system, GError **error)
{
	g_autofree char *dir = store_dir(system);
	g_autoptr(GPtrArray) names = ks_root_list(system->root, dir, error);

	for (guint i = 0; names && i < names->len; i++) {
		g_autofree char *path = g_build_filename(dir, names->pdata[i], NULL);

		if (!is_fingerprint(names->pdata[i]) &&
		    !ks_treeop_remove(system->root, path, error))
			return false;
	}
	return names != NULL;
}

bool ks_store_trim(const struct ks_system *system, guint64 max_bytes, guint *n_removed,
		   GError **error)
{
	g_autoptr(GPtrArray) entries = NULL;
	guint64 total = 0;
	guint n = 0;

	if (!remove_strange(system, error))
		return false;
	entries = ks_store_list(system, error);
	if (!entries)
		return false;
	for (guint i = 0; i < entries->len; i++)
		total += ((struct ks_store_entry *)entries->pdata[i])->size_bytes;
	for (guint i = 0; i < entries->len; i++) {
		const struct ks_store_entry *entry = entries->pdata[i];

		/* nothing is known about an unreadable entry, least of all its size */
		if (max_bytes && !entry->is_damaged &&
		    (entry->problem || total <= max_bytes))
			continue;
		if (!ks_store_remove(system, entry->fingerprint, error))
			return false;
		total -= entry->size_bytes;
		n++;
	}
	if (n_removed)
		*n_removed = n;
	return true;
}
