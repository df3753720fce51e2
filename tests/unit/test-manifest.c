/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/state/manifest.h"

#include <string.h>

#include "core/support/error.h"
#include "tests/unit/faketree.h"

#define SHA "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define HEAD                                                                             \
	"[manifest]\nschema=1\nmodule=foo\nversion=1.0\nrelease=6.1.0-56-amd64\n"        \
	"arch=x86_64\n"
#define FILE_0                                                                           \
	"[file 0]\nname=foo.ko\ndest-dir=/lib/modules/6.1.0-56-amd64/updates/dkms\n"     \
	"sha256=" SHA "\nsize=12\n"

static bool is_there(struct faketree *tree, const char *path)
{
	struct stat st;

	return ks_root_lstat(tree->root, path, &st);
}

static struct ks_manifest *parse(const char *text, GError **error)
{
	return ks_manifest_parse(text, strlen(text), "m", error);
}

static void assert_refused(const char *text)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(parse(text, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_INVALID);
	g_assert_nonnull(strstr(error->message, "'m'"));
}

static struct ks_manifest *sample(void)
{
	struct ks_manifest *manifest =
		ks_manifest_new("foo", "1.0~rc1", "6.1.0-56-amd64", "x86_64");
	struct ks_manifest_file *file = g_new0(struct ks_manifest_file, 1);

	manifest->build_fingerprint = g_strdup(SHA);
	manifest->covers = g_strdup("source,compiler");
	manifest->sandbox_layers = g_strdup("uid,seccomp,net");
	manifest->built_at_us = 1700000000000000;
	manifest->build_duration_ms = 1234;
	file->name = g_strdup("foo.ko.xz");
	file->dest_dir = g_strdup("/lib/modules/6.1.0-56-amd64/updates/dkms");
	file->built_sha256 = g_strdup(SHA);
	file->sha256 = g_strdup(SHA);
	file->size_bytes = 4567;
	file->aliases = g_strsplit("pci:v*d*;semi,usb:v1", ",", -1);
	file->exports = g_strsplit("0x1234 foo_call", ",", -1);
	g_ptr_array_add(manifest->files, file);
	return manifest;
}

static void test_a_manifest_survives_being_stored_and_loaded(struct faketree *tree,
							     gconstpointer data)
{
	ks_auto(ks_manifest) manifest = sample();
	ks_auto(ks_manifest) back = NULL;
	g_autoptr(GError) error = NULL;
	struct ks_manifest_file *file;

	g_assert_true(ks_manifest_store(tree->system, manifest, "/a/b/manifest", &error));
	g_assert_no_error(error);
	back = ks_manifest_load(tree->system, "/a/b/manifest", &error);
	g_assert_no_error(error);
	g_assert_cmpstr(back->version, ==, "1.0~rc1");
	g_assert_cmpstr(back->build_fingerprint, ==, SHA);
	g_assert_cmpstr(back->covers, ==, "source,compiler");
	g_assert_null(back->finish_fingerprint);
	g_assert_cmpint(back->built_at_us, ==, 1700000000000000);
	g_assert_cmpint(back->installed_at_us, ==, 0);
	g_assert_cmpuint(back->files->len, ==, 1);
	file = back->files->pdata[0];
	g_assert_cmpstr(file->name, ==, "foo.ko.xz");
	g_assert_cmpuint(file->size_bytes, ==, 4567);
	g_assert_cmpstr(file->aliases[0], ==, "pci:v*d*;semi");
	g_assert_cmpstr(file->aliases[1], ==, "usb:v1");
	g_assert_cmpstr(file->exports[0], ==, "0x1234 foo_call");
}

static void test_what_could_not_be_read_back_is_not_written(struct faketree *tree,
							    gconstpointer data)
{
	ks_auto(ks_manifest) manifest = sample();
	struct ks_manifest_file *file = manifest->files->pdata[0];
	g_autoptr(GError) error = NULL;

	g_free(file->dest_dir);
	file->dest_dir = g_strdup("/lib/modules/../../etc");
	g_assert_false(ks_manifest_store(tree->system, manifest, "/m", &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_INVALID);
	g_assert_false(is_there(tree, "/m"));
}

static void test_files_are_left_out_until_they_are_not(struct faketree *tree,
						       gconstpointer data)
{
	const char *const names[] = {"foo.ko.xz", "other.ko", NULL};
	ks_auto(ks_manifest) manifest = sample();
	ks_auto(ks_manifest) loaded = NULL;
	struct ks_manifest_file *second = g_new0(struct ks_manifest_file, 1);
	g_autoptr(GError) error = NULL;

	second->name = g_strdup("bar.ko");
	second->dest_dir = g_strdup("/lib/modules/6.1.0-56-amd64/updates/dkms");
	second->sha256 = g_strdup(SHA);
	g_ptr_array_add(manifest->files, second);
	ks_manifest_leave_out(manifest, names);
	g_assert_cmpuint(manifest->files->len, ==, 1);
	g_assert_true(ks_manifest_store(tree->system, manifest, "/manifest", &error));
	g_assert_no_error(error);
	loaded = ks_manifest_load(tree->system, "/manifest", &error);
	g_assert_no_error(error);
	g_assert_cmpuint(loaded->files->len, ==, 1);
	g_assert_cmpuint(loaded->left_out->len, ==, 1);
	g_assert_cmpstr(((struct ks_manifest_file *)loaded->left_out->pdata[0])->name, ==,
			"foo.ko.xz");
	ks_manifest_leave_out(loaded, NULL);
	g_assert_cmpuint(loaded->files->len, ==, 2);
	g_assert_cmpuint(loaded->left_out->len, ==, 0);
}

static void test_a_minimal_manifest_is_read(void)
{
	g_autoptr(GError) error = NULL;
	ks_auto(ks_manifest) manifest = parse(HEAD "n-files=1\n" FILE_0, &error);

	g_assert_no_error(error);
	g_assert_cmpuint(manifest->files->len, ==, 1);
}

static void test_malformed_text_is_refused(void)
{
	assert_refused("");
	assert_refused("no group\n");
	assert_refused("[manifest]\nschema=2\n");
	assert_refused(HEAD);
	assert_refused(HEAD "n-files=-1\n");
	assert_refused(HEAD "n-files=99999999999\n");
	assert_refused(HEAD "n-files=1\n");
	assert_refused(HEAD "n-files=0\nbuilt-at-us=x\n");
	assert_refused(HEAD "n-files=2\n" FILE_0 "[file 1]\n");
	g_assert_null(ks_manifest_parse("[manifest]\n\0x", 13, "m", NULL));
}

static void test_fields_that_lead_out_of_the_tree_are_refused(void)
{
	static const struct {
		const char *from, *to;
	} edits[] = {
		{"module=foo", "module=../foo"},
		{"version=1.0", "version="},
		{"release=6.1.0-56-amd64", "release=a/b"},
		{"arch=x86_64", "arch=."},
		{"name=foo.ko", "name=../foo.ko"},
		{"name=foo.ko", "name=foo.txt"},
		{"name=foo.ko", "name=.ko"},
		{"dest-dir=/lib", "dest-dir=lib"},
		{"dest-dir=/lib/modules", "dest-dir=/lib/../modules"},
		{"dest-dir=/lib", "dest-dir=//lib"},
		{"sha256=0", "sha256=z"},
		{"sha256=0", "sha256="},
		{"size=12", "size=-12"},
		{"size=12", ""},
	};
	const char *good = HEAD "n-files=1\n" FILE_0;

	for (size_t i = 0; i < G_N_ELEMENTS(edits); i++) {
		const char *at = strstr(good, edits[i].from);
		g_autofree char *bad = NULL;

		g_assert_nonnull(at);
		bad = g_strdup_printf("%.*s%s%s", (int)(at - good), good, edits[i].to,
				      at + strlen(edits[i].from));
		assert_refused(bad);
	}
}

static void test_the_same_file_twice_is_refused(void)
{
	g_autofree char *second = g_strdup(FILE_0);
	g_autofree char *text = NULL;

	second[strlen("[file ")] = '1';
	text = g_strconcat(HEAD "n-files=2\n" FILE_0, second, NULL);
	assert_refused(text);
}

static void test_a_missing_manifest_is_not_found(struct faketree *tree,
						 gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(ks_manifest_load(tree->system, "/nowhere/manifest", &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_NOT_FOUND);
}

#define ADD_SCRATCH(name, func)                                                          \
	g_test_add(name, struct faketree, NULL, faketree_set_up, func, faketree_tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD_SCRATCH("/manifest/survives being stored and loaded",
		    test_a_manifest_survives_being_stored_and_loaded);
	ADD_SCRATCH("/manifest/what could not be read back is not written",
		    test_what_could_not_be_read_back_is_not_written);
	ADD_SCRATCH("/manifest/files are left out until they are not",
		    test_files_are_left_out_until_they_are_not);
	g_test_add_func("/manifest/a minimal one is read",
			test_a_minimal_manifest_is_read);
	g_test_add_func("/manifest/malformed text is refused",
			test_malformed_text_is_refused);
	g_test_add_func("/manifest/fields that lead out of the tree are refused",
			test_fields_that_lead_out_of_the_tree_are_refused);
	g_test_add_func("/manifest/the same file twice is refused",
			test_the_same_file_twice_is_refused);
	ADD_SCRATCH("/manifest/a missing one is not found",
		    test_a_missing_manifest_is_not_found);
	return g_test_run();
}
