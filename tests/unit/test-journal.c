/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/install/journal.h"

#include <string.h>

#include "core/support/error.h"
#include "tests/unit/faketree.h"

#define SHA  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define K    "/lib/modules/6.1.0-1-play"
#define HEAD "kmodsmith-journal 1\nstate intent\nbase " K "\n"

static struct ks_journal *parse(const char *text, GError **error)
{
	return ks_journal_parse(text, strlen(text), "journal", error);
}

static void assert_refused(const char *text, const char *message)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(parse(text, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_INVALID);
	g_assert_cmpstr(error->message, ==, message);
}

static void test_read_back(void)
{
	ks_auto(ks_journal) written = ks_journal_new(K);
	ks_auto(ks_journal) read = NULL;
	const struct ks_journal_step *step;
	g_autofree char *text = NULL;

	written->state = KS_JOURNAL_STAGED;
	ks_journal_add(written, KS_JOURNAL_PLACE, K "/updates/dkms/a b%\n.ko", SHA);
	ks_journal_add(written, KS_JOURNAL_REMOVE, K "/extra/gone.ko.xz", NULL);
	ks_journal_add_link(written, KS_JOURNAL_PLACE, K "/l.ko", "/var/lib/d k%/l.ko");
	ks_journal_add_link(written, KS_JOURNAL_REMOVE, K "/m.ko", "/m.ko");
	text = ks_journal_format(written);
	g_assert_cmpstr(text, ==,
			"kmodsmith-journal 1\nstate staged\nbase " K "\n"
			"place " SHA " " K "/updates/dkms/a b%25%0A.ko\n"
			"remove - " K "/extra/gone.ko.xz\n"
			"place-link /var/lib/d%20k%25/l.ko " K "/l.ko\n"
			"remove-link /m.ko " K "/m.ko\nend\n");
	read = parse(text, NULL);
	g_assert_nonnull(read);
	g_assert_cmpint(read->state, ==, KS_JOURNAL_STAGED);
	g_assert_cmpstr(read->base, ==, K);
	g_assert_cmpuint(read->steps->len, ==, 4);
	step = g_ptr_array_index(read->steps, 0);
	g_assert_cmpint(step->kind, ==, KS_JOURNAL_PLACE);
	g_assert_cmpstr(step->path, ==, K "/updates/dkms/a b%\n.ko");
	g_assert_cmpstr(step->sha256, ==, SHA);
	step = g_ptr_array_index(read->steps, 1);
	g_assert_cmpint(step->kind, ==, KS_JOURNAL_REMOVE);
	g_assert_null(step->sha256);
	g_assert_null(step->link);
	step = g_ptr_array_index(read->steps, 2);
	g_assert_cmpint(step->kind, ==, KS_JOURNAL_PLACE);
	g_assert_cmpstr(step->link, ==, "/var/lib/d k%/l.ko");
	step = g_ptr_array_index(read->steps, 3);
	g_assert_cmpint(step->kind, ==, KS_JOURNAL_REMOVE);
	g_assert_cmpstr(step->link, ==, "/m.ko");
	g_assert_cmpstr(step->path, ==, K "/m.ko");
}

static void test_cut_off(void)
{
	static const char text[] = HEAD "place " SHA " " K "/a.ko\nend\n";

	for (size_t n = 0; n < sizeof(text) - 1; n++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(ks_journal_parse(text, n, "journal", &error));
		g_assert_error(error, KS_ERROR, KS_ERROR_INVALID);
	}
}

static void test_outside(void)
{
	static const char *const paths[] = {
		"/etc/passwd",
		K,
		K "/",
		K "/a/",
		K "/../b/a.ko",
		K "/./a.ko",
		K "//a.ko",
		K "/a/.hidden",
		K "-other/a.ko",
		"relative/a.ko",
		K "/a%00.ko",
		K "/a%zz.ko",
		K "/x/%2E%2E/%2E%2E/%2E%2E/%2E%2E/etc/passwd",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
		g_autofree char *text =
			g_strdup_printf(HEAD "remove - %s\nend\n", paths[i]);

		assert_refused(text,
			       "'journal' line 4: a path that is not below the base");
	}
}

static void test_malformed(void)
{
	assert_refused("rubbish\n", "'journal' line 1: not a journal of this version");
	assert_refused("kmodsmith-journal 2\n",
		       "'journal' line 1: not a journal of this version");
	assert_refused("kmodsmith-journal 1\nstate done\n", "'journal' line 2: no state");
	assert_refused("kmodsmith-journal 1\nstate intent\nbase ..\n",
		       "'journal' line 3: malformed base");
	assert_refused(HEAD "chmod - " K "/a.ko\nend\n",
		       "'journal' line 4: unknown step");
	assert_refused(HEAD "place 12 " K "/a.ko\nend\n",
		       "'journal' line 4: malformed digest");
	assert_refused(HEAD "place-link - " K "/a.ko\nend\n",
		       "'journal' line 4: malformed link");
	assert_refused(HEAD "remove-link /../a " K "/a.ko\nend\n",
		       "'journal' line 4: malformed link");
	assert_refused(HEAD "chmod-link /a " K "/a.ko\nend\n",
		       "'journal' line 4: unknown step");
	assert_refused(HEAD "place\nend\n", "'journal' line 4: not a step");
	assert_refused(HEAD "end\nend\n", "'journal' line 5: text after the end");
}

static void test_bounded(void)
{
	g_autoptr(GString) text = g_string_new(HEAD);

	for (unsigned int i = 0; i <= KS_JOURNAL_MAX_STEPS; i++)
		g_string_append_printf(text, "remove - " K "/%u.ko\n", i);
	g_string_append(text, "end\n");
	assert_refused(text->str, "'journal' line 10004: too many steps");
}

static void test_file(struct faketree *tree, gconstpointer data)
{
	ks_auto(ks_journal) written = ks_journal_new(K);
	ks_auto(ks_journal) read = NULL;
	g_autoptr(GError) error = NULL;

	g_assert_null(ks_journal_load(tree->system, &error));
	g_assert_no_error(error);
	g_assert_true(ks_journal_close(tree->system, &error));

	ks_journal_add(written, KS_JOURNAL_PLACE, K "/a.ko", SHA);
	g_assert_true(ks_journal_store(tree->system, written, &error));
	read = ks_journal_load(tree->system, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(read->steps->len, ==, 1);
	g_assert_true(ks_journal_close(tree->system, &error));
	g_assert_null(ks_journal_load(tree->system, &error));
	g_assert_no_error(error);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/journal/what-is-written-reads-back", test_read_back);
	g_test_add_func("/journal/a-text-cut-off-anywhere-is-refused", test_cut_off);
	g_test_add_func("/journal/no-path-leads-out-of-the-kernel", test_outside);
	g_test_add_func("/journal/malformed-lines-are-named", test_malformed);
	g_test_add_func("/journal/the-number-of-steps-is-bounded", test_bounded);
	g_test_add("/journal/it-is-stored-and-closed", struct faketree, NULL,
		   faketree_set_up, test_file, faketree_tear_down);
	return g_test_run();
}
