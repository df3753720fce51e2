/* SPDX-License-Identifier: GPL-2.0-or-later */
/* framework.conf and what goes over it. */
#include "core/settings/framework.h"

#include "core/settings/settings.h"
#include "tests/unit/faketree.h"

static struct ks_framework *load(struct faketree *tree, struct ks_kernel *kernel)
{
	g_autoptr(GError) error = NULL;
	struct ks_framework *framework =
		ks_framework_load(tree->system, NULL, kernel, KS_SETTINGS_STRICT, &error);

	g_assert_no_error(error);
	return framework;
}

static void test_defaults(struct faketree *tree, gconstpointer data)
{
	ks_auto(ks_framework) framework = load(tree, NULL);

	g_assert_null(framework->dkms_tree);
	g_assert_null(framework->source_tree);
	g_assert_null(framework->install_tree);
	g_assert_cmpstr(framework->tmp_location, ==, "/tmp");
	g_assert_false(framework->verbose);
	g_assert_false(framework->modprobe_on_install);
	g_assert_cmpuint(framework->n_jobs, ==, 0);
	g_assert_null(framework->compress_xz_opts);
	g_assert_null(framework->build_environment);
	g_assert_null(framework->post_transaction);
	g_assert_null(framework->sign_file);
	g_assert_cmpint(framework->try_sign_modules, ==, KS_TRY_SIGN_NOT_IN_CHROOT);
	g_assert_null(framework->addon_modules_dir);
}

static void test_every_variable(struct faketree *tree, gconstpointer data)
{
	ks_auto(ks_framework) framework = NULL;

	faketree_write(tree, "/etc/dkms/framework.conf",
		       "# the whole of it\n"
		       "dkms_tree=\"/srv/dkms/\"\n"
		       "source_tree=/srv/src\n"
		       "install_tree=/usr/lib/modules\n"
		       "tmp_location=/var/tmp\n"
		       "verbose=\"1\"\n"
		       "symlink_modules=\"1\"\n"
		       "autoinstall_all_kernels=\"1\"\n"
		       "modprobe_on_install=\"true\"\n"
		       "continue_on_error=yes\n"
		       "parallel_jobs=3\n"
		       "compress_gzip_opts=\"-9\"\n"
		       "compress_xz_opts=\"--check=crc32 --lzma2=dict=2MiB\"\n"
		       "compress_zstd_opts=\"-q --rm -19\"\n"
		       "build_environment=/etc/dkms/environment\n"
		       "post_transaction=\"dracut   --regenerate-all --force\"\n"
		       "sign_file=/usr/bin/kmodsign\n"
		       "mok_signing_key=/root/mok.key\n"
		       "mok_certificate=/root/mok.pub\n"
		       "try_sign_modules=false\n");
	framework = load(tree, NULL);
	g_assert_cmpstr(framework->dkms_tree, ==, "/srv/dkms");
	g_assert_cmpstr(framework->source_tree, ==, "/srv/src");
	g_assert_cmpstr(framework->install_tree, ==, "/usr/lib/modules");
	g_assert_cmpstr(framework->tmp_location, ==, "/var/tmp");
	g_assert_true(framework->verbose);
	g_assert_true(framework->symlink_modules);
	g_assert_true(framework->autoinstall_all_kernels);
	g_assert_true(framework->modprobe_on_install);
	g_assert_true(framework->continue_on_error);
	g_assert_cmpuint(framework->n_jobs, ==, 3);
	g_assert_cmpstr(framework->compress_gzip_opts, ==, "-9");
	g_assert_cmpstr(framework->compress_xz_opts, ==,
			"--check=crc32 --lzma2=dict=2MiB");
	g_assert_cmpstr(framework->compress_zstd_opts, ==, "-q --rm -19");
	g_assert_cmpstr(framework->build_environment, ==, "/etc/dkms/environment");
	/* evaluated as a dkms.conf is: blanks collapse */
	g_assert_cmpstr(framework->post_transaction, ==,
			"dracut --regenerate-all --force");
	g_assert_cmpstr(framework->sign_file, ==, "/usr/bin/kmodsign");
	g_assert_cmpstr(framework->mok_signing_key, ==, "/root/mok.key");
	g_assert_cmpstr(framework->mok_certificate, ==, "/root/mok.pub");
	g_assert_cmpint(framework->try_sign_modules, ==, KS_TRY_SIGN_NEVER);
}

static void test_parts_go_over_it(struct faketree *tree, gconstpointer data)
{
	ks_auto(ks_framework) framework = NULL;

	faketree_write(tree, "/etc/dkms/framework.conf",
		       "parallel_jobs=3\nverbose=1\nsource_tree=/srv/src\n");
	faketree_write(tree, "/etc/dkms/framework.conf.d/20-b.conf",
		       "parallel_jobs=5\nverbose=\n");
	faketree_write(tree, "/etc/dkms/framework.conf.d/10-a.conf",
		       "parallel_jobs=4\ndkms_tree=$source_tree/dkms\n");
	faketree_write(tree, "/etc/dkms/framework.conf.d/90.off", "parallel_jobs=9\n");
	faketree_write(tree, "/etc/dkms/framework.conf.d/30-empty.conf", "");
	framework = load(tree, NULL);
	g_assert_cmpuint(framework->n_jobs, ==, 5);
	g_assert_false(framework->verbose);
	g_assert_cmpstr(framework->dkms_tree, ==, "/srv/src/dkms");
}

static void test_words_for_off(struct faketree *tree, gconstpointer data)
{
	static const char *const off[] = {"", "0", "n", "No", "off", "FALSE"};

	for (size_t i = 0; i < G_N_ELEMENTS(off); i++) {
		g_autofree char *text =
			g_strdup_printf("modprobe_on_install=\"%s\"\n", off[i]);
		ks_auto(ks_framework) framework = NULL;

		faketree_write(tree, "/etc/dkms/framework.conf", text);
		framework = load(tree, NULL);
		g_assert_false(framework->modprobe_on_install);
	}
}

static void test_compression_level(struct faketree *tree, gconstpointer data)
{
	ks_auto(ks_framework) framework = NULL;

	faketree_write(tree, "/etc/dkms/framework.conf",
		       "compress_xz_opts=\"--check=crc32 -3 --lzma2=dict=1MiB\"\n"
		       "compress_zstd_opts=\"-q --rm -T0 -19\"\n");
	framework = load(tree, NULL);
	g_assert_cmpuint(ks_framework_level(framework, ".ko.xz"), ==, 3);
	g_assert_cmpuint(ks_framework_level(framework, ".ko.zst"), ==, 19);
	g_assert_cmpuint(ks_framework_level(framework, ".ko.gz"), ==, 0);
	g_assert_cmpuint(ks_framework_level(framework, ".ko"), ==, 0);
	g_assert_cmpuint(ks_framework_level(framework, NULL), ==, 0);
}

static void test_for_a_kernel(struct faketree *tree, gconstpointer data)
{
	struct ks_kernel kernel = {.release = (char *)"6.1.0-56-amd64",
				   .arch = (char *)"x86_64"};
	ks_auto(ks_framework) none = NULL;
	ks_auto(ks_framework) framework = NULL;

	faketree_write(tree, "/etc/dkms/framework.conf",
		       "sign_file=\"/usr/src/linux-headers-${kernelver}/sign-file\"\n"
		       "post_transaction='update $kernelver $arch'\n"
		       "mok_signing_key=\"pkcs11:object=key;type=private\"\n"
		       "try_sign_modules=true\n");
	none = load(tree, NULL);
	framework = load(tree, &kernel);
	g_assert_cmpstr(none->sign_file, ==, "/usr/src/linux-headers-/sign-file");
	g_assert_cmpstr(framework->sign_file, ==,
			"/usr/src/linux-headers-6.1.0-56-amd64/sign-file");
	g_assert_cmpstr(framework->post_transaction, ==, "update 6.1.0-56-amd64 x86_64");
	g_assert_cmpstr(framework->mok_signing_key, ==, "pkcs11:object=key;type=private");
	g_assert_cmpint(framework->try_sign_modules, ==, KS_TRY_SIGN_ALWAYS);
}

static void test_not_from_the_environment(struct faketree *tree, gconstpointer data)
{
	ks_auto(ks_framework) framework = NULL;

	g_setenv("sign_file", "/tmp/evil", TRUE);
	g_setenv("post_transaction", "evil", TRUE);
	faketree_write(tree, "/etc/dkms/framework.conf", "parallel_jobs=1\n");
	framework = load(tree, NULL);
	g_unsetenv("sign_file");
	g_unsetenv("post_transaction");
	g_assert_null(framework->sign_file);
	g_assert_null(framework->post_transaction);
}

static void test_addon_directory(struct faketree *tree, gconstpointer data)
{
	ks_auto(ks_framework) framework = NULL;
	g_autoptr(GError) error = NULL;

	faketree_write(tree, "/etc/sysconfig/module-init-tools",
		       "WEAK=1\nADDON_MODULES_DIR=/addon/dkms\n");
	framework = load(tree, NULL);
	g_assert_cmpstr(framework->addon_modules_dir, ==, "addon/dkms");
	faketree_write(tree, "/etc/sysconfig/module-init-tools",
		       "ADDON_MODULES_DIR=../..\n");
	g_assert_null(
		ks_framework_load(tree->system, NULL, NULL, KS_SETTINGS_STRICT, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_INVALID);
}

static void test_bad_values(struct faketree *tree, gconstpointer data)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{"\ndkms_tree=var\n", "framework.conf:2: dkms_tree is 'var'"},
		{"install_tree=//\n", "framework.conf:1: install_tree is '/'"},
		{"source_tree=/usr/..\n", "framework.conf:1: source_tree is '/'"},
		{"parallel_jobs=many\n", "framework.conf:1: parallel_jobs is 'many'"},
		{"parallel_jobs=-1\n", "framework.conf:1: parallel_jobs is '-1'"},
		{"try_sign_modules=perhaps\n", "try_sign_modules is 'perhaps'"},
		{"sign_file=kmodsign\n", "sign_file is 'kmodsign', not an absolute path"},
		{"build_environment=a\n", "build_environment is 'a', not an absolute"},
		{"post_transaction=a\033b\n", "post_transaction has control characters"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;

		faketree_write(tree, "/etc/dkms/framework.conf", cases[i].text);
		g_assert_null(ks_framework_load(tree->system, NULL, NULL,
						KS_SETTINGS_STRICT, &error));
		g_assert_error(error, KS_ERROR, KS_ERROR_INVALID);
		g_assert_nonnull(strstr(error->message, cases[i].says));
	}
}

/* Where nobody watches all but the trees is a warning. */
static void test_lenient(struct faketree *tree, gconstpointer data)
{
	static const char text[] = "parallel_jobs=many\ntry_sign_modules=perhaps\n"
				   "sign_file=kmodsign\nverbose=1\n";
	ks_auto(ks_framework) framework = NULL;
	g_autoptr(GError) error = NULL;

	faketree_write(tree, "/etc/dkms/framework.conf", text);
	framework =
		ks_framework_load(tree->system, NULL, NULL, KS_SETTINGS_LENIENT, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(framework->warnings->len, ==, 3);
	g_assert_true(
		g_str_has_suffix(framework->warnings->pdata[1],
				 "framework.conf:3: sign_file is 'kmodsign', not an "
				 "absolute path; it is ignored"));
	g_assert_cmpuint(framework->n_jobs, ==, 0);
	g_assert_null(framework->sign_file);
	g_assert_true(framework->verbose);
	faketree_write(tree, "/etc/dkms/framework.conf", "dkms_tree=var\n");
	g_assert_null(
		ks_framework_load(tree->system, NULL, NULL, KS_SETTINGS_LENIENT, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_INVALID);
}

static void test_settings_have_it(struct faketree *tree, gconstpointer data)
{
	ks_auto(ks_settings) settings = NULL;
	g_autoptr(GError) error = NULL;

	faketree_write(tree, "/etc/dkms/framework.conf",
		       "parallel_jobs=7\ndkms_tree=/srv/dkms\n");
	settings = ks_settings_load(tree->system, KS_SETTINGS_STRICT, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(settings->n_jobs, ==, 7);
	ks_framework_apply(settings->framework, tree->system);
	g_assert_cmpstr(tree->system->dkms_tree, ==, "/srv/dkms");
	g_assert_cmpstr(tree->system->source_tree, ==, "/usr/src");
}

static void test_kmodsmith_conf_has_the_last_word(struct faketree *tree,
						  gconstpointer data)
{
	ks_auto(ks_settings) settings = NULL;

	faketree_write(tree, "/etc/dkms/framework.conf", "parallel_jobs=7\n");
	faketree_write(tree, "/etc/kmodsmith/kmodsmith.conf", "[kmodsmith]\njobs=2\n");
	settings = ks_settings_load(tree->system, KS_SETTINGS_STRICT, NULL);
	g_assert_cmpuint(settings->n_jobs, ==, 2);
}

#define ADD(path, func)                                                                  \
	g_test_add("/framework/" path, struct faketree, NULL, faketree_set_up, func,     \
		   faketree_tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	ADD("defaults", test_defaults);
	ADD("every-variable", test_every_variable);
	ADD("parts-go-over-it", test_parts_go_over_it);
	ADD("words-for-off", test_words_for_off);
	ADD("compression-level", test_compression_level);
	ADD("for-a-kernel", test_for_a_kernel);
	ADD("not-from-the-environment", test_not_from_the_environment);
	ADD("addon-directory", test_addon_directory);
	ADD("bad-values", test_bad_values);
	ADD("lenient", test_lenient);
	ADD("settings-have-it", test_settings_have_it);
	ADD("kmodsmith-conf-has-the-last-word", test_kmodsmith_conf_has_the_last_word);
	return g_test_run();
}
