/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The manifest of an artifact as a key file; fields in core/README.md. */
#include "core/state/manifest.h"

#include <string.h>

#include "core/conf/conf.h"
#include "core/support/durable.h"
#include "core/support/error.h"
#include "core/support/name.h"

#define SCHEMA		   1
#define GROUP		   "manifest"
#define MAX_MANIFEST_BYTES (16 * 1024 * 1024)
#define MAX_FILES	   4096
#define LEFT_OUT	   "left-out" /* in a file's group; its value says nothing */
#define MAX_TEXT_BYTES	   4096

struct ks_manifest *ks_manifest_new(const char *module, const char *version,
				    const char *release, const char *arch)
{
	struct ks_manifest *manifest = g_new0(struct ks_manifest, 1);

	manifest->module = g_strdup(module);
	manifest->version = g_strdup(version);
	manifest->release = g_strdup(release);
	manifest->arch = g_strdup(arch);
	manifest->files =
		g_ptr_array_new_with_free_func((GDestroyNotify)ks_manifest_file_free);
	manifest->left_out =
		g_ptr_array_new_with_free_func((GDestroyNotify)ks_manifest_file_free);
	return manifest;
}

void ks_manifest_free(struct ks_manifest *manifest)
{
	if (!manifest)
		return;
	g_free(manifest->module);
	g_free(manifest->version);
	g_free(manifest->release);
	g_free(manifest->arch);
	g_free(manifest->build_fingerprint);
	g_free(manifest->finish_fingerprint);
	g_free(manifest->covers);
	g_free(manifest->sandbox_layers);
	g_free(manifest->signing);
	g_free(manifest->certificate_sha256);
	g_free(manifest->sign_hash);
	g_ptr_array_unref(manifest->files);
	g_ptr_array_unref(manifest->left_out);
	g_free(manifest);
}

void ks_manifest_file_free(struct ks_manifest_file *file)
{
	if (!file)
		return;
	g_free(file->name);
	g_free(file->dest_dir);
	g_free(file->link);
	g_free(file->built_sha256);
	g_free(file->sha256);
	g_free(file->version);
	g_free(file->srcversion);
	g_strfreev(file->aliases);
	g_strfreev(file->exports);
	g_free(file->unresolved);
	g_strfreev(file->missing);
	g_free(file);
}

char *ks_manifest_file_path(const struct ks_manifest_file *file)
{
	return g_build_filename(file->dest_dir, file->name, NULL);
}

bool ks_manifest_has_path(const struct ks_manifest *manifest, const char *path)
{
	for (guint i = 0; manifest && i < manifest->files->len; i++) {
		g_autofree char *own = ks_manifest_file_path(manifest->files->pdata[i]);

		if (strcmp(own, path) == 0)
			return true;
	}
	return false;
}

void ks_manifest_leave_out(struct ks_manifest *manifest, const char *const *names)
{
	while (manifest->left_out->len)
		g_ptr_array_add(manifest->files,
				g_ptr_array_steal_index(manifest->left_out, 0));
	for (guint i = 0; names && i < manifest->files->len;) {
		const struct ks_manifest_file *file = manifest->files->pdata[i];

		if (g_strv_contains(names, file->name))
			g_ptr_array_add(manifest->left_out,
					g_ptr_array_steal_index(manifest->files, i));
		else
			i++;
	}
}

char *ks_manifest_unresolved(const struct ks_manifest *manifest)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; manifest && i < manifest->files->len; i++) {
		const struct ks_manifest_file *file = manifest->files->pdata[i];

		if (file->unresolved)
			g_string_append_printf(text, "%s'%s': %s", text->len ? "; " : "",
					       file->name, file->unresolved);
	}
	return text->len ? g_string_free(g_steal_pointer(&text), FALSE) : NULL;
}

/* --- what a field may hold */

static bool is_sha256(const char *text)
{
	return strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

static bool is_token(const char *text)
{
	size_t length = strlen(text);

	return length > 0 && length <= 128 &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "0123456789:._-") == length;
}

static bool is_printable(const char *text)
{
	for (const char *p = text; *p; p++) {
		if (g_ascii_iscntrl(*p))
			return false;
	}
	return strlen(text) <= MAX_TEXT_BYTES;
}

/* These files are removed by this name later: no name may lead out of dest_dir. */
static bool is_module_file_name(const char *text)
{
	static const char *const suffixes[] = {".ko", ".ko.xz", ".ko.zst", ".ko.gz"};

	if (!ks_name_is_plain(text))
		return false;
	for (size_t i = 0; i < G_N_ELEMENTS(suffixes); i++) {
		if (g_str_has_suffix(text, suffixes[i]))
			return true;
	}
	return false;
}

static bool is_plain_path(const char *text)
{
	g_auto(GStrv) parts = NULL;

	if (text[0] != '/' || !is_printable(text))
		return false;
	parts = g_strsplit(text + 1, "/", -1);
	for (char **part = parts; *part; part++) {
		if (!**part || g_str_equal(*part, ".") || g_str_equal(*part, ".."))
			return false;
	}
	return parts[0] != NULL;
}

/* --- reading */

struct reader {
	GKeyFile *keys;
	const char *label;
};

static bool refuse(const struct reader *reader, const char *group, const char *key,
		   GError **error)
{
	ks_error_set(error, KS_ERROR_INVALID, "'%s': [%s] %s is missing or malformed",
		     reader->label, group, key);
	return false;
}

static bool read_text(const struct reader *reader, const char *group, const char *key,
		      bool (*is_valid)(const char *text), bool required, char **text,
		      GError **error)
{
	g_autofree char *value = NULL;

	if (!g_key_file_has_key(reader->keys, group, key, NULL))
		return required ? refuse(reader, group, key, error) : true;
	value = g_key_file_get_string(reader->keys, group, key, NULL);
	if (!value || !is_valid(value))
		return refuse(reader, group, key, error);
	*text = g_steal_pointer(&value);
	return true;
}

static bool read_number(const struct reader *reader, const char *group, const char *key,
			gint64 *number, GError **error)
{
	g_autofree char *value = NULL;
	guint64 parsed = 0;

	if (!g_key_file_has_key(reader->keys, group, key, NULL))
		return true;
	value = g_key_file_get_value(reader->keys, group, key, NULL);
	if (!value ||
	    !g_ascii_string_to_unsigned(value, 10, 0, G_MAXINT64, &parsed, NULL))
		return refuse(reader, group, key, error);
	*number = (gint64)parsed;
	return true;
}

static bool read_list(const struct reader *reader, const char *group, const char *key,
		      char ***list, GError **error)
{
	g_auto(GStrv) values = NULL;

	if (!g_key_file_has_key(reader->keys, group, key, NULL))
		return true;
	values = g_key_file_get_string_list(reader->keys, group, key, NULL, NULL);
	if (!values)
		return refuse(reader, group, key, error);
	for (char **value = values; *value; value++) {
		if (!is_printable(*value))
			return refuse(reader, group, key, error);
	}
	*list = g_steal_pointer(&values);
	return true;
}

static bool read_file(const struct reader *reader, const char *group,
		      struct ks_manifest_file *file, GError **error)
{
	gint64 size = -1;

	if (!read_text(reader, group, "name", is_module_file_name, true, &file->name,
		       error) ||
	    !read_text(reader, group, "dest-dir", is_plain_path, true, &file->dest_dir,
		       error) ||
	    !read_text(reader, group, "link", is_plain_path, false, &file->link, error) ||
	    !read_text(reader, group, "built-sha256", is_sha256, false,
		       &file->built_sha256, error) ||
	    !read_text(reader, group, "sha256", is_sha256, true, &file->sha256, error) ||
	    !read_number(reader, group, "size", &size, error) ||
	    !read_text(reader, group, "module-version", is_printable, false,
		       &file->version, error) ||
	    !read_text(reader, group, "srcversion", is_printable, false,
		       &file->srcversion, error) ||
	    !read_list(reader, group, "aliases", &file->aliases, error) ||
	    !read_list(reader, group, "exports", &file->exports, error) ||
	    (g_key_file_has_key(reader->keys, group, "missing", NULL) &&
	     !read_list(reader, group, "missing", &file->missing, error)) ||
	    !read_text(reader, group, "unresolved", is_printable, false,
		       &file->unresolved, error))
		return false;
	if (size < 0)
		return refuse(reader, group, "size", error);
	file->size_bytes = (guint64)size;
	return true;
}

static bool read_files(const struct reader *reader, struct ks_manifest *manifest,
		       GError **error)
{
	g_autoptr(GHashTable) paths =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	gint64 n_files = -1;

	if (!read_number(reader, GROUP, "n-files", &n_files, error))
		return false;
	if (n_files < 0 || n_files > MAX_FILES)
		return refuse(reader, GROUP, "n-files", error);
	for (gint64 i = 0; i < n_files; i++) {
		g_autofree char *group = g_strdup_printf("file %" G_GINT64_FORMAT, i);
		struct ks_manifest_file *file = g_new0(struct ks_manifest_file, 1);

		g_ptr_array_add(g_key_file_has_key(reader->keys, group, LEFT_OUT, NULL)
					? manifest->left_out
					: manifest->files,
				file);
		if (!read_file(reader, group, file, error))
			return false;
		if (!g_hash_table_add(paths, ks_manifest_file_path(file)))
			return refuse(reader, group, "name", error);
	}
	return true;
}

static bool read_head(const struct reader *reader, struct ks_manifest *manifest,
		      GError **error)
{
	gint64 schema = 0;
	bool ok;

	if (!read_number(reader, GROUP, "schema", &schema, error))
		return false;
	if (schema != SCHEMA)
		return refuse(reader, GROUP, "schema", error);
	ok = read_text(reader, GROUP, "module", ks_name_is_plain, true, &manifest->module,
		       error) &&
	     read_text(reader, GROUP, "version", ks_name_is_plain, true,
		       &manifest->version, error) &&
	     read_text(reader, GROUP, "release", ks_name_is_plain, true,
		       &manifest->release, error) &&
	     read_text(reader, GROUP, "arch", ks_name_is_plain, true, &manifest->arch,
		       error) &&
	     read_text(reader, GROUP, "build-fingerprint", is_token, false,
		       &manifest->build_fingerprint, error) &&
	     read_text(reader, GROUP, "finish-fingerprint", is_token, false,
		       &manifest->finish_fingerprint, error) &&
	     read_text(reader, GROUP, "covers", is_printable, false, &manifest->covers,
		       error) &&
	     read_text(reader, GROUP, "sandbox-layers", is_printable, false,
		       &manifest->sandbox_layers, error) &&
	     read_text(reader, GROUP, "signing", is_token, false, &manifest->signing,
		       error) &&
	     read_text(reader, GROUP, "certificate-sha256", is_token, false,
		       &manifest->certificate_sha256, error) &&
	     read_text(reader, GROUP, "sign-hash", is_token, false, &manifest->sign_hash,
		       error) &&
	     read_number(reader, GROUP, "built-at-us", &manifest->built_at_us, error) &&
	     read_number(reader, GROUP, "installed-at-us", &manifest->installed_at_us,
			 error) &&
	     read_number(reader, GROUP, "build-duration-ms", &manifest->build_duration_ms,
			 error);
	return ok;
}

struct ks_manifest *ks_manifest_parse(const char *text, size_t size_bytes,
				      const char *label, GError **error)
{
	g_autoptr(GKeyFile) keys = g_key_file_new();
	ks_auto(ks_manifest) manifest = ks_manifest_new(NULL, NULL, NULL, NULL);
	const struct reader reader = {.keys = keys, .label = label};
	g_autoptr(GError) cause = NULL;

	if (size_bytes == 0 || size_bytes > MAX_MANIFEST_BYTES ||
	    memchr(text, '\0', size_bytes)) {
		ks_error_set(error, KS_ERROR_INVALID,
			     "'%s': not a manifest: empty, binary or too large", label);
		return NULL;
	}
	if (!g_key_file_load_from_data(keys, text, size_bytes, G_KEY_FILE_NONE, &cause)) {
		ks_error_set(error, KS_ERROR_INVALID, "'%s': not a manifest: %s", label,
			     cause->message);
		return NULL;
	}
	if (!read_head(&reader, manifest, error) || !read_files(&reader, manifest, error))
		return NULL;
	return g_steal_pointer(&manifest);
}

struct ks_manifest *ks_manifest_load(const struct ks_system *system, const char *path,
				     GError **error)
{
	g_autofree char *text = NULL;
	size_t size_bytes = 0;

	text = ks_root_read_file(system->root, path, MAX_MANIFEST_BYTES, &size_bytes,
				 error);
	if (!text)
		return NULL;
	return ks_manifest_parse(text, size_bytes, path, error);
}

/* --- writing */

static void set_text(GKeyFile *keys, const char *group, const char *key, const char *text)
{
	if (text)
		g_key_file_set_string(keys, group, key, text);
}

static void set_list(GKeyFile *keys, const char *group, const char *key, char **list)
{
	if (list && *list)
		g_key_file_set_string_list(keys, group, key, (const char *const *)list,
					   g_strv_length(list));
}

static void format_file(GKeyFile *keys, guint index, const struct ks_manifest_file *file,
			bool is_left_out)
{
	g_autofree char *group = g_strdup_printf("file %u", index);

	set_text(keys, group, "name", file->name);
	set_text(keys, group, "dest-dir", file->dest_dir);
	set_text(keys, group, "link", file->link);
	set_text(keys, group, "built-sha256", file->built_sha256);
	set_text(keys, group, "sha256", file->sha256);
	g_key_file_set_uint64(keys, group, "size", file->size_bytes);
	set_text(keys, group, "module-version", file->version);
	set_text(keys, group, "srcversion", file->srcversion);
	set_list(keys, group, "aliases", file->aliases);
	set_list(keys, group, "exports", file->exports);
	set_text(keys, group, "unresolved", file->unresolved);
	if (file->missing && *file->missing)
		set_list(keys, group, "missing", file->missing);
	if (is_left_out)
		set_text(keys, group, LEFT_OUT, "yes");
}

static char *format_manifest(const struct ks_manifest *manifest, size_t *size_bytes)
{
	g_autoptr(GKeyFile) keys = g_key_file_new();
	const guint n_files = manifest->files->len;

	g_key_file_set_integer(keys, GROUP, "schema", SCHEMA);
	set_text(keys, GROUP, "module", manifest->module);
	set_text(keys, GROUP, "version", manifest->version);
	set_text(keys, GROUP, "release", manifest->release);
	set_text(keys, GROUP, "arch", manifest->arch);
	set_text(keys, GROUP, "build-fingerprint", manifest->build_fingerprint);
	set_text(keys, GROUP, "finish-fingerprint", manifest->finish_fingerprint);
	set_text(keys, GROUP, "covers", manifest->covers);
	set_text(keys, GROUP, "sandbox-layers", manifest->sandbox_layers);
	set_text(keys, GROUP, "signing", manifest->signing);
	set_text(keys, GROUP, "certificate-sha256", manifest->certificate_sha256);
	set_text(keys, GROUP, "sign-hash", manifest->sign_hash);
	g_key_file_set_int64(keys, GROUP, "built-at-us", manifest->built_at_us);
	g_key_file_set_int64(keys, GROUP, "installed-at-us", manifest->installed_at_us);
	g_key_file_set_int64(keys, GROUP, "build-duration-ms",
			     manifest->build_duration_ms);
	g_key_file_set_uint64(keys, GROUP, "n-files", n_files + manifest->left_out->len);
	for (guint i = 0; i < n_files; i++)
		format_file(keys, i, manifest->files->pdata[i], false);
	for (guint i = 0; i < manifest->left_out->len; i++)
		format_file(keys, n_files + i, manifest->left_out->pdata[i], true);
	return g_key_file_to_data(keys, size_bytes, NULL);
}

bool ks_manifest_store(const struct ks_system *system, const struct ks_manifest *manifest,
		       const char *path, GError **error)
{
	g_autofree char *text = NULL;
	ks_auto(ks_manifest) again = NULL;
	size_t size_bytes = 0;

	/*
	 * A text that could not be read again would be lost at the next run:
	 * refuse it now.
	 */
	text = format_manifest(manifest, &size_bytes);
	again = ks_manifest_parse(text, size_bytes, path, error);
	if (!again)
		return false;
	return ks_durable_write(system->root, path, text, size_bytes, 0644, error);
}
