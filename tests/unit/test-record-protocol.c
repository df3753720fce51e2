/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The recorder protocol: written records are read back, broken texts are refused. */
#include <string.h>

#include "core/record/record.h"
#include "core/support/error.h"
#include "tests/unit/faketree.h"

#define SHA	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define HEAD(n) "protocol=1\nrecords=" #n "\n\n"
#define BODY                                                                             \
	"record=kmod-foo-6.1.0-56-amd64\nmodule=foo\nversion=1.0\nkernel=6.1.0-56-"      \
	"amd64\n"                                                                        \
	"arch=x86_64\ndigest=d1\nfingerprint=f1\n"

static GPtrArray *parse(const char *text, GError **error)
{
	return ks_record_parse(text, strlen(text), "set", error);
}

static void test_a_record_is_read_with_all_its_fields(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) records =
		parse(HEAD(1) BODY "later=unknown\nfile=/lib/modules/a%20b/foo.ko " SHA
				   " 12 644\nprovides=kmod(foo.ko)\nprovides=x%25y\n\n",
		      &error);
	const struct ks_record *record;
	const struct ks_record_file *file;

	g_assert_no_error(error);
	g_assert_cmpuint(records->len, ==, 1);
	record = g_ptr_array_index(records, 0);
	g_assert_cmpstr(record->name, ==, "kmod-foo-6.1.0-56-amd64");
	g_assert_cmpstr(record->module, ==, "foo");
	g_assert_cmpstr(record->version, ==, "1.0");
	g_assert_cmpstr(record->release, ==, "6.1.0-56-amd64");
	g_assert_cmpstr(record->arch, ==, "x86_64");
	g_assert_cmpstr(record->digest, ==, "d1");
	g_assert_cmpstr(record->fingerprint, ==, "f1");
	g_assert_cmpuint(record->n_files, ==, 1);
	file = &record->files[0];
	g_assert_cmpstr(file->path, ==, "/lib/modules/a b/foo.ko");
	g_assert_cmpstr(file->sha256, ==, SHA);
	g_assert_cmpuint(file->size_bytes, ==, 12);
	g_assert_cmpuint(file->mode, ==, 0644);
	g_assert_cmpuint(record->n_provides, ==, 2);
	g_assert_cmpstr(record->provides[1], ==, "x%y");
}

static void test_what_was_written_is_read_back_to_the_same_bytes(void)
{
	const char *text = HEAD(2) BODY "file=/lib/modules/a%20%25b/f%0Ao.ko " SHA
					" 18446744073 755\nlink=/lib/l%20.ko "
					"/var/lib/d%20%25\nprovides=a b\n\n" BODY "\n";
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) records = parse(text, &error);
	g_autofree char *again = NULL;

	g_assert_no_error(error);
	again = ks_record_format(records);
	g_assert_cmpstr(again, ==, text);
}

static void test_an_empty_set_is_a_head_alone(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) none = g_ptr_array_new();
	g_autofree char *text = ks_record_format(none);
	g_autoptr(GPtrArray) records = parse(text, &error);

	g_assert_no_error(error);
	g_assert_cmpuint(records->len, ==, 0);
}

static void test_a_text_cut_off_anywhere_is_refused(void)
{
	const char *text = HEAD(2) BODY "file=/a " SHA " 1 644\n\n" BODY "\n";

	for (size_t size = 0; size < strlen(text); size++) {
		g_autoptr(GError) error = NULL;
		g_autofree char *copy = g_memdup2(text, size);
		GPtrArray *records = ks_record_parse(copy, size, "set", &error);

		g_assert_error(error, KS_ERROR, KS_ERROR_INVALID);
		g_assert_null(records);
	}
}

static void test_broken_texts_are_refused_with_their_line(void)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{"protocol=2\nrecords=0\n\n", "set:3: not protocol version 1"},
		{"protocol=1\n\n", "set:2: the block that ends here has no 'records'"},
		{"protocol=1\nrecords=99999999\n\n",
		 "set:3: not a usable number of records"},
		{HEAD(1) "module=foo\n\n",
		 "set:5: the block that ends here has no 'record'"},
		{HEAD(1) BODY "module=bar\n\n", "set:11: 'module' appears twice"},
		{HEAD(1) BODY "nonsense\n\n", "set:11: not a 'key=value' line"},
		{HEAD(1) BODY "provides=%0\n\n",
		 "set:11: 'provides' is not escaped correctly"},
		{HEAD(1) BODY "provides=%00\n\n",
		 "set:11: 'provides' is not escaped correctly"},
		{HEAD(1) BODY "provides=a\tb\n\n",
		 "set:11: 'provides' is not escaped correctly"},
		{HEAD(0) BODY "\n", "set:3: more records than announced"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(parse(cases[i].text, &error));
		g_assert_error(error, KS_ERROR, KS_ERROR_INVALID);
		g_assert_cmpstr(error->message, ==, cases[i].message);
	}
}

static void test_a_file_that_leads_elsewhere_is_refused(void)
{
	static const char *const values[] = {
		"lib/x " SHA " 1 644",
		"/lib/../x " SHA " 1 644",
		"/lib//x " SHA " 1 644",
		"/lib/x/ " SHA " 1 644",
		"/lib/./x " SHA " 1 644",
		"/ " SHA " 1 644",
		"/lib/x 00 1 644",
		"/lib/x " SHA " -1 644",
		"/lib/x " SHA " 1 8",
		"/lib/x " SHA " 1 10000",
		"/lib/x " SHA " 1 644 more",
		"/lib/x",
		"/lib/%2E%2E/x " SHA " 1 644",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(values); i++) {
		g_autofree char *text =
			g_strdup_printf(HEAD(1) BODY "file=%s\n\n", values[i]);
		g_autoptr(GError) error = NULL;

		g_assert_null(parse(text, &error));
		g_assert_cmpstr(error->message, ==,
				"set:11: not a 'file=PATH SHA256 SIZE MODE' line");
	}
}

static void test_a_list_is_read_back_as_it_was_written(void)
{
	const char *text = HEAD(
		2) "record=kmod-foo-1\nmodule=foo\nversion=1\nkernel=1\ndigest="
		   "d\ncomplete=yes\n"
		   "ours=yes\n\nrecord=kmod-bar\nmodule=\nversion=3\nkernel=\ndigest=\n"
		   "complete=no\nours=no\n\n";
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) entries =
		ks_record_parse_list(text, strlen(text), "list", &error);
	g_autofree char *again = NULL;
	const struct ks_record_entry *entry;

	g_assert_no_error(error);
	g_assert_cmpuint(entries->len, ==, 2);
	entry = g_ptr_array_index(entries, 0);
	g_assert_true(entry->complete);
	g_assert_true(entry->ours);
	entry = g_ptr_array_index(entries, 1);
	g_assert_cmpstr(entry->package, ==, "kmod-bar");
	g_assert_false(entry->complete);
	g_assert_false(entry->ours);
	again = ks_record_format_list(entries);
	g_assert_cmpstr(again, ==, text);
}

static void test_what_a_recorder_says_is_one_line(struct faketree *t, gconstpointer data)
{
	g_autofree char *recorder = faketree_path(t, "/libexec/recorder-dpkg");
	g_autoptr(GPtrArray) records = g_ptr_array_new();
	g_autofree char *told = NULL;
	g_autoptr(GError) error = NULL;

	faketree_write(t, "/var/lib/dpkg/status", "");
	faketree_write(t, "/libexec/recorder-dpkg",
		       "#!/bin/sh\necho 'it is locked by process 7' >&2\n"
		       "echo 'which is apt' >&2\nexit 75\n");
	g_assert_cmpint(chmod(recorder, 0755), ==, 0);
	g_free(t->system->libexec_dir);
	t->system->libexec_dir = g_strconcat(t->dir, "/libexec", NULL);
	g_assert_false(ks_record_apply(t->system, records, &told, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_PENDING);
	g_assert_cmpstr(error->message, ==,
			"the package database cannot be written now: "
			"it is locked by process 7; which is apt");
}

/* Done, and with something to say: the caller decides whether it is news. */
static void test_what_a_recorder_says_of_success_is_told(struct faketree *t,
							 gconstpointer data)
{
	g_autofree char *recorder = faketree_path(t, "/libexec/recorder-dpkg");
	g_autoptr(GPtrArray) records = g_ptr_array_new();
	g_autofree char *told = NULL;
	g_autofree char *nothing = NULL;
	g_autoptr(GError) error = NULL;

	faketree_write(t, "/var/lib/dpkg/status", "");
	faketree_write(t, "/libexec/recorder-dpkg", "#!/bin/sh\necho 'it is kept' >&2\n");
	g_assert_cmpint(chmod(recorder, 0755), ==, 0);
	g_free(t->system->libexec_dir);
	t->system->libexec_dir = g_strconcat(t->dir, "/libexec", NULL);
	g_assert_true(ks_record_apply(t->system, records, &told, &error));
	g_assert_no_error(error);
	g_assert_cmpstr(told, ==, "it is kept");
	faketree_write(t, "/libexec/recorder-dpkg", "#!/bin/sh\n");
	g_assert_cmpint(chmod(recorder, 0755), ==, 0);
	g_assert_true(ks_record_apply(t->system, records, &nothing, &error));
	g_assert_null(nothing);
}

static struct ks_record *new_record(const char *module)
{
	ks_auto(ks_manifest) manifest =
		ks_manifest_new(module, "1.0", "6.1.0-56-amd64", "x86_64");

	return ks_record_new(manifest);
}

static GPtrArray *new_records(const char *const *modules)
{
	GPtrArray *records =
		g_ptr_array_new_with_free_func((GDestroyNotify)ks_record_free);

	for (; *modules; modules++)
		g_ptr_array_add(records, new_record(*modules));
	return records;
}

static const char *name_of(const GPtrArray *records, guint i)
{
	return ((const struct ks_record *)g_ptr_array_index(records, i))->name;
}

static void test_modules_that_a_database_takes_for_one_have_names_of_their_own(void)
{
	static const char *const modules[] = {"a=b",	 "foo_bar", "a@b", "foo-bar",
					      "Foo-bar", "other",   NULL};
	g_autoptr(GPtrArray) records = new_records(modules);
	g_autoptr(GHashTable) folded =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	ks_record_name_apart(records, NULL);
	for (guint i = 0; i < records->len; i++) {
		char *name = g_ascii_strdown(name_of(records, i), -1);

		g_assert_true(
			g_hash_table_add(folded, g_strcanon(name,
							    "abcdefghijklmnopqrstuvwxyz"
							    "0123456789.-",
							    '-')));
	}
	g_assert_cmpstr(name_of(records, 3), ==, "kmod-foo-bar-6.1.0-56-amd64");
	g_assert_cmpstr(name_of(records, 5), ==, "kmod-other-6.1.0-56-amd64");
	g_assert_true(g_str_has_prefix(name_of(records, 1), "kmod-foo_bar-"));
	g_assert_cmpstr(name_of(records, 1), !=, "kmod-foo_bar-6.1.0-56-amd64");
}

static void test_a_record_that_is_there_keeps_its_name(void)
{
	static const char *const modules[] = {"foo-bar", "foo_bar", NULL};
	static const char *const alone[] = {"foo_bar", NULL};
	g_autoptr(GPtrArray) records = new_records(modules);
	g_autoptr(GPtrArray) later = new_records(alone);
	g_autoptr(GPtrArray) entries = g_ptr_array_new();
	char module[] = "foo_bar", release[] = "6.1.0-56-amd64";
	char plain[] = "kmod-foo-bar-6.1.0-56-amd64";
	struct ks_record_entry entry = {
		.package = plain, .module = module, .release = release, .ours = true};

	g_ptr_array_add(entries, &entry);
	ks_record_name_apart(records, entries);
	g_assert_cmpstr(name_of(records, 1), ==, "kmod-foo_bar-6.1.0-56-amd64");
	g_assert_cmpstr(name_of(records, 0), !=, "kmod-foo-bar-6.1.0-56-amd64");
	/* a name apart is kept when the other module is gone, too */
	entry.module = modules[0] ? g_strdup("foo-bar") : NULL;
	g_autofree char *other = entry.module;
	g_autofree char *apart = g_strdup(name_of(records, 0));
	entry.package = apart;
	g_ptr_array_set_size(later, 0);
	g_ptr_array_add(later, new_record("foo-bar"));
	ks_record_name_apart(later, entries);
	g_assert_cmpstr(name_of(later, 0), ==, apart);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/record-protocol/a record is read with all its fields",
			test_a_record_is_read_with_all_its_fields);
	g_test_add_func(
		"/record-protocol/what was written is read back to the same bytes",
		test_what_was_written_is_read_back_to_the_same_bytes);
	g_test_add_func("/record-protocol/an empty set is a head alone",
			test_an_empty_set_is_a_head_alone);
	g_test_add_func("/record-protocol/a text cut off anywhere is refused",
			test_a_text_cut_off_anywhere_is_refused);
	g_test_add_func("/record-protocol/broken texts are refused with their line",
			test_broken_texts_are_refused_with_their_line);
	g_test_add_func("/record-protocol/a file that leads elsewhere is refused",
			test_a_file_that_leads_elsewhere_is_refused);
	g_test_add_func("/record-protocol/a list is read back as it was written",
			test_a_list_is_read_back_as_it_was_written);
	g_test_add_func(
		"/record-protocol/modules that a database takes for one have "
		"names of their own",
		test_modules_that_a_database_takes_for_one_have_names_of_their_own);
	g_test_add_func("/record-protocol/a record that is there keeps its name",
			test_a_record_that_is_there_keeps_its_name);
	g_test_add("/record-protocol/what a recorder says is one line", struct faketree,
		   NULL, faketree_set_up, test_what_a_recorder_says_is_one_line,
		   faketree_tear_down);
	g_test_add("/record-protocol/what a recorder says of success is told",
		   struct faketree, NULL, faketree_set_up,
		   test_what_a_recorder_says_of_success_is_told, faketree_tear_down);
	return g_test_run();
}
