/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Package descriptions: written, read back, and refused where a writer would
 * be misled. */
#include "core/package/package.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "core/support/error.h"

#define SHA256 "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

static const char head[] = "protocol=1\npackages=1\n\n";
static const char texts[] =
	"name=kmod-foo-6.1.0\nversion=1.0\nmodule=foo\narch=x86_64\n"
	"summary=foo\ndescription=one%0Atwo\n"
	"maintainer=A B <a@example.com>\nlicence=GPL\nmtime=1700000000\n";

static struct ks_package *parse(const char *rest, GError **error)
{
	g_autofree char *text = g_strconcat(head, texts, rest, "\n", NULL);

	return ks_package_parse(text, strlen(text), "set", error);
}

static void test_what_is_written_reads_the_same(void)
{
	g_autoptr(GError) error = NULL;
	ks_auto(ks_package) package =
		parse("kind=prebuilt\nkernel=6.1.0\n"
		      "file=/lib/b%20c " SHA256 " 5 644 /tmp/x%25y\n"
		      "file=/lib/a " SHA256 " 4 755 /tmp/a\n"
		      "link=/lib/l ../up\ndir=/lib/d 700\n"
		      "provides=kmod(b.ko)\nlater=unknown\n",
		      &error);
	g_autofree char *once = NULL, *twice = NULL;
	const struct ks_package_file *file;

	g_assert_no_error(error);
	file = g_ptr_array_index(package->files, 1);
	g_assert_cmpstr(file->dest, ==, "/lib/b c");
	g_assert_cmpstr(file->source, ==, "/tmp/x%y");
	g_assert_cmpstr(package->revision, ==, "1");
	g_assert_cmpstr(package->description, ==, "one\ntwo");
	once = ks_package_format(package);
	ks_package_free(g_steal_pointer(&package));
	package = ks_package_parse(once, strlen(once), "again", &error);
	g_assert_no_error(error);
	twice = ks_package_format(package);
	g_assert_cmpstr(once, ==, twice);
}

static void test_what_would_mislead_a_writer_is_refused(void)
{
	static const struct {
		const char *rest, *message;
	} cases[] = {
		{"", "no 'kind'"},
		{"kind=other\n", "'kind'"},
		{"kind=prebuilt\n", "'kernel'"},
		{"kind=prebuilt\nkernel=6';reboot;'\n", "'kernel'"},
		{"kind=source\nkernel=6.1\n", "'kernel'"},
		{"kind=source\nname=again\n", "'name' appears twice"},
		{"kind=source\nrevision=1-2\n", "'revision'"},
		{"kind=source\nfile=lib/a " SHA256 " 4 644 /tmp/a\n", "not a 'file="},
		{"kind=source\nfile=/lib/../a " SHA256 " 4 644 /tmp/a\n", "not a 'file="},
		{"kind=source\nfile=/lib/a " SHA256 " 4 4755 /tmp/a\n", "not a 'file="},
		{"kind=source\nfile=/lib/a " SHA256 " -4 644 /tmp/a\n", "not a 'file="},
		{"kind=source\nfile=/lib/a abc 4 644 /tmp/a\n", "not a 'file="},
		{"kind=source\nfile=/lib/a " SHA256 " 4 644 a\n", "not a 'file="},
		{"kind=source\nlink=/lib/a\n", "not a 'link="},
		{"kind=source\nlink=/lib/a b\nlink=/lib/a c\n", "'/lib/a' appears twice"},
		{"kind=source\nlink=/lib/a b\ndir=/lib/a 755\n",
		 "'/lib/a' appears twice"},
		{"kind=source\nlink=/lib/a b\nlink=/lib/a/c d\n", "below a file or link"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		ks_auto(ks_package) package = parse(cases[i].rest, &error);

		g_test_message("%s", cases[i].rest);
		g_assert_null(package);
		g_assert_error(error, KS_ERROR, KS_ERROR_INVALID);
		g_assert_nonnull(strstr(error->message, cases[i].message));
	}
}

static void test_texts_that_are_no_single_package_are_refused(void)
{
	static const char *const cases[] = {
		"",
		"protocol=1\npackages=0\n\n",
		"protocol=1\nrecords=1\n\nname=a\n\n",
		"protocol=2\npackages=1\n\nname=a\n\n",
		"protocol=1\npackages=1\n\nname=a\n",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(
			ks_package_parse(cases[i], strlen(cases[i]), "set", &error));
		g_assert_error(error, KS_ERROR, KS_ERROR_INVALID);
	}
}

static void test_a_content_that_is_no_plain_file_is_not_opened(void)
{
	g_autofree char *dir = g_dir_make_tmp("ks-package-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "file", NULL);
	g_autofree char *link = g_build_filename(dir, "link", NULL);
	struct ks_package_file file = {.size_bytes = 4, .source = path};
	g_autoptr(GError) error = NULL;
	int fd;

	g_assert_true(g_file_set_contents(path, "four", 4, NULL));
	g_assert_cmpint(symlink("file", link), ==, 0);
	fd = ks_package_open_content(&file, &error);
	g_assert_no_error(error);
	close(fd);
	file.size_bytes = 5;
	g_assert_cmpint(ks_package_open_content(&file, &error), ==, -1);
	g_assert_error(error, KS_ERROR, KS_ERROR_INVALID);
	g_clear_error(&error);
	file.size_bytes = 4;
	file.source = link;
	g_assert_cmpint(ks_package_open_content(&file, &error), ==, -1);
	g_assert_nonnull(error);
	g_unlink(link);
	g_unlink(path);
	g_rmdir(dir);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/package/what-is-written-reads-the-same",
			test_what_is_written_reads_the_same);
	g_test_add_func("/package/what-would-mislead-a-writer-is-refused",
			test_what_would_mislead_a_writer_is_refused);
	g_test_add_func("/package/texts-that-are-no-single-package-are-refused",
			test_texts_that_are_no_single_package_are_refused);
	g_test_add_func("/package/a-content-that-is-no-plain-file-is-not-opened",
			test_a_content_that_is_no_plain_file_is_not_opened);
	return g_test_run();
}
