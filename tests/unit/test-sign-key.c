/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pair: which one, and that there are always both or none. */
#include "core/sign/key.h"

#include "core/sign/signer.h"
#include "core/support/durable.h"
#include "tests/unit/faketree.h"

#define KEY	    "/var/lib/dkms/mok.key"
#define CERTIFICATE "/var/lib/dkms/mok.pub"
#define STAGED	    "/var/lib/dkms/.mok.key.kmodsmith-new"

struct fixture {
	struct faketree tree;
	struct ks_settings settings;
	struct ks_key_pair *pair;
};

static void set_up(struct fixture *f, gconstpointer data)
{
	faketree_set_up(&f->tree, NULL);
	f->pair = ks_key_locate(f->tree.system, &f->settings, NULL, NULL);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	ks_key_pair_free(f->pair);
	faketree_tear_down(&f->tree, NULL);
}

static void create(struct fixture *f, bool replace)
{
	g_autoptr(GError) error = NULL;

	g_assert_true(ks_key_create(f->tree.system, f->pair, replace, &error));
	g_assert_no_error(error);
}

static mode_t mode_of(struct fixture *f, const char *path)
{
	struct stat st = {0};

	g_assert_true(ks_root_lstat(f->tree.root, path, &st));
	return st.st_mode;
}

static void assert_matches(struct fixture *f)
{
	g_autoptr(GError) error = NULL;
	ks_auto(ks_key_facts) facts =
		ks_signer_describe(f->tree.system, KEY, CERTIFICATE, &error);

	g_assert_no_error(error);
	g_assert_true(facts->matches);
	g_assert_true(facts->is_private);
}

static void test_a_new_pair_is_dkms_s(struct fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	ks_auto(ks_key_facts) facts = NULL;

	g_assert_cmpint(f->pair->origin, ==, KS_KEY_FROM_DKMS);
	g_assert_cmpint(ks_key_look(f->tree.system, f->pair, &error), ==, KS_KEY_ABSENT);
	create(f, false);
	g_assert_cmpint(ks_key_look(f->tree.system, f->pair, &error), ==, KS_KEY_PRESENT);
	g_assert_no_error(error);
	g_assert_cmpint(mode_of(f, KEY), ==, S_IFREG | 0600);
	g_assert_cmpint(mode_of(f, CERTIFICATE), ==, S_IFREG | 0644);
	g_assert_cmpuint(faketree_count(&f->tree, "/var/lib/dkms"), ==, 2);
	facts = ks_signer_describe(f->tree.system, KEY, CERTIFICATE, &error);
	g_assert_no_error(error);
	g_assert_true(facts->matches);
	g_assert_cmpstr(facts->subject, ==, "CN=DKMS module signing key");
	g_assert_cmpstr(facts->algorithm, ==, "RSA 2048");
	g_assert_cmpuint(strlen(facts->sha256), ==, 64);
	g_assert_cmpuint(strlen(facts->sha1), ==, 40);
	g_assert_nonnull(facts->key_id);
	g_assert_nonnull(facts->not_after);
}

static void test_a_pair_is_not_replaced_unasked(struct fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *before = NULL;
	g_autofree char *after = NULL;

	create(f, false);
	before = faketree_read(&f->tree, KEY);
	g_assert_false(ks_key_create(f->tree.system, f->pair, false, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_DENIED);
	after = faketree_read(&f->tree, KEY);
	g_assert_cmpstr(before, ==, after);
	g_clear_pointer(&after, g_free);
	create(f, true);
	after = faketree_read(&f->tree, KEY);
	g_assert_cmpstr(before, !=, after);
	assert_matches(f);
}

/* dkms overwrites the other one, which may be enrolled. */
static void test_half_a_pair_is_an_error_that_names_the_other(struct fixture *f,
							      gconstpointer data)
{
	static const char *const names[][2] = {{KEY, CERTIFICATE}, {CERTIFICATE, KEY}};

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autoptr(GError) error = NULL;
		g_autofree char *text = NULL;
		g_autofree char *full = NULL;

		faketree_write(&f->tree, names[i][0], "precious");
		g_assert_cmpint(ks_key_look(f->tree.system, f->pair, &error), ==,
				KS_KEY_HALF);
		g_assert_nonnull(strstr(error->message, names[i][1]));
		g_assert_nonnull(ks_error_get_hint(error));
		g_clear_error(&error);
		g_assert_false(ks_key_create(f->tree.system, f->pair, false, &error));
		g_assert_nonnull(strstr(error->message, names[i][1]));
		text = faketree_read(&f->tree, names[i][0]);
		g_assert_cmpstr(text, ==, "precious");
		g_assert_false(ks_root_exists(f->tree.root, names[i][1]));
		full = faketree_path(&f->tree, names[i][0]);
		g_assert_cmpint(g_unlink(full), ==, 0);
	}
}

/* The certificate has its name already, the key has not. */
static void test_an_interrupted_creation_is_finished(struct fixture *f,
						     gconstpointer data)
{
	g_autofree char *key = faketree_path(&f->tree, KEY);
	g_autofree char *staged = faketree_path(&f->tree, STAGED);

	create(f, false);
	g_assert_cmpint(g_rename(key, staged), ==, 0);
	ks_key_settle(f->tree.system, f->pair);
	g_assert_cmpint(ks_key_look(f->tree.system, f->pair, NULL), ==, KS_KEY_PRESENT);
	assert_matches(f);
	g_assert_cmpuint(faketree_count(&f->tree, "/var/lib/dkms"), ==, 2);
}

/* Neither is used: each belongs to another pair. */
static void test_a_key_of_another_certificate_is_not_taken(struct fixture *f,
							   gconstpointer data)
{
	g_autofree char *key = faketree_path(&f->tree, KEY);
	g_autofree char *staged = faketree_path(&f->tree, STAGED);
	g_autofree char *first = NULL;
	g_autofree char *now = NULL;

	create(f, false);
	g_assert_cmpint(g_rename(key, staged), ==, 0);
	g_assert_true(g_file_get_contents(staged, &first, NULL, NULL));
	g_assert_cmpint(g_rename(staged, key), ==, 0);
	create(f, true);
	g_assert_true(g_file_set_contents(staged, first, -1, NULL));
	ks_key_settle(f->tree.system, f->pair);
	now = faketree_read(&f->tree, KEY);
	g_assert_cmpstr(now, !=, first);
	assert_matches(f);
	g_assert_cmpuint(faketree_count(&f->tree, "/var/lib/dkms"), ==, 2);
}

static void test_nothing_is_left_when_it_cannot_be_made(struct fixture *f,
							gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	g_free(f->tree.system->libexec_dir);
	f->tree.system->libexec_dir = g_strdup("/nonexistent");
	g_assert_false(ks_key_create(f->tree.system, f->pair, false, &error));
	g_assert_nonnull(error);
	g_assert_cmpuint(faketree_count(&f->tree, "/var/lib/dkms"), ==, 0);
}

static void test_settings_and_ubuntu_come_first(struct fixture *f, gconstpointer data)
{
	struct ks_framework framework = {0};
	ks_auto(ks_key_pair) ubuntu = NULL;
	ks_auto(ks_key_pair) theirs = NULL;
	ks_auto(ks_key_pair) own = NULL;

	faketree_write(&f->tree, "/etc/os-release", "ID=ubuntu\nID_LIKE=debian\n");
	ubuntu = ks_key_locate(f->tree.system, &f->settings, NULL, NULL);
	g_assert_cmpint(ubuntu->origin, ==, KS_KEY_FROM_UBUNTU);
	g_assert_cmpstr(ubuntu->key, ==, "/var/lib/shim-signed/mok/MOK.priv");
	framework.mok_signing_key = (char *)"/fk";
	theirs = ks_key_locate(f->tree.system, &f->settings, &framework, NULL);
	g_assert_cmpint(theirs->origin, ==, KS_KEY_FROM_FRAMEWORK);
	g_assert_cmpstr(theirs->key, ==, "/fk");
	g_assert_cmpstr(theirs->certificate, ==, CERTIFICATE);
	f->settings.sign_key = (char *)"/k";
	f->settings.sign_certificate = (char *)"/c";
	own = ks_key_locate(f->tree.system, &f->settings, &framework, NULL);
	g_assert_cmpint(own->origin, ==, KS_KEY_FROM_SETTINGS);
	g_assert_cmpstr(own->certificate, ==, "/c");
}

static struct ks_key_pair *locate_on(struct fixture *f, const char *os_release,
				     struct ks_kernel *kernel)
{
	faketree_write(&f->tree, "/etc/os-release", os_release);
	return ks_key_locate(f->tree.system, &f->settings, NULL, kernel);
}

/* Debian has a program of that name too, which makes no keys. */
static void test_ubuntu_s_is_ubuntu_s_only(struct fixture *f, gconstpointer data)
{
	ks_auto(ks_key_pair) debian = NULL;
	ks_auto(ks_key_pair) mint = NULL;
	ks_auto(ks_key_pair) kept = NULL;
	g_autoptr(GError) error = NULL;

	faketree_write(&f->tree, "/usr/sbin/update-secureboot-policy", "");
	debian = locate_on(f, "ID=debian\n", NULL);
	g_assert_cmpint(debian->origin, ==, KS_KEY_FROM_DKMS);
	g_assert_null(ks_key_missing_maker(f->tree.system, debian));
	mint = locate_on(f, "ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n", NULL);
	g_assert_cmpint(mint->origin, ==, KS_KEY_FROM_UBUNTU);
	g_assert_null(ks_key_missing_maker(f->tree.system, mint));

	g_assert_true(ks_durable_unlink(f->tree.root,
					"/usr/sbin/update-secureboot-policy", NULL));
	g_assert_cmpstr(ks_key_missing_maker(f->tree.system, mint), ==,
			"/usr/sbin/update-secureboot-policy");
	g_assert_false(ks_key_create(f->tree.system, mint, false, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_NOT_FOUND);
	g_assert_nonnull(ks_error_get_hint(error));

	/* made while there was no such rule */
	create(f, false);
	kept = locate_on(f, "ID=ubuntu\n", NULL);
	g_assert_cmpint(kept->origin, ==, KS_KEY_FROM_DKMS);
}

#define MAKE_CONF "/etc/portage/make.conf"
#define HEADERS	  "/lib/modules/6.1.0-gentoo/build"

static void assert_gentoo(struct fixture *f, struct ks_kernel *kernel, const char *key,
			  const char *certificate)
{
	ks_auto(ks_key_pair) pair = locate_on(f, "ID=gentoo\n", kernel);

	g_assert_cmpstr(pair->key, ==, key);
	g_assert_cmpstr(pair->certificate, ==, certificate);
	g_assert_cmpstr(ks_key_origin_id(pair->origin), ==,
			g_str_equal(key, KEY) ? "dkms" : "gentoo");
}

static void test_gentoo_s_is_make_conf_s_or_the_kernel_s(struct fixture *f,
							 gconstpointer data)
{
	g_autoptr(GPtrArray) kernels = NULL;
	struct ks_kernel *kernel;
	g_autoptr(GError) error = NULL;
	ks_auto(ks_key_pair) pair = NULL;

	faketree_write(&f->tree, HEADERS "/.config",
		       "CONFIG_MODULE_SIG_KEY=\"certs/signing_key.pem\"\n");
	kernels = ks_kernel_list(f->tree.system, &error);
	g_assert_no_error(error);
	kernel = ks_kernel_find(kernels, "6.1.0-gentoo");

	/* of a kernel that was built elsewhere */
	assert_gentoo(f, kernel, KEY, CERTIFICATE);
	faketree_write(&f->tree, HEADERS "/certs/signing_key.pem", "");
	faketree_write(&f->tree, HEADERS "/certs/signing_key.x509", "");
	assert_gentoo(f, kernel, HEADERS "/certs/signing_key.pem",
		      HEADERS "/certs/signing_key.x509");
	assert_gentoo(f, NULL, KEY, CERTIFICATE);

	faketree_write(&f->tree, MAKE_CONF,
		       "USE=\"modules-sign\"\nMODULES_SIGN_KEY=/old\n"
		       "MODULES_SIGN_KEY=\"/path/to/kernel_key.pem\" # or a token\n");
	assert_gentoo(f, NULL, "/path/to/kernel_key.pem", "/path/to/kernel_key.pem");
	faketree_write(&f->tree, MAKE_CONF,
		       "MODULES_SIGN_KEY=certs/k.pem\n  MODULES_SIGN_CERT='/c.pem'\n");
	assert_gentoo(f, kernel, HEADERS "/certs/k.pem", "/c.pem");
	/* what would need a shell */
	faketree_write(&f->tree, MAKE_CONF, "MODULES_SIGN_KEY=\"${KEYS}/k.pem\"\n");
	assert_gentoo(f, NULL, KEY, CERTIFICATE);
	faketree_write(&f->tree, MAKE_CONF, "MODULES_SIGN_KEY=\"/unterminated\n");
	assert_gentoo(f, NULL, KEY, CERTIFICATE);

	g_assert_true(ks_durable_unlink(f->tree.root, MAKE_CONF, NULL));
	faketree_write(&f->tree, MAKE_CONF "/10-flags", "USE=x\nMODULES_SIGN_KEY=/a\n");
	faketree_write(&f->tree, MAKE_CONF "/20-keys", "MODULES_SIGN_KEY=/b");
	assert_gentoo(f, NULL, "/b", "/b");

	/* never made here */
	pair = locate_on(f, "ID=gentoo\n", NULL);
	g_assert_false(ks_key_create(f->tree.system, pair, false, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_NOT_FOUND);
	g_assert_false(ks_root_exists(f->tree.root, "/b"));
}

static void test_what_is_no_key_is_told(struct fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	create(f, false);
	faketree_write(&f->tree, KEY, "garbage\n");
	g_assert_null(ks_signer_describe(f->tree.system, KEY, CERTIFICATE, &error));
	g_assert_nonnull(strstr(error->message, KEY));
	g_assert_nonnull(strstr(error->message, "not a PEM key"));
	g_clear_error(&error);
	faketree_write(&f->tree, CERTIFICATE, "garbage\n");
	g_assert_null(ks_signer_describe(f->tree.system, NULL, CERTIFICATE, &error));
	g_assert_nonnull(strstr(error->message, "neither DER nor PEM"));
	g_clear_error(&error);
	faketree_fifo(&f->tree, "/fifo");
	g_assert_null(ks_signer_describe(f->tree.system, NULL, "/fifo", &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_INVALID);
}

#define ADD(name, func)                                                                  \
	g_test_add("/sign/key/" name, struct fixture, NULL, set_up, func, tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	ADD("a new pair is dkms's", test_a_new_pair_is_dkms_s);
	ADD("a pair is not replaced unasked", test_a_pair_is_not_replaced_unasked);
	ADD("half a pair is an error that names the other",
	    test_half_a_pair_is_an_error_that_names_the_other);
	ADD("an interrupted creation is finished",
	    test_an_interrupted_creation_is_finished);
	ADD("a key of another certificate is not taken",
	    test_a_key_of_another_certificate_is_not_taken);
	ADD("nothing is left when it cannot be made",
	    test_nothing_is_left_when_it_cannot_be_made);
	ADD("settings and ubuntu come first", test_settings_and_ubuntu_come_first);
	ADD("ubuntu's is ubuntu's only", test_ubuntu_s_is_ubuntu_s_only);
	ADD("gentoo's is make.conf's or the kernel's",
	    test_gentoo_s_is_make_conf_s_or_the_kernel_s);
	ADD("what is no key is reported", test_what_is_no_key_is_told);
	return g_test_run();
}
