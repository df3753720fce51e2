/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * package-pacman: a package description (doc/package-protocol.md) as a .pkg.tar.zst, as
 * makepkg makes them: .BUILDINFO, .MTREE, .PKGINFO, .INSTALL, then the contents.
 *
 * A prebuilt package depends on nothing: a dependency on the kernel's package would keep
 * "pacman -Syu" from replacing it.
 */
#include <archive.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/support/error.h"
#include "core/support/write-all.h"
#include "plugins/alpm/mtree.h"
#include "plugins/alpm/pacname.h"
#include "plugins/writer/writer.h"

/* pacman refuses files below a link, and /lib is one wherever it manages the system. */
#define LIB	"/lib/"
#define USR_LIB "/usr/lib/"

/* The kernel may come later, or be gone: no error. */
static const char prebuilt_install[] =
	"post_install() {\n"
	"\tlocal dir=/usr/lib/modules/$release\n"
	"\tif [ -e \"$dir/modules.order\" ] || [ -e \"$dir/modules.builtin\" ]; then\n"
	"\t\tdepmod \"$release\"\n"
	"\tfi\n"
	"}\n\n"
	"post_upgrade() {\n\tpost_install\n}\n\n"
	"post_remove() {\n\tpost_install || :\n}\n";

static const char *architecture_of(const struct ks_package *package)
{
	return strcmp(package->arch, "all") == 0 ? "any" : package->arch;
}

static char *version_of(const struct ks_package *package)
{
	g_autofree char *upstream = ks_alpm_upstream_version(package->version);

	return g_strdup_printf("%s-%s", upstream, package->revision);
}

static char *file_name(const struct ks_package *package, GError **error)
{
	g_autofree char *name = ks_alpm_package_name(package->name);
	g_autofree char *version = version_of(package);

	return g_strdup_printf("%s-%s-%s.pkg.tar.zst", name, version,
			       architecture_of(package));
}

/* --- what it holds: struct ks_mtree_item by path */

static char *path_of(const char *dest)
{
	return g_str_has_prefix(dest, LIB)
		       ? g_strconcat(USR_LIB + 1, dest + strlen(LIB), NULL)
		       : g_strdup(dest + 1);
}

static struct ks_mtree_item *add_item(GTree *items, const struct ks_package *package,
				      const char *path, mode_t mode, guint64 size_bytes)
{
	struct stat st = {.st_mode = mode,
			  .st_size = (off_t)size_bytes,
			  .st_mtim.tv_sec = (time_t)package->mtime};
	struct ks_mtree_item *item = ks_mtree_item_new(path, &st);

	g_tree_replace(items, item->path, item);
	return item;
}

static void add_parents(GTree *items, const struct ks_package *package, const char *path)
{
	for (const char *slash = strchr(path, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		g_autofree char *dir = g_strndup(path, slash - path);

		if (!g_tree_lookup(items, dir))
			add_item(items, package, dir, S_IFDIR | 0755, 0);
	}
}

static struct ks_mtree_item *add_content(GTree *items, const struct ks_package *package,
					 const char *dest, mode_t mode,
					 guint64 size_bytes)
{
	g_autofree char *path = path_of(dest);

	add_parents(items, package, path);
	return add_item(items, package, path, mode, size_bytes);
}

static gint compare_paths(gconstpointer a, gconstpointer b, gpointer data)
{
	return strcmp(a, b);
}

static GTree *contents_of(const struct ks_package *package)
{
	GTree *items = g_tree_new_full(compare_paths, NULL, NULL, ks_mtree_item_free);

	for (guint i = 0; i < package->dirs->len; i++) {
		const struct ks_package_dir *dir = g_ptr_array_index(package->dirs, i);

		add_content(items, package, dir->dest, S_IFDIR | dir->mode, 0);
	}
	for (guint i = 0; i < package->links->len; i++) {
		const struct ks_package_link *link = g_ptr_array_index(package->links, i);

		add_content(items, package, link->dest, S_IFLNK | 0777, 0)->link =
			g_strdup(link->target);
	}
	for (guint i = 0; i < package->files->len; i++) {
		const struct ks_package_file *file = g_ptr_array_index(package->files, i);
		struct ks_mtree_item *item =
			add_content(items, package, file->dest, S_IFREG | file->mode,
				    file->size_bytes);

		item->source = g_strdup(file->source);
		item->sha256 = g_strdup(file->sha256);
	}
	return items;
}

/* --- the files that makepkg adds */

static char *pkginfo_of(const struct ks_package *package)
{
	g_autofree char *name = ks_alpm_package_name(package->name);
	g_autofree char *version = version_of(package);
	GString *out = g_string_new(NULL);
	guint64 size = 0;

	for (guint i = 0; i < package->files->len; i++)
		size += ((struct ks_package_file *)g_ptr_array_index(package->files, i))
				->size_bytes;
	g_string_append_printf(out,
			       "pkgname = %s\npkgbase = %s\npkgver = %s\npkgdesc = %s\n"
			       "builddate = %" G_GINT64_FORMAT "\npackager = %s\n"
			       "size = %" G_GUINT64_FORMAT "\narch = %s\nlicense = %s\n",
			       name, name, version, package->summary, package->mtime,
			       package->maintainer, size, architecture_of(package),
			       package->licence);
	if (package->kind == KS_PACKAGE_PREBUILT) {
		g_autofree char *plain = g_strconcat("kmod-", package->module, NULL);
		g_autofree char *provided = ks_alpm_package_name(plain);

		g_string_append_printf(out, "provides = %s\ndepend = kmod\n", provided);
	}
	return g_string_free(out, FALSE);
}

/* BUILDINFO(5), without the fields that would reveal the machine. */
static char *buildinfo_of(const struct ks_package *package)
{
	g_autofree char *name = ks_alpm_package_name(package->name);
	g_autofree char *version = version_of(package);

	return g_strdup_printf("format = 2\npkgname = %s\npkgbase = %s\npkgver = %s\n"
			       "pkgarch = %s\npackager = %s\n"
			       "builddate = %" G_GINT64_FORMAT "\n"
			       "buildtool = kmodsmith\nbuildtoolver = %s\n",
			       name, name, version, architecture_of(package),
			       package->maintainer, package->mtime, PACKAGE_VERSION);
}

static char *install_of(const struct ks_package *package)
{
	if (package->kind != KS_PACKAGE_PREBUILT)
		return NULL;
	return g_strdup_printf("release='%s'\n\n%s", package->release, prebuilt_install);
}

/* --- the archive */

static int content_in_memory(const void *data, size_t size_bytes)
{
	int fd = memfd_create("content", MFD_CLOEXEC);

	if (fd >= 0 && ks_write_all(fd, data, size_bytes))
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static bool add_text(GPtrArray *items, const struct ks_package *package, const char *path,
		     const void *data, size_t size_bytes, GError **error)
{
	struct stat st = {.st_mode = S_IFREG | 0644,
			  .st_size = (off_t)size_bytes,
			  .st_mtim.tv_sec = (time_t)package->mtime};
	struct ks_mtree_item *item = ks_mtree_item_new(path, &st);

	g_ptr_array_add(items, item);
	item->fd = content_in_memory(data, size_bytes);
	if (item->fd >= 0)
		return true;
	ks_error_set(error, KS_ERROR_FAILED, "cannot hold '%s' in memory", path);
	return false;
}

static gboolean collect(gpointer key, gpointer value, gpointer data)
{
	g_ptr_array_add(data, value);
	return FALSE;
}

/* The descriptions (owned), in the order that makepkg gives them, then the contents. */
static bool list_items(const struct ks_package *package, GTree *contents, GPtrArray *meta,
		       GPtrArray *all, GError **error)
{
	g_autofree char *pkginfo = pkginfo_of(package);
	g_autofree char *buildinfo = buildinfo_of(package);
	g_autofree char *install = install_of(package);
	g_autoptr(GByteArray) mtree = NULL;

	if (!add_text(meta, package, ".BUILDINFO", buildinfo, strlen(buildinfo), error) ||
	    (install &&
	     !add_text(meta, package, ".INSTALL", install, strlen(install), error)) ||
	    !add_text(meta, package, ".PKGINFO", pkginfo, strlen(pkginfo), error))
		return false;
	g_ptr_array_extend(all, meta, NULL, NULL);
	g_tree_foreach(contents, collect, all);
	mtree = ks_mtree_format(all, error);
	if (!mtree || !add_text(meta, package, ".MTREE", mtree->data, mtree->len, error))
		return false;
	g_ptr_array_insert(all, 1, g_ptr_array_index(meta, meta->len - 1));
	return true;
}

static bool fail(struct archive *archive, GError **error)
{
	ks_error_set(error, KS_ERROR_FAILED, "cannot write the package: %s",
		     archive_error_string(archive));
	return false;
}

static bool write_items(struct archive *archive, GPtrArray *items, int fd, GError **error)
{
	if (archive_write_set_format_pax_restricted(archive) != ARCHIVE_OK ||
	    archive_write_add_filter_zstd(archive) != ARCHIVE_OK ||
	    archive_write_set_bytes_in_last_block(archive, 1) != ARCHIVE_OK ||
	    archive_write_open_fd(archive, fd) != ARCHIVE_OK)
		return fail(archive, error);
	for (guint i = 0; i < items->len; i++) {
		const struct ks_mtree_item *item = g_ptr_array_index(items, i);
		g_autofree char *dir = g_strconcat(item->path, "/", NULL);

		if (!ks_mtree_item_write(item,
					 S_ISDIR(item->st.st_mode) ? dir : item->path,
					 archive, error))
			return false;
	}
	return archive_write_close(archive) == ARCHIVE_OK || fail(archive, error);
}

static bool write_pacman(const struct ks_package *package, int fd, GError **error)
{
	g_autoptr(GTree) contents = contents_of(package);
	g_autoptr(GPtrArray) meta = g_ptr_array_new_with_free_func(ks_mtree_item_free);
	g_autoptr(GPtrArray) all = g_ptr_array_new();
	struct archive *archive;
	bool ok;

	if (!list_items(package, contents, meta, all, error))
		return false;
	archive = archive_write_new();
	ok = write_items(archive, all, fd, error);
	archive_write_free(archive);
	return ok;
}

const struct ks_writer_format ks_writer_format = {
	.program = "package-pacman",
	.file_name = file_name,
	.write = write_pacman,
};
