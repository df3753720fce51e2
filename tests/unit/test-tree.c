/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/state/tree.h"

#include <string.h>

#include "core/platform/digest.h"
#include "core/support/error.h"
#include "tests/unit/faketree.h"

#define T      "/var/lib/dkms"
#define K      "6.1.0-56-amd64"
#define MODULE T "/foo/1.0/" K "/x86_64/module"
#define SOURCE "/usr/src/foo-1.0"

static bool is_there(struct faketree *tree, const char *path)
{
	struct stat st;

	return ks_root_lstat(tree->root, path, &st);
}

static GPtrArray *scan(struct faketree *tree)
{
	g_autoptr(GError) error = NULL;
	GPtrArray *entries = ks_tree_scan(tree->system, &error);

	g_assert_no_error(error);
	g_assert_nonnull(entries);
	return entries;
}

static void add_foo(struct faketree *tree)
{
	g_autoptr(GError) error = NULL;

	faketree_write(tree, SOURCE "/dkms.conf", "PACKAGE_NAME=foo\n");
	g_assert_true(ks_tree_add(tree->system, "foo", "1.0", SOURCE, &error));
	g_assert_no_error(error);
}

static void publish_foo(struct faketree *tree, const char *text)
{
	g_autoptr(GError) error = NULL;

	faketree_write(tree, T "/.staged/module/foo.ko", text);
	faketree_write(tree, T "/.staged/log/make.log", "log");
	g_assert_true(ks_tree_publish(tree->system, "foo", "1.0", K, "x86_64",
				      T "/.staged", &error));
	g_assert_no_error(error);
	g_assert_false(is_there(tree, T "/.staged"));
}

static void activate_foo(struct faketree *tree)
{
	g_autoptr(GError) error = NULL;

	g_assert_true(ks_tree_activate(tree->system, "foo", "1.0", K, "x86_64", &error));
	g_assert_no_error(error);
}

static void test_a_manifest_of_what_is_installed(struct faketree *tree,
						 gconstpointer data)
{
	ks_auto(ks_manifest) manifest = ks_manifest_new("foo", "1.0", K, "x86_64");

	add_foo(tree);
	publish_foo(tree, "first");
	g_assert_true(ks_manifest_store(tree->system, manifest,
					T "/foo/1.0/" K "/x86_64/manifest", NULL));
	/* not installed: nothing to keep */
	publish_foo(tree, "second");
	g_assert_false(is_there(tree, T "/foo/1.0/" K "/x86_64/installed"));
	g_assert_true(ks_manifest_store(tree->system, manifest,
					T "/foo/1.0/" K "/x86_64/manifest", NULL));
	activate_foo(tree);
	publish_foo(tree, "third");
	g_assert_true(is_there(tree, T "/foo/1.0/" K "/x86_64/installed"));
	activate_foo(tree);
	g_assert_false(is_there(tree, T "/foo/1.0/" K "/x86_64/installed"));
}

/* The run died when the new one was in place by a link, and its manifest said so. */
static void test_links_that_are_in_place_are_the_artifact_s(struct faketree *tree,
							    gconstpointer data)
{
	ks_auto(ks_manifest) old = ks_manifest_new("foo", "1.0", K, "x86_64");
	ks_auto(ks_manifest) own = ks_manifest_new("foo", "1.0", K, "x86_64");
	ks_auto(ks_manifest) before = NULL;
	ks_auto(ks_manifest) after = NULL;
	struct ks_manifest_file *file = g_new0(struct ks_manifest_file, 1);

	file->name = g_strdup("foo.ko");
	file->dest_dir = g_strdup("/lib/modules/" K "/updates/dkms");
	file->link = g_strdup(MODULE "/foo.ko");
	file->sha256 = ks_digest_data("second", strlen("second"));
	file->size_bytes = strlen("second");
	g_ptr_array_add(own->files, file);
	add_foo(tree);
	publish_foo(tree, "second");
	g_assert_true(ks_manifest_store(tree->system, old,
					T "/foo/1.0/" K "/x86_64/installed", NULL));
	before = ks_tree_load_installed(tree->system, T "/foo/1.0/" K "/x86_64", own);
	g_assert_nonnull(before);
	faketree_mkdir(tree, file->dest_dir);
	faketree_link(tree, file->link, "/lib/modules/" K "/updates/dkms/foo.ko");
	after = ks_tree_load_installed(tree->system, T "/foo/1.0/" K "/x86_64", own);
	g_assert_null(after);
}

static void test_no_tree_is_an_empty_tree(struct faketree *tree, gconstpointer data)
{
	g_autoptr(GPtrArray) entries = scan(tree);

	g_assert_cmpuint(entries->len, ==, 0);
}

static void test_what_is_added_is_found(struct faketree *tree, gconstpointer data)
{
	g_autoptr(GPtrArray) entries = NULL;
	struct ks_tree_entry *entry;
	g_autoptr(GError) error = NULL;

	add_foo(tree);
	entries = scan(tree);
	g_assert_cmpuint(entries->len, ==, 1);
	entry = ks_tree_find(entries, "foo", "1.0");
	g_assert_nonnull(entry);
	g_assert_cmpint(entry->source, ==, KS_TREE_SOURCE_OK);
	g_assert_cmpstr(entry->source_dir, ==, SOURCE);
	g_assert_true(is_there(tree, T "/foo/1.0/build"));
	/* again: success, nothing changed */
	g_assert_true(ks_tree_add(tree->system, "foo", "1.0", SOURCE, &error));
	g_assert_no_error(error);
}

static void test_adding_over_another_source_is_refused(struct faketree *tree,
						       gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	add_foo(tree);
	faketree_write(tree, "/home/foo/dkms.conf", "PACKAGE_NAME=foo\n");
	g_assert_false(ks_tree_add(tree->system, "foo", "1.0", "/home/foo", &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_FAILED);
}

static void test_a_link_to_nothing_is_replaced_by_add(struct faketree *tree,
						      gconstpointer data)
{
	g_autoptr(GPtrArray) entries = NULL;
	g_autoptr(GPtrArray) again = NULL;
	struct ks_tree_entry *entry;

	faketree_link(tree, "/usr/src/old-foo", T "/foo/1.0/source");
	entries = scan(tree);
	entry = ks_tree_find(entries, "foo", "1.0");
	g_assert_cmpint(entry->source, ==, KS_TREE_SOURCE_GONE);
	g_assert_cmpstr(entry->source_dir, ==, "/usr/src/old-foo");
	add_foo(tree);
	again = scan(tree);
	entry = ks_tree_find(again, "foo", "1.0");
	g_assert_cmpint(entry->source, ==, KS_TREE_SOURCE_OK);
}

static void test_publishing_replaces_the_old_artifact(struct faketree *tree,
						      gconstpointer data)
{
	g_autofree char *path = faketree_path(tree, MODULE "/foo.ko");
	g_autofree char *text = NULL;
	g_autoptr(GPtrArray) entries = NULL;
	struct ks_artifact *artifact;

	add_foo(tree);
	publish_foo(tree, "old");
	faketree_write(tree, MODULE "/extra.ko", "only in the old one");
	publish_foo(tree, "new");
	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	g_assert_cmpstr(text, ==, "new");
	g_assert_false(is_there(tree, MODULE "/extra.ko"));
	entries = scan(tree);
	artifact = ks_tree_find_artifact(entries->pdata[0], K, "x86_64");
	g_assert_cmpuint(artifact->module_files->len, ==, 1);
	g_assert_false(artifact->active);
}

static void test_what_cannot_be_published_is_removed(struct faketree *tree,
						     gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	add_foo(tree);
	faketree_write(tree, T "/foo/1.0/" K, "in the way");
	faketree_write(tree, T "/.staged/module/foo.ko", "built");
	g_assert_false(ks_tree_publish(tree->system, "foo", "1.0", K, "x86_64",
				       T "/.staged", &error));
	g_assert_nonnull(error);
	g_assert_false(is_there(tree, T "/.staged"));
	g_assert_true(is_there(tree, T "/foo/1.0/" K));
}

static void test_publishing_nothing_is_an_error(struct faketree *tree, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	add_foo(tree);
	publish_foo(tree, "old");
	g_assert_false(ks_tree_publish(tree->system, "foo", "1.0", K, "x86_64",
				       T "/.nothing", &error));
	g_assert_nonnull(error);
	g_assert_true(is_there(tree, MODULE "/foo.ko"));
}

static void test_activation_is_a_link_in_dkms_form(struct faketree *tree,
						   gconstpointer data)
{
	g_autofree char *text = NULL;
	g_autoptr(GPtrArray) entries = NULL;
	g_autoptr(GPtrArray) after = NULL;
	g_autoptr(GError) error = NULL;

	add_foo(tree);
	publish_foo(tree, "x");
	activate_foo(tree);
	text = ks_root_readlink(tree->system->root, T "/foo/kernel-" K "-x86_64");
	g_assert_cmpstr(text, ==, "1.0/" K "/x86_64");
	entries = scan(tree);
	g_assert_cmpuint(entries->len, ==, 1);
	g_assert_true(ks_tree_find_artifact(entries->pdata[0], K, "x86_64")->active);
	g_assert_true(ks_tree_deactivate(tree->system, "foo", K, "x86_64", &error));
	g_assert_no_error(error);
	after = scan(tree);
	g_assert_false(ks_tree_find_artifact(after->pdata[0], K, "x86_64")->active);
}

static void test_unbuilding_leaves_the_source_and_no_empty_kernel(struct faketree *tree,
								  gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	add_foo(tree);
	publish_foo(tree, "x");
	activate_foo(tree);
	g_assert_true(ks_tree_unbuild(tree->system, "foo", "1.0", K, "x86_64", &error));
	g_assert_no_error(error);
	g_assert_false(is_there(tree, T "/foo/1.0/" K));
	g_assert_false(is_there(tree, T "/foo/kernel-" K "-x86_64"));
	g_assert_true(is_there(tree, T "/foo/1.0/source"));
	/* again: success */
	g_assert_true(ks_tree_unbuild(tree->system, "foo", "1.0", K, "x86_64", &error));
	g_assert_no_error(error);
}

static void test_removing_leaves_nothing_but_the_source(struct faketree *tree,
							gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	add_foo(tree);
	publish_foo(tree, "x");
	activate_foo(tree);
	g_assert_true(ks_tree_set_asked(tree->system, "foo", "1.0", true, &error));
	g_assert_true(ks_tree_remove(tree->system, "foo", "1.0", &error));
	g_assert_no_error(error);
	g_assert_false(is_there(tree, T "/foo"));
	g_assert_false(is_there(tree, "/var/lib/kmodsmith/marks/foo"));
	g_assert_true(is_there(tree, SOURCE "/dkms.conf"));
}

static void test_removing_keeps_the_other_version_and_its_link(struct faketree *tree,
							       gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	add_foo(tree);
	faketree_write(tree, T "/foo/1.0.1/" K "/x86_64/module/foo.ko", "x");
	faketree_link(tree, "1.0.1/" K "/x86_64", T "/foo/kernel-" K "-x86_64");
	g_assert_true(ks_tree_remove(tree->system, "foo", "1.0", &error));
	g_assert_no_error(error);
	g_assert_true(is_there(tree, T "/foo/kernel-" K "-x86_64"));
	g_assert_true(is_there(tree, T "/foo/1.0.1/" K "/x86_64/module/foo.ko"));
}

static void test_marks_come_and_go(struct faketree *tree, gconstpointer data)
{
	g_autoptr(GPtrArray) with = NULL;
	g_autoptr(GPtrArray) without = NULL;
	struct ks_tree_entry *entry;
	g_autoptr(GError) error = NULL;

	add_foo(tree);
	g_assert_true(ks_tree_set_asked(tree->system, "foo", "1.0", true, &error));
	g_assert_true(
		ks_tree_set_removal_asked(tree->system, "foo", "1.0", true, &error));
	with = scan(tree);
	entry = with->pdata[0];
	g_assert_true(entry->asked);
	g_assert_true(entry->removal_asked);
	g_assert_true(ks_tree_set_asked(tree->system, "foo", "1.0", false, &error));
	g_assert_true(
		ks_tree_set_removal_asked(tree->system, "foo", "1.0", false, &error));
	g_assert_true(
		ks_tree_set_removal_asked(tree->system, "foo", "1.0", false, &error));
	g_assert_no_error(error);
	without = scan(tree);
	entry = without->pdata[0];
	g_assert_false(entry->asked);
	g_assert_false(entry->removal_asked);
	g_assert_false(is_there(tree, "/var/lib/kmodsmith/marks/foo"));
}

/* Files that a killed dkms leaves in T, and those that others put there. */
static void make_leftovers(struct faketree *tree)
{
	faketree_mkdir(tree, T "/foo/1.0");
	faketree_mkdir(tree, T "/foo/original_module/" K "/x86_64");
	faketree_write(tree, T "/foo/1.0/" K "/.tmp_x86_64_abcdef/module/foo.ko", "half");
	faketree_mkdir(tree, T "/foo/1.0/" K "/x86_64/log");
	faketree_mkdir(tree, T "/foo/1.0/tarball");
	faketree_write(tree, T "/mok.key", "k");
	faketree_write(tree, T "/mok.pub", "p");
	faketree_write(tree, T "/depmod-pending-" K "-x86_64", "");
	faketree_write(tree, T "/post_transaction.log", "");
	faketree_mkdir(tree, T "/backup/2024/files");
	faketree_mkdir(tree, T "/with blank/1.0");
	faketree_mkdir(tree, T "/.hidden/1.0");
	faketree_link(tree, "loop", T "/loop");
	faketree_link(tree, "/etc", T "/away");
	faketree_link(tree, "1.0", T "/foo/2.0");
}

static void test_leftovers_of_a_killed_dkms_are_read_without_harm(struct faketree *tree,
								  gconstpointer data)
{
	g_autoptr(GPtrArray) entries = NULL;
	struct ks_tree_entry *entry;
	struct ks_artifact *artifact;

	make_leftovers(tree);
	entries = scan(tree);
	g_assert_cmpuint(entries->len, ==, 1);
	entry = entries->pdata[0];
	g_assert_cmpint(entry->source, ==, KS_TREE_SOURCE_NONE);
	g_assert_null(entry->source_dir);
	g_assert_cmpuint(entry->artifacts->len, ==, 1);
	artifact = entry->artifacts->pdata[0];
	g_assert_cmpuint(artifact->module_files->len, ==, 0);
	g_assert_null(artifact->problem);
}

static void test_a_source_that_loops_is_gone(struct faketree *tree, gconstpointer data)
{
	g_autoptr(GPtrArray) entries = NULL;

	faketree_link(tree, "source", T "/foo/1.0/source");
	entries = scan(tree);
	g_assert_cmpint(((struct ks_tree_entry *)entries->pdata[0])->source, ==,
			KS_TREE_SOURCE_GONE);
}

static void test_a_source_directory_of_a_tarball_is_a_source(struct faketree *tree,
							     gconstpointer data)
{
	g_autoptr(GPtrArray) entries = NULL;
	struct ks_tree_entry *entry;

	faketree_write(tree, T "/foo/1.0/source/dkms.conf", "PACKAGE_NAME=foo\n");
	entries = scan(tree);
	entry = entries->pdata[0];
	g_assert_cmpint(entry->source, ==, KS_TREE_SOURCE_OK);
	g_assert_cmpstr(entry->source_dir, ==, T "/foo/1.0/source");
}

static void test_a_damaged_manifest_is_a_problem_of_its_artifact(struct faketree *tree,
								 gconstpointer data)
{
	g_autoptr(GPtrArray) entries = NULL;
	struct ks_artifact *artifact;

	add_foo(tree);
	publish_foo(tree, "x");
	faketree_write(tree, T "/foo/1.0/" K "/x86_64/manifest", "rubbish");
	entries = scan(tree);
	artifact = ks_tree_find_artifact(entries->pdata[0], K, "x86_64");
	g_assert_null(artifact->manifest);
	g_assert_nonnull(artifact->problem);
	g_assert_cmpuint(artifact->module_files->len, ==, 1);
}

static void test_a_manifest_of_another_target_is_not_taken(struct faketree *tree,
							   gconstpointer data)
{
	ks_auto(ks_manifest) manifest = ks_manifest_new("bar", "1.0", K, "x86_64");
	g_autoptr(GPtrArray) entries = NULL;
	struct ks_artifact *artifact;
	g_autoptr(GError) error = NULL;

	add_foo(tree);
	publish_foo(tree, "x");
	g_assert_true(ks_manifest_store(tree->system, manifest,
					T "/foo/1.0/" K "/x86_64/manifest", &error));
	g_assert_no_error(error);
	entries = scan(tree);
	artifact = ks_tree_find_artifact(entries->pdata[0], K, "x86_64");
	g_assert_null(artifact->manifest);
	g_assert_nonnull(strstr(artifact->problem, "bar/1.0"));
}

static void test_an_active_link_to_nothing_is_seen(struct faketree *tree,
						   gconstpointer data)
{
	g_autoptr(GPtrArray) entries = NULL;
	struct ks_artifact *artifact;

	add_foo(tree);
	faketree_link(tree, "1.0/" K "/x86_64", T "/foo/kernel-" K "-x86_64");
	entries = scan(tree);
	artifact = ks_tree_find_artifact(entries->pdata[0], K, "x86_64");
	g_assert_nonnull(artifact);
	g_assert_true(artifact->active);
	g_assert_cmpuint(artifact->module_files->len, ==, 0);
}

#define ADD(name, func)                                                                  \
	g_test_add("/tree/" name, struct faketree, NULL, faketree_set_up, func,          \
		   faketree_tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("no tree is an empty tree", test_no_tree_is_an_empty_tree);
	ADD("what is added is found", test_what_is_added_is_found);
	ADD("adding over another source is refused",
	    test_adding_over_another_source_is_refused);
	ADD("a link to nothing is replaced by add",
	    test_a_link_to_nothing_is_replaced_by_add);
	ADD("publishing replaces the old artifact",
	    test_publishing_replaces_the_old_artifact);
	ADD("the manifest of what is installed stays until another is",
	    test_a_manifest_of_what_is_installed);
	ADD("links that are in place are those of the artifact",
	    test_links_that_are_in_place_are_the_artifact_s);
	ADD("publishing nothing is an error", test_publishing_nothing_is_an_error);
	ADD("what cannot be published is removed",
	    test_what_cannot_be_published_is_removed);
	ADD("activation is a link in dkms form", test_activation_is_a_link_in_dkms_form);
	ADD("unbuilding leaves the source and no empty kernel",
	    test_unbuilding_leaves_the_source_and_no_empty_kernel);
	ADD("removing leaves nothing but the source",
	    test_removing_leaves_nothing_but_the_source);
	ADD("removing keeps the other version and its link",
	    test_removing_keeps_the_other_version_and_its_link);
	ADD("marks come and go", test_marks_come_and_go);
	ADD("leftovers of a killed dkms are read without harm",
	    test_leftovers_of_a_killed_dkms_are_read_without_harm);
	ADD("a source that loops is gone", test_a_source_that_loops_is_gone);
	ADD("a source directory of a tarball is a source",
	    test_a_source_directory_of_a_tarball_is_a_source);
	ADD("a damaged manifest is a problem of its artifact",
	    test_a_damaged_manifest_is_a_problem_of_its_artifact);
	ADD("a manifest of another target is not taken",
	    test_a_manifest_of_another_target_is_not_taken);
	ADD("an active link to nothing is seen", test_an_active_link_to_nothing_is_seen);
	return g_test_run();
}
