/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tarballs written: libarchive, entries sorted, owners root. */
#include "core/package/tarball.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/package/archive.h"
#include "core/support/error.h"

#define BLOCK_BYTES (64 * 1024)
#define MAX_DEPTH   100

struct writer {
	const struct ks_system *system;
	const struct ks_archive *lib;
	struct archive *archive;
	char *buffer;
	char **outside;
};

static bool fail(const struct writer *writer, GError **error)
{
	int err = writer->lib->archive_errno(writer->archive);

	if (err > 0)
		ks_error_set_errno(error, err, "cannot write the tarball");
	else
		ks_error_set(error, KS_ERROR_FAILED, "cannot write the tarball: %s",
			     writer->lib->archive_error_string(writer->archive));
	return false;
}

static bool add_header(struct writer *writer, const char *name, const struct stat *st,
		       const char *target, GError **error)
{
	struct archive_entry *entry = writer->lib->archive_entry_new();
	bool ok;

	writer->lib->archive_entry_set_pathname(entry, name);
	writer->lib->archive_entry_set_filetype(entry, st->st_mode & S_IFMT);
	writer->lib->archive_entry_set_perm(
		entry, S_ISREG(st->st_mode) && !(st->st_mode & 0111) ? 0644 : 0755);
	writer->lib->archive_entry_set_size(entry,
					    S_ISREG(st->st_mode) ? st->st_size : 0);
	writer->lib->archive_entry_set_mtime(entry, st->st_mtime, 0);
	writer->lib->archive_entry_set_uname(entry, "root");
	writer->lib->archive_entry_set_gname(entry, "root");
	if (target)
		writer->lib->archive_entry_set_symlink(entry, target);
	ok = writer->lib->archive_write_header(writer->archive, entry) == ARCHIVE_OK ||
	     fail(writer, error);
	writer->lib->archive_entry_free(entry);
	return ok;
}

static bool add_data(struct writer *writer, const void *data, size_t size_bytes,
		     GError **error)
{
	return writer->lib->archive_write_data(writer->archive, data, size_bytes) ==
		       (la_ssize_t)size_bytes ||
	       fail(writer, error);
}

static bool add_text(struct writer *writer, const char *name, const char *text,
		     const struct stat *like, GError **error)
{
	struct stat st = *like;

	st.st_mode = S_IFREG | 0644;
	st.st_size = (off_t)strlen(text);
	return add_header(writer, name, &st, NULL, error) &&
	       add_data(writer, text, strlen(text), error);
}

static bool add_file(struct writer *writer, const char *path, const char *name,
		     GError **error)
{
	ks_autofd int fd = ks_root_openat(writer->system->root, path,
					  O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0, error);
	struct stat st;
	off_t left;

	if (fd < 0)
		return false;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		ks_error_set(error, KS_ERROR_INVALID, "'%s' is no regular file", path);
		return false;
	}
	if (!add_header(writer, name, &st, NULL, error))
		return false;
	for (left = st.st_size; left;) {
		ssize_t n = read(fd, writer->buffer, (size_t)MIN(left, BLOCK_BYTES));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			ks_error_set(error, KS_ERROR_FAILED, "cannot read '%s': %s", path,
				     n ? g_strerror(errno) : "it became shorter");
			return false;
		}
		if (!add_data(writer, writer->buffer, (size_t)n, error))
			return false;
		left -= n;
	}
	return true;
}

static bool add_dir(struct writer *writer, const char *path, const char *name,
		    GError **error)
{
	struct stat st;

	if (ks_root_stat(writer->system->root, path, &st) && S_ISDIR(st.st_mode))
		return add_header(writer, name, &st, NULL, error);
	ks_error_set(error, KS_ERROR_NOT_FOUND, "'%s' is no directory", path);
	return false;
}

static bool add_tree(struct writer *writer, const char *path, const char *name,
		     const char *inside, guint depth, GError **error);

/* inside is the name below the source: where its links must not lead out of. */
static bool add_entry(struct writer *writer, const char *path, const char *name,
		      const char *inside, guint depth, GError **error)
{
	struct stat st;

	if (!ks_root_lstat(writer->system->root, path, &st)) {
		ks_error_set_errno(error, errno, "cannot read '%s'", path);
		return false;
	}
	if (S_ISDIR(st.st_mode))
		return add_tree(writer, path, name, inside, depth + 1, error);
	if (S_ISREG(st.st_mode))
		return add_file(writer, path, name, error);
	if (S_ISLNK(st.st_mode)) {
		g_autofree char *target = ks_root_readlink(writer->system->root, path);

		if (target && writer->outside && !*writer->outside &&
		    !ks_unpack_link_stays_inside(inside, target))
			*writer->outside = g_strdup(path);
		return add_header(writer, name, &st, target ? target : "", error);
	}
	ks_error_set(error, KS_ERROR_INVALID,
		     "'%s' is neither a file, a directory nor a link", path);
	return false;
}

static bool add_tree(struct writer *writer, const char *path, const char *name,
		     const char *inside, guint depth, GError **error)
{
	g_autoptr(GPtrArray) names = ks_root_list(writer->system->root, path, error);

	if (!names || !add_dir(writer, path, name, error))
		return false;
	if (depth > MAX_DEPTH) {
		ks_error_set(error, KS_ERROR_INVALID, "'%s': too deep directories", path);
		return false;
	}
	for (guint i = 0; i < names->len; i++) {
		const char *last = g_ptr_array_index(names, i);
		g_autofree char *inner = g_build_filename(path, last, NULL);
		g_autofree char *inner_name = g_build_filename(name, last, NULL);
		g_autofree char *inner_inside = g_build_filename(inside, last, NULL);

		if (!add_entry(writer, inner, inner_name, inner_inside, depth, error))
			return false;
	}
	return true;
}

/* K/A without our manifest, which is this machine's. */
static bool add_artifact(struct writer *writer, const struct ks_artifact *artifact,
			 GError **error)
{
	g_autofree char *name = g_build_filename("./dkms_main_tree", artifact->release,
						 artifact->arch, NULL);
	g_autoptr(GPtrArray) parts =
		ks_root_list(writer->system->root, artifact->dir, error);

	if (!parts || !add_dir(writer, artifact->dir, name, error))
		return false;
	for (guint i = 0; i < parts->len; i++) {
		const char *part = g_ptr_array_index(parts, i);
		g_autofree char *path = g_build_filename(artifact->dir, part, NULL);
		g_autofree char *part_name = g_build_filename(name, part, NULL);

		if (strcmp(part, "module") != 0 && strcmp(part, "log") != 0 &&
		    !g_str_has_prefix(part, ".dep_"))
			continue;
		if (!add_entry(writer, path, part_name, "", 0, error))
			return false;
	}
	return true;
}

static bool add_binaries_only(struct writer *writer,
			      const struct ks_tarball_contents *contents,
			      const struct stat *like, GError **error)
{
	g_autofree char *name = g_strconcat(contents->module, "\n", NULL);
	g_autofree char *version = g_strconcat(contents->version, "\n", NULL);

	return add_header(writer, "./dkms_binaries_only", like, NULL, error) &&
	       add_text(writer, "./dkms_binaries_only/PACKAGE_NAME", name, like, error) &&
	       add_text(writer, "./dkms_binaries_only/PACKAGE_VERSION", version, like,
			error) &&
	       add_file(writer, contents->conf_path, "./dkms_binaries_only/dkms.conf",
			error);
}

static bool add_all(struct writer *writer, const struct ks_tarball_contents *contents,
		    GError **error)
{
	const char *like_path =
		contents->source_dir ? contents->source_dir : contents->conf_path;
	struct stat like;

	if (!ks_root_stat(writer->system->root, like_path, &like)) {
		ks_error_set_errno(error, errno, "cannot read '%s'", like_path);
		return false;
	}
	like.st_mode = S_IFDIR | 0755;
	if (!add_header(writer, "./", &like, NULL, error) ||
	    !add_header(writer, "./dkms_main_tree", &like, NULL, error))
		return false;
	for (guint i = 0; i < contents->artifacts->len; i++)
		if (!add_artifact(writer, g_ptr_array_index(contents->artifacts, i),
				  error))
			return false;
	return contents->source_dir ? add_tree(writer, contents->source_dir,
					       "./dkms_source_tree", "", 0, error)
				    : add_binaries_only(writer, contents, &like, error);
}

/* As "tar -a" derives it from the name. */
static void set_filter(const struct ks_archive *lib, struct archive *archive,
		       const char *name)
{
	const struct {
		const char *suffix;
		int (*add)(struct archive *archive);
	} filters[] = {
		{".gz", lib->archive_write_add_filter_gzip},
		{".tgz", lib->archive_write_add_filter_gzip},
		{".bz2", lib->archive_write_add_filter_bzip2},
		{".xz", lib->archive_write_add_filter_xz},
		{".zst", lib->archive_write_add_filter_zstd},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(filters); i++)
		if (g_str_has_suffix(name, filters[i].suffix))
			filters[i].add(archive);
	/* the time of writing is not part of the contents */
	lib->archive_write_set_filter_option(archive, "gzip", "timestamp", NULL);
}

bool ks_tarball_write(const struct ks_system *system,
		      const struct ks_tarball_contents *contents, const char *name,
		      int fd, char **outside, GError **error)
{
	const struct ks_archive *lib = ks_archive_load(error);
	struct writer writer = {.system = system, .lib = lib, .outside = outside};
	bool ok;

	if (!lib)
		return false;
	writer.archive = lib->archive_write_new();
	writer.buffer = g_malloc(BLOCK_BYTES);
	/* gnutar: names of any length and bytes, as GNU tar writes and reads them */
	lib->archive_write_set_format_gnutar(writer.archive);
	set_filter(lib, writer.archive, name);
	ok = lib->archive_write_open_fd(writer.archive, fd) == ARCHIVE_OK ||
	     fail(&writer, error);
	ok = ok && add_all(&writer, contents, error);
	ok = ok && (lib->archive_write_close(writer.archive) == ARCHIVE_OK ||
		    fail(&writer, error));
	lib->archive_write_free(writer.archive);
	g_free(writer.buffer);
	return ok;
}
