/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See recorddeb.h. */
#include "plugins/apt/recorddeb.h"

#include <string.h>

#include "core/support/error.h"
#include "plugins/apt/debname.h"
#include "plugins/apt/debwriter.h"

#define KIBIBYTE 1024

static const char *const module_dirs[] = {"/lib/modules/", "/usr/lib/modules/"};

static bool is_one_line(const char *text)
{
	for (const char *p = text; *p; p++)
		if (g_ascii_iscntrl(*p))
			return false;
	return true;
}

bool ks_record_deb_is_sound(const struct ks_record *record, GError **error)
{
	const char *const texts[] = {record->name,    record->module,
				     record->version, record->release,
				     record->digest,  record->fingerprint};

	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
		if (is_one_line(texts[i]))
			continue;
		ks_error_set(error, KS_ERROR_INVALID,
			     "control character in a record's field");
		return false;
	}
	if (!g_str_has_prefix(record->name, "kmod-") || !*record->digest) {
		ks_error_set(error, KS_ERROR_INVALID, "'%s' is not a usable record",
			     record->name);
		return false;
	}
	return true;
}

char *ks_record_deb_spell(const char *path, const char *modules_dir)
{
	for (size_t i = 0; i < G_N_ELEMENTS(module_dirs); i++)
		if (g_str_has_prefix(path, module_dirs[i]))
			return g_strdup_printf("%s/%s", modules_dir,
					       path + strlen(module_dirs[i]));
	return g_strdup(path);
}

static void append_replaces(GString *out, GPtrArray *replaces)
{
	for (guint i = 0; replaces && i < replaces->len; i++)
		g_string_append_printf(out, "%s%s", i ? ", " : "Replaces: ",
				       (const char *)g_ptr_array_index(replaces, i));
	if (replaces && replaces->len)
		g_string_append_c(out, '\n');
}

static char *control_of(const struct ks_record_deb *package)
{
	const struct ks_record *record = package->record;
	g_autofree char *version = ks_deb_version(record->version, record->digest);
	g_autofree char *plain = g_strconcat("kmod-", record->module, NULL);
	g_autofree char *provided = ks_deb_package_name(plain);
	GString *out = g_string_new(NULL);
	guint64 kibibytes = 0;

	for (size_t i = 0; i < record->n_files; i++) {
		const struct ks_record_file *file = &record->files[i];

		kibibytes += (file->size_bytes + KIBIBYTE - 1) / KIBIBYTE;
	}
	g_string_append_printf(out,
			       "Package: %s\nVersion: %s\nArchitecture: %s\n"
			       "Maintainer: kmodsmith <root@localhost>\n"
			       "Installed-Size: %" G_GUINT64_FORMAT "\n",
			       package->name, version, package->architecture, kibibytes);
	if (package->kernel_package)
		g_string_append_printf(out, "Depends: %s\n", package->kernel_package);
	g_string_append_printf(out, "Provides: %s\n", provided);
	append_replaces(out, package->replaces);
	g_string_append_printf(
		out,
		"Section: kernel\nPriority: optional\n"
		"Description: %s %s for Linux %s, built on this machine\n"
		" Kernel modules that kmodsmith built from the source package.\n",
		record->module, record->version, record->release);
	g_string_append_printf(out,
			       "X-Kmodsmith-Module: %s\nX-Kmodsmith-Version: %s\n"
			       "X-Kmodsmith-Kernel: %s\nX-Kmodsmith-Digest: %s\n",
			       record->module, record->version, record->release,
			       record->digest);
	if (*record->fingerprint)
		g_string_append_printf(out, "X-Kmodsmith-Fingerprint: %s\n",
				       record->fingerprint);
	return g_string_free(out, FALSE);
}

static void file_free(gpointer data)
{
	ks_deb_file_free(data);
}

static struct ks_deb_file *open_link(const struct ks_record_deb *package,
				     const struct ks_record_file *from, GError **error)
{
	g_autofree char *text = ks_root_readlink(package->system->root, from->path);
	struct ks_deb_file *file;
	struct stat st;

	if (g_strcmp0(text, from->link) != 0 ||
	    !ks_root_lstat(package->system->root, from->path, &st)) {
		ks_error_set(error, KS_ERROR_INVALID,
			     "'%s' is not the link that was to be recorded", from->path);
		return NULL;
	}
	file = g_new0(struct ks_deb_file, 1);
	file->path = ks_record_deb_spell(from->path, package->modules_dir);
	file->fd = -1;
	file->link = g_steal_pointer(&text);
	file->mtime = st.st_mtime;
	return file;
}

static struct ks_deb_file *open_file(const struct ks_record_deb *package,
				     const struct ks_record_file *from, GError **error)
{
	struct ks_deb_file *file;
	struct stat st;
	ks_autofd int fd = ks_root_openat(package->system->root, from->path,
					  O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0, error);

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    (guint64)st.st_size != from->size_bytes) {
		ks_error_set(error, KS_ERROR_INVALID,
			     "'%s' is not the file that was to be recorded", from->path);
		return NULL;
	}
	file = g_new0(struct ks_deb_file, 1);
	file->path = ks_record_deb_spell(from->path, package->modules_dir);
	file->fd = ks_steal_fd(&fd);
	file->sha256 = g_strdup(from->sha256);
	file->size_bytes = from->size_bytes;
	file->mode = from->mode;
	file->mtime = st.st_mtime;
	return file;
}

bool ks_record_deb_write(int fd, void *data, GError **error)
{
	const struct ks_record_deb *package = data;
	g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(file_free);
	g_autofree char *control = control_of(package);
	struct ks_deb deb = {0};

	for (size_t i = 0; i < package->record->n_files; i++) {
		const struct ks_record_file *from = &package->record->files[i];
		struct ks_deb_file *file = from->link ? open_link(package, from, error)
						      : open_file(package, from, error);

		if (!file)
			return false;
		g_ptr_array_add(files, file);
	}
	deb.control = control;
	deb.files = files;
	return ks_deb_write(&deb, fd, error);
}
