/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs of the whole engine on a scratch tree. Its kernels have no headers, so
 * that nothing is built, and it has no depmod: its failure shows that one is
 * wanted. The recorder is a script that notes its input.
 */
#include "core/engine/engine.h"

#include <string.h>

#include "core/install/install.h"
#include "core/record/record.h"
#include "tests/unit/faketree.h"

#define T	"/var/lib/dkms"
#define K	"6.1.0-56-amd64"
#define K_OLD	"6.1.0-50-amd64"
#define KO	"/updates/dkms/foo.ko"
#define KO_TEXT "not really a module"

struct fixture {
	struct faketree tree;
	char *arch;
	GString *told; /* warnings and failures, a line each */
	bool with_initramfs;
	char *foreseen;	  /* what "plan" says just before a run */
	GPtrArray *begun; /* char *: what the run began */
	guint n_failed;	  /* of what it began */
	bool recovers;	  /* a run of this test first repairs what a plan cannot know */
	const char *fifo; /* written to when depmod for K_OLD is done; or NULL */
};

static void set_up(struct fixture *f, gconstpointer data)
{
	faketree_set_up(&f->tree, NULL);
	f->arch = ks_kernel_machine_arch(f->tree.system);
	f->told = g_string_new(NULL);
	f->begun = g_ptr_array_new_with_free_func(g_free);
	faketree_write(&f->tree, "/etc/os-release", "ID=debian\n");
	faketree_mkdir(&f->tree, "/usr/src");
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	g_string_free(f->told, TRUE);
	g_ptr_array_unref(f->begun);
	g_free(f->foreseen);
	g_free(f->arch);
	faketree_tear_down(&f->tree, NULL);
}

/* --- a small system */

static bool is_there(struct fixture *f, const char *path)
{
	return ks_root_exists(f->tree.root, path);
}

static void remove_tree(struct fixture *f, const char *path)
{
	g_autofree char *full = faketree_path(&f->tree, path);

	nftw(full, faketree_remove_entry, 32, FTW_DEPTH | FTW_PHYS);
}

static char *module_path(const char *release)
{
	return g_strdup_printf("/lib/modules/%s" KO, release);
}

static char *artifact_path(struct fixture *f, const char *release, const char *name)
{
	return g_strdup_printf(T "/foo/1.0/%s/%s/%s", release, f->arch, name);
}

static void add_kernel(struct fixture *f, const char *release)
{
	g_autofree char *builtin =
		g_strdup_printf("/lib/modules/%s/modules.builtin", release);

	faketree_write(&f->tree, builtin, "");
}

static void add_source(struct fixture *f, const char *more)
{
	g_autofree char *conf = g_strconcat(
		"PACKAGE_NAME=foo\nPACKAGE_VERSION=1.0\nBUILT_MODULE_NAME[0]=foo\n"
		"DEST_MODULE_LOCATION[0]=/updates/dkms\nAUTOINSTALL=yes\n",
		more, NULL);

	faketree_write(&f->tree, "/usr/src/foo-1.0/dkms.conf", conf);
	g_assert_true(
		ks_tree_add(f->tree.system, "foo", "1.0", "/usr/src/foo-1.0", NULL));
}

/* As dkms leaves it: no manifest. */
static void add_artifact(struct fixture *f, const char *release)
{
	g_autofree char *path = artifact_path(f, release, "module/foo.ko");

	faketree_write(&f->tree, path, KO_TEXT);
}

static void add_manifest(struct fixture *f, const char *release)
{
	g_autofree char *path = artifact_path(f, release, "manifest");
	ks_auto(ks_manifest) manifest = ks_manifest_new("foo", "1.0", release, f->arch);
	struct ks_manifest_file *file = g_new0(struct ks_manifest_file, 1);
	g_autoptr(GError) error = NULL;

	manifest->build_fingerprint = g_strdup("aa");
	file->name = g_strdup("foo.ko");
	file->dest_dir = g_strdup_printf("/lib/modules/%s/updates/dkms", release);
	file->sha256 = ks_digest_data(KO_TEXT, strlen(KO_TEXT));
	file->built_sha256 = g_strdup(file->sha256);
	file->size_bytes = strlen(KO_TEXT);
	g_ptr_array_add(manifest->files, file);
	g_assert_true(ks_manifest_store(f->tree.system, manifest, path, &error));
	g_assert_no_error(error);
}

static void activate(struct fixture *f, const char *release)
{
	g_autofree char *path = module_path(release);

	faketree_write(&f->tree, path, KO_TEXT);
	g_assert_true(
		ks_tree_activate(f->tree.system, "foo", "1.0", release, f->arch, NULL));
}

static void add_installed_foo(struct fixture *f, const char *release)
{
	add_kernel(f, release);
	add_artifact(f, release);
	add_manifest(f, release);
	activate(f, release);
}

/* Prints the file "records", and notes its input in "applied". */
static void add_recorder(struct fixture *f)
{
	g_autofree char *script =
		g_strdup_printf("#!/bin/sh\n"
				"shift 2\n"
				"case $1 in\n"
				"list) cat '%s/records' ;;\n"
				"apply) cat > '%s/applied' ;;\n"
				"busy) test ! -e '%s/locked' || exit 75 ;;\n"
				"esac\n",
				f->tree.dir, f->tree.dir, f->tree.dir);
	g_autofree char *path = faketree_path(&f->tree, "/libexec/recorder-dpkg");

	faketree_write(&f->tree, "/var/lib/dpkg/status", "");
	faketree_write(&f->tree, "/libexec/recorder-dpkg", script);
	faketree_write(&f->tree, "/records", "protocol=1\nrecords=0\n\n");
	g_assert_cmpint(chmod(path, 0755), ==, 0);
	g_free(f->tree.system->libexec_dir);
	f->tree.system->libexec_dir = g_path_get_dirname(path);
}

/* --- running it */

static char *name_action(const struct ks_action *action)
{
	const struct ks_source *source =
		action->target ? action->target->source : action->source;

	return g_strdup_printf("%s %s %s", ks_action_kind_id(action->kind),
			       source ? source->name : "-",
			       action->kernel ? action->kernel->release : "-");
}

static void observe(const struct ks_event *event, void *data)
{
	struct fixture *f = data;

	if (event->kind == KS_EVENT_ACTION_START)
		g_ptr_array_add(f->begun, name_action(event->action));
	f->n_failed += event->kind == KS_EVENT_ACTION_FAILED;
	if (event->error)
		g_string_append_printf(f->told, "%s\n", event->error->message);
	if (f->fifo && event->kind == KS_EVENT_ACTION_DONE &&
	    event->action->kind == KS_ACTION_DEPMOD &&
	    g_str_equal(event->action->kernel->release, K_OLD)) {
		g_autofree char *full = faketree_path(&f->tree, f->fifo);

		ks_autofd int fd = open(full, O_WRONLY | O_CLOEXEC);

		g_assert_cmpint(write(fd, "go\n", 3), ==, 3);
	}
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* One line for each name; sorted, since what does not depend on another may overtake it. */
static char *join_sorted(GPtrArray *names)
{
	g_autoptr(GString) text = g_string_new(NULL);

	g_ptr_array_sort(names, compare_names);
	for (guint i = 0; i < names->len; i++)
		g_string_append_printf(text, "%s\n", (char *)names->pdata[i]);
	return g_string_free(g_steal_pointer(&text), FALSE);
}

/*
 * The plan is what runs: every action that "plan" foresees begins in the run after it, and
 * no other, unless one that it needs has failed.
 */
static void foresee(struct fixture *f, const struct ks_settings *settings,
		    const struct ks_run_options *options)
{
	ks_auto(ks_inventory) inventory = NULL;
	ks_auto(ks_plan) plan = NULL;
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);

	g_clear_pointer(&f->foreseen, g_free);
	g_ptr_array_set_size(f->begun, 0);
	f->n_failed = 0;
	if (!ks_engine_foresee(f->tree.system, settings, options, &inventory, &plan,
			       NULL))
		return;
	for (guint i = 0; i < plan->actions->len; i++)
		g_ptr_array_add(names, name_action(plan->actions->pdata[i]));
	f->foreseen = join_sorted(names);
}

static void compare_with_run(struct fixture *f)
{
	g_autofree char *begun = join_sorted(f->begun);

	if (f->foreseen && !f->n_failed && !f->recovers)
		g_assert_cmpstr(begun, ==, f->foreseen);
}

static struct ks_outcome *try_run(struct fixture *f, struct ks_run_options options,
				  GError **error)
{
	ks_auto(ks_settings) settings =
		ks_settings_load(f->tree.system, KS_SETTINGS_STRICT, NULL);
	struct ks_outcome *outcome = NULL;

	g_assert_nonnull(settings);
	options.command = "test";
	options.observer = observe;
	options.observer_data = f;
	options.request.no_initramfs = !f->with_initramfs;
	foresee(f, settings, &options);
	if (!ks_engine_run(f->tree.system, settings, &options, &outcome, error))
		return NULL;
	compare_with_run(f);
	return outcome;
}

static struct ks_outcome *run(struct fixture *f, struct ks_run_options options)
{
	g_autoptr(GError) error = NULL;
	struct ks_outcome *outcome = try_run(f, options, &error);

	g_assert_no_error(error);
	g_assert_nonnull(outcome);
	return outcome;
}

static struct ks_manifest *load_manifest(struct fixture *f, const char *release)
{
	g_autofree char *path = artifact_path(f, release, "manifest");
	g_autoptr(GError) error = NULL;
	struct ks_manifest *manifest = ks_manifest_load(f->tree.system, path, &error);

	g_assert_no_error(error);
	return manifest;
}

/* --- taking away */

static void test_a_removed_source_takes_its_module_along(struct fixture *f,
							 gconstpointer data)
{
	ks_auto(ks_outcome) outcome = NULL;

	add_source(f, "");
	add_installed_foo(f, K);
	remove_tree(f, "/usr/src/foo-1.0");
	outcome = run(f, (struct ks_run_options){0});
	g_assert_cmpuint(outcome->n_removed, ==, 1);
	g_assert_false(is_there(f, "/lib/modules/" K KO));
	g_assert_false(is_there(f, T "/foo"));
}

/* dkms 3.4.3 runs it after a removal, and forgets it after autoinstall (B2) */
static void test_post_transaction_runs_when_something_changed(struct fixture *f,
							      gconstpointer data)
{
	ks_auto(ks_outcome) outcome = NULL;
	ks_auto(ks_outcome) again = NULL;

	faketree_write(&f->tree, "/etc/dkms/framework.conf",
		       "post_transaction='true $kernelver'\n");
	add_source(f, "");
	add_installed_foo(f, K);
	remove_tree(f, "/usr/src/foo-1.0");
	outcome = run(f, (struct ks_run_options){0});
	g_assert_cmpuint(outcome->changed->len, ==, 1);
	g_assert_cmpstr(outcome->changed->pdata[0], ==, K);
	/* there is no bash in this tree: that is reported, and the run goes on */
	g_assert_nonnull(
		strstr(f->told->str, "cannot run post_transaction 'true " K "'"));
	g_string_truncate(f->told, 0);
	again = run(f, (struct ks_run_options){0});
	g_assert_null(again->changed);
	g_assert_null(strstr(f->told->str, "post_transaction"));
}

static void test_a_link_written_in_full_is_still_its_own(struct fixture *f,
							 gconstpointer data)
{
	ks_auto(ks_outcome) outcome = NULL;
	g_autofree char *link = g_strdup_printf(T "/foo/kernel-" K "-%s", f->arch);
	g_autofree char *target = artifact_path(f, K, "");

	add_source(f, "");
	add_installed_foo(f, K);
	remove_tree(f, link);
	faketree_link(&f->tree, target, link);
	remove_tree(f, "/usr/src/foo-1.0");
	outcome = run(f, (struct ks_run_options){0});
	g_assert_cmpuint(outcome->n_removed, ==, 1);
	g_assert_false(is_there(f, "/lib/modules/" K KO));
}

static void test_the_kernels_own_module_comes_back(struct fixture *f, gconstpointer data)
{
	ks_auto(ks_outcome) outcome = NULL;
	g_autofree char *stored =
		g_strdup_printf(T "/foo/original_module/" K "/%s/foo.ko", f->arch);
	g_autofree char *origin = g_strconcat(stored, ".origin", NULL);
	g_autofree char *text = NULL;

	add_source(f, "");
	add_installed_foo(f, K);
	faketree_mkdir(&f->tree, "/lib/modules/" K "/kernel/drivers");
	faketree_write(&f->tree, stored, "the kernel's");
	faketree_write(&f->tree, origin, "/lib/modules/" K "/kernel/drivers/foo.ko\n");
	remove_tree(f, "/usr/src/foo-1.0");
	outcome = run(f, (struct ks_run_options){0});
	text = faketree_read(&f->tree, "/lib/modules/" K "/kernel/drivers/foo.ko");
	g_assert_cmpstr(text, ==, "the kernel's");
	g_assert_false(is_there(f, "/lib/modules/" K KO));
	g_assert_false(is_there(f, T "/foo"));
}

static void test_an_original_of_elsewhere_is_not_put_back(struct fixture *f,
							  gconstpointer data)
{
	ks_auto(ks_outcome) outcome = NULL;
	g_autofree char *stored =
		g_strdup_printf(T "/foo/original_module/" K "/%s/foo.ko", f->arch);
	g_autofree char *origin = g_strconcat(stored, ".origin", NULL);

	add_source(f, "");
	add_installed_foo(f, K);
	faketree_write(&f->tree, stored, "somebody's");
	faketree_write(&f->tree, origin, "/lib/modules/" K "/kernel/../../../../etc/x\n");
	remove_tree(f, "/usr/src/foo-1.0");
	outcome = run(f, (struct ks_run_options){0});
	g_assert_false(is_there(f, "/etc/x"));
	g_assert_true(is_there(f, stored));
}

static void test_a_maintainer_script_takes_nothing_away(struct fixture *f,
							gconstpointer data)
{
	ks_auto(ks_outcome) outcome = NULL;

	add_source(f, "");
	add_installed_foo(f, K);
	remove_tree(f, "/usr/src/foo-1.0");
	outcome = run(f, (struct ks_run_options){.no_record = true});
	g_assert_cmpuint(outcome->n_removed, ==, 0);
	g_assert_true(is_there(f, "/lib/modules/" K KO));
	g_assert_true(is_there(f, T "/foo/1.0"));
}

static void test_the_boot_takes_nothing_away(struct fixture *f, gconstpointer data)
{
	ks_auto(ks_outcome) outcome = NULL;

	add_source(f, "");
	add_installed_foo(f, K);
	remove_tree(f, "/usr/src/foo-1.0");
	outcome = run(f, (struct ks_run_options){.trigger = "boot"});
	g_assert_cmpuint(outcome->n_removed, ==, 0);
	g_assert_true(is_there(f, "/lib/modules/" K KO));
}

static void test_while_packages_change_nothing_is_taken_away(struct fixture *f,
							     gconstpointer data)
{
	ks_auto(ks_outcome) outcome = NULL;

	add_source(f, "");
	add_installed_foo(f, K);
	faketree_mkdir(&f->tree, "/lib/modules/" K_OLD);
	remove_tree(f, "/usr/src/foo-1.0");
	add_recorder(f);
	faketree_write(&f->tree, "/locked", "");
	outcome = run(f, (struct ks_run_options){0});
	g_assert_true(is_there(f, "/lib/modules/" K KO));
	g_assert_true(is_there(f, "/lib/modules/" K_OLD));
	remove_tree(f, "/locked");
	ks_outcome_free(outcome);
	outcome = run(f, (struct ks_run_options){0});
	g_assert_false(is_there(f, "/lib/modules/" K KO));
	g_assert_false(is_there(f, "/lib/modules/" K_OLD));
}

static void test_without_headers_what_works_is_kept(struct fixture *f, gconstpointer data)
{
	ks_auto(ks_outcome) outcome = NULL;

	add_source(f, "");
	add_installed_foo(f, K);
	outcome = run(f, (struct ks_run_options){0});
	g_assert_cmpuint(outcome->n_failed_actions, ==, 0);
	g_assert_cmpuint(outcome->n_removed, ==, 0);
	g_assert_true(is_there(f, "/lib/modules/" K KO));
}

/* --- adoption */

static void test_what_dkms_built_is_adopted_as_it_is(struct fixture *f,
						     gconstpointer data)
{
	ks_auto(ks_outcome) outcome = NULL;
	ks_auto(ks_manifest) manifest = NULL;
	const struct ks_manifest_file *file;

	add_source(f, "");
	add_kernel(f, K);
	add_artifact(f, K);
	activate(f, K);
	outcome = run(f, (struct ks_run_options){0});
	manifest = load_manifest(f, K);
	g_assert_null(manifest->build_fingerprint);
	g_assert_cmpuint(manifest->files->len, ==, 1);
	file = g_ptr_array_index(manifest->files, 0);
	g_assert_cmpstr(file->dest_dir, ==, "/lib/modules/" K "/updates/dkms");
	g_assert_cmpuint(outcome->n_installed, ==, 0);
}

static void test_a_damaged_manifest_costs_no_driver(struct fixture *f, gconstpointer data)
{
	ks_auto(ks_outcome) outcome = NULL;
	ks_auto(ks_manifest) manifest = NULL;
	g_autofree char *path = artifact_path(f, K, "manifest");

	add_source(f, "");
	add_installed_foo(f, K);
	faketree_write(&f->tree, path, "rubbish");
	outcome = run(f, (struct ks_run_options){0});
	g_assert_true(is_there(f, "/lib/modules/" K KO));
	manifest = load_manifest(f, K);
	/* to be built again as soon as there are headers */
	g_assert_cmpstr(manifest->build_fingerprint, ==, "unknown");
	/* and it can still be removed */
	remove_tree(f, "/usr/src/foo-1.0");
	ks_outcome_free(outcome);
	outcome = run(f, (struct ks_run_options){0});
	g_assert_false(is_there(f, "/lib/modules/" K KO));
}

/* --- scripts */

static void add_uninstalled_foo(struct fixture *f)
{
	add_source(f, "PRE_INSTALL=check.sh\n");
	faketree_write(&f->tree, "/usr/src/foo-1.0/check.sh", "#!/bin/sh\n");
	add_kernel(f, K);
	add_artifact(f, K);
	add_manifest(f, K);
}

static void set_mode(struct fixture *f, const char *path, mode_t mode)
{
	g_autofree char *full = faketree_path(&f->tree, path);

	g_assert_cmpint(chmod(full, mode), ==, 0);
}

static void test_a_script_that_others_can_write_is_not_run(struct fixture *f,
							   gconstpointer data)
{
	ks_auto(ks_outcome) outcome = NULL;

	add_uninstalled_foo(f);
	set_mode(f, "/usr/src/foo-1.0/check.sh", 0775);
	outcome = run(f, (struct ks_run_options){0});
	g_assert_nonnull(strstr(f->told->str, "others than root can write to it"));
	g_assert_cmpuint(outcome->n_installed, ==, 0);
	g_assert_false(is_there(f, "/lib/modules/" K KO));
}

static void test_a_script_in_a_directory_of_others_is_not_run(struct fixture *f,
							      gconstpointer data)
{
	ks_auto(ks_outcome) outcome = NULL;

	add_uninstalled_foo(f);
	remove_tree(f, "/usr/src/foo-1.0/check.sh");
	faketree_write(&f->tree, "/srv/theirs/check.sh", "#!/bin/sh\n");
	set_mode(f, "/srv/theirs/check.sh", 0755);
	set_mode(f, "/srv/theirs", 0777);
	faketree_link(&f->tree, "/srv/theirs/check.sh", "/usr/src/foo-1.0/check.sh");
	outcome = run(f, (struct ks_run_options){0});
	g_assert_nonnull(strstr(f->told->str, "others than root can write to it"));
	g_assert_cmpuint(outcome->n_installed, ==, 0);
}

static void test_a_script_that_is_no_program_is_passed_over(struct fixture *f,
							    gconstpointer data)
{
	ks_auto(ks_outcome) outcome = NULL;

	add_uninstalled_foo(f);
	set_mode(f, "/usr/src/foo-1.0/check.sh", 0664);
	outcome = run(f, (struct ks_run_options){0});
	g_assert_cmpuint(outcome->n_installed, ==, 1);
	g_assert_true(is_there(f, "/lib/modules/" K KO));
}

/* --- recording */

static guint count(const char *text, const char *needle)
{
	guint n = 0;

	for (; text && (text = strstr(text, needle)); text += strlen(needle))
		n++;
	return n;
}

static void test_a_run_for_one_kernel_records_all(struct fixture *f, gconstpointer data)
{
	ks_auto(ks_outcome) outcome = NULL;
	g_autofree char *applied = NULL;

	add_source(f, "");
	add_installed_foo(f, K);
	add_installed_foo(f, K_OLD);
	add_recorder(f);
	outcome = run(f, (struct ks_run_options){.request.release = K});
	applied = faketree_read(&f->tree, "/applied");
	g_assert_cmpuint(count(applied, "record=kmod-foo-"), ==, 2);
	g_assert_nonnull(strstr(applied, "record=kmod-foo-" K_OLD "\n"));
	g_assert_cmpuint(outcome->n_recorded, ==, 2);
}

static void test_what_is_gone_is_not_recorded(struct fixture *f, gconstpointer data)
{
	ks_auto(ks_outcome) outcome = NULL;
	g_autofree char *applied = NULL;

	add_source(f, "");
	add_installed_foo(f, K);
	add_installed_foo(f, K_OLD);
	remove_tree(f, "/lib/modules/" K_OLD);
	add_recorder(f);
	outcome = run(f, (struct ks_run_options){0});
	applied = faketree_read(&f->tree, "/applied");
	g_assert_cmpuint(count(applied, "record=kmod-foo-"), ==, 1);
	g_assert_nonnull(strstr(applied, "record=kmod-foo-" K "\n"));
}

/* Do what "build" does to an installed module, or a run that dies before it installs. */
static void rebuild_foo(struct fixture *f, const char *release, const char *text)
{
	ks_auto(ks_manifest) manifest = ks_manifest_new("foo", "1.0", release, f->arch);
	struct ks_manifest_file *file = g_new0(struct ks_manifest_file, 1);
	g_autoptr(GError) error = NULL;

	manifest->build_fingerprint = g_strdup("bb");
	file->name = g_strdup("foo.ko");
	file->dest_dir = g_strdup_printf("/lib/modules/%s/updates/dkms", release);
	file->sha256 = ks_digest_data(text, strlen(text));
	file->built_sha256 = g_strdup(file->sha256);
	file->size_bytes = strlen(text);
	g_ptr_array_add(manifest->files, file);
	faketree_write(&f->tree, T "/staged/module/foo.ko", text);
	g_assert_true(ks_manifest_store(f->tree.system, manifest, T "/staged/manifest",
					&error));
	g_assert_no_error(error);
	g_assert_true(ks_tree_publish(f->tree.system, "foo", "1.0", release, f->arch,
				      T "/staged", &error));
	g_assert_no_error(error);
}

static void test_what_is_built_is_not_recorded_before_it_is_installed(struct fixture *f,
								      gconstpointer data)
{
	ks_auto(ks_outcome) outcome = NULL;
	g_autofree char *old = ks_digest_data(KO_TEXT, strlen(KO_TEXT));
	g_autofree char *applied = NULL;

	add_source(f, "");
	add_installed_foo(f, K);
	/* twice: the second replaces what was never installed */
	rebuild_foo(f, K, "another one");
	rebuild_foo(f, K, "a third one");
	add_recorder(f);
	/* a run for something else */
	outcome = run(f, (struct ks_run_options){.request = {.release = "none"}});
	applied = faketree_read(&f->tree, "/applied");
	g_assert_cmpuint(count(applied, "record=kmod-foo-" K "\n"), ==, 1);
	g_assert_nonnull(strstr(applied, old));
	g_assert_false(outcome->record_pending);
}

static void test_what_was_installed_goes_also_behind_a_new_build(struct fixture *f,
								 gconstpointer data)
{
	ks_auto(ks_outcome) outcome = NULL;

	add_source(f, "");
	add_installed_foo(f, K);
	rebuild_foo(f, K, "another one");
	remove_tree(f, "/usr/src/foo-1.0");
	outcome = run(f, (struct ks_run_options){0});
	g_assert_cmpuint(outcome->n_removed, ==, 1);
	g_assert_false(is_there(f, "/lib/modules/" K KO));
	g_assert_false(is_there(f, T "/foo"));
}

/* It died when the files were placed, before it recorded that. */
static void test_what_a_killed_run_has_placed_is_recorded(struct fixture *f,
							  gconstpointer data)
{
	ks_auto(ks_outcome) outcome = NULL;
	g_autofree char *placed = ks_digest_data("another one", strlen("another one"));
	g_autofree char *applied = NULL;

	add_source(f, "");
	add_installed_foo(f, K);
	rebuild_foo(f, K, "another one");
	faketree_write(&f->tree, "/lib/modules/" K KO, "another one");
	add_recorder(f);
	outcome = run(f, (struct ks_run_options){.request = {.release = "none"}});
	applied = faketree_read(&f->tree, "/applied");
	g_assert_nonnull(strstr(applied, placed));
}

static void test_without_any_kernel_the_database_is_left_alone(struct fixture *f,
							       gconstpointer data)
{
	ks_auto(ks_outcome) outcome = NULL;

	add_source(f, "");
	add_installed_foo(f, K);
	remove_tree(f, "/lib/modules");
	add_recorder(f);
	outcome = run(f, (struct ks_run_options){0});
	g_assert_false(is_there(f, "/applied"));
	g_assert_true(is_there(f, T "/foo/1.0/" K));
}

static void test_a_maintainer_script_does_not_record(struct fixture *f,
						     gconstpointer data)
{
	ks_auto(ks_outcome) outcome = NULL;

	add_source(f, "");
	add_installed_foo(f, K);
	add_recorder(f);
	outcome = run(f, (struct ks_run_options){.no_record = true});
	g_assert_false(is_there(f, "/applied"));
}

/* --- what a run that died, or was interrupted, left undone */

static void test_a_missing_depmod_is_made_up_for(struct fixture *f, gconstpointer data)
{
	ks_auto(ks_outcome) outcome = NULL;

	add_source(f, "");
	add_installed_foo(f, K);
	faketree_write(&f->tree, "/lib/modules/" K "/modules.dep", "");
	outcome = run(f, (struct ks_run_options){0});
	g_assert_null(strstr(f->told->str, "depmod"));
	g_assert_true(ks_install_mark_changed(f->tree.system, K, NULL));
	ks_outcome_free(outcome);
	outcome = run(f, (struct ks_run_options){0});
	g_assert_nonnull(strstr(f->told->str, "cannot run depmod for " K));
}

static void test_an_interrupted_run_still_does_depmod(struct fixture *f,
						      gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	volatile sig_atomic_t cancelled = 1;

	add_source(f, "");
	add_installed_foo(f, K);
	faketree_write(&f->tree, "/lib/modules/" K "/modules.dep", "");
	g_assert_true(ks_install_mark_changed(f->tree.system, K, NULL));
	g_assert_null(
		try_run(f, (struct ks_run_options){.cancelled = &cancelled}, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_CANCELLED);
	g_assert_nonnull(strstr(f->told->str, "cannot run depmod for " K));
}

/* --- depmod */

static void copy_program(struct fixture *f, const char *path)
{
	g_autofree char *full = faketree_path(&f->tree, path);
	g_autofree char *data = NULL;
	gsize size;

	g_assert_true(g_file_get_contents(path, &data, &size, NULL));
	g_assert_true(g_file_set_contents(full, data, (gssize)size, NULL));
	g_assert_cmpint(chmod(full, 0755), ==, 0);
}

/* A shell with the libraries it needs, and a program that is its script. */
static void add_script(struct fixture *f, const char *path, const char *script)
{
	g_autoptr(GRegex) library_path = g_regex_new("/\\S+(?= \\(0x)", 0, 0, NULL);
	g_autoptr(GMatchInfo) match = NULL;
	g_autofree char *text = g_strconcat("#!/bin/sh\n", script, NULL);
	g_autofree char *libraries = NULL;

	g_assert_true(
		g_spawn_command_line_sync("ldd /bin/sh", &libraries, NULL, NULL, NULL));
	for (g_regex_match(library_path, libraries, 0, &match);
	     g_match_info_matches(match); g_match_info_next(match, NULL)) {
		g_autofree char *library = g_match_info_fetch(match, 0);

		copy_program(f, library);
	}
	copy_program(f, "/bin/sh");
	faketree_write(&f->tree, path, text);
	set_mode(f, path, 0755);
}

static void add_depmod(struct fixture *f, const char *script)
{
	add_script(f, "/sbin/depmod", script);
}

/* Each waits for the other at the fifo. */
static void test_two_kernels_depmods_run_at_once(struct fixture *f, gconstpointer data)
{
	ks_auto(ks_outcome) outcome = NULL;
	g_autofree char *fifo = faketree_path(&f->tree, "/fifo");

	g_assert_cmpint(mkfifo(fifo, 0600), ==, 0);
	add_depmod(f, "case $2 in " K ") read x </fifo ;; *) echo >/fifo ;; esac\n"
		      ">/lib/modules/$2/modules.dep\n");
	add_source(f, "");
	add_installed_foo(f, K);
	add_installed_foo(f, K_OLD);
	remove_tree(f, "/usr/src/foo-1.0");
	alarm(60); /* to hang is the failure */
	outcome = run(f, (struct ks_run_options){0});
	alarm(0);
	g_assert_cmpstr(f->told->str, ==, "");
	g_assert_cmpuint(outcome->n_removed, ==, 2);
	g_assert_true(is_there(f, "/lib/modules/" K "/modules.dep"));
	g_assert_true(is_there(f, "/lib/modules/" K_OLD "/modules.dep"));
}

static void test_what_depmod_says_is_told(struct fixture *f, gconstpointer data)
{
	ks_auto(ks_outcome) outcome = NULL;

	add_depmod(f, "echo no room >&2; exit 3\n");
	add_source(f, "");
	add_installed_foo(f, K);
	remove_tree(f, "/usr/src/foo-1.0");
	outcome = run(f, (struct ks_run_options){0});
	g_assert_nonnull(strstr(f->told->str,
				"cannot update the module index of " K
				": '/sbin/depmod' failed: exit status 3: no room"));
	g_assert_cmpuint(outcome->n_failed_actions, >=, 1);
}

static void add_fifo(struct fixture *f, const char *path)
{
	g_autofree char *full = faketree_path(&f->tree, path);

	g_assert_cmpint(mkfifo(full, 0600), ==, 0);
}

/* An administrator may have configured it so. */
static void test_an_initramfs_that_is_left_is_a_warning(struct fixture *f,
							gconstpointer data)
{
	ks_auto(ks_outcome) outcome = NULL;
	ks_auto(ks_outcome) again = NULL;

	f->with_initramfs = true;
	add_depmod(f, ">/lib/modules/$2/modules.dep\n");
	add_script(f, "/usr/sbin/update-initramfs", "exit 0\n");
	faketree_write(&f->tree, "/boot/initrd.img-" K, "");
	add_source(f, "");
	add_installed_foo(f, K);
	remove_tree(f, "/usr/src/foo-1.0");
	outcome = run(f, (struct ks_run_options){0});
	g_assert_cmpstr(f->told->str, ==,
			"cannot make the initramfs of " K
			": '/usr/sbin/update-initramfs' has left '/boot/initrd.img-" K
			"' as it was: renew it by hand\n");
	g_assert_cmpuint(outcome->n_failed_actions, ==, 0);
	g_string_truncate(f->told, 0);
	again = run(f, (struct ks_run_options){0});
	g_assert_cmpstr(f->told->str, ==, "");
}

/*
 * The depmod for K_OLD waits until the initramfs of K has begun, and that one until the
 * depmod's end was taken note of: in one loop that it must not hold up.
 */
static void test_an_initramfs_holds_nothing_up(struct fixture *f, gconstpointer data)
{
	ks_auto(ks_outcome) outcome = NULL;
	g_autofree char *log = faketree_path(&f->tree, "/log");
	g_autofree char *text = NULL;

	add_fifo(f, "/began");
	add_fifo(f, "/go");
	f->fifo = "/go";
	f->with_initramfs = true;
	add_depmod(f, "case $2 in " K_OLD ") read x </began ;; esac\n"
		      ">/lib/modules/$2/modules.dep\n");
	add_script(f, "/usr/sbin/update-initramfs",
		   "echo begin $3 >>/log\n"
		   "case $3 in " K ") echo x >/began; read x </go ;; esac\n"
		   "echo made >/boot/initrd.img-$3\n"
		   "echo end $3 >>/log\n");
	faketree_write(&f->tree, "/boot/initrd.img-" K, "");
	faketree_write(&f->tree, "/boot/initrd.img-" K_OLD, "");
	add_source(f, "");
	add_installed_foo(f, K);
	add_installed_foo(f, K_OLD);
	remove_tree(f, "/usr/src/foo-1.0");
	alarm(60); /* to hang is the failure */
	outcome = run(f, (struct ks_run_options){0});
	alarm(0);
	g_assert_cmpstr(f->told->str, ==, "");
	/* one at a time: they have the same lock, or the same /var/tmp */
	g_assert_true(g_file_get_contents(log, &text, NULL, NULL));
	g_assert_cmpstr(text, ==,
			"begin " K "\nend " K "\nbegin " K_OLD "\nend " K_OLD "\n");
}

static const struct {
	const char *name;
	void (*run)(struct fixture *f, gconstpointer data);
} tests[] = {
	{"a removed source takes its module along",
	 test_a_removed_source_takes_its_module_along},
	{"a link written in full is still its own",
	 test_a_link_written_in_full_is_still_its_own},
	{"the kernel's own module comes back", test_the_kernels_own_module_comes_back},
	{"post_transaction runs when something changed",
	 test_post_transaction_runs_when_something_changed},
	{"an original of elsewhere is not put back",
	 test_an_original_of_elsewhere_is_not_put_back},
	{"a maintainer script takes nothing away",
	 test_a_maintainer_script_takes_nothing_away},
	{"the boot takes nothing away", test_the_boot_takes_nothing_away},
	{"while packages change nothing is taken away",
	 test_while_packages_change_nothing_is_taken_away},
	{"without headers what works is kept", test_without_headers_what_works_is_kept},
	{"what dkms built is adopted as it is", test_what_dkms_built_is_adopted_as_it_is},
	{"a damaged manifest costs no driver", test_a_damaged_manifest_costs_no_driver},
	{"a script that others can write is not run",
	 test_a_script_that_others_can_write_is_not_run},
	{"a script in a directory of others is not run",
	 test_a_script_in_a_directory_of_others_is_not_run},
	{"a script that is no program is passed over",
	 test_a_script_that_is_no_program_is_passed_over},
	{"a run for one kernel records all", test_a_run_for_one_kernel_records_all},
	{"what is gone is not recorded", test_what_is_gone_is_not_recorded},
	{"what is built is not recorded before it is installed",
	 test_what_is_built_is_not_recorded_before_it_is_installed},
	{"what was installed goes also behind a new build",
	 test_what_was_installed_goes_also_behind_a_new_build},
	{"what a killed run has placed is recorded",
	 test_what_a_killed_run_has_placed_is_recorded},
	{"without any kernel the database is left alone",
	 test_without_any_kernel_the_database_is_left_alone},
	{"a maintainer script does not record", test_a_maintainer_script_does_not_record},
	{"a missing depmod is made up for", test_a_missing_depmod_is_made_up_for},
	{"an interrupted run still does depmod",
	 test_an_interrupted_run_still_does_depmod},
	{"two kernels' depmods run at once", test_two_kernels_depmods_run_at_once},
	{"what depmod says is told", test_what_depmod_says_is_told},
	{"an initramfs that is left is a warning",
	 test_an_initramfs_that_is_left_is_a_warning},
	{"an initramfs holds nothing up", test_an_initramfs_holds_nothing_up},
};

static void skip(void)
{
	g_test_skip("needs root");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	if (geteuid() != 0) {
		g_test_add_func("/engine/needs root", skip);
		return g_test_run();
	}
	for (size_t i = 0; i < G_N_ELEMENTS(tests); i++) {
		g_autofree char *path = g_strconcat("/engine/", tests[i].name, NULL);

		g_test_add(path, struct fixture, NULL, set_up, tests[i].run, tear_down);
	}
	return g_test_run();
}
