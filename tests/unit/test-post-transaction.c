/* SPDX-License-Identifier: GPL-2.0-or-later */
/* post_transaction, run on the machine itself with confs and log of the test. */
#include <sys/stat.h>

#include "core/engine/post-transaction.h"

#include "core/settings/settings.h"
#include "tests/unit/faketree.h"

struct fixture {
	struct faketree tree;
	struct ks_system *system; /* the machine's root, the test's /etc/dkms and T */
	struct ks_settings *settings;
	GPtrArray *kernels, *releases;
	GString *told;
};

static void add_kernel(struct fixture *f, const char *release)
{
	struct ks_kernel *kernel = g_new0(struct ks_kernel, 1);

	kernel->release = g_strdup(release);
	kernel->arch = g_strdup("x86_64");
	g_ptr_array_add(f->kernels, kernel);
	g_ptr_array_add(f->releases, g_strdup(release));
}

static void set_up(struct fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	faketree_set_up(&f->tree, data);
	/* bash reads the conf as another user */
	g_assert_cmpint(chmod(f->tree.dir, 0755), ==, 0);
	f->system = ks_system_new("/", &error);
	g_assert_no_error(error);
	g_free(f->system->dkms_etc);
	g_free(f->system->dkms_tree);
	g_free(f->system->etc_dir);
	f->system->dkms_etc = g_build_filename(f->tree.dir, "etc/dkms", NULL);
	f->system->etc_dir = g_build_filename(f->tree.dir, "etc/kmodsmith", NULL);
	f->system->dkms_tree = g_strdup(f->tree.dir);
	f->kernels = g_ptr_array_new_with_free_func((GDestroyNotify)ks_kernel_free);
	f->releases = g_ptr_array_new_with_free_func(g_free);
	f->told = g_string_new(NULL);
	add_kernel(f, "6.2");
	add_kernel(f, "6.1");
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	g_string_free(f->told, TRUE);
	g_ptr_array_unref(f->releases);
	g_ptr_array_unref(f->kernels);
	g_clear_pointer(&f->settings, ks_settings_free);
	ks_system_free(f->system);
	faketree_tear_down(&f->tree, data);
}

static void tell(const char *command, void *data)
{
	struct fixture *f = data;

	g_string_append_printf(f->told, "%s\n", command);
}

static bool run(struct fixture *f, const char *conf, GError **error)
{
	g_autoptr(GError) settings_error = NULL;

	if (conf)
		faketree_write(&f->tree, "/etc/dkms/framework.conf", conf);
	f->settings = ks_settings_load(f->system, KS_SETTINGS_STRICT, &settings_error);
	g_assert_no_error(settings_error);
	return ks_post_transaction_run(f->system, f->settings, f->kernels, f->releases,
				       tell, f, error);
}

static char *read_log(struct fixture *f)
{
	g_autofree char *path = faketree_path(&f->tree, "/post_transaction.log");
	char *text = NULL;

	g_file_get_contents(path, &text, NULL, NULL);
	return text;
}

static void test_runs_once_for_all_kernels(struct fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *log = NULL;

	g_assert_true(run(f, "post_transaction='echo one; echo two >&2'\n", &error));
	g_assert_no_error(error);
	g_assert_cmpstr(f->told->str, ==, "echo one; echo two >&2\n");
	log = read_log(f);
	g_assert_cmpstr(log, ==,
			"\nExecuting post-transaction command\n"
			"# command: echo one; echo two >&2\none\ntwo\n"
			"\n# exit code: 0\n# elapsed time: 00:00:00\n"
			"--------------------------------"
			"--------------------------------\n");
}

/* Its text is run as root: a user who can write it could become root. */
static void test_a_conf_that_others_can_write_is_not_run(struct fixture *f,
							 gconstpointer data)
{
	static const char *const paths[] = {"/etc/dkms/framework.conf", "/etc/dkms"};

	if (geteuid() != 0) {
		g_test_skip("it is root's command that is not run");
		return;
	}
	faketree_write(&f->tree, paths[0], "post_transaction='echo one'\n");
	for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
		g_autofree char *path = faketree_path(&f->tree, paths[i]);
		g_autoptr(GError) error = NULL;

		g_assert_cmpint(g_chmod(path, 0757), ==, 0);
		g_assert_false(run(f, NULL, &error));
		g_assert_error(error, KS_ERROR, KS_ERROR_DENIED);
		g_assert_nonnull(strstr(error->message, path));
		g_assert_cmpstr(f->told->str, ==, "");
		g_assert_cmpint(g_chmod(path, 0755), ==, 0);
		g_clear_pointer(&f->settings, ks_settings_free);
	}
	g_assert_true(run(f, NULL, NULL));
}

static void test_runs_for_each_kernel_that_it_names(struct fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *log = NULL;

	g_assert_true(run(f,
			  "post_transaction='echo <$kernelver> \\$kernelver \\$arch'\n"
			  "post_transaction=\"${post_transaction/</=}\"\n"
			  "post_transaction=\"${post_transaction/>/=}\"\n",
			  &error));
	g_assert_no_error(error);
	g_assert_cmpstr(f->told->str, ==,
			"echo =6.2= $kernelver $arch\necho =6.1= $kernelver $arch\n");
	log = read_log(f);
	g_assert_nonnull(strstr(log, "\n=6.2= 6.2 x86_64\n"));
	g_assert_nonnull(strstr(log, "\n=6.1= 6.1 x86_64\n"));
}

static void test_a_failure_is_told_and_the_others_are_run(struct fixture *f,
							  gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *log = NULL;

	g_assert_false(run(f, "post_transaction='exit ${kernelver#6.}'\n", &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_FAILED);
	g_assert_cmpstr(error->message, ==,
			"post_transaction 'exit 2' failed: exit status 2");
	g_assert_nonnull(strstr(ks_error_get_hint(error), "post_transaction.log"));
	log = read_log(f);
	g_assert_nonnull(strstr(log, "# exit code: 2"));
	g_assert_nonnull(strstr(log, "# exit code: 1"));
}

static void test_without_one_nothing_happens(struct fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *log = NULL;

	g_assert_true(run(f, "verbose=1\n", &error));
	g_assert_cmpstr(f->told->str, ==, "");
	log = read_log(f);
	g_assert_null(log);
}

static void test_sees_nothing_of_our_environment(struct fixture *f, gconstpointer data)
{
	g_autofree char *log = NULL;

	g_setenv("KS_TEST_SECRET", "seen", TRUE);
	g_assert_true(run(f, "post_transaction='echo =${KS_TEST_SECRET-no}='\n", NULL));
	g_unsetenv("KS_TEST_SECRET");
	log = read_log(f);
	g_assert_nonnull(strstr(log, "\n=no=\n"));
}

#define ADD(path, func)                                                                  \
	g_test_add("/post-transaction/" path, struct fixture, NULL, set_up, func,        \
		   tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	ADD("runs-once-for-all-kernels", test_runs_once_for_all_kernels);
	ADD("a-conf-that-others-can-write-is-not-run",
	    test_a_conf_that_others_can_write_is_not_run);
	ADD("runs-for-each-kernel-that-it-names",
	    test_runs_for_each_kernel_that_it_names);
	ADD("a-failure-is-reported-and-the-others-are-run",
	    test_a_failure_is_told_and_the_others_are_run);
	ADD("without-one-nothing-happens", test_without_one_nothing_happens);
	ADD("sees-nothing-of-our-environment", test_sees_nothing_of_our_environment);
	return g_test_run();
}
