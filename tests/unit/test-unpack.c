/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tarballs of unknown origin: what they may do, and all that they may not. */
#include "core/package/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit/faketree.h"

struct member {
	const char *name;
	unsigned int type; /* AE_IF*; 0 is a hard link */
	const char *text;  /* content, or where a link leads */
	gint64 size;	   /* of the content when it is not text: zeros */
};

static void write_member(struct archive *archive, const struct member *member)
{
	static const char zeros[65536];
	struct archive_entry *entry = archive_entry_new();
	gint64 size = member->type != AE_IFREG ? 0
		      : member->text	       ? (gint64)strlen(member->text)
					       : member->size;

	archive_entry_set_pathname(entry, member->name);
	archive_entry_set_filetype(entry, member->type ? member->type : AE_IFREG);
	archive_entry_set_perm(entry, 07777);
	archive_entry_set_size(entry, size);
	if (!member->type)
		archive_entry_set_hardlink(entry, member->text);
	else if (member->type == AE_IFLNK)
		archive_entry_set_symlink(entry, member->text);
	g_assert_cmpint(archive_write_header(archive, entry), ==, ARCHIVE_OK);
	for (gint64 left = size; left > 0 && !member->text; left -= sizeof(zeros))
		g_assert_cmpint(
			archive_write_data(archive, zeros,
					   (size_t)MIN(left, (gint64)sizeof(zeros))),
			>, 0);
	if (size && member->text)
		g_assert_cmpint(archive_write_data(archive, member->text, (size_t)size),
				==, size);
	archive_entry_free(entry);
}

static int make_tarball(const struct member *members, int (*add_filter)(struct archive *))
{
	struct archive *archive = archive_write_new();
	int fd = memfd_create("tarball", MFD_CLOEXEC);

	archive_write_set_format_gnutar(archive);
	if (add_filter)
		add_filter(archive);
	g_assert_cmpint(archive_write_open_fd(archive, fd), ==, ARCHIVE_OK);
	for (; members->name; members++)
		write_member(archive, members);
	g_assert_cmpint(archive_write_close(archive), ==, ARCHIVE_OK);
	archive_write_free(archive);
	lseek(fd, 0, SEEK_SET);
	return fd;
}

/* Unpack into DIR/in; DIR/outside must stay as it is. */
static bool unpack_fd(struct faketree *tree, int fd,
		      const struct ks_unpack_limits *limits, GError **error)
{
	g_autofree char *in = g_build_filename(tree->dir, "in", NULL);
	int dir_fd;
	bool ok;

	g_mkdir(in, 0700);
	dir_fd = open(in, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ok = ks_unpack(fd, "t.tar", dir_fd, limits, error);
	close(dir_fd);
	close(fd);
	return ok;
}

static bool unpack(struct faketree *tree, const struct member *members,
		   int (*add_filter)(struct archive *), GError **error)
{
	return unpack_fd(tree, make_tarball(members, add_filter),
			 &ks_unpack_default_limits, error);
}

static char *content(const struct faketree *tree, const char *path)
{
	g_autofree char *full = g_build_filename(tree->dir, path, NULL);
	char *text = NULL;

	g_file_get_contents(full, &text, NULL, NULL);
	return text;
}

static void test_files_directories_and_inner_links_are_unpacked(struct faketree *tree,
								gconstpointer data)
{
	static const struct member members[] = {
		{"./", AE_IFDIR},	  {"./a/b/c", AE_IFREG, "text"},
		{"a/b", AE_IFDIR},	  {"./a/up", AE_IFLNK, "../a/b/c"},
		{"a/same", 0, "./a/b/c"}, {NULL},
	};
	int (*const filters[])(struct archive *) = {
		NULL,
		archive_write_add_filter_gzip,
		archive_write_add_filter_bzip2,
		archive_write_add_filter_xz,
		archive_write_add_filter_zstd,
	};

	for (size_t i = 0; i < G_N_ELEMENTS(filters); i++) {
		g_autoptr(GError) error = NULL;
		g_autofree char *in = g_build_filename(tree->dir, "in", NULL);
		g_autofree char *path = g_build_filename(in, "a", "b", "c", NULL);
		g_autofree char *text = NULL, *linked = NULL, *same = NULL;
		struct stat st;

		g_assert_true(unpack(tree, members, filters[i], &error));
		g_assert_no_error(error);
		text = content(tree, "in/a/b/c");
		linked = content(tree, "in/a/up");
		same = content(tree, "in/a/same");
		g_assert_cmpstr(text, ==, "text");
		g_assert_cmpstr(linked, ==, "text");
		g_assert_cmpstr(same, ==, "text");
		g_assert_cmpint(stat(path, &st), ==, 0);
		g_assert_cmpuint(st.st_mode & 07777, ==, 0755);
		nftw(in, faketree_remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	}
}

static void test_what_may_leave_the_directory_is_refused(struct faketree *tree,
							 gconstpointer data)
{
	static const struct {
		struct member members[4];
		const char *message;
	} cases[] = {
		{{{"../outside/new", AE_IFREG, "x"}}, "no name inside"},
		{{{"a/../../outside/new", AE_IFREG, "x"}}, "no name inside"},
		{{{"/outside/new", AE_IFREG, "x"}}, "no name inside"},
		{{{"a\nb", AE_IFREG, "x"}}, "no name inside"},
		{{{"l", AE_IFLNK, "../outside"}}, "may lead outside"},
		{{{"l", AE_IFLNK, "/etc"}}, "may lead outside"},
		{{{"a/l", AE_IFLNK, "../../outside"}}, "may lead outside"},
		{{{"a/b/l", AE_IFLNK, "../../k/../outside"}, {"k", AE_IFLNK, "."}},
		 "may lead outside"},
		{{{"l", AE_IFLNK, "."}, {"l/../x", AE_IFREG, "x"}}, "no name inside"},
		{{{"d", AE_IFDIR}, {"l", AE_IFLNK, "d"}, {"l/x", AE_IFREG, "x"}},
		 "below a file or link"},
		{{{"f", AE_IFREG, "x"}, {"f/x", AE_IFREG, "x"}}, "below a file or link"},
		{{{"h", 0, "../outside/secret"}}, "hard link"},
		{{{"h", 0, "nowhere"}}, "hard link"},
		{{{"l", AE_IFLNK, "x"}, {"h", 0, "l"}}, "hard link to what is no file"},
		{{{"f", AE_IFREG, "x"}, {"f", AE_IFREG, "y"}}, "appears twice"},
		{{{"f", AE_IFREG, "x"}, {"./f", AE_IFDIR}}, "appears twice"},
		{{{"d/x", AE_IFREG, "x"}, {"d", AE_IFREG, "y"}}, "appears twice"},
		{{{"l", AE_IFLNK, "f"}, {"l", AE_IFREG, "y"}}, "appears twice"},
		{{{"p", AE_IFIFO}}, "neither a file"},
		{{{"c", AE_IFCHR}}, "neither a file"},
		{{{"b", AE_IFBLK}}, "neither a file"},
		{{{NULL}}, "empty"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		g_autofree char *in = g_build_filename(tree->dir, "in", NULL);
		g_autofree char *outside = g_build_filename(tree->dir, "outside", NULL);
		g_autofree char *secret = g_build_filename(outside, "secret", NULL);
		g_autofree char *new = g_build_filename(outside, "new", NULL);
		struct stat st;

		g_test_message("%s", cases[i].members[0].name);
		g_mkdir(outside, 0755);
		g_assert_true(g_file_set_contents(secret, "s", 1, NULL));
		g_assert_false(unpack(tree, cases[i].members, NULL, &error));
		g_assert_error(error, KS_ERROR, KS_ERROR_INVALID);
		g_assert_true(g_str_has_prefix(error->message, "t.tar: "));
		g_assert_nonnull(strstr(error->message, cases[i].message));
		g_assert_cmpint(stat(new, &st), ==, -1);
		g_assert_cmpint(stat(secret, &st), ==, 0);
		g_assert_cmpuint(st.st_nlink, ==, 1);
		nftw(in, faketree_remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	}
}

static void test_too_much_too_many_and_too_dense_are_refused(struct faketree *tree,
							     gconstpointer data)
{
	static const struct member big[] = {{"zeros", AE_IFREG, NULL, 200 << 20}, {NULL}};
	static const struct member many[] = {
		{"a", AE_IFDIR}, {"b", AE_IFDIR}, {"c", AE_IFDIR}, {NULL}};
	static const struct {
		const struct member *members;
		int (*filter)(struct archive *);
		struct ks_unpack_limits limits;
		const char *message;
	} cases[] = {
		{big, NULL, {100 << 20, 10, 300}, "holds too much"},
		{big,
		 archive_write_add_filter_xz,
		 {1 << 30, 10, 300},
		 "too much for its size"},
		{many, NULL, {1 << 20, 2, 300}, "more than 2 members"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		g_autofree char *in = g_build_filename(tree->dir, "in", NULL);

		g_assert_false(unpack_fd(tree,
					 make_tarball(cases[i].members, cases[i].filter),
					 &cases[i].limits, &error));
		g_assert_error(error, KS_ERROR, KS_ERROR_INVALID);
		g_assert_nonnull(strstr(error->message, cases[i].message));
		nftw(in, faketree_remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	}
}

static void test_what_is_no_tarball_or_was_cut_off_is_refused(struct faketree *tree,
							      gconstpointer data)
{
	static const struct member members[] = {
		{"f", AE_IFREG, NULL, 100000}, {"g", AE_IFREG, "x"}, {NULL}};
	int garbage = memfd_create("garbage", MFD_CLOEXEC);
	int cut = make_tarball(members, archive_write_add_filter_gzip);
	int cut_plain = make_tarball(members, NULL);
	g_autoptr(GError) error = NULL;
	g_autofree char *in = g_build_filename(tree->dir, "in", NULL);

	g_assert_cmpint(write(garbage, "this is no tarball\n", 19), ==, 19);
	lseek(garbage, 0, SEEK_SET);
	g_assert_false(unpack_fd(tree, garbage, &ks_unpack_default_limits, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_INVALID);
	g_clear_error(&error);
	g_assert_cmpint(ftruncate(cut, 100), ==, 0);
	g_assert_false(unpack_fd(tree, cut, &ks_unpack_default_limits, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_INVALID);
	g_clear_error(&error);
	nftw(in, faketree_remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	g_assert_cmpint(ftruncate(cut_plain, 5000), ==, 0);
	g_assert_false(unpack_fd(tree, cut_plain, &ks_unpack_default_limits, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_INVALID);
}

#define ADD(name, test)                                                                  \
	g_test_add("/unpack/" name, struct faketree, NULL, faketree_set_up, test,        \
		   faketree_tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("files-directories-and-inner-links-are-unpacked",
	    test_files_directories_and_inner_links_are_unpacked);
	ADD("what-may-leave-the-directory-is-refused",
	    test_what_may_leave_the_directory_is_refused);
	ADD("too-much-too-many-and-too-dense-are-refused",
	    test_too_much_too_many_and_too_dense_are_refused);
	ADD("what-is-no-tarball-or-was-cut-off-is-refused",
	    test_what_is_no_tarball_or_was_cut_off_is_refused);
	return g_test_run();
}
