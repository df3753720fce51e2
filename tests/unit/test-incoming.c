/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packages of kernels that are to come: what of them is unpacked, and where. */
#include "core/incoming/incoming.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "core/incoming/content.h"
#include "tests/unit/faketree.h"

#define K "6.1.0-56-amd64"

struct member {
	const char *name;
	unsigned int type; /* AE_IF* */
	const char *text;  /* content, or where a link leads */
};

static void write_member(struct archive *archive, const struct member *member)
{
	struct archive_entry *entry = archive_entry_new();
	const size_t size = member->type == AE_IFREG ? strlen(member->text) : 0;

	archive_entry_set_pathname(entry, member->name);
	archive_entry_set_filetype(entry, member->type);
	archive_entry_set_perm(entry, 0755);
	archive_entry_set_mtime(entry, 1000000000, 0);
	archive_entry_set_size(entry, (gint64)size);
	if (member->type == AE_IFLNK)
		archive_entry_set_symlink(entry, member->text);
	g_assert_cmpint(archive_write_header(archive, entry), ==, ARCHIVE_OK);
	if (size)
		g_assert_cmpint(archive_write_data(archive, member->text, size), ==,
				(la_ssize_t)size);
	archive_entry_free(entry);
}

static int make_tarball(const struct member *members)
{
	struct archive *archive = archive_write_new();
	int fd = memfd_create("tarball", MFD_CLOEXEC);

	archive_write_set_format_gnutar(archive);
	archive_write_add_filter_xz(archive);
	g_assert_cmpint(archive_write_open_fd(archive, fd), ==, ARCHIVE_OK);
	for (; members->name; members++)
		write_member(archive, members);
	g_assert_cmpint(archive_write_close(archive), ==, ARCHIVE_OK);
	archive_write_free(archive);
	return fd;
}

static void write_text(int fd, const char *text, size_t size)
{
	g_assert_cmpint(write(fd, text, size), ==, (ssize_t)size);
}

static void write_ar_member(int fd, const char *name, const char *data, size_t size)
{
	g_autofree char *header = g_strdup_printf("%-16s%-32s%-10zu`\n", name, "0", size);

	write_text(fd, header, 60);
	write_text(fd, data, size);
	if (size % 2)
		write_text(fd, "\n", 1);
}

/* As dpkg-deb writes it; the sizes of the others are odd, which ar(5) fills up. */
static int make_deb(const struct member *members, const char *content_name)
{
	int tarball = make_tarball(members);
	const size_t size = (size_t)lseek(tarball, 0, SEEK_END);
	g_autofree char *data = g_malloc(size);
	int fd = memfd_create("deb", MFD_CLOEXEC);

	g_assert_cmpint(pread(tarball, data, size, 0), ==, (ssize_t)size);
	close(tarball);
	write_text(fd, "!<arch>\n", 8);
	write_ar_member(fd, "debian-binary", "2.0", 3);
	write_ar_member(fd, "control.tar.xz", "nothing", 7);
	write_ar_member(fd, content_name, data, size);
	return fd;
}

static const struct member headers[] = {
	{"./usr/src/linux-headers-" K "/Makefile", AE_IFREG, "all:\n"},
	{"./usr/src/linux-headers-" K "/scripts", AE_IFLNK,
	 "../../lib/linux-kbuild-6.1/scripts"},
	{"./usr/share/doc/linux-headers-" K "/copyright", AE_IFREG, "x"},
	{"./usr/lib/linux-kbuild-6.1/scripts/mod/modpost", AE_IFREG, "#!"},
	{"./usr/lib/x86_64-linux-gnu/libc.so.6", AE_IFREG, "evil"},
	{"./usr/bin/gcc", AE_IFREG, "evil"},
	{"./etc/passwd", AE_IFREG, "evil"},
	{"./lib/modules/" K "/build", AE_IFLNK, "/usr/src/linux-headers-" K},
	{"./lib/modules/" K "/kernel/foo.ko", AE_IFREG, "x"},
	{"./lib/modules/" K "/builds", AE_IFREG, "x"},
	{NULL},
};

static bool add(struct ks_incoming *incoming, int fd, GError **error)
{
	bool ok = ks_incoming_add(incoming, fd, "k.deb", error);

	close(fd);
	return ok;
}

static bool has(const struct faketree *tree, const struct ks_incoming *incoming,
		const char *path)
{
	g_autofree char *full = g_build_filename(ks_incoming_path(incoming), path, NULL);
	struct stat st;

	return ks_root_lstat(tree->root, full, &st);
}

static struct ks_incoming *open_merged(struct faketree *tree)
{
	GError *error = NULL;
	struct ks_incoming *incoming;

	faketree_mkdir(tree, "/usr/lib");
	faketree_mkdir(tree, "/usr/src");
	faketree_link(tree, "usr/lib", "/lib");
	incoming = ks_incoming_new(tree->system, &error);
	g_assert_no_error(error);
	return incoming;
}

static void test_what_a_build_needs_is_unpacked_and_nothing_else(struct faketree *tree,
								 gconstpointer data)
{
	ks_auto(ks_incoming) incoming = open_merged(tree);
	g_auto(GStrv) releases = NULL;
	g_auto(GStrv) covered = NULL;
	g_auto(GStrv) covers = NULL;
	g_autofree char *path = NULL;
	g_autofree char *link = NULL;
	g_autoptr(GError) error = NULL;
	struct stat st;

	g_assert_true(add(incoming, make_deb(headers, data), &error));
	g_assert_no_error(error);
	path = g_build_filename(ks_incoming_path(incoming),
				"usr/src/linux-headers-" K "/Makefile", NULL);
	g_assert_true(ks_root_lstat(tree->root, path, &st));
	g_assert_cmpint(st.st_mtime, ==, 1000000000);
	g_assert_true(has(tree, incoming, "usr/src/linux-headers-" K "/scripts"));
	g_assert_true(
		has(tree, incoming, "usr/lib/linux-kbuild-6.1/scripts/mod/modpost"));
	/* where the tree's link would have led it */
	link = g_build_filename(ks_incoming_path(incoming), "usr/lib/modules", K, "build",
				NULL);
	g_assert_true(ks_root_lstat(tree->root, link, &st) && S_ISLNK(st.st_mode));
	g_assert_false(has(tree, incoming, "lib"));
	g_assert_false(has(tree, incoming, "usr/bin"));
	g_assert_false(has(tree, incoming, "etc"));
	g_assert_false(has(tree, incoming, "usr/share"));
	g_assert_false(has(tree, incoming, "usr/lib/x86_64-linux-gnu"));
	g_assert_false(has(tree, incoming, "usr/lib/modules/" K "/kernel"));
	g_assert_false(has(tree, incoming, "usr/lib/modules/" K "/builds"));
	releases = ks_incoming_list_releases(incoming, &error);
	g_assert_cmpstr(releases[0], ==, K);
	g_assert_null(releases[1]);
	g_assert_true(ks_incoming_list_covered(incoming, &covered, &covers, &error));
	g_assert_cmpstr(covered[0], ==, "/usr/src");
	g_assert_cmpstr(covered[1], ==, "/usr/lib");
	g_assert_null(covered[2]);
}

static void test_where_lib_is_not_merged_it_stays_apart(struct faketree *tree,
							gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	ks_auto(ks_incoming) incoming = NULL;

	faketree_mkdir(tree, "/usr/lib");
	faketree_mkdir(tree, "/lib");
	incoming = ks_incoming_new(tree->system, &error);
	g_assert_no_error(error);
	g_assert_true(add(incoming, make_deb(headers, "data.tar.xz"), &error));
	g_assert_true(has(tree, incoming, "lib/modules/" K "/build"));
	g_assert_false(has(tree, incoming, "usr/lib/modules"));
}

static void test_an_image_alone_names_its_kernel(struct faketree *tree,
						 gconstpointer data)
{
	static const struct member image[] = {
		{"./boot/vmlinuz-6.8.0", AE_IFREG, "x"},
		{"./boot/vmlinuz-7/../x", AE_IFREG, "x"},
		{NULL},
	};
	static const struct member plain[] = {
		{"boot/vmlinuz-6.8.0", AE_IFREG, "x"},
		{"boot/vmlinuz-6.9.0/x", AE_IFREG, "x"},
		{"usr/lib/modules/source/x", AE_IFREG, "x"},
		{NULL},
	};
	ks_auto(ks_incoming) incoming = open_merged(tree);
	g_auto(GStrv) releases = NULL;
	g_autoptr(GError) error = NULL;

	g_assert_false(add(incoming, make_deb(image, "data.tar.xz"), &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_INVALID);
	g_clear_error(&error);
	/* a tarball, as pacman's packages are */
	g_assert_true(add(incoming, make_tarball(plain), &error));
	g_assert_no_error(error);
	releases = ks_incoming_list_releases(incoming, &error);
	g_assert_cmpstr(releases[0], ==, "6.8.0");
	g_assert_null(releases[1]);
	g_assert_true(has(tree, incoming, "usr/lib/modules/6.8.0"));
}

static void test_nothing_is_written_through_a_link(struct faketree *tree,
						   gconstpointer data)
{
	static const struct member members[] = {
		{"usr/src/out", AE_IFLNK, "../../../../../../outside"},
		{"usr/src/out/file", AE_IFREG, "evil"},
		{NULL},
	};
	ks_auto(ks_incoming) incoming = open_merged(tree);
	g_autoptr(GError) error = NULL;

	faketree_mkdir(tree, "/outside");
	g_assert_false(add(incoming, make_tarball(members), &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_INVALID);
	g_assert_false(ks_root_exists(tree->root, "/outside/file"));
}

static void test_damaged_packages_are_refused(void)
{
	static const char *const texts[] = {
		"!<arch>\n",
		"!<arch>\ndebian-binary   0           0     0     100644  4         `",
		"!<arch>\ndebian-binary   0           0     0     100644  -4        "
		"`\n2.0\n",
		"!<arch>\ndebian-binary   0           0     0     100644  4x        "
		"`\n2.0\n",
		"!<arch>\ndata.tarball    0           0     0     100644  4         "
		"`\n2.0\n",
		"!<arch>\ndebian-binary   0           0     0     100644  "
		"9999999999`\n2.0\n",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autoptr(GError) error = NULL;
		int fd = memfd_create("deb", MFD_CLOEXEC);

		write_text(fd, texts[i], strlen(texts[i]));
		g_assert_false(ks_incoming_seek_content(fd, "k.deb", &error));
		g_assert_error(error, KS_ERROR, KS_ERROR_INVALID);
		close(fd);
	}
}

static void test_what_a_killed_process_left_is_removed(struct faketree *tree,
						       gconstpointer data)
{
	ks_auto(ks_incoming) incoming = NULL;
	g_autofree char *path = NULL;

	faketree_write(tree, "/var/lib/kmodsmith/incoming/1/usr/src/x", "left");
	incoming = open_merged(tree);
	g_assert_false(ks_root_exists(tree->root, "/var/lib/kmodsmith/incoming/1"));
	path = g_strdup(ks_incoming_path(incoming));
	g_assert_true(ks_root_exists(tree->root, path));
	ks_incoming_close(g_steal_pointer(&incoming));
	g_assert_false(ks_root_exists(tree->root, "/var/lib/kmodsmith/incoming"));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	g_test_add("/incoming/needed", struct faketree, "data.tar.xz", faketree_set_up,
		   test_what_a_build_needs_is_unpacked_and_nothing_else,
		   faketree_tear_down);
	g_test_add("/incoming/gnu-ar", struct faketree, "data.tar.xz/", faketree_set_up,
		   test_what_a_build_needs_is_unpacked_and_nothing_else,
		   faketree_tear_down);
	g_test_add("/incoming/not-merged", struct faketree, NULL, faketree_set_up,
		   test_where_lib_is_not_merged_it_stays_apart, faketree_tear_down);
	g_test_add("/incoming/image", struct faketree, NULL, faketree_set_up,
		   test_an_image_alone_names_its_kernel, faketree_tear_down);
	g_test_add("/incoming/links", struct faketree, NULL, faketree_set_up,
		   test_nothing_is_written_through_a_link, faketree_tear_down);
	g_test_add_func("/incoming/damaged", test_damaged_packages_are_refused);
	g_test_add("/incoming/left", struct faketree, NULL, faketree_set_up,
		   test_what_a_killed_process_left_is_removed, faketree_tear_down);
	return g_test_run();
}
