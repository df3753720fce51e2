/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names, the reader of records and the headers that own modules on rpm systems. */
#include <glib/gstdio.h>
#include <string.h>

#include <rpm/rpmds.h>
#include <rpm/rpmfiles.h>

#include "plugins/rpm/header.h"
#include "plugins/rpm/names.h"
#include "core/record/protocol.h"
#include "plugins/rpm/rpm-tree.h"

#define SHA256_OF_FOO "b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c"
#define HEAD	      "protocol=1\nrecords=1\n\n"
#define RECORD                                                                           \
	"record=kmod-foo-1\nmodule=foo\nversion=1%25\nkernel=1\narch=x86_64\ndigest=d\n" \
	"fingerprint=\nfile=/lib/modules/1/a%20b.ko " SHA256_OF_FOO " 4 644\n"           \
	"provides=kmod(a b.ko)\nnew-key=%\n\n"

struct mapping {
	const char *from, *to;
};

static void test_names_become_what_rpm_allows(void)
{
	static const struct mapping cases[] = {
		{"kmod-foo-6.5.6-300.fc39.x86_64", "kmod-foo-6.5.6-300.fc39.x86_64"},
		{"kmod-VBox_x-6.1.0", "kmod-VBox_x-6.1.0"},
		{"kmod-foo-6.12~rc1", "kmod-foo-6.12.rc1"},
		{"kmod-a b@c-1", "kmod-a_b_c-1"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		char *name = ks_rpm_name(cases[i].from);

		g_assert_cmpstr(name, ==, cases[i].to);
		free(name);
	}
}

static void test_versions_become_what_rpm_allows(void)
{
	static const struct mapping cases[] = {
		{"1.2.2", "1.2.2"},   {"1.0-2", "1.0.2"},
		{"1:2 3", "1.2.3"},   {"0~20220829+git", "0~20220829+git"},
		{"v1.2_3", "v1.2_3"}, {"", "0"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		char *version = ks_rpm_version(cases[i].from);

		g_assert_cmpstr(version, ==, cases[i].to);
		free(version);
	}
}

static void test_the_release_is_of_the_digest(void)
{
	static const struct mapping cases[] = {
		{"0123456789abcdef", "k01234567"}, {"ab-d", "kab.d"}, {"", "k"}};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		char *release = ks_rpm_release(cases[i].from);

		g_assert_cmpstr(release, ==, cases[i].to);
		free(release);
	}
}

static void test_more_than_one_dash_is_no_version_of_rpm(void)
{
	g_assert_true(ks_rpm_is_evr("6.5.6-300.fc39.x86_64"));
	g_assert_true(ks_rpm_is_evr("6.6.1"));
	g_assert_false(ks_rpm_is_evr("6.4.0-150600.21-default"));
	g_assert_false(ks_rpm_is_evr("6.6.1-"));
	g_assert_false(ks_rpm_is_evr("-1"));
	g_assert_false(ks_rpm_is_evr("6.6 1"));
	g_assert_false(ks_rpm_is_evr(""));
}

static void test_a_set_is_read(void)
{
	struct ks_record_set set;
	struct ks_why why = {""};

	g_assert_true(
		ks_record_set_read(HEAD RECORD, strlen(HEAD RECORD), "set", &set, &why));
	g_assert_cmpuint(set.n_records, ==, 1);
	g_assert_cmpstr(set.records[0].name, ==, "kmod-foo-1");
	g_assert_cmpstr(set.records[0].version, ==, "1%");
	g_assert_cmpuint(set.records[0].n_files, ==, 1);
	g_assert_cmpstr(set.records[0].files[0].path, ==, "/lib/modules/1/a b.ko");
	g_assert_cmphex(set.records[0].files[0].mode, ==, 0644);
	g_assert_cmpstr(set.records[0].provides[0], ==, "kmod(a b.ko)");
	ks_record_set_clear(&set);
}

/* Cut off at any byte, it is refused. */
static void test_half_a_set_is_refused(void)
{
	for (size_t size = 0; size < strlen(HEAD RECORD); size++) {
		struct ks_record_set set;
		struct ks_why why = {""};

		g_assert_false(ks_record_set_read(HEAD RECORD, size, "set", &set, &why));
		g_assert_cmpstr(why.text, !=, "");
		ks_record_set_clear(&set);
	}
}

static void test_what_is_wrong_is_named_with_its_line(void)
{
	static const struct mapping cases[] = {
		{"protocol=2\nrecords=0\n\n", "set:3: not protocol version 1"},
		{"protocol=1\nrecords=99999\n\n",
		 "set:3: not a usable number of records"},
		{"protocol=1\nrecords=0\n\nx=1\n\n",
		 "set:3: more records than announced"},
		{HEAD "record\n\n", "set:4: not a 'key=value' line"},
		{HEAD "record=a\nrecord=b\n\n", "set:5: 'record' appears twice"},
		{HEAD "record=%0\n\n", "set:4: 'record' is not escaped correctly"},
		{HEAD "record=%00\n\n", "set:4: 'record' is not escaped correctly"},
		{HEAD "record=a\n\n", "set:5: the block that ends here has no 'module'"},
		{HEAD "file=/a/../b " SHA256_OF_FOO " 1 644\n\n",
		 "set:4: not a 'file=PATH SHA256 SIZE MODE' line"},
		{HEAD "file=/a " SHA256_OF_FOO " 1 888\n\n",
		 "set:4: not a 'file=PATH SHA256 SIZE MODE' line"},
		{HEAD "file=/a " SHA256_OF_FOO " 99999999999999999999 644\n\n",
		 "set:4: not a 'file=PATH SHA256 SIZE MODE' line"},
		{HEAD "file=/a " SHA256_OF_FOO " 1 644 x\n\n",
		 "set:4: not a 'file=PATH SHA256 SIZE MODE' line"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct ks_record_set set;
		struct ks_why why = {""};

		g_assert_false(ks_record_set_read(cases[i].from, strlen(cases[i].from),
						  "set", &set, &why));
		g_assert_cmpstr(why.text, ==, cases[i].to);
		ks_record_set_clear(&set);
	}
}

static void test_a_reason_is_one_line_without_controls(void)
{
	struct ks_why why;

	g_assert_false(ks_why_set(&why, "%s", "a\nb\033[31m"));
	g_assert_cmpstr(why.text, ==, "a b [31m");
}

static void add_file(struct ks_header *header, const char *path, mode_t mode)
{
	struct ks_header_file file = {.path = (char *)path, .mode = mode};

	if (S_ISREG(mode)) {
		file.size_bytes = 4;
		file.sha256 = (char *)SHA256_OF_FOO;
	}
	g_assert_true(ks_header_add_file(header, &file));
}

static Header make_header(struct ks_header *header)
{
	struct ks_why why = {""};
	Header h;

	*header = (struct ks_header){.name = "kmod-foo-1",
				     .version = "1.0",
				     .release = "k1",
				     .arch = "x86_64",
				     .summary = "foo",
				     .description = "a\nb",
				     .licence = "GPL",
				     .vendor = "nobody",
				     .build_time = 1700000000};
	add_file(header, "/lib/modules/1/z.ko", S_IFREG | 0644);
	add_file(header, "/lib/modules/1", S_IFDIR | 0755);
	add_file(header, "/lib/modules/1/a.ko", S_IFREG | 0644);
	add_file(header, "/lib/modules/1", S_IFDIR | 0755);
	g_assert_true(ks_header_add_provides(header, "kmod(foo.ko)", NULL, 0));
	g_assert_true(ks_header_add_provides(header, "kmod(foo.ko)", NULL, 0));
	g_assert_true(ks_header_add_requires(header, "kernel", "1-1", RPMSENSE_EQUAL));
	h = ks_header_build(header, &why);
	g_assert_cmpstr(why.text, ==, "");
	return h;
}

/* rpm's own reader of headers finds the files, sorted and each once. */
static void test_a_header_says_what_was_put_in(void)
{
	struct ks_header header;
	Header h = make_header(&header);
	rpmfiles files = rpmfilesNew(NULL, h, RPMTAG_BASENAMES, 0);
	char *text = headerGetAsString(h, RPMTAG_NEVRA);
	char *path;

	g_assert_cmpstr(text, ==, "kmod-foo-1-1.0-k1.x86_64");
	g_assert_false(headerIsSource(h));
	g_assert_cmpuint(headerGetNumber(h, RPMTAG_SIZE), ==, 8);
	g_assert_cmpint(rpmfilesFC(files), ==, 3);
	path = rpmfilesFN(files, 2);
	g_assert_cmpstr(path, ==, "/lib/modules/1/z.ko");
	g_assert_cmpint(rpmfilesFindFN(files, "/lib/modules/1/a.ko"), ==, 1);
	g_assert_cmphex(rpmfilesFMode(files, 0), ==, S_IFDIR | 0755);
	free(path);
	free(text);
	rpmfilesFree(files);
	headerFree(h);
	ks_header_clear(&header);
}

static void test_a_header_is_the_same_each_time(void)
{
	struct ks_header header;
	char *digests[2];

	for (size_t i = 0; i < 2; i++) {
		Header h = make_header(&header);

		digests[i] = ks_header_digest(h, KS_HASH_SHA256);
		headerFree(h);
		ks_header_clear(&header);
	}
	g_assert_cmpuint(strlen(digests[0]), ==, 64);
	g_assert_cmpstr(digests[0], ==, digests[1]);
	free(digests[0]);
	free(digests[1]);
}

static void test_an_installed_header_has_its_digest(void)
{
	struct ks_header header;
	struct ks_why why = {""};
	Header h = make_header(&header);
	char *digest = ks_header_digest(h, KS_HASH_SHA1);

	g_assert_true(ks_header_mark_installed(h, header.n_files, 42, &why));
	g_assert_cmpstr(headerGetString(h, RPMTAG_SHA1HEADER), ==, digest);
	g_assert_cmpuint(headerGetNumber(h, RPMTAG_INSTALLTID), ==, 42);
	free(digest);
	headerFree(h);
	ks_header_clear(&header);
}

static void test_files_are_checked_within_the_root(void)
{
	g_autofree char *dir = g_dir_make_tmp("kmodsmith-rpm-XXXXXX", NULL);
	g_autofree char *inside = g_build_filename(dir, "foo", NULL);
	g_autofree char *link = g_build_filename(dir, "link", NULL);
	struct ks_tree_root tree;
	struct ks_why why = {""};
	struct stat st;

	g_assert_true(g_file_set_contents(inside, "foo\n", -1, NULL));
	g_assert_cmpint(symlink("/foo", link), ==, 0);
	g_assert_true(ks_tree_open(&tree, dir, &why));
	g_assert_true(ks_tree_check_file(&tree, "/foo", 4, SHA256_OF_FOO, &st, &why));
	g_assert_false(ks_tree_check_file(&tree, "/foo", 5, SHA256_OF_FOO, &st, &why));
	g_assert_false(ks_tree_check_file(&tree, "/link", 4, SHA256_OF_FOO, &st, &why));
	g_assert_false(ks_tree_has(&tree, "/etc/passwd"));
	g_assert_true(ks_tree_unlink(&tree, "/foo"));
	g_assert_true(ks_tree_unlink(&tree, "/foo"));
	g_assert_true(ks_tree_unlink(&tree, "/link"));
	ks_tree_close(&tree);
	g_rmdir(dir);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/rpm/names become what rpm allows",
			test_names_become_what_rpm_allows);
	g_test_add_func("/rpm/versions become what rpm allows",
			test_versions_become_what_rpm_allows);
	g_test_add_func("/rpm/the release is of the digest",
			test_the_release_is_of_the_digest);
	g_test_add_func("/rpm/more than one dash is no version of rpm",
			test_more_than_one_dash_is_no_version_of_rpm);
	g_test_add_func("/rpm/a set is read", test_a_set_is_read);
	g_test_add_func("/rpm/half a set is refused", test_half_a_set_is_refused);
	g_test_add_func("/rpm/what is wrong is named with its line",
			test_what_is_wrong_is_named_with_its_line);
	g_test_add_func("/rpm/a reason is one line without controls",
			test_a_reason_is_one_line_without_controls);
	g_test_add_func("/rpm/a header says what was put in",
			test_a_header_says_what_was_put_in);
	g_test_add_func("/rpm/a header is the same each time",
			test_a_header_is_the_same_each_time);
	g_test_add_func("/rpm/an installed header has its digest",
			test_an_installed_header_has_its_digest);
	g_test_add_func("/rpm/files are checked within the root",
			test_files_are_checked_within_the_root);
	return g_test_run();
}
