/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether to sign, and what signing does to a file. */
#include "core/sign/sign.h"

#include <glob.h>
#include <sys/wait.h>

#include "core/sign/enforce.h"
#include "core/sign/signature.h"
#include "core/sign/signer.h"
#include "core/platform/digest.h"
#include "tests/unit/faketree.h"

#define RELEASE	  "6.1.0-1-play"
#define CONFIG	  "/boot/config-" RELEASE
#define MODULE	  "/staged/play-good.ko"
#define FRAMEWORK "/etc/dkms/framework.conf"
#define KEY	  "/var/lib/dkms/mok.key"
#define CERT	  "/var/lib/dkms/mok.pub"

struct fixture {
	struct faketree tree;
	struct ks_settings settings;
	struct ks_kernel kernel;
	char *built_sha256;
	size_t built_bytes;
};

static void set_up(struct fixture *f, gconstpointer data)
{
	g_autofree char *from = g_test_build_filename(G_TEST_BUILT, "tests", "unit",
						      "modules", "play-good.ko", NULL);
	g_autofree char *bytes = NULL;
	g_autofree char *to = NULL;

	faketree_set_up(&f->tree, NULL);
	faketree_write(&f->tree, CONFIG, "CONFIG_MODULE_SIG_HASH=\"sha256\"\n");
	f->kernel = (struct ks_kernel){.release = (char *)RELEASE,
				       .arch = (char *)"x86_64",
				       .config_path = (char *)CONFIG};
	f->settings.sign = KS_SIGN_SETTING_YES;
	to = faketree_path(&f->tree, MODULE);
	g_assert_true(g_file_get_contents(from, &bytes, &f->built_bytes, NULL));
	g_assert_true(g_file_set_contents(to, bytes, (gssize)f->built_bytes, NULL));
	f->built_sha256 = ks_digest_data(bytes, f->built_bytes);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	if (f->kernel.config)
		g_hash_table_unref(f->kernel.config);
	g_free(f->built_sha256);
	faketree_tear_down(&f->tree, NULL);
}

static struct ks_signing *decide(struct fixture *f)
{
	if (f->kernel.config)
		g_hash_table_unref(f->kernel.config);
	f->kernel.config = NULL;
	return ks_signing_decide(f->tree.system, &f->settings, &f->kernel);
}

static struct ks_signing *prepare(struct fixture *f)
{
	struct ks_signing *signing = decide(f);

	g_assert_cmpint(signing->verdict, ==, KS_SIGN_YES);
	ks_signing_prepare(f->tree.system, signing);
	g_assert_cmpint(signing->verdict, ==, KS_SIGN_YES);
	return signing;
}

static void sign(struct fixture *f, const struct ks_signing *signing)
{
	g_autoptr(GError) error = NULL;

	g_assert_true(ks_sign_file(f->tree.system, signing, MODULE, &error));
	g_assert_no_error(error);
}

static char *read_module(struct fixture *f, const char *path, size_t *size)
{
	g_autofree char *full = faketree_path(&f->tree, path);
	char *bytes = NULL;

	g_assert_true(g_file_get_contents(full, &bytes, size, NULL));
	return bytes;
}

static char *digest(struct fixture *f, const char *path)
{
	size_t size;
	g_autofree char *bytes = read_module(f, path, &size);

	return ks_digest_data(bytes, size);
}

/* --- the decision */

static void assert_verdict(struct fixture *f, enum ks_sign_verdict verdict)
{
	ks_auto(ks_signing) signing = decide(f);

	g_assert_cmpstr(ks_sign_verdict_id(signing->verdict), ==,
			ks_sign_verdict_id(verdict));
}

static void test_the_rules_of_dkms(struct fixture *f, gconstpointer data)
{
	assert_verdict(f, KS_SIGN_YES);
	faketree_write(&f->tree, CONFIG, "CONFIG_MODULES=y\n");
	assert_verdict(f, KS_SIGN_NO_FACILITY);
	f->kernel.config_path = NULL;
	assert_verdict(f, KS_SIGN_NO_CONFIG);
	f->kernel.config_path = (char *)CONFIG;
	faketree_write(&f->tree, CONFIG, "CONFIG_MODULE_SIG_HASH=\"sha256\"\n");
	faketree_write(&f->tree, FRAMEWORK, "sign_file=/nowhere/sign-file\n");
	assert_verdict(f, KS_SIGN_NO_PROGRAM);
	if (geteuid() == 0) {
		/* a program that others than root could have named */
		g_autofree char *framework = faketree_path(&f->tree, FRAMEWORK);

		faketree_write(&f->tree, "/sign-file", "#!/bin/sh\n");
		faketree_write(&f->tree, FRAMEWORK, "sign_file=/sign-file\n");
		assert_verdict(f, KS_SIGN_YES);
		g_assert_cmpint(g_chmod(framework, 0646), ==, 0);
		assert_verdict(f, KS_SIGN_NO_PROGRAM);
	}
	faketree_write(&f->tree, FRAMEWORK, "mok_signing_key=pkcs11:token=x\n");
	assert_verdict(f, KS_SIGN_NO_KEY);
	faketree_write(&f->tree, FRAMEWORK, "try_sign_modules=false\n");
	assert_verdict(f, KS_SIGN_YES);
	/* another tree than this machine's */
	f->settings.sign = KS_SIGN_SETTING_AUTO;
	assert_verdict(f, KS_SIGN_DISABLED);
	faketree_write(&f->tree, FRAMEWORK, "try_sign_modules=true\n");
	assert_verdict(f, KS_SIGN_YES);
	faketree_write(&f->tree, FRAMEWORK, "");
	assert_verdict(f, KS_SIGN_IN_CHROOT);
	f->settings.sign = KS_SIGN_SETTING_NO;
	assert_verdict(f, KS_SIGN_DISABLED);
}

static void test_deciding_makes_no_key(struct fixture *f, gconstpointer data)
{
	ks_auto(ks_signing) signing = decide(f);

	g_assert_true(signing->must_create);
	g_assert_null(signing->certificate_sha256);
	g_assert_false(ks_root_exists(f->tree.root, KEY));
	ks_signing_prepare(f->tree.system, signing);
	g_assert_true(signing->was_created);
	g_assert_nonnull(signing->certificate_sha256);
	g_assert_true(ks_root_exists(f->tree.root, KEY));
}

static void test_a_lost_half_is_no_key(struct fixture *f, gconstpointer data)
{
	ks_auto(ks_signing) signing = NULL;

	faketree_write(&f->tree, CERT, "precious");
	signing = decide(f);
	g_assert_cmpint(signing->verdict, ==, KS_SIGN_NO_KEY);
	g_assert_nonnull(strstr(signing->problem->message, KEY));
	ks_signing_prepare(f->tree.system, signing);
	g_assert_cmpint(signing->verdict, ==, KS_SIGN_NO_KEY);
	g_assert_false(ks_signing_is_fatal(signing, NULL));
}

static void test_what_enforces(struct fixture *f, gconstpointer data)
{
	static const struct {
		const char *path, *text;
		const char *name;
	} cases[] = {
		{"/sys/module/module/parameters/sig_enforce", "N\n", NULL},
		{"/sys/module/module/parameters/sig_enforce", "Y\n",
		 "module.sig_enforce"},
		{"/sys/kernel/security/lockdown", "[none] integrity confidentiality\n",
		 NULL},
		{"/sys/kernel/security/lockdown", "none [integrity] confidentiality\n",
		 "lockdown"},
		{"/sys/kernel/security/lockdown", "none integrity [confidentiality]\n",
		 "lockdown"},
		{"/sys/firmware/efi/efivars/"
		 "SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c",
		 "\6\1\1\1\1", "Secure Boot"},
		{CONFIG, "CONFIG_MODULE_SIG_HASH=\"sha512\"\nCONFIG_MODULE_SIG_FORCE=y\n",
		 "CONFIG_MODULE_SIG_FORCE"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		ks_auto(ks_signing) signing = NULL;
		g_autofree char *full = faketree_path(&f->tree, cases[i].path);

		faketree_write(&f->tree, cases[i].path, cases[i].text);
		signing = decide(f);
		g_assert_cmpstr(signing->enforced_by, ==, cases[i].name);
		g_unlink(full);
		faketree_write(&f->tree, CONFIG, "CONFIG_MODULE_SIG_HASH=\"sha256\"\n");
	}
}

static void test_where_signatures_are_enforced_none_is_an_error(struct fixture *f,
								gconstpointer data)
{
	ks_auto(ks_signing) signing = NULL;
	ks_auto(ks_signing) off = NULL;
	g_autoptr(GError) error = NULL;

	faketree_write(&f->tree, "/sys/module/module/parameters/sig_enforce", "Y\n");
	faketree_write(&f->tree, KEY, "half");
	signing = decide(f);
	g_assert_true(ks_signing_is_fatal(signing, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_DENIED);
	g_assert_nonnull(strstr(error->message, "module.sig_enforce"));
	g_assert_nonnull(strstr(error->message, CERT));
	g_assert_nonnull(ks_error_get_hint(error));
	/* an administrator's own will */
	f->settings.sign = KS_SIGN_SETTING_NO;
	off = decide(f);
	g_assert_false(ks_signing_is_fatal(off, NULL));
}

/* --- the file */

static void test_the_signature_comes_off_again(struct fixture *f, gconstpointer data)
{
	ks_auto(ks_signing) signing = prepare(f);
	g_autoptr(GError) error = NULL;
	g_autofree char *signed_sha256 = NULL;
	g_autofree char *bytes = NULL;
	g_autofree char *after = NULL;
	size_t size;

	sign(f, signing);
	signed_sha256 = digest(f, MODULE);
	g_assert_cmpstr(signed_sha256, !=, f->built_sha256);
	bytes = read_module(f, MODULE, &size);
	g_assert_cmpuint(size, ==,
			 f->built_bytes +
				 ks_signature_get_size((const guint8 *)bytes, size));
	g_assert_true(ks_sign_remove(f->tree.system, MODULE, f->built_sha256, &error));
	g_assert_no_error(error);
	after = digest(f, MODULE);
	g_assert_cmpstr(after, ==, f->built_sha256);
	/* again: nothing to do */
	g_assert_true(ks_sign_remove(f->tree.system, MODULE, f->built_sha256, &error));
}

static void test_the_same_module_is_signed_with_the_same_bytes(struct fixture *f,
							       gconstpointer data)
{
	ks_auto(ks_signing) signing = prepare(f);
	g_autofree char *first = NULL;
	g_autofree char *second = NULL;

	sign(f, signing);
	first = digest(f, MODULE);
	g_assert_true(ks_sign_remove(f->tree.system, MODULE, f->built_sha256, NULL));
	sign(f, signing);
	second = digest(f, MODULE);
	g_assert_cmpstr(first, ==, second);
}

static void test_another_module_is_not_cut(struct fixture *f, gconstpointer data)
{
	ks_auto(ks_signing) signing = prepare(f);
	g_autoptr(GError) error = NULL;
	g_autofree char *before = NULL;
	g_autofree char *after = NULL;
	const char *other =
		"0000000000000000000000000000000000000000000000000000000000000000";

	sign(f, signing);
	before = digest(f, MODULE);
	g_assert_false(ks_sign_remove(f->tree.system, MODULE, other, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_INVALID);
	after = digest(f, MODULE);
	g_assert_cmpstr(before, ==, after);
}

static void test_a_forged_end_is_told(struct fixture *f, gconstpointer data)
{
	static const struct {
		const char *text;
		size_t size;
	} ends[] = {
#define END(head) {head "~Module signature appended~\n", sizeof(head) - 1 + 28}
		END(""),
		/* longer than the file */
		END("\0\0\2\0\0\0\0\0\177\377\377\377"),
		/* nothing */
		END("\0\0\2\0\0\0\0\0\0\0\0\0"),
		/* not PKCS#7 */
		END("\0\0\1\0\0\0\0\0\0\0\0\1x"),
#undef END
	};

	for (size_t i = 0; i < G_N_ELEMENTS(ends); i++) {
		g_autofree char *full = faketree_path(&f->tree, "/forged.ko");
		g_autoptr(GError) error = NULL;

		g_assert_true(g_file_set_contents(full, ends[i].text,
						  (gssize)ends[i].size, NULL));
		g_assert_false(ks_sign_remove(f->tree.system, "/forged.ko",
					      f->built_sha256, &error));
		g_assert_error(error, KS_ERROR, KS_ERROR_INVALID);
	}
}

static void test_after_a_failure_the_file_is_as_it_was(struct fixture *f,
						       gconstpointer data)
{
	ks_auto(ks_signing) signing = prepare(f);
	g_autoptr(GError) error = NULL;
	g_autofree char *after = NULL;

	faketree_write(&f->tree, KEY, "garbage");
	g_assert_false(ks_sign_file(f->tree.system, signing, MODULE, &error));
	g_assert_nonnull(strstr(error->message, "cannot sign 'play-good.ko'"));
	after = digest(f, MODULE);
	g_assert_cmpstr(after, ==, f->built_sha256);
	g_clear_error(&error);
	g_free(signing->hash);
	signing->hash = g_strdup("crc32");
	g_assert_false(ks_sign_file(f->tree.system, signing, MODULE, &error));
	g_assert_nonnull(error);
}

static void test_a_key_of_another_certificate_signs_nothing(struct fixture *f,
							    gconstpointer data)
{
	ks_auto(ks_signing) signing = prepare(f);
	g_autofree char *first = faketree_read(&f->tree, KEY);
	g_autoptr(GError) error = NULL;

	g_assert_true(ks_key_create(f->tree.system, signing->pair, true, NULL));
	faketree_write(&f->tree, KEY, first);
	g_assert_false(ks_sign_file(f->tree.system, signing, MODULE, &error));
	g_assert_nonnull(error);
}

/* --- others agree */

static char *find_sign_file(void)
{
	glob_t found = {0};
	char *path = NULL;

	if (glob("/usr/lib/linux-kbuild-*/scripts/sign-file", 0, NULL, &found) == 0)
		path = g_strdup(found.gl_pathv[found.gl_pathc - 1]);
	globfree(&found);
	return path;
}

static void test_the_bytes_are_those_of_the_kernel_s_sign_file(struct fixture *f,
							       gconstpointer data)
{
	static const char *const hashes[] = {"sha256", "sha512"};
	g_autofree char *program = find_sign_file();
	ks_auto(ks_signing) signing = prepare(f);
	g_autofree char *key = faketree_path(&f->tree, KEY);
	g_autofree char *certificate = faketree_path(&f->tree, CERT);
	g_autofree char *module = faketree_path(&f->tree, MODULE);
	g_autofree char *theirs = faketree_path(&f->tree, "/theirs.ko");

	if (!program) {
		g_test_skip("no sign-file (linux-kbuild)");
		return;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(hashes); i++) {
		const char *argv[] = {program, hashes[i], key, certificate,
				      module,  theirs,	  NULL};
		g_autofree char *a = NULL;
		g_autofree char *b = NULL;
		int status = -1;

		g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_DEFAULT,
					   NULL, NULL, NULL, NULL, &status, NULL));
		g_assert_cmpint(status, ==, 0);
		g_free(signing->hash);
		signing->hash = g_strdup(hashes[i]);
		sign(f, signing);
		a = digest(f, MODULE);
		b = digest(f, "/theirs.ko");
		g_assert_cmpstr(a, ==, b);
		g_assert_true(
			ks_sign_remove(f->tree.system, MODULE, f->built_sha256, NULL));
	}
}

#define ADD(name, func)                                                                  \
	g_test_add("/sign/" name, struct fixture, NULL, set_up, func, tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	ADD("the rules of dkms", test_the_rules_of_dkms);
	ADD("deciding makes no key", test_deciding_makes_no_key);
	ADD("a lost half is no key", test_a_lost_half_is_no_key);
	ADD("what enforces", test_what_enforces);
	ADD("where signatures are enforced none is an error",
	    test_where_signatures_are_enforced_none_is_an_error);
	ADD("the signature comes off again", test_the_signature_comes_off_again);
	ADD("the same module is signed with the same bytes",
	    test_the_same_module_is_signed_with_the_same_bytes);
	ADD("another module is not cut", test_another_module_is_not_cut);
	ADD("a forged end is reported", test_a_forged_end_is_told);
	ADD("after a failure the file is as it was",
	    test_after_a_failure_the_file_is_as_it_was);
	ADD("a key of another certificate signs nothing",
	    test_a_key_of_another_certificate_signs_nothing);
	ADD("the bytes are those of the kernel's sign-file",
	    test_the_bytes_are_those_of_the_kernel_s_sign_file);
	return g_test_run();
}
