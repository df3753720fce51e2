/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/inventory/fingerprint.h"
#include "core/inventory/inventory.h"
#include "core/state/snapshot.h"

#include <string.h>

#include "tests/unit/faketree.h"

#define T	"/var/lib/dkms"
#define K	"6.1.0-56-amd64"
#define K_OLD	"6.1.0-50-amd64"
#define DEST	"/lib/modules/" K "/updates/dkms"
#define KO_TEXT "not really a module"

/* --- a small system */

static void add_kernel(struct faketree *tree, const char *release, bool headers)
{
	g_autofree char *builtin =
		g_strdup_printf("/lib/modules/%s/modules.builtin", release);
	g_autofree char *target = g_strconcat("/usr/src/linux-headers-", release, NULL);
	g_autofree char *link = g_strdup_printf("/lib/modules/%s/build", release);
	static const char *const files[] = {"Makefile", "include/config/auto.conf",
					    ".config", "Module.symvers"};

	faketree_write(tree, builtin, "");
	for (size_t i = 0; headers && i < G_N_ELEMENTS(files); i++) {
		g_autofree char *path = g_strdup_printf("%s/%s", target, files[i]);

		faketree_write(tree, path, "");
	}
	if (headers)
		faketree_link(tree, target, link);
}

static void add_conf(struct faketree *tree, const char *name, const char *version,
		     const char *more)
{
	g_autofree char *path =
		g_strdup_printf("/usr/src/%s-%s/dkms.conf", name, version);
	g_autofree char *text = g_strdup_printf(
		"PACKAGE_NAME=\"%s\"\nPACKAGE_VERSION=\"%s\"\n"
		"BUILT_MODULE_NAME[0]=\"%s\"\nDEST_MODULE_LOCATION[0]=\"/updates/dkms\"\n"
		"AUTOINSTALL=\"yes\"\n%s",
		name, version, name, more);

	faketree_write(tree, path, text);
}

static void add_to_dkms_tree(struct faketree *tree, const char *name, const char *version)
{
	g_autofree char *source = g_strdup_printf("/usr/src/%s-%s", name, version);
	g_autoptr(GError) error = NULL;

	g_assert_true(ks_tree_add(tree->system, name, version, source, &error));
	g_assert_no_error(error);
}

static void add_artifact(struct faketree *tree, const char *name, const char *version,
			 const char *release)
{
	g_autofree char *arch = ks_kernel_machine_arch(tree->system);
	g_autofree char *path = g_strdup_printf(T "/%s/%s/%s/%s/module/%s.ko", name,
						version, release, arch, name);

	faketree_write(tree, path, KO_TEXT);
}

static void add_manifest(struct faketree *tree, const char *name, const char *version,
			 const char *release)
{
	g_autofree char *arch = ks_kernel_machine_arch(tree->system);
	g_autofree char *path =
		g_strdup_printf(T "/%s/%s/%s/%s/manifest", name, version, release, arch);
	ks_auto(ks_manifest) manifest = ks_manifest_new(name, version, release, arch);
	struct ks_manifest_file *file = g_new0(struct ks_manifest_file, 1);
	g_autoptr(GError) error = NULL;

	manifest->build_fingerprint = g_strdup("aa");
	file->name = g_strconcat(name, ".ko", NULL);
	file->dest_dir = g_strdup_printf("/lib/modules/%s/updates/dkms", release);
	file->sha256 = ks_digest_data(KO_TEXT, strlen(KO_TEXT));
	file->size_bytes = strlen(KO_TEXT);
	g_ptr_array_add(manifest->files, file);
	g_assert_true(ks_manifest_store(tree->system, manifest, path, &error));
	g_assert_no_error(error);
}

static void activate(struct faketree *tree, const char *name, const char *version,
		     const char *release)
{
	g_autofree char *arch = ks_kernel_machine_arch(tree->system);
	g_autoptr(GError) error = NULL;

	g_assert_true(
		ks_tree_activate(tree->system, name, version, release, arch, &error));
	g_assert_no_error(error);
}

/* foo/1.0, registered, built and active on K, its file in place. */
static void add_installed_foo(struct faketree *tree)
{
	add_kernel(tree, K, true);
	add_conf(tree, "foo", "1.0", "");
	add_to_dkms_tree(tree, "foo", "1.0");
	add_artifact(tree, "foo", "1.0", K);
	add_manifest(tree, "foo", "1.0", K);
	activate(tree, "foo", "1.0", K);
	faketree_write(tree, DEST "/foo.ko", KO_TEXT);
}

static struct ks_inventory *take(struct faketree *tree, GPtrArray *records,
				 const struct ks_inventory_options *options)
{
	static const struct ks_settings settings;
	ks_auto(ks_digest_cache) cache = ks_digest_cache_open(tree->system);
	g_autoptr(GError) error = NULL;
	struct ks_inventory *inventory = ks_inventory_take(tree->system, &settings, cache,
							   records, options, &error);

	g_assert_no_error(error);
	g_assert_nonnull(inventory);
	return inventory;
}

static struct ks_target *find_foo(const struct ks_inventory *inventory)
{
	struct ks_target *target = ks_inventory_find_target(inventory, "foo", "1.0", K);

	g_assert_nonnull(target);
	return target;
}

static void record_entry_free(gpointer data)
{
	ks_record_entry_free(data);
}

static GPtrArray *records_of_foo(const char *version, const char *digest)
{
	GPtrArray *records = g_ptr_array_new_with_free_func(record_entry_free);
	struct ks_record_entry *entry = g_new0(struct ks_record_entry, 1);

	entry->package = g_strdup("kmod-foo-" K);
	entry->module = g_strdup("foo");
	entry->version = g_strdup(version);
	entry->release = g_strdup(K);
	entry->digest = g_strdup(digest);
	entry->complete = entry->ours = true;
	g_ptr_array_add(records, entry);
	return records;
}

/* --- sources */

static void test_an_empty_system_is_an_empty_picture(struct faketree *tree,
						     gconstpointer data)
{
	ks_auto(ks_inventory) inventory = take(tree, NULL, NULL);

	g_assert_cmpuint(inventory->targets->len, ==, 0);
	g_assert_false(inventory->source_tree_present);
	g_assert_false(inventory->has_recorder);
}

static void test_a_source_is_found_before_anybody_added_it(struct faketree *tree,
							   gconstpointer data)
{
	ks_auto(ks_inventory) inventory = NULL;
	struct ks_target *target;

	add_kernel(tree, K, true);
	add_conf(tree, "foo", "1.0", "");
	inventory = take(tree, NULL, NULL);
	target = find_foo(inventory);
	g_assert_true(target->source->present);
	g_assert_false(target->source->added);
	g_assert_true(target->source->autoinstall);
	g_assert_cmpstr(target->source->path, ==, "/usr/src/foo-1.0");
	g_assert_nonnull(target->fingerprint);
	g_assert_false(target->built);
	g_assert_cmpuint(inventory->problems->len, ==, 0);
}

static const struct ks_source *find_source(const struct ks_inventory *inventory)
{
	g_assert_cmpuint(inventory->sources->len, ==, 1);
	return inventory->sources->pdata[0];
}

static void assert_one_problem(const struct ks_inventory *inventory, const char *part)
{
	g_assert_cmpuint(inventory->sources->len, ==, 0);
	g_assert_cmpuint(inventory->problems->len, ==, 1);
	if (!strstr(inventory->problems->pdata[0], part))
		g_error("'%s' does not name '%s'", (char *)inventory->problems->pdata[0],
			part);
}

static void test_a_directory_writable_by_others_is_ignored(struct faketree *tree,
							   gconstpointer data)
{
	g_autofree char *dir = g_strconcat(tree->dir, "/usr/src/foo-1.0", NULL);
	ks_auto(ks_inventory) inventory = NULL;

	add_conf(tree, "foo", "1.0", "");
	g_assert_cmpint(chmod(dir, 0777), ==, 0);
	inventory = take(tree, NULL, NULL);
	assert_one_problem(inventory, "'/usr/src/foo-1.0': writable");
}

static void test_a_conf_writable_by_others_is_ignored(struct faketree *tree,
						      gconstpointer data)
{
	g_autofree char *conf =
		g_strconcat(tree->dir, "/usr/src/foo-1.0/dkms.conf", NULL);
	ks_auto(ks_inventory) inventory = NULL;

	add_conf(tree, "foo", "1.0", "");
	g_assert_cmpint(chmod(conf, 0666), ==, 0);
	inventory = take(tree, NULL, NULL);
	assert_one_problem(inventory, "dkms.conf': writable");
}

static void test_a_users_directory_is_ignored(struct faketree *tree, gconstpointer data)
{
	g_autofree char *dir = g_strconcat(tree->dir, "/usr/src/foo-1.0", NULL);
	ks_auto(ks_inventory) inventory = NULL;

	if (geteuid() != 0) {
		g_test_skip("needs root to give a directory to somebody else");
		return;
	}
	add_conf(tree, "foo", "1.0", "");
	g_assert_cmpint(chown(dir, 1000, 1000), ==, 0);
	inventory = take(tree, NULL, NULL);
	assert_one_problem(inventory, "owned by uid 1000, ignored");
}

static void test_a_directory_of_another_name_is_ignored(struct faketree *tree,
							gconstpointer data)
{
	ks_auto(ks_inventory) inventory = NULL;

	faketree_write(tree, "/usr/src/foo-1.0/dkms.conf",
		       "PACKAGE_NAME=\"foo\"\nPACKAGE_VERSION=\"2.0\"\n"
		       "BUILT_MODULE_NAME[0]=\"foo\"\n"
		       "DEST_MODULE_LOCATION[0]=\"/updates\"\n");
	inventory = take(tree, NULL, NULL);
	assert_one_problem(inventory, "says foo/2.0, ignored");
}

static void test_a_conf_that_is_none_makes_its_source_broken(struct faketree *tree,
							     gconstpointer data)
{
	ks_auto(ks_inventory) inventory = NULL;
	const struct ks_source *source;

	add_kernel(tree, K, true);
	faketree_write(tree, "/usr/src/foo-bar-1.0/dkms.conf", "# nothing\n");
	inventory = take(tree, NULL, NULL);
	g_assert_cmpuint(inventory->sources->len, ==, 1);
	source = inventory->sources->pdata[0];
	g_assert_cmpstr(source->name, ==, "foo-bar");
	g_assert_cmpstr(source->version, ==, "1.0");
	g_assert_false(source->present);
	g_assert_true(strstr(source->problem, "no PACKAGE_NAME") != NULL);
	g_assert_cmpuint(inventory->problems->len, ==, 0);
}

/* The version that nobody has filled in is the directory's; another one is another's. */
static void test_a_template_is_named_by_its_directory(struct faketree *tree,
						      gconstpointer data)
{
	ks_auto(ks_inventory) inventory = NULL;
	const struct ks_source *source;

	faketree_write(tree, "/usr/src/foo-4.26.0+1/dkms.conf",
		       "PACKAGE_NAME=foo\nPACKAGE_VERSION='#MODULES_VERSION#'\n"
		       "BUILT_MODULE_NAME=foo\nDEST_MODULE_LOCATION=/updates\n"
		       "AUTOINSTALL=yes\n");
	inventory = take(tree, NULL, NULL);
	g_assert_cmpuint(inventory->problems->len, ==, 0);
	g_assert_cmpuint(inventory->sources->len, ==, 1);
	source = inventory->sources->pdata[0];
	g_assert_cmpstr(source->name, ==, "foo");
	g_assert_cmpstr(source->version, ==, "4.26.0+1");
	g_assert_true(source->present);
	g_assert_true(source->autoinstall);
}

/* A source that others can change is used as it was when root asked for it. */
static void test_a_snapshot_stands_in_for_its_source(struct faketree *tree,
						     gconstpointer data)
{
	g_autofree char *dir = g_strconcat(tree->dir, "/usr/src/foo-1.0", NULL);
	ks_auto(ks_inventory) before = NULL;
	ks_auto(ks_inventory) with = NULL;
	ks_auto(ks_inventory) mended = NULL;
	g_autoptr(GError) error = NULL;

	add_conf(tree, "foo", "1.0", "");
	g_assert_cmpint(chmod(dir, 0775), ==, 0);
	g_assert_true(
		ks_tree_add(tree->system, "foo", "1.0", "/usr/src/foo-1.0", &error));
	g_assert_no_error(error);
	before = take(tree, NULL, NULL);
	g_assert_nonnull(strstr(find_source(before)->problem, "dkms add"));
	g_assert_true(
		ks_snapshot_take(tree->system, "foo", "1.0", "/usr/src/foo-1.0", &error));
	g_assert_no_error(error);
	faketree_write(tree, "/usr/src/foo-1.0/dkms.conf", "# nothing\n");
	with = take(tree, NULL, NULL);
	g_assert_true(find_source(with)->present);
	g_assert_true(find_source(with)->added);
	g_assert_false(find_source(with)->outside);
	g_assert_cmpstr(find_source(with)->path, ==,
			"/var/lib/kmodsmith/sources/foo/1.0");
	g_assert_cmpuint(with->problems->len, ==, 0);
	/* and as it is, when it is root's alone */
	g_assert_cmpint(chmod(dir, 0755), ==, 0);
	mended = take(tree, NULL, NULL);
	g_assert_nonnull(strstr(find_source(mended)->problem, "no PACKAGE_NAME"));
	g_assert_true(ks_tree_remove(tree->system, "foo", "1.0", &error));
	g_assert_no_error(error);
	g_assert_false(ks_snapshot_exists(tree->system, "foo", "1.0"));
}

static void test_a_conf_that_loops_is_a_problem_of_its_directory(struct faketree *tree,
								 gconstpointer data)
{
	ks_auto(ks_inventory) inventory = NULL;

	faketree_link(tree, "dkms.conf", "/usr/src/foo-1.0/dkms.conf");
	inventory = take(tree, NULL, NULL);
	assert_one_problem(inventory, "cannot be read");
}

static void test_an_added_source_that_went_bad_is_broken(struct faketree *tree,
							 gconstpointer data)
{
	ks_auto(ks_inventory) inventory = NULL;
	struct ks_target *target;

	add_installed_foo(tree);
	faketree_write(tree, "/usr/src/foo-1.0/dkms.conf", "");
	inventory = take(tree, NULL, NULL);
	target = find_foo(inventory);
	g_assert_false(target->source->present);
	g_assert_nonnull(target->source->problem);
	g_assert_cmpint(target->installed, ==, KS_INSTALLED_OK);
}

static void test_a_removed_source_is_gone_not_broken(struct faketree *tree,
						     gconstpointer data)
{
	g_autofree char *conf = NULL;
	ks_auto(ks_inventory) inventory = NULL;
	struct ks_source *source;

	add_installed_foo(tree);
	conf = g_strconcat(tree->dir, "/usr/src/foo-1.0/dkms.conf", NULL);
	g_assert_cmpint(unlink(conf), ==, 0);
	inventory = take(tree, NULL, NULL);
	source = find_foo(inventory)->source;
	g_assert_false(source->present);
	g_assert_null(source->problem);
	g_assert_null(source->path);
	g_assert_true(source->added);
	g_assert_false(source->outside);
	g_assert_true(inventory->source_tree_present);
}

static void test_a_source_elsewhere_is_known_as_such(struct faketree *tree,
						     gconstpointer data)
{
	ks_auto(ks_inventory) inventory = NULL;
	g_autoptr(GError) error = NULL;
	struct ks_source *source;

	add_kernel(tree, K, true);
	faketree_write(tree, "/opt/foo/dkms.conf",
		       "PACKAGE_NAME=\"foo\"\nPACKAGE_VERSION=\"1.0\"\n"
		       "BUILT_MODULE_NAME[0]=\"foo\"\n"
		       "DEST_MODULE_LOCATION[0]=\"/updates\"\n");
	g_assert_true(ks_tree_add(tree->system, "foo", "1.0", "/opt/foo", &error));
	inventory = take(tree, NULL, NULL);
	source = find_foo(inventory)->source;
	g_assert_true(source->present);
	g_assert_true(source->outside);
	g_assert_cmpstr(source->path, ==, "/opt/foo");
}

static void test_a_half_added_source_is_to_be_added_again(struct faketree *tree,
							  gconstpointer data)
{
	ks_auto(ks_inventory) inventory = NULL;
	struct ks_source *source;

	add_kernel(tree, K, true);
	add_conf(tree, "foo", "1.0", "");
	faketree_mkdir(tree, T "/foo/1.0/build");
	inventory = take(tree, NULL, NULL);
	g_assert_cmpuint(inventory->sources->len, ==, 1);
	source = find_foo(inventory)->source;
	g_assert_true(source->present);
	g_assert_false(source->added);
}

/* --- kernels */

static void test_a_kernel_that_only_the_tree_remembers_is_dead(struct faketree *tree,
							       gconstpointer data)
{
	ks_auto(ks_inventory) inventory = NULL;
	struct ks_target *target;

	add_installed_foo(tree);
	add_artifact(tree, "foo", "1.0", K_OLD);
	inventory = take(tree, NULL, NULL);
	g_assert_cmpuint(inventory->kernels->len, ==, 2);
	target = ks_inventory_find_target(inventory, "foo", "1.0", K_OLD);
	g_assert_nonnull(target);
	g_assert_false(target->kernel->alive);
	g_assert_true(target->built);
	g_assert_cmpint(target->installed, ==, KS_INSTALLED_NO);
	g_assert_null(target->conf);
}

static void test_files_on_a_dead_kernel_are_seen(struct faketree *tree,
						 gconstpointer data)
{
	g_autofree char *builtin = NULL;
	ks_auto(ks_inventory) inventory = NULL;

	add_installed_foo(tree);
	faketree_write(tree, "/lib/modules/" K_OLD "/modules.builtin", "");
	builtin = g_strconcat(tree->dir, "/lib/modules/" K "/modules.builtin", NULL);
	g_assert_cmpint(unlink(builtin), ==, 0);
	inventory = take(tree, NULL, NULL);
	g_assert_false(find_foo(inventory)->kernel->alive);
	g_assert_cmpint(find_foo(inventory)->installed, !=, KS_INSTALLED_NO);
}

static void test_without_headers_there_is_no_fingerprint(struct faketree *tree,
							 gconstpointer data)
{
	ks_auto(ks_inventory) inventory = NULL;

	add_kernel(tree, K, false);
	add_conf(tree, "foo", "1.0", "");
	inventory = take(tree, NULL, NULL);
	g_assert_null(find_foo(inventory)->fingerprint);
	g_assert_nonnull(find_foo(inventory)->conf);
}

/* --- installed files */

static void test_what_is_as_the_manifest_says_is_installed(struct faketree *tree,
							   gconstpointer data)
{
	ks_auto(ks_inventory) inventory = NULL;
	struct ks_target *target;

	add_installed_foo(tree);
	inventory = take(tree, NULL, NULL);
	target = find_foo(inventory);
	g_assert_true(target->source->added);
	g_assert_true(target->built);
	g_assert_cmpstr(target->built_fingerprint, ==, "aa");
	g_assert_cmpint(target->installed, ==, KS_INSTALLED_OK);
	g_assert_cmpint(target->recorded, ==, KS_RECORDED_UNKNOWN);
}

static void test_a_changed_file_is_seen_at_equal_size(struct faketree *tree,
						      gconstpointer data)
{
	ks_auto(ks_inventory) inventory = NULL;

	add_installed_foo(tree);
	faketree_write(tree, DEST "/foo.ko", "NOT really a module");
	inventory = take(tree, NULL, NULL);
	g_assert_cmpint(find_foo(inventory)->installed, ==, KS_INSTALLED_CHANGED);
}

static void test_a_missing_file_is_seen(struct faketree *tree, gconstpointer data)
{
	g_autofree char *path = NULL;
	ks_auto(ks_inventory) inventory = NULL;

	add_installed_foo(tree);
	path = g_strconcat(tree->dir, DEST "/foo.ko", NULL);
	g_assert_cmpint(unlink(path), ==, 0);
	inventory = take(tree, NULL, NULL);
	g_assert_cmpint(find_foo(inventory)->installed, ==, KS_INSTALLED_MISSING);
}

static void test_an_artifact_that_lost_a_module_is_not_built(struct faketree *tree,
							     gconstpointer data)
{
	g_autofree char *arch = ks_kernel_machine_arch(tree->system);
	g_autofree char *path = NULL;
	ks_auto(ks_inventory) inventory = NULL;

	add_installed_foo(tree);
	path = g_strdup_printf("%s" T "/foo/1.0/" K "/%s/module/foo.ko", tree->dir, arch);
	g_assert_cmpint(unlink(path), ==, 0);
	inventory = take(tree, NULL, NULL);
	g_assert_false(find_foo(inventory)->built);
	g_assert_cmpint(find_foo(inventory)->installed, ==, KS_INSTALLED_OK);
}

static void test_what_dkms_installed_is_compared_with_its_copy(struct faketree *tree,
							       gconstpointer data)
{
	ks_auto(ks_inventory) good = NULL;
	ks_auto(ks_inventory) bad = NULL;

	add_kernel(tree, K, true);
	add_conf(tree, "foo", "1.0", "");
	add_to_dkms_tree(tree, "foo", "1.0");
	add_artifact(tree, "foo", "1.0", K);
	activate(tree, "foo", "1.0", K);
	faketree_write(tree, "/lib/modules/" K "/extra/foo.ko", KO_TEXT);
	good = take(tree, NULL, NULL);
	g_assert_cmpint(find_foo(good)->installed, ==, KS_INSTALLED_OK);
	g_assert_null(find_foo(good)->built_fingerprint);
	faketree_write(tree, "/lib/modules/" K "/extra/foo.ko", "something else");
	bad = take(tree, NULL, NULL);
	g_assert_cmpint(find_foo(bad)->installed, ==, KS_INSTALLED_CHANGED);
}

/* --- records */

static void test_a_record_is_right_only_for_these_very_files(struct faketree *tree,
							     gconstpointer data)
{
	ks_auto(ks_inventory) without = NULL;
	g_autofree char *right = NULL;

	add_installed_foo(tree);
	without = take(tree, NULL, NULL);
	right = ks_record_digest(find_foo(without)->artifact->manifest);
	const struct {
		const char *version, *digest;
		enum ks_recorded recorded;
	} cases[] = {
		{"1.0", right, KS_RECORDED_OK},
		{"1.0", "another digest", KS_RECORDED_STALE},
		{"0.9", right, KS_RECORDED_STALE},
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		ks_auto(ks_inventory) inventory = take(
			tree, records_of_foo(cases[i].version, cases[i].digest), NULL);

		g_assert_true(inventory->has_recorder);
		g_assert_cmpint(find_foo(inventory)->recorded, ==, cases[i].recorded);
	}
}

static void test_a_foreign_package_of_the_name_is_foreign(struct faketree *tree,
							  gconstpointer data)
{
	GPtrArray *records = records_of_foo("", "");
	struct ks_record_entry *entry = records->pdata[0];
	ks_auto(ks_inventory) inventory = NULL;

	add_installed_foo(tree);
	entry->ours = false;
	g_free(entry->module);
	entry->module = g_strdup("");
	inventory = take(tree, records, NULL);
	g_assert_cmpint(find_foo(inventory)->recorded, ==, KS_RECORDED_FOREIGN);
}

static void test_no_record_is_no_record(struct faketree *tree, gconstpointer data)
{
	ks_auto(ks_inventory) inventory = NULL;

	add_installed_foo(tree);
	inventory = take(tree, g_ptr_array_new_with_free_func(record_entry_free), NULL);
	g_assert_cmpint(find_foo(inventory)->recorded, ==, KS_RECORDED_NO);
}

/* --- fingerprints */

static char *fingerprint_of(struct faketree *tree, const char *name)
{
	ks_auto(ks_inventory) inventory = take(tree, NULL, NULL);
	struct ks_target *target = ks_inventory_find_target(inventory, name, "1.0", K);

	g_assert_nonnull(target->fingerprint);
	return g_strdup(target->fingerprint);
}

static void test_a_fingerprint_changes_with_the_source_only(struct faketree *tree,
							    gconstpointer data)
{
	g_autofree char *first = NULL;
	g_autofree char *second = NULL;
	g_autofree char *third = NULL;

	add_kernel(tree, K, true);
	add_conf(tree, "foo", "1.0", "");
	first = fingerprint_of(tree, "foo");
	faketree_write(tree, "/usr/src/other/file", "no module");
	second = fingerprint_of(tree, "foo");
	faketree_write(tree, "/usr/src/foo-1.0/foo.c", "int x;");
	third = fingerprint_of(tree, "foo");
	g_assert_cmpstr(first, ==, second);
	g_assert_cmpstr(first, !=, third);
}

/* "git status" and a developer's own make in /usr/src cost nobody a build. */
static void test_a_fingerprint_leaves_out_what_is_no_source(struct faketree *tree,
							    gconstpointer data)
{
	static const char *const none[][2] = {
		{".git/index", "x"},
		{".git/objects/pack/a", "x"},
		{".foo.c.swp", "x"},
		{"foo.c~", "x"},
		{".#foo.c", "x"},
		{"foo.o", "x"},
		{".foo.o.cmd", "cmd_foo.o := gcc\n\nsource_foo.o := /x/foo.c\n"},
		{".foo.ko.cmd", "savedcmd_foo.ko := ld\n"},
		{"foo.ko", "x"},
	};
	static const char *const source[][2] = {
		{".gitignore", "x"}, {"blob.o", "x"}, {".blob.o.cmd", ""},
		{"blob.o", "y"},     {"lib.a", "x"},  {".cmd", "x"},
	};
	g_autofree char *first = NULL;

	add_kernel(tree, K, true);
	add_conf(tree, "foo", "1.0", "");
	faketree_write(tree, "/usr/src/foo-1.0/foo.c", "int x;");
	first = fingerprint_of(tree, "foo");
	for (size_t i = 0; i < G_N_ELEMENTS(none); i++) {
		g_autofree char *path =
			g_strconcat("/usr/src/foo-1.0/", none[i][0], NULL);

		faketree_write(tree, path, none[i][1]);
	}
	g_autofree char *last = fingerprint_of(tree, "foo");
	g_assert_cmpstr(first, ==, last);
	for (size_t i = 0; i < G_N_ELEMENTS(source); i++) {
		g_autofree char *path =
			g_strconcat("/usr/src/foo-1.0/", source[i][0], NULL);
		g_autofree char *now = NULL;

		faketree_write(tree, path, source[i][1]);
		now = fingerprint_of(tree, "foo");
		g_assert_cmpstr(now, !=, last);
		g_free(last);
		last = g_steal_pointer(&now);
	}
}

static char *fingerprint_with_make(const char *make)
{
	const struct ks_kernel kernel = {.release = (char *)K, .arch = (char *)"x86_64"};
	const struct ks_conf conf = {.package_name = (char *)"foo",
				     .package_version = (char *)"1.0",
				     .text_digest = (char *)"00",
				     .make = (char *)make};
	const struct ks_fingerprint_inputs inputs = {.source_digest = "s",
						     .kernel_fingerprint = "k",
						     .kernel = &kernel,
						     .conf = &conf};

	return ks_fingerprint_target(&inputs);
}

/* As many as this machine has processors; and words that only look like it. */
static void test_a_fingerprint_does_not_count_jobs(void)
{
	static const char *const same[] = {"make -j8 x", "make -j16 x", "make -j 8 x",
					   "make --jobs=8 x", "make --jobs 16 x"};
	static const char *const other[] = {"make x -j",    "make -j8 y", "make x",
					    "make a-j8 x",  "make -j8x",  "make -jobs8 x",
					    "make W=-j8x x"};
	g_autofree char *expected = fingerprint_with_make("make -j x");
	g_autofree char *keep_going = fingerprint_with_make("make -kj4 x");
	g_autofree char *keep_going_more = fingerprint_with_make("make -kj 16 x");

	g_assert_cmpstr(keep_going, ==, keep_going_more);
	g_assert_cmpstr(keep_going, !=, expected);

	for (size_t i = 0; i < G_N_ELEMENTS(same); i++) {
		g_autofree char *found = fingerprint_with_make(same[i]);

		g_assert_cmpstr(found, ==, expected);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(other); i++) {
		g_autofree char *found = fingerprint_with_make(other[i]);

		g_assert_cmpstr(found, !=, expected);
	}
}

static void test_a_fingerprint_changes_with_the_headers(struct faketree *tree,
							gconstpointer data)
{
	g_autofree char *first = NULL;
	g_autofree char *second = NULL;

	add_kernel(tree, K, true);
	add_conf(tree, "foo", "1.0", "");
	first = fingerprint_of(tree, "foo");
	faketree_write(tree, "/usr/src/linux-headers-" K "/Module.symvers", "0x1 x\n");
	second = fingerprint_of(tree, "foo");
	g_assert_cmpstr(first, !=, second);
}

/* Also when the kernel's own compiler is not there at all. */
static void test_a_compiler_of_make_is_checked_for(struct faketree *tree,
						   gconstpointer data)
{
	g_autofree char *path = faketree_path(tree, "/opt/tc/gcc");
	g_autofree char *first = NULL;
	g_autofree char *second = NULL;

	add_kernel(tree, K, true);
	add_conf(tree, "foo", "1.0", "MAKE=\"make CC='/opt/tc/gcc -pipe' all\"\n");
	add_conf(tree, "bar", "1.0", "MAKE=\"make all\"\n");
	faketree_write(tree, "/usr/bin/make", "");
	faketree_write(tree, "/opt/tc/gcc", "one");
	g_autofree char *make = faketree_path(tree, "/usr/bin/make");
	g_assert_cmpint(g_chmod(make, 0755), ==, 0);
	for (int i = 0; i < 2; i++) {
		ks_auto(ks_inventory) inventory = take(tree, NULL, NULL);
		struct ks_target *foo =
			ks_inventory_find_target(inventory, "foo", "1.0", K);

		g_assert_true(foo->own_toolchain);
		g_assert_true((foo->toolchain_problem == NULL) == (i == 1));
		g_assert_false(ks_inventory_find_target(inventory, "bar", "1.0", K)
				       ->own_toolchain);
		g_assert_cmpint(g_chmod(path, 0755), ==, 0);
	}
	first = fingerprint_of(tree, "foo");
	faketree_write(tree, "/opt/tc/gcc", "another");
	g_assert_cmpint(g_chmod(path, 0755), ==, 0);
	second = fingerprint_of(tree, "foo");
	g_assert_cmpstr(first, !=, second);
}

static void test_a_fingerprint_changes_with_its_dependency(struct faketree *tree,
							   gconstpointer data)
{
	g_autofree char *first = NULL;
	g_autofree char *built = NULL;
	g_autofree char *changed = NULL;

	add_kernel(tree, K, true);
	add_conf(tree, "foo", "1.0", "");
	add_conf(tree, "bar", "1.0", "BUILD_DEPENDS[0]=\"foo\"\n");
	first = fingerprint_of(tree, "bar");
	/* that it has been built in between makes no difference */
	add_to_dkms_tree(tree, "foo", "1.0");
	add_artifact(tree, "foo", "1.0", K);
	add_manifest(tree, "foo", "1.0", K);
	built = fingerprint_of(tree, "bar");
	faketree_write(tree, "/usr/src/foo-1.0/foo.c", "int x;");
	changed = fingerprint_of(tree, "bar");
	g_assert_cmpstr(first, ==, built);
	g_assert_cmpstr(first, !=, changed);
}

static void test_modules_that_depend_on_each_other_do_not_hang(struct faketree *tree,
							       gconstpointer data)
{
	g_autofree char *fingerprint = NULL;

	add_kernel(tree, K, true);
	add_conf(tree, "foo", "1.0", "BUILD_DEPENDS[0]=\"bar\"\n");
	add_conf(tree, "bar", "1.0", "BUILD_DEPENDS[0]=\"foo\"\n");
	fingerprint = fingerprint_of(tree, "bar");
	g_assert_cmpuint(strlen(fingerprint), ==, 64);
}

/* --- narrowing */

static void test_a_narrowed_picture_has_the_dependencies_too(struct faketree *tree,
							     gconstpointer data)
{
	const struct ks_inventory_options options = {.module = "bar", .release = K};
	ks_auto(ks_inventory) inventory = NULL;

	add_kernel(tree, K, true);
	add_kernel(tree, K_OLD, true);
	add_conf(tree, "foo", "1.0", "");
	add_conf(tree, "bar", "1.0", "BUILD_DEPENDS[0]=\"foo\"\n");
	add_conf(tree, "baz", "1.0", "");
	inventory = take(tree, NULL, &options);
	g_assert_cmpuint(inventory->targets->len, ==, 2);
	g_assert_nonnull(ks_inventory_find_target(inventory, "bar", "1.0", K));
	g_assert_nonnull(ks_inventory_find_target(inventory, "foo", "1.0", K));
	g_assert_cmpuint(inventory->kernels->len, ==, 2);
}

#define ADD(name, func)                                                                  \
	g_test_add("/inventory/" name, struct faketree, NULL, faketree_set_up, func,     \
		   faketree_tear_down)

static void test_a_dependency_that_somebody_else_has_put_in_place_is_seen(
	struct faketree *tree, gconstpointer data)
{
	ks_auto(ks_inventory) inventory = NULL;
	char **found;

	add_kernel(tree, K, true);
	faketree_write(tree, "/lib/modules/" K "/modules.dep",
		       "kernel/drivers/a.ko: kernel/drivers/gone.ko\n"
		       "extra/prov-fn.ko.xz:\nextra/deleted.ko:\n");
	faketree_write(tree, "/lib/modules/" K "/kernel/drivers/a.ko", "");
	faketree_write(tree, "/lib/modules/" K "/extra/prov-fn.ko.xz", "");
	faketree_write(tree, "/usr/src/foo-1.0/dkms.conf",
		       "PACKAGE_NAME=foo\nPACKAGE_VERSION=1.0\nBUILT_MODULE_NAME[0]=foo\n"
		       "DEST_MODULE_LOCATION[0]=/updates\nAUTOINSTALL=yes\n"
		       "BUILD_DEPENDS[0]=prov_fn\nBUILD_DEPENDS[1]=gone\n"
		       "BUILD_DEPENDS[2]=a\nBUILD_DEPENDS[3]=deleted\n");
	inventory = take(tree, NULL, NULL);
	found = find_foo(inventory)->depends_installed;
	g_assert_cmpuint(g_strv_length(found), ==, 2);
	g_assert_cmpstr(found[0], ==, "prov_fn");
	g_assert_cmpstr(found[1], ==, "a");
}

static void add_source_tests(void)
{
	ADD("an empty system is an empty picture",
	    test_an_empty_system_is_an_empty_picture);
	ADD("a source is found before anybody added it",
	    test_a_source_is_found_before_anybody_added_it);
	ADD("a directory writable by others is ignored",
	    test_a_directory_writable_by_others_is_ignored);
	ADD("a conf writable by others is ignored",
	    test_a_conf_writable_by_others_is_ignored);
	ADD("a user's directory is ignored", test_a_users_directory_is_ignored);
	ADD("a directory of another name is ignored",
	    test_a_directory_of_another_name_is_ignored);
	ADD("a conf that is none makes its source broken",
	    test_a_conf_that_is_none_makes_its_source_broken);
	ADD("a template is named by its directory",
	    test_a_template_is_named_by_its_directory);
	ADD("a snapshot stands in for its source",
	    test_a_snapshot_stands_in_for_its_source);
	ADD("a conf that loops is a problem of its directory",
	    test_a_conf_that_loops_is_a_problem_of_its_directory);
	ADD("an added source that went bad is broken",
	    test_an_added_source_that_went_bad_is_broken);
	ADD("a removed source is gone, not broken",
	    test_a_removed_source_is_gone_not_broken);
	ADD("a source elsewhere is known as such",
	    test_a_source_elsewhere_is_known_as_such);
	ADD("a half added source is to be added again",
	    test_a_half_added_source_is_to_be_added_again);
}

static void add_target_tests(void)
{
	ADD("a kernel that only the tree remembers is dead",
	    test_a_kernel_that_only_the_tree_remembers_is_dead);
	ADD("files on a dead kernel are seen", test_files_on_a_dead_kernel_are_seen);
	ADD("without headers there is no fingerprint",
	    test_without_headers_there_is_no_fingerprint);
	ADD("what is as the manifest says is installed",
	    test_what_is_as_the_manifest_says_is_installed);
	ADD("a changed file is seen at equal size",
	    test_a_changed_file_is_seen_at_equal_size);
	ADD("a missing file is seen", test_a_missing_file_is_seen);
	ADD("an artifact that lost a module is not built",
	    test_an_artifact_that_lost_a_module_is_not_built);
	ADD("what dkms installed is compared with its copy",
	    test_what_dkms_installed_is_compared_with_its_copy);
	ADD("a record is right only for these very files",
	    test_a_record_is_right_only_for_these_very_files);
	ADD("a foreign package of the name is foreign",
	    test_a_foreign_package_of_the_name_is_foreign);
	ADD("no record is no record", test_no_record_is_no_record);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/inventory/a fingerprint does not count jobs",
			test_a_fingerprint_does_not_count_jobs);
	umask(022); /* what others may write is ignored: not the fixtures */
	add_source_tests();
	add_target_tests();
	ADD("a fingerprint changes with the source only",
	    test_a_fingerprint_changes_with_the_source_only);
	ADD("a fingerprint changes with the headers",
	    test_a_fingerprint_changes_with_the_headers);
	ADD("a fingerprint leaves out what is no source",
	    test_a_fingerprint_leaves_out_what_is_no_source);
	ADD("a compiler of MAKE is checked for and counts",
	    test_a_compiler_of_make_is_checked_for);
	ADD("a fingerprint changes with its dependency",
	    test_a_fingerprint_changes_with_its_dependency);
	ADD("a dependency that somebody else has put in place is seen",
	    test_a_dependency_that_somebody_else_has_put_in_place_is_seen);
	ADD("modules that depend on each other do not hang",
	    test_modules_that_depend_on_each_other_do_not_hang);
	ADD("a narrowed picture has the dependencies too",
	    test_a_narrowed_picture_has_the_dependencies_too);
	return g_test_run();
}
