/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dkms.conf to struct ks_conf: fields, exclusions, overrides, hostile input. */
#include "core/conf/conf.h"

#include <string.h>

#include "core/settings/settings.h"
#include "core/support/error.h"
#include "tests/unit/faketree.h"
#include "core/shell/vars.h"
#include "core/support/name.h"

#define RELEASE "6.1.0-56-amd64"
#define NAMES	"PACKAGE_NAME=foo\nPACKAGE_VERSION=1.0\n"
#define ONE	NAMES "BUILT_MODULE_NAME=foo\nDEST_MODULE_LOCATION=/updates\n"

struct fixture {
	struct faketree tree;
	struct ks_kernel kernel;
};

static void set_up(struct fixture *f, gconstpointer data)
{
	faketree_set_up(&f->tree, data);
	f->kernel = (struct ks_kernel){
		.release = (char *)RELEASE,
		.arch = (char *)"x86_64",
		.modules_dir = (char *)"/lib/modules/" RELEASE,
		.headers_dir = (char *)"/lib/modules/" RELEASE "/build",
		.config_path = (char *)"/boot/config-" RELEASE,
	};
	faketree_write(&f->tree, "/boot/config-" RELEASE,
		       "CONFIG_USB=m\nCONFIG_PCI=y\nCONFIG_NAME=\"y\"\n"
		       "# CONFIG_VIDEO is not set\n");
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	g_clear_pointer(&f->kernel.config, g_hash_table_unref);
	g_free(f->kernel.uname);
	faketree_tear_down(&f->tree, data);
}

static struct ks_conf *load(struct fixture *f, const char *text, GError **error)
{
	faketree_write(&f->tree, "/usr/src/foo-1.0/dkms.conf", text);
	return ks_conf_load(f->tree.system, NULL, "/usr/src/foo-1.0", "foo", "1.0",
			    &f->kernel, error);
}

static struct ks_conf *load_good(struct fixture *f, const char *text)
{
	g_autoptr(GError) error = NULL;
	struct ks_conf *conf = load(f, text, &error);

	g_assert_no_error(error);
	g_assert_nonnull(conf);
	return conf;
}

/* It is refused with "FILE:LINE: ..." that ends in message. */
static void assert_bad(struct fixture *f, const char *text, unsigned int line,
		       const char *message)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *file = faketree_path(&f->tree, "/usr/src/foo-1.0/dkms.conf");
	g_autofree char *expected = g_strdup_printf("%s:%u: %s", file, line, message);

	g_assert_null(load(f, text, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_INVALID);
	g_assert_cmpstr(error->message, ==, expected);
}

static const struct ks_conf_module *module_at(const struct ks_conf *conf, guint index)
{
	g_assert_cmpuint(index, <, conf->modules->len);
	return conf->modules->pdata[index];
}

/* Natively: bash is in no tree that has no files. */
static void test_uname(struct fixture *f, gconstpointer data)
{
	ks_auto(ks_conf) conf =
		load_good(f, ONE "MAKE=\"make K=`uname -r` A=$(uname -m)/$(arch)\"\n"
				 "CLEAN='make K=$(uname -r)'\n");

	g_assert_cmpstr(conf->make, ==, "make K=" RELEASE " A=x86_64/x86_64");
}

static void test_fields(struct fixture *f, gconstpointer data)
{
	ks_auto(ks_conf) conf =
		load_good(f, NAMES "BUILT_MODULE_NAME[0]=\"$PACKAGE_NAME\"\n"
				   "BUILT_MODULE_LOCATION[0]=/src/lib\n"
				   "DEST_MODULE_LOCATION[0]=/kernel/drivers/foo/\n"
				   "BUILT_MODULE_NAME[1]=sub/bar\n"
				   "DEST_MODULE_NAME[1]=bar2\n"
				   "DEST_MODULE_LOCATION[1]=/extra\n"
				   "STRIP[1]=No\n"
				   "MAKE='make -C $kernel_source_dir'\n"
				   "AUTOINSTALL=YES\n"
				   "BUILD_DEPENDS[0]=spl\nBUILD_DEPENDS[1]='a b'\n"
				   "BUILD_DEPENDS_REBUILD=yes\nNO_WEAK_MODULES=y\n"
				   "PRE_BUILD='configure  --x y'\nPOST_ADD=add.sh\n"
				   "POST_INSTALL=post/install.sh\n");

	g_assert_cmpstr(conf->package_name, ==, "foo");
	g_assert_cmpstr(conf->package_version, ==, "1.0");
	g_assert_cmpstr(module_at(conf, 0)->built_name, ==, "foo");
	g_assert_cmpstr(module_at(conf, 0)->built_location, ==, "src/lib/");
	g_assert_cmpstr(module_at(conf, 0)->dest_name, ==, "foo");
	g_assert_cmpstr(module_at(conf, 0)->dest_location, ==, "/kernel/drivers/foo/");
	g_assert_true(module_at(conf, 0)->strip);
	g_assert_cmpstr(module_at(conf, 1)->built_name, ==, "bar");
	g_assert_cmpstr(module_at(conf, 1)->built_location, ==, "sub/");
	g_assert_cmpstr(module_at(conf, 1)->dest_name, ==, "bar2");
	g_assert_false(module_at(conf, 1)->strip);
	g_assert_cmpuint(conf->modules->len, ==, 2);
	g_assert_cmpstr(conf->make, ==, "make -C /lib/modules/" RELEASE "/build");
	g_assert_true(conf->autoinstall);
	g_assert_cmpuint(g_strv_length(conf->build_depends), ==, 3);
	g_assert_cmpstr(conf->build_depends[2], ==, "b");
	g_assert_true(conf->build_depends_rebuild);
	g_assert_true(conf->no_weak_modules);
	g_assert_cmpstr(conf->pre_build, ==, "configure --x y");
	g_assert_cmpstr(conf->post_add, ==, "add.sh");
	g_assert_cmpstr(conf->post_install, ==, "post/install.sh");
	g_assert_null(conf->post_build);
	g_assert_cmpint(conf->exclusion, ==, KS_CONF_NOT_EXCLUDED);
	g_assert_cmpuint(strlen(conf->text_digest), ==, 64);
	g_assert_cmpuint(conf->warnings->len, ==, 0);
}

static void test_defaults(struct fixture *f, gconstpointer data)
{
	ks_auto(ks_conf) conf = load_good(f, NAMES "DEST_MODULE_LOCATION=/updates\n");

	g_assert_cmpstr(module_at(conf, 0)->built_name, ==, "foo");
	g_assert_cmpstr(module_at(conf, 0)->built_location, ==, "");
	g_assert_cmpstr(conf->make, ==,
			"make -C /lib/modules/" RELEASE
			"/build M=/var/lib/dkms/foo/1.0/build");
	g_assert_false(conf->autoinstall);
	g_assert_cmpuint(g_strv_length(conf->patches), ==, 0);
	g_assert_cmpuint(g_strv_length(conf->build_depends), ==, 0);
}

static void test_make_is_the_last_that_matches(struct fixture *f, gconstpointer data)
{
	static const struct {
		const char *text, *make;
	} cases[] = {
		{"MAKE=a\n", "a"},
		{"MAKE=a\nMAKE[1]=b\nMAKE_MATCH[1]='^6\\.'\n", "b"},
		{"MAKE=a\nMAKE[1]=b\nMAKE_MATCH[1]='^5\\.'\n", "a"},
		{"MAKE=a\nMAKE[7]=b\nMAKE_MATCH[7]='^6'\nMAKE[9]=c\nMAKE_MATCH[9]=amd\n",
		 "c"},
		{"MAKE=a\nMAKE[1]=b\n", "a"},
		{"MAKE=a\nMAKE_MATCH='^6'\n", "a"},
		{"MAKE=a\nMAKE[1]=b\nMAKE_MATCH[1]='('\n", "a"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *text = g_strconcat(ONE, cases[i].text, NULL);
		ks_auto(ks_conf) conf = load_good(f, text);

		g_assert_cmpstr(conf->make, ==, cases[i].make);
	}
}

static void test_make_that_does_not_match_leaves_the_default(struct fixture *f,
							     gconstpointer data)
{
	ks_auto(ks_conf) conf = NULL;

	conf = load_good(f, ONE "MAKE=a\nMAKE_MATCH='^5'\n");
	g_assert_cmpstr(conf->make, ==,
			"make -C /lib/modules/" RELEASE
			"/build M=/var/lib/dkms/foo/1.0/build");
}

static void test_patches_in_order_by_match(struct fixture *f, gconstpointer data)
{
	ks_auto(ks_conf) conf =
		load_good(f, ONE "PATCH[5]=c.patch\nPATCH[0]=a.patch\nPATCH[1]=b.patch\n"
				 "PATCH_MATCH[1]='^5'\nPATCH_MATCH[5]='^6\\.[0-9]'\n");

	g_assert_cmpuint(g_strv_length(conf->patches), ==, 2);
	g_assert_cmpstr(conf->patches[0], ==, "a.patch");
	g_assert_cmpstr(conf->patches[1], ==, "c.patch");
}

static void test_digest_follows_texts_and_patches(struct fixture *f, gconstpointer data)
{
	const char *text = ONE "PATCH=a.patch\n";
	ks_auto(ks_conf) absent = load_good(f, text);
	ks_auto(ks_conf) again = load_good(f, text);
	ks_auto(ks_conf) own = NULL;
	ks_auto(ks_conf) overridden = NULL;
	ks_auto(ks_conf) commented = load_good(f, ONE "PATCH=a.patch\n#\n");

	g_assert_cmpstr(absent->text_digest, ==, again->text_digest);
	g_assert_cmpstr(absent->text_digest, !=, commented->text_digest);
	faketree_write(&f->tree, "/usr/src/foo-1.0/patches/a.patch", "one\n");
	own = load_good(f, text);
	g_assert_cmpstr(absent->text_digest, !=, own->text_digest);
	faketree_write(&f->tree, "/etc/dkms/foo/patches/a.patch", "two\n");
	overridden = load_good(f, text);
	g_assert_cmpstr(own->text_digest, !=, overridden->text_digest);
}

static void test_exclusions_say_why(struct fixture *f, gconstpointer data)
{
	static const struct {
		const char *text;
		enum ks_conf_exclusion exclusion;
		const char *why;
	} cases[] = {
		{"BUILD_EXCLUSIVE_KERNEL='^6\\.1'\n", KS_CONF_NOT_EXCLUDED, NULL},
		{"BUILD_EXCLUSIVE_KERNEL='^5'\n", KS_CONF_EXCLUDED_KERNEL,
		 "needs a kernel that matches '^5'"},
		{"BUILD_EXCLUSIVE_KERNEL='REQUIRES CONFIG_VIDEO'\n",
		 KS_CONF_EXCLUDED_KERNEL,
		 "BUILD_EXCLUSIVE_KERNEL is 'REQUIRES CONFIG_VIDEO'"},
		{"BUILD_EXCLUSIVE_KERNEL='('\n", KS_CONF_EXCLUDED_KERNEL,
		 "needs a kernel that matches '('"},
		{"BUILD_EXCLUSIVE_KERNEL_MIN=6.1\n", KS_CONF_NOT_EXCLUDED, NULL},
		{"BUILD_EXCLUSIVE_KERNEL_MIN=6.2\n", KS_CONF_EXCLUDED_KERNEL_MIN,
		 "needs kernel 6.2 or later"},
		{"BUILD_EXCLUSIVE_KERNEL_MAX=6.2\n", KS_CONF_NOT_EXCLUDED, NULL},
		{"BUILD_EXCLUSIVE_KERNEL_MAX=6.1\n", KS_CONF_EXCLUDED_KERNEL_MAX,
		 "needs kernel 6.1 or earlier"},
		{"BUILD_EXCLUSIVE_ARCH='(i.86|x86_64)'\n", KS_CONF_NOT_EXCLUDED, NULL},
		{"BUILD_EXCLUSIVE_ARCH=aarch64\n", KS_CONF_EXCLUDED_ARCH,
		 "needs an architecture that matches 'aarch64', this is x86_64"},
		{"BUILD_EXCLUSIVE_CONFIG='CONFIG_USB CONFIG_PCI !CONFIG_VIDEO'\n",
		 KS_CONF_NOT_EXCLUDED, NULL},
		{"BUILD_EXCLUSIVE_CONFIG='CONFIG_USB CONFIG_VIDEO CONFIG_DRM'\n",
		 KS_CONF_EXCLUDED_CONFIG,
		 "needs CONFIG_VIDEO, CONFIG_DRM, which this kernel does not have"},
		{"BUILD_EXCLUSIVE_CONFIG='!CONFIG_USB'\n", KS_CONF_EXCLUDED_CONFIG,
		 "needs a kernel without CONFIG_USB"},
		{"OBSOLETE_BY=6.0\n", KS_CONF_EXCLUDED_OBSOLETE_BY,
		 "kernels after 6.0 have it themselves (OBSOLETE_BY)"},
		{"build_exclude=yes\n", KS_CONF_EXCLUDED_BY_CONF,
		 "its dkms.conf excludes this kernel (build_exclude)"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *text = g_strconcat(ONE, cases[i].text, NULL);
		ks_auto(ks_conf) conf = load_good(f, text);

		g_assert_cmpint(conf->exclusion, ==, cases[i].exclusion);
		g_assert_cmpstr(conf->exclusion_text, ==, cases[i].why);
	}
}

static void test_config_is_not_asked_without_a_configuration(struct fixture *f,
							     gconstpointer data)
{
	ks_auto(ks_conf) conf = NULL;

	f->kernel.config_path = NULL;
	conf = load_good(f, ONE "BUILD_EXCLUSIVE_CONFIG=CONFIG_DRM\n");
	g_assert_cmpint(conf->exclusion, ==, KS_CONF_NOT_EXCLUDED);
}

#define TWO                                                                              \
	NAMES "BUILT_MODULE_NAME[0]=a\nDEST_MODULE_LOCATION[0]=/updates\n"               \
	      "BUILT_MODULE_NAME[1]=b\nDEST_MODULE_LOCATION[1]=/updates\n"

static void test_exclusions_of_single_modules(struct fixture *f, gconstpointer data)
{
	ks_auto(ks_conf) one = load_good(f, TWO "BUILD_EXCLUSIVE_KERNEL[0]='^5'\n"
						"BUILD_EXCLUSIVE_KERNEL[1]='^6'\n");
	ks_auto(ks_conf) all = load_good(f, TWO "BUILD_EXCLUSIVE_KERNEL[0]='^4'\n"
						"BUILD_EXCLUSIVE_ARCH[1]=arm\n");
	ks_auto(ks_conf) each =
		load_good(f, TWO "BUILD_EXCLUSIVE_CONFIG[0]=CONFIG_DRM\n"
				 "BUILD_EXCLUSIVE_CONFIG[1]=CONFIG_VIDEO\n");

	g_assert_cmpint(one->exclusion, ==, KS_CONF_NOT_EXCLUDED);
	g_assert_cmpstr(module_at(one, 0)->excluded, ==,
			"needs a kernel that matches '^5'");
	g_assert_null(module_at(one, 1)->excluded);
	/* alone, element 0 is for all */
	g_assert_cmpint(all->exclusion, ==, KS_CONF_EXCLUDED_KERNEL);
	g_assert_cmpint(each->exclusion, ==, KS_CONF_EXCLUDED_CONFIG);
	g_assert_cmpstr(each->exclusion_text, ==,
			"needs CONFIG_DRM, which this kernel does not have");
}

static void test_overrides_in_order(struct fixture *f, gconstpointer data)
{
	static const char *const files[] = {
		"foo.conf",
		"foo-1.0.conf",
		"foo-1.0-" RELEASE ".conf",
		"foo-1.0-" RELEASE "-x86_64.conf",
		"foo--" RELEASE ".conf",
		"foo--" RELEASE "-x86_64.conf",
	};
	g_autoptr(GString) expected = g_string_new("own");

	for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autofree char *path = g_strconcat("/etc/dkms/", files[i], NULL);
		g_autofree char *text = g_strdup_printf("MAKE=\"${MAKE},%zu\"\n", i);
		ks_auto(ks_conf) conf = NULL;

		faketree_write(&f->tree, path, text);
		conf = load_good(f, ONE "MAKE=own\n");
		g_string_append_printf(expected, ",%zu", i);
		g_assert_cmpstr(conf->make, ==, expected->str);
	}
}

static struct ks_conf *load_with(struct fixture *f, const char *name,
				 const struct ks_conf_overrides *overrides)
{
	const struct ks_settings settings = {.overrides = overrides};
	g_autoptr(GError) error = NULL;
	struct ks_conf *conf = ks_conf_load(f->tree.system, &settings, "/usr/src/foo-1.0",
					    name, "1.0", &f->kernel, &error);

	g_assert_no_error(error);
	return conf;
}

static void test_directives_of_the_command_line_win(struct fixture *f, gconstpointer data)
{
	static const char *const directives[] = {"MAKE=make  $kernelver",
						 "PRE_BUILD=", "KCFLAGS=-O1 -g",
						 "MAKE=make two", NULL};
	const struct ks_conf_overrides overrides = {.module = "foo",
						    .directives = directives};
	ks_auto(ks_conf) conf = NULL;
	ks_auto(ks_conf) plain = NULL;
	ks_auto(ks_conf) other = NULL;

	faketree_write(&f->tree, "/usr/src/foo-1.0/dkms.conf",
		       ONE "MAKE='make one'\nPRE_BUILD=a.sh\n");
	faketree_write(&f->tree, "/etc/dkms/foo.conf", "MAKE='make override'\n");
	conf = load_with(f, "foo", &overrides);
	plain = load_with(f, "foo", NULL);
	other = load_with(f, "bar", &overrides);
	g_assert_cmpstr(conf->make, ==, "make two");
	g_assert_null(conf->pre_build);
	g_assert_cmpstr(conf->environment[0], ==, "KCFLAGS=-O1 -g");
	g_assert_null(conf->environment[1]);
	g_assert_cmpstr(plain->make, ==, "make override");
	g_assert_null(plain->environment);
	g_assert_cmpstr(other->make, ==, "make one");
	g_assert_null(other->environment);
	g_assert_cmpstr(conf->text_digest, !=, plain->text_digest);
}

static void test_another_conf_in_its_place(struct fixture *f, gconstpointer data)
{
	const struct ks_conf_overrides overrides = {
		.module = "foo", .version = "1.0", .conf_path = "/root/my.conf"};
	ks_auto(ks_conf) conf = NULL;
	ks_auto(ks_conf) other = NULL;

	faketree_write(&f->tree, "/usr/src/foo-1.0/dkms.conf", ONE "MAKE='make one'\n");
	faketree_write(&f->tree, "/root/my.conf", ONE "MAKE='make mine'\n");
	faketree_write(&f->tree, "/etc/dkms/foo-1.0.conf", "CLEAN=x\n");
	conf = load_with(f, "foo", &overrides);
	other = load_with(f, "bar", &overrides);
	g_assert_cmpstr(conf->make, ==, "make mine");
	g_assert_cmpstr(other->make, ==, "make one");
}

/* dkms's B6, kept in its personality */
static void test_first_exclusive_binds_all_for_dkms(struct fixture *f, gconstpointer data)
{
	const struct ks_conf_overrides overrides = {.first_exclusive_for_all = true};
	ks_auto(ks_conf) native = NULL;
	ks_auto(ks_conf) dkms = NULL;

	faketree_write(&f->tree, "/usr/src/foo-1.0/dkms.conf",
		       NAMES "BUILT_MODULE_NAME=(a b)\n"
			     "DEST_MODULE_LOCATION=(/updates /updates)\n"
			     "BUILD_EXCLUSIVE_KERNEL=('^5\\.' '^6\\.')\n");
	native = load_with(f, "foo", NULL);
	dkms = load_with(f, "foo", &overrides);
	g_assert_cmpint(native->exclusion, ==, KS_CONF_NOT_EXCLUDED);
	g_assert_nonnull(module_at(native, 0)->excluded);
	g_assert_null(module_at(native, 1)->excluded);
	g_assert_cmpint(dkms->exclusion, ==, KS_CONF_EXCLUDED_KERNEL);
}

static void test_deprecated_are_listed(struct fixture *f, gconstpointer data)
{
	ks_auto(ks_conf) none = load_good(f, ONE "CLEAN=true\n");
	ks_auto(ks_conf) some = load_good(
		f, ONE "MODULES_CONF[0]=x\nREMAKE_INITRD=no\nCLEAN='make clean'\n");
	g_autofree char *names = g_strjoinv(" ", some->deprecated);

	g_assert_null(none->deprecated[0]);
	g_assert_cmpstr(names, ==, "CLEAN REMAKE_INITRD MODULES_CONF");
}

static void test_is_directive(void)
{
	g_assert_true(ks_vars_is_assignment("MAKE=x"));
	g_assert_true(ks_vars_is_assignment("_a1="));
	g_assert_false(ks_vars_is_assignment("MAKE"));
	g_assert_false(ks_vars_is_assignment("=x"));
	g_assert_false(ks_vars_is_assignment("1A=x"));
	g_assert_false(ks_vars_is_assignment("MAKE[0]=x"));
	g_assert_false(ks_vars_is_assignment("A B=x"));
}

static void test_override_errors_name_their_file(struct fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *path = faketree_path(&f->tree, "/etc/dkms/foo.conf");
	g_autofree char *expected = g_strdup_printf(
		"%s:2: AUTOINSTALL is 'maybe', neither 'yes' nor 'no'", path);

	faketree_write(&f->tree, "/etc/dkms/foo.conf", "\nAUTOINSTALL=maybe\n");
	g_assert_null(load(f, ONE "AUTOINSTALL=yes\n", &error));
	g_assert_cmpstr(error->message, ==, expected);
}

static void test_name_comes_from_the_conf(struct fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	ks_auto(ks_conf) conf = NULL;

	faketree_write(&f->tree, "/usr/src/x/dkms.conf",
		       ONE "MAKE='make $module $module_version'\n");
	faketree_write(&f->tree, "/etc/dkms/foo.conf", "AUTOINSTALL=yes\n");
	conf = ks_conf_load(f->tree.system, NULL, "/usr/src/x", NULL, NULL, &f->kernel,
			    &error);
	g_assert_no_error(error);
	g_assert_cmpstr(conf->make, ==, "make foo 1.0");
	g_assert_true(conf->autoinstall);
}

static void test_reads_without_a_kernel(struct fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	ks_auto(ks_conf) conf = NULL;

	faketree_write(&f->tree, "/usr/src/x/dkms.conf",
		       ONE "AUTOINSTALL=yes\nBUILD_EXCLUSIVE_KERNEL='^5'\n");
	conf = ks_conf_load(f->tree.system, NULL, "/usr/src/x", NULL, NULL, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(conf->package_name, ==, "foo");
	g_assert_true(conf->autoinstall);
	g_assert_cmpint(conf->exclusion, ==, KS_CONF_NOT_EXCLUDED);
}

static void test_warns_of_another_name_and_of_what_is_old(struct fixture *f,
							  gconstpointer data)
{
	g_autofree char *file = faketree_path(&f->tree, "/usr/src/foo-1.0/dkms.conf");
	g_autofree char *first = g_strdup_printf(
		"%s:1: PACKAGE_NAME is 'bar', but it is called 'foo'", file);
	g_autofree char *second = g_strdup_printf("%s:3: deprecated REMAKE_INITRD", file);
	g_autofree char *third = g_strdup_printf(
		"%s:4: dkms would lose MAKE[0] by its inner quotes; it is used as it is "
		"written",
		file);
	ks_auto(ks_conf) conf = load_good(
		f, "PACKAGE_NAME=bar\nPACKAGE_VERSION=1.0\nREMAKE_INITRD=no\n"
		   "MAKE=\"make A=\\\"b c\\\"\"\nDEST_MODULE_LOCATION=/extra\n");

	g_assert_cmpuint(conf->warnings->len, ==, 3);
	g_assert_cmpstr(conf->warnings->pdata[0], ==, first);
	g_assert_cmpstr(conf->warnings->pdata[1], ==, second);
	g_assert_cmpstr(conf->warnings->pdata[2], ==, third);
	g_assert_cmpstr(conf->make, ==, "make A=\"b c\"");
}

static void test_warns_once_also_with_overrides(struct fixture *f, gconstpointer data)
{
	ks_auto(ks_conf) conf = NULL;

	faketree_write(&f->tree, "/etc/dkms/foo.conf", "AUTOINSTALL=yes\n");
	faketree_write(&f->tree, "/etc/dkms/foo-1.0.conf", "STRIP=no\n");
	conf = load_good(f, ONE "MAKE=\"make A=\\\"b c\\\"\"\n");
	g_assert_cmpstr(conf->make, ==, "make A=\"b c\"");
	g_assert_cmpuint(conf->warnings->len, ==, 1);
}

/* Read as a directory that is being added: only the conf has its name. */
static void assert_bad_alone(struct fixture *f, const char *text, unsigned int line,
			     const char *message)
{
	g_autofree char *path = faketree_path(&f->tree, "/usr/src/foo-1.0/dkms.conf");
	g_autofree char *expected = g_strdup_printf("%s:%u: %s", path, line, message);
	g_autoptr(GError) error = NULL;

	faketree_write(&f->tree, "/usr/src/foo-1.0/dkms.conf", text);
	g_assert_null(ks_conf_load(f->tree.system, NULL, "/usr/src/foo-1.0", NULL, NULL,
				   NULL, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_INVALID);
	g_assert_cmpstr(error->message, ==, expected);
}

static void test_refuses_bad_names(struct fixture *f, gconstpointer data)
{
#define RULE                                                                             \
	"' is not a name: letters, digits and ._+~:@=,%^- only, no '..' in it and no "   \
	"'.' or '-' before it"
#define TEMPLATE "' is a template that nobody has filled in"
	assert_bad(f, "PACKAGE_VERSION=1\n", 1, "no PACKAGE_NAME");
	assert_bad(f, "PACKAGE_NAME=foo\n\nPACKAGE_VERSION=\n", 3, "no PACKAGE_VERSION");
	assert_bad_alone(f, "\nPACKAGE_NAME=../../tmp/x\nPACKAGE_VERSION=1\n", 2,
			 "PACKAGE_NAME '../../tmp/x" RULE);
	assert_bad_alone(f, "PACKAGE_NAME=foo\nPACKAGE_VERSION='1 2'\n", 2,
			 "PACKAGE_VERSION '1 2" RULE);
	assert_bad_alone(f, "PACKAGE_NAME=-rf\nPACKAGE_VERSION=1\n", 1,
			 "PACKAGE_NAME '-rf" RULE);
	assert_bad_alone(f, "PACKAGE_NAME=a\033b\nPACKAGE_VERSION=1\n", 1,
			 "PACKAGE_NAME 'a?b" RULE);
	assert_bad_alone(f, "PACKAGE_NAME='a;b'\nPACKAGE_VERSION=1\n", 1,
			 "PACKAGE_NAME 'a;b" RULE);
	assert_bad_alone(f, "PACKAGE_NAME=foo\nPACKAGE_VERSION=@VERSION@\n", 2,
			 "PACKAGE_VERSION '@VERSION@" TEMPLATE);
	assert_bad_alone(f, "PACKAGE_NAME=foo\nPACKAGE_VERSION='#MODULE_VERSION#'\n", 2,
			 "PACKAGE_VERSION '#MODULE_VERSION#" TEMPLATE);
	assert_bad_alone(f, "PACKAGE_NAME=@NAME@\nPACKAGE_VERSION=1\n", 1,
			 "PACKAGE_NAME '@NAME@" TEMPLATE);
#undef TEMPLATE
#undef RULE
}

/*
 * A value that nobody has filled in, or that is malformed, is replaced by the
 * directory's name.
 */
static void test_goes_by_what_it_is_called(struct fixture *f, gconstpointer data)
{
	static const char *const versions[] = {"'#MODULE_VERSION#'", "@VERSION@", "2.0",
					       "../../x", "'1 2'"};

	for (size_t i = 0; i < G_N_ELEMENTS(versions); i++) {
		g_autofree char *text =
			g_strdup_printf("PACKAGE_NAME=foo\nPACKAGE_VERSION=%s\n"
					"DEST_MODULE_LOCATION=/extra\n",
					versions[i]);
		ks_auto(ks_conf) conf = load_good(f, text);
		const struct ks_conf_module *module = conf->modules->pdata[0];

		g_assert_cmpstr(conf->package_version, ==, "1.0");
		g_assert_cmpstr(module->built_name, ==, "foo");
		g_assert_cmpuint(conf->warnings->len, ==, 1);
		g_assert_true(g_str_has_suffix(conf->warnings->pdata[0],
					       "but it is called '1.0'"));
	}
}

static const char *load_location(struct fixture *f, const char *location,
				 guint *n_warnings)
{
	g_autofree char *text = g_strdup_printf(
		NAMES "BUILT_MODULE_NAME=b\nDEST_MODULE_LOCATION=%s\n", location);
	ks_auto(ks_conf) conf = load_good(f, text);
	const struct ks_conf_module *module = conf->modules->pdata[0];

	*n_warnings = conf->warnings->len;
	return g_intern_string(module->dest_location);
}

static void test_normalizes_where_modules_go(struct fixture *f, gconstpointer data)
{
	guint n_warnings;

	g_assert_cmpstr(load_location(f, "/kernel/../misc/", &n_warnings), ==, "/misc");
	g_assert_cmpuint(n_warnings, ==, 0);
	g_assert_cmpstr(load_location(f, "/extra/a/./../b", &n_warnings), ==, "/extra/b");
	g_assert_cmpstr(load_location(f, "/updates/a..b", &n_warnings), ==,
			"/updates/a..b");
	/* Debian's modules have one place, whatever a conf says */
	faketree_write(&f->tree, "/etc/os-release", "ID=debian\n");
	load_location(f, "/kernel/../misc/", &n_warnings);
	g_assert_cmpuint(n_warnings, ==, 1);
	load_location(f, "/kernel/../../../etc", &n_warnings);
	g_assert_cmpuint(n_warnings, ==, 1);
	load_location(f, "'/kernel/x y'", &n_warnings);
	g_assert_cmpuint(n_warnings, ==, 1);
	load_location(f, "/kernel/drivers", &n_warnings);
	g_assert_cmpuint(n_warnings, ==, 0);
}

/* dkms adds such a source; its build fails. */
static void test_warns_of_a_patch_from_elsewhere(struct fixture *f, gconstpointer data)
{
	ks_auto(ks_conf) conf = load_good(f, ONE "PATCH[0]=../../etc/shadow\n");

	g_assert_cmpstr(conf->patches[0], ==, "../../etc/shadow");
	g_assert_cmpuint(conf->warnings->len, ==, 1);
}

static void test_refuses_what_is_not_a_conf(struct fixture *f, gconstpointer data)
{
	g_autofree char *path = faketree_path(&f->tree, "/usr/src/foo-1.0/dkms.conf");
	g_autofree char *binary =
		g_strdup_printf("%s:2: it is not text: a zero byte", path);
	g_autofree char *large = g_strdup_printf("%s:1: larger than 1048576 bytes", path);
	g_autofree char *huge = g_strnfill((1 << 20) + 1, '#');
	g_autoptr(GError) error = NULL;

	assert_bad(f, "", 1, "it is empty");
	assert_bad(f, "# nothing\n", 1, "no PACKAGE_NAME");
	g_assert_true(g_file_set_contents(path, "A=1\n\0\n", 6, NULL));
	g_assert_null(ks_conf_load(f->tree.system, NULL, "/usr/src/foo-1.0", "foo", "1.0",
				   &f->kernel, &error));
	g_assert_cmpstr(error->message, ==, binary);
	g_clear_error(&error);
	g_assert_null(load(f, huge, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_INVALID);
	g_assert_cmpstr(error->message, ==, large);
	g_clear_error(&error);
	g_assert_null(ks_conf_load(f->tree.system, NULL, "/usr/src/none", NULL, NULL,
				   &f->kernel, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_NOT_FOUND);
}

static void test_refuses_bad_modules(struct fixture *f, gconstpointer data)
{
	assert_bad(f, NAMES "BUILT_MODULE_NAME[1]=b\nDEST_MODULE_LOCATION[1]=/extra\n", 1,
		   "no BUILT_MODULE_NAME[0]");
	assert_bad(f, NAMES "BUILT_MODULE_NAME[0]=b\n", 3, "no DEST_MODULE_LOCATION[0]");
	assert_bad(f, NAMES "BUILT_MODULE_NAME=b\nDEST_MODULE_LOCATION=/etc\n", 4,
		   "DEST_MODULE_LOCATION[0] '/etc' does not begin with '/kernel', "
		   "'/updates' or '/extra'");
	assert_bad(f, NAMES "BUILT_MODULE_NAME=b\nDEST_MODULE_LOCATION=/extra/../../x\n",
		   4, "DEST_MODULE_LOCATION[0] '/extra/../../x' leads out of the tree");
	assert_bad(f,
		   NAMES "BUILT_MODULE_NAME=b\nBUILT_MODULE_LOCATION=../b\n"
			 "DEST_MODULE_LOCATION=/extra\n",
		   4, "BUILT_MODULE_LOCATION[0] '../b/' leads out of the source");
	assert_bad(f, NAMES "BUILT_MODULE_NAME=b.ko\nDEST_MODULE_LOCATION=/extra\n", 3,
		   "BUILT_MODULE_NAME[0] 'b.ko' ends in '.o' or '.ko'");
	assert_bad(f,
		   NAMES "BUILT_MODULE_NAME=b\nDEST_MODULE_NAME=../../x\n"
			 "DEST_MODULE_LOCATION=/extra\n",
		   4, "DEST_MODULE_NAME[0] '../../x' is not a module name");
	assert_bad(f, TWO "DEST_MODULE_NAME[1]=a\n", 7,
		   "DEST_MODULE_NAME[1] 'a' appears twice");
	assert_bad(f, TWO "BUILT_MODULE_NAME[1]=a\nDEST_MODULE_NAME[1]=z\n", 7,
		   "BUILT_MODULE_NAME[1] 'a' appears twice");
	assert_bad(f, ONE "BUILT_MODULE_NAME[99999999]=b\n", 5,
		   "the highest index is 99999999: no more than 1024 modules");
}

static void test_refuses_ways_out_of_the_source(struct fixture *f, gconstpointer data)
{
	assert_bad(f, ONE "POST_INSTALL='../x.sh now'\n", 5,
		   "POST_INSTALL '../x.sh now' leads out of the source");
	assert_bad(f, ONE "BUILD_DEPENDS='spl ../x'\n", 5,
		   "BUILD_DEPENDS[0] '../x' is not a name");
}

static void test_expressions_cannot_explode(struct fixture *f, gconstpointer data)
{
	g_autoptr(GString) deep = g_string_new(ONE "BUILD_EXCLUSIVE_KERNEL='");
	ks_auto(ks_conf) repeated =
		load_good(f, ONE "BUILD_EXCLUSIVE_KERNEL='((.{0,200}){0,200}){0,200}'\n");
	ks_auto(ks_conf) nested = NULL;

	g_assert_cmpint(repeated->exclusion, ==, KS_CONF_EXCLUDED_KERNEL);
	g_assert_cmpuint(repeated->warnings->len, ==, 1);
	for (int i = 0; i < 100000; i++)
		g_string_append_c(deep, '(');
	g_string_append(deep, "'\n");
	nested = load_good(f, deep->str);
	g_assert_cmpint(nested->exclusion, ==, KS_CONF_EXCLUDED_KERNEL);
	g_assert_cmpuint(strlen(nested->exclusion_text), <, 200);
}

static void test_warnings_are_bounded(struct fixture *f, gconstpointer data)
{
	g_autoptr(GString) text = g_string_new(ONE);
	ks_auto(ks_conf) conf = NULL;

	for (int i = 0; i < 4000; i++)
		g_string_append_printf(text, "PATCH[%d]=p\nPATCH_MATCH[%d]='('\n", i, i);
	conf = load_good(f, text->str);
	g_assert_cmpuint(g_strv_length(conf->patches), ==, 0);
	g_assert_cmpuint(conf->warnings->len, ==, 64);
}

static void test_names(void)
{
	static const char *const good[] = {"foo", "0~20220829+git", "1:2.0-3", "a_b.c",
					   "2.11.1.0.20170917~dfsg-8.2"};
	static const char *const bad[] = {"",	 ".",	 "..",	"a/b",	   ".a",
					  "-a",	 "a..b", "a b", "a\n",	   "a;b",
					  "a'b", "a$b",	 "a*",	"\xc3\xa4"};
	g_autofree char *long_name = g_strnfill(129, 'a');

	for (size_t i = 0; i < G_N_ELEMENTS(good); i++)
		g_assert_true(ks_name_is_plain(good[i]));
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
		g_assert_false(ks_name_is_plain(bad[i]));
	g_assert_false(ks_name_is_plain(long_name));
}

#define ADD(path, func)                                                                  \
	g_test_add("/conf/" path, struct fixture, NULL, set_up, func, tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("fields", test_fields);
	ADD("uname-is-of-the-kernel", test_uname);
	ADD("defaults", test_defaults);
	ADD("make-is-the-last-that-matches", test_make_is_the_last_that_matches);
	ADD("make-that-does-not-match-leaves-the-default",
	    test_make_that_does_not_match_leaves_the_default);
	ADD("patches-in-order-by-match", test_patches_in_order_by_match);
	ADD("digest-follows-texts-and-patches", test_digest_follows_texts_and_patches);
	ADD("exclusions-say-why", test_exclusions_say_why);
	ADD("config-is-not-asked-without-a-configuration",
	    test_config_is_not_asked_without_a_configuration);
	ADD("exclusions-of-single-modules", test_exclusions_of_single_modules);
	ADD("overrides-in-order", test_overrides_in_order);
	ADD("directives-of-the-command-line-win",
	    test_directives_of_the_command_line_win);
	ADD("another-conf-in-its-place", test_another_conf_in_its_place);
	ADD("first-exclusive-binds-all-for-dkms",
	    test_first_exclusive_binds_all_for_dkms);
	ADD("deprecated-are-listed", test_deprecated_are_listed);
	g_test_add_func("/conf/is-directive", test_is_directive);
	ADD("override-errors-name-their-file", test_override_errors_name_their_file);
	ADD("name-comes-from-the-conf", test_name_comes_from_the_conf);
	ADD("reads-without-a-kernel", test_reads_without_a_kernel);
	ADD("warns-of-another-name-and-of-what-is-old",
	    test_warns_of_another_name_and_of_what_is_old);
	ADD("warns-once-also-with-overrides", test_warns_once_also_with_overrides);
	ADD("refuses-bad-names", test_refuses_bad_names);
	ADD("goes-by-what-it-is-called", test_goes_by_what_it_is_called);
	ADD("normalizes-where-modules-go", test_normalizes_where_modules_go);
	ADD("warns-of-a-patch-from-elsewhere", test_warns_of_a_patch_from_elsewhere);
	ADD("refuses-what-is-not-a-conf", test_refuses_what_is_not_a_conf);
	ADD("refuses-bad-modules", test_refuses_bad_modules);
	ADD("refuses-ways-out-of-the-source", test_refuses_ways_out_of_the_source);
	ADD("expressions-cannot-explode", test_expressions_cannot_explode);
	ADD("warnings-are-bounded", test_warnings_are_bounded);
	g_test_add_func("/conf/names", test_names);
	return g_test_run();
}
