/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Confs that bash has to read, in the sandbox on the machine itself; state and
 * /etc/dkms are in a directory of the test.
 */
#include "core/conf/conf.h"

#include <string.h>

#include "core/settings/framework.h"
#include "core/settings/settings.h"

#include "tests/unit/faketree.h"

#define RELEASE "6.1.0-56-amd64"
#define ONE                                                                              \
	"PACKAGE_NAME=foo\nPACKAGE_VERSION=1.0\nBUILT_MODULE_NAME=foo\n"                 \
	"DEST_MODULE_LOCATION=/updates\n"

struct fixture {
	struct faketree tree;
	struct ks_system *system; /* the machine's root, the test's state */
	struct ks_settings *settings;
	struct ks_kernel kernel;
	char *source;
};

static void set_up(struct fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	faketree_set_up(&f->tree, data);
	/* the unprivileged user has to get there */
	g_assert_cmpint(g_chmod(f->tree.dir, 0755), ==, 0);
	f->system = ks_system_new("/", &error);
	g_assert_no_error(error);
	g_free(f->system->dkms_etc);
	g_free(f->system->state_dir);
	f->system->dkms_etc = g_build_filename(f->tree.dir, "src/etc/dkms", NULL);
	f->system->state_dir = g_build_filename(f->tree.dir, "state", NULL);
	f->settings = ks_settings_load(f->tree.system, KS_SETTINGS_STRICT, &error);
	g_assert_no_error(error);
	f->source = g_build_filename(f->tree.dir, "src", NULL);
	/* below the source: the sandbox has a /tmp of its own */
	f->kernel = (struct ks_kernel){
		.release = g_strdup(RELEASE),
		.arch = g_strdup("x86_64"),
		.headers_dir = g_build_filename(f->source, "headers", NULL),
	};
	faketree_mkdir(&f->tree, "/src/headers");
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	g_free(f->kernel.release);
	g_free(f->kernel.arch);
	g_free(f->kernel.headers_dir);
	g_free(f->source);
	ks_settings_free(f->settings);
	ks_system_free(f->system);
	faketree_tear_down(&f->tree, data);
}

static struct ks_conf *load(struct fixture *f, const char *text, GError **error)
{
	if (text)
		faketree_write(&f->tree, "/src/dkms.conf", text);
	return ks_conf_load(f->system, f->settings, f->source, "foo", "1.0", &f->kernel,
			    error);
}

static struct ks_conf *load_good(struct fixture *f, const char *text)
{
	g_autoptr(GError) error = NULL;
	struct ks_conf *conf = load(f, text, &error);

	g_assert_no_error(error);
	return conf;
}

static bool contains(const char *text, const char *part)
{
	return text && strstr(text, part);
}

/* Debian's v4l2loopback does this. */
static const char sources_config[] =
	ONE "if [ -f $kernel_source_dir/.config ]; then\n"
	    "  . $kernel_source_dir/.config\n"
	    "  if ! { echo \"$kernelver\"; echo 5.18; } | sort -V -C; then\n"
	    "    SYMBOL=CONFIG_VIDEO_DEV VALUE=$CONFIG_VIDEO_DEV\n"
	    "  else\n"
	    "    SYMBOL=CONFIG_VIDEO_V4L2 VALUE=$CONFIG_VIDEO_V4L2\n"
	    "  fi\n"
	    "  [ \"${VALUE:-n}\" != n ] || BUILD_EXCLUSIVE_KERNEL=\"REQUIRES $SYMBOL\"\n"
	    "fi\n";

static void test_sources_the_kernels_config(struct fixture *f, gconstpointer data)
{
	ks_auto(ks_conf) without = NULL;
	ks_auto(ks_conf) with = NULL;

	faketree_write(&f->tree, "/src/headers/.config", "CONFIG_USB=m\n");
	without = load_good(f, sources_config);
	g_assert_cmpint(without->exclusion, ==, KS_CONF_EXCLUDED_KERNEL);
	g_assert_cmpstr(without->exclusion_text, ==,
			"BUILD_EXCLUSIVE_KERNEL is 'REQUIRES CONFIG_VIDEO_DEV'");
	faketree_write(&f->tree, "/src/headers/.config", "CONFIG_VIDEO_DEV=m\n");
	with = load_good(f, NULL);
	g_assert_cmpint(with->exclusion, ==, KS_CONF_NOT_EXCLUDED);
}

static void test_sees_dkmss_variables_but_no_environment(struct fixture *f,
							 gconstpointer data)
{
	ks_auto(ks_conf) conf = load_good(
		f, ONE "MAKE=\"make $kernelver $arch $module $module_version "
		       "$(env | grep -c -e kernelver -e KMODSMITH_L -e HOME)\"\n");

	g_assert_cmpstr(conf->make, ==, "make " RELEASE " x86_64 foo 1.0 0");
}

/* For the kernel that it is read for, however it asks. */
static void test_uname(struct fixture *f, gconstpointer data)
{
	ks_auto(ks_conf) conf = load_good(
		f,
		ONE "set -eu; IFS=.\nkind=$(uname -s -m); [ -n \"$kind\" ] || exit\n"
		    "MAKE=\"make $(uname -r) `uname --kernel-release` $(/bin/uname -r) "
		    "$(bash -c 'uname -rm') $kind $(arch) $(/usr/bin/uname -v)\"\n"
		    "CLEAN='make $(echo $(uname -r))'\n");

	g_assert_cmpstr(conf->make, ==,
			"make " RELEASE " " RELEASE " " RELEASE " " RELEASE
			" x86_64 Linux x86_64 x86_64 #1 SMP");
}

static void test_cannot_write(struct fixture *f, gconstpointer data)
{
	ks_auto(ks_conf) conf = NULL;
	g_autofree char *dropped = g_build_filename(f->source, "dropped", NULL);

	if (geteuid() != 0) {
		g_test_skip("as a plain user everything runs as the caller");
		return;
	}
	g_assert_cmpint(g_chmod(f->source, 0755), ==, 0);
	conf = load_good(f, ONE
			 "MAKE=\"make $(id -u)\"\necho x > ${BASH_SOURCE%/*}/dropped\n");
	g_assert_cmpstr(conf->make, !=, "make 0");
	g_assert_false(g_file_test(dropped, G_FILE_TEST_EXISTS));
	g_assert_cmpuint(conf->warnings->len, ==, 1);
}

static void test_second_evaluation_by_bash(struct fixture *f, gconstpointer data)
{
	ks_auto(ks_conf) conf = load_good(f, ONE "MAKE='make V=$(echo $kernelver)'\n");

	g_assert_cmpstr(conf->make, ==, "make V=" RELEASE);
}

static void test_overrides_go_on_from_what_bash_read(struct fixture *f,
						     gconstpointer data)
{
	ks_auto(ks_conf) conf = NULL;

	faketree_write(&f->tree, "/src/etc/dkms/foo.conf", "MAKE=\"$MAKE more\"\n");
	faketree_write(&f->tree, "/src/etc/dkms/foo-1.0.conf",
		       "[ -n \"$MAKE\" ] && MAKE[0]+=' and more'\n");
	conf = load_good(f, ONE "MAKE=$(echo make)\n");
	g_assert_cmpstr(conf->make, ==, "make more and more");
}

static void test_complaints_are_warnings(struct fixture *f, gconstpointer data)
{
	ks_auto(ks_conf) conf = load_good(f, ONE "frobnicate\n");

	g_assert_cmpuint(conf->warnings->len, ==, 1);
	g_assert_true(contains(conf->warnings->pdata[0], "frobnicate"));
}

/* The directory's path is closed to others, or its contents are: umask 077. */
static bool close_to_others(struct fixture *f, const char *path, mode_t mode)
{
	g_autofree char *host = faketree_path(&f->tree, path);

	if (geteuid() != 0) {
		g_test_skip("as a plain user everything runs as the caller");
		return false;
	}
	g_assert_cmpint(g_chmod(host, mode), ==, 0);
	return true;
}

static void check_has_no_copies(struct fixture *f)
{
	g_autofree char *views = faketree_path(&f->tree, "/state/view");
	g_autoptr(GDir) dir = g_dir_open(views, 0, NULL);

	g_assert_nonnull(dir);
	g_assert_null(g_dir_read_name(dir));
}

#define SOURCES_A_SIBLING                                                                \
	ONE "source ./version.inc\nsource \"${BASH_SOURCE%/*}/more.inc\"\n"              \
	    "MAKE=\"make $VERSION $MORE\"\n"

static void test_reads_a_source_that_only_root_can(struct fixture *f, gconstpointer data)
{
	const char *closed = data;
	ks_auto(ks_conf) conf = NULL;

	faketree_write(&f->tree, "/src/version.inc", "VERSION=7\n");
	faketree_write(&f->tree, "/src/more.inc", "MORE=8\n");
	faketree_write(&f->tree, "/src/dkms.conf", SOURCES_A_SIBLING);
	if (!close_to_others(f, closed,
			     g_str_has_suffix(closed, ".inc") ||
					     g_str_has_suffix(closed, ".conf")
				     ? 0600
				     : 0700))
		return;
	conf = load_good(f, NULL);
	g_assert_cmpstr(conf->make, ==, "make 7 8");
	g_assert_cmpuint(conf->warnings->len, ==, 0);
	check_has_no_copies(f);
}

static void test_names_the_source_and_not_the_copy(struct fixture *f, gconstpointer data)
{
	ks_auto(ks_conf) conf = NULL;
	g_autofree char *own = g_strconcat(f->source, "/dkms.conf: line 6", NULL);

	faketree_write(&f->tree, "/src/dkms.conf", ONE "\nfrobnicate\n");
	if (!close_to_others(f, "/", 0700))
		return;
	conf = load_good(f, NULL);
	g_assert_cmpuint(conf->warnings->len, ==, 1);
	g_assert_true(contains(conf->warnings->pdata[0], own));
}

static void test_reads_an_override_that_only_root_can(struct fixture *f,
						      gconstpointer data)
{
	ks_auto(ks_conf) conf = NULL;

	faketree_write(&f->tree, "/etc/dkms/foo.conf", "MAKE+=$(echo ' and more')\n");
	g_free(f->system->dkms_etc);
	f->system->dkms_etc = faketree_path(&f->tree, "/etc/dkms");
	if (!close_to_others(f, "/etc/dkms/foo.conf", 0600))
		return;
	conf = load_good(f, ONE "MAKE=$(echo make)\n");
	g_assert_cmpstr(conf->make, ==, "make and more");
	check_has_no_copies(f);
}

static void test_leaving_bash_is_an_error(struct fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL, as_timeout = NULL;
	g_autofree char *prefix = g_strconcat(f->source, "/dkms.conf:1: ", NULL);

	g_assert_null(load(f, ONE "exit 3\n", &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_INVALID);
	g_assert_true(g_str_has_prefix(error->message, prefix));
	g_assert_true(contains(error->message, "exit status 3"));
	/* timeout(1)'s, and not that its time was over */
	g_assert_null(load(f, ONE "exit 124\n", &as_timeout));
	g_assert_true(contains(as_timeout->message, "exit status 124"));
}

static void test_values_without_end_are_an_error(struct fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(load(f, ONE "printf -v MAKE %20000000s x\n", &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_INVALID);
	g_assert_true(contains(error->message, "grow too large"));
}

/* The cached answer is used: what the conf would say now is another. */
static void test_answers_are_cached_by_their_inputs(struct fixture *f, gconstpointer data)
{
	const char *text = ONE "MAKE=\"make $(date +%s%N)\"\n";
	ks_auto(ks_conf) first = NULL;
	ks_auto(ks_conf) same = NULL;
	ks_auto(ks_conf) file = NULL;
	ks_auto(ks_conf) kernel = NULL;
	ks_auto(ks_conf) override = NULL;

	faketree_mkdir(&f->tree, "/state");
	first = load_good(f, text);
	same = load_good(f, NULL);
	g_assert_cmpstr(first->make, ==, same->make);
	faketree_write(&f->tree, "/src/VERSION", "2\n");
	file = load_good(f, NULL);
	g_assert_cmpstr(file->make, !=, same->make);
	faketree_write(&f->tree, "/src/headers/.config", "CONFIG_X=y\n");
	kernel = load_good(f, NULL);
	g_assert_cmpstr(kernel->make, !=, file->make);
	faketree_write(&f->tree, "/src/etc/dkms/foo.conf", "STRIP=no\n");
	override = load_good(f, NULL);
	g_assert_cmpstr(override->make, !=, kernel->make);
	g_assert_cmpuint(faketree_count(&f->tree, "/state/cache/conf"), ==, 1);
}

/* Evaluated again, it would fail with another message. */
static void test_failures_are_cached_by_their_inputs(struct fixture *f,
						     gconstpointer data)
{
	const char *text = ONE "date +%s%N >&2\nexit 3\n";
	g_autofree char *prefix = g_strconcat(f->source, "/dkms.conf:1: ", NULL);
	g_autoptr(GError) first = NULL;
	g_autoptr(GError) same = NULL;
	g_autoptr(GError) changed = NULL;
	ks_auto(ks_conf) mended = NULL;

	faketree_mkdir(&f->tree, "/state");
	g_assert_null(load(f, text, &first));
	g_assert_null(load(f, NULL, &same));
	g_assert_error(same, KS_ERROR, KS_ERROR_INVALID);
	g_assert_cmpstr(same->message, ==, first->message);
	g_assert_true(g_str_has_prefix(same->message, prefix));
	g_assert_true(
		g_str_has_suffix(same->message, " (remembered until the file changes)"));
	faketree_write(&f->tree, "/src/VERSION", "2\n");
	g_assert_null(load(f, NULL, &changed));
	g_assert_cmpstr(changed->message, !=, same->message);
	mended = load_good(f, ONE "MAKE=$(echo make)\n");
	g_assert_cmpstr(mended->make, ==, "make");
	g_assert_cmpuint(faketree_count(&f->tree, "/state/cache/conf"), ==, 1);
}

static void test_a_failure_that_is_not_kept_does_not_say_so(struct fixture *f,
							    gconstpointer data)
{
	g_autoptr(GError) stateless = NULL;
	g_autoptr(GError) killed = NULL;

	g_assert_null(load(f, ONE "exit 3\n", &stateless));
	g_assert_false(contains(stateless->message, "remembered"));
	/* that may have been anybody */
	faketree_mkdir(&f->tree, "/state");
	g_assert_null(load(f, ONE "kill -9 $$\n", &killed));
	g_assert_false(contains(killed->message, "remembered"));
	g_assert_cmpuint(faketree_count(&f->tree, "/state"), ==, 0);
}

static void test_memory_is_bounded(struct fixture *f, gconstpointer data)
{
	ks_auto(ks_conf) conf = load_good(f, ONE "MAKE=\"make $(ulimit -v)\"\n");

	g_assert_cmpstr(conf->make, ==, "make 1048576");
}

static void test_nothing_is_cached_where_there_is_no_state(struct fixture *f,
							   gconstpointer data)
{
	ks_auto(ks_conf) conf = load_good(f, ONE "MAKE=$(echo make)\n");

	g_assert_cmpstr(conf->make, ==, "make");
	g_assert_false(g_file_test(f->system->state_dir, G_FILE_TEST_EXISTS));
}

static void test_a_damaged_cache_is_read_anew(struct fixture *f, gconstpointer data)
{
	ks_auto(ks_conf) first = NULL;
	ks_auto(ks_conf) again = NULL;
	g_autofree char *dir = g_build_filename(f->system->state_dir, "cache/conf", NULL);
	g_autoptr(GDir) entries = NULL;
	g_autofree char *path = NULL;

	faketree_mkdir(&f->tree, "/state");
	first = load_good(f, ONE "MAKE=$(echo make)\n");
	entries = g_dir_open(dir, 0, NULL);
	g_assert_nonnull(entries);
	path = g_build_filename(dir, g_dir_read_name(entries), NULL);
	g_assert_cmpint(truncate(path, 70), ==, 0);
	again = load_good(f, NULL);
	g_assert_cmpstr(again->make, ==, "make");
}

static void test_build_environment(struct fixture *f, gconstpointer data)
{
	g_autofree char *path = g_build_filename(f->tree.dir, "src/environment", NULL);
	g_auto(GStrv) expected = NULL;
	ks_auto(ks_conf) conf = NULL;
	ks_auto(ks_conf) second = NULL;

	faketree_write(&f->tree, "/src/environment",
		       "export KCFLAGS=\"-O1  -DK=$kernelver\" MAKEFLAGS=-k\n"
		       "NOT_EXPORTED=1\nif true; then export B='two\nlines'; fi\n"
		       "f() { :; }; export -f f\n");
	f->settings->framework->build_environment = g_strdup(path);
	conf = load_good(f, ONE);
	g_assert_cmpuint(g_strv_length(conf->environment), ==, 2);
	g_assert_cmpstr(conf->environment[0], ==, "B=two\nlines");
	g_assert_cmpstr(conf->environment[1], ==, "KCFLAGS=-O1  -DK=" RELEASE);
	/* once a run */
	faketree_write(&f->tree, "/src/environment", "export KCFLAGS=other\n");
	second = load_good(f, NULL);
	g_assert_cmpuint(g_strv_length(second->environment), ==, 2);
}

static void test_build_environment_that_is_not_there(struct fixture *f,
						     gconstpointer data)
{
	ks_auto(ks_conf) conf = NULL;

	f->settings->framework->build_environment = g_strdup("/nonexistent/environment");
	conf = load_good(f, ONE);
	g_assert_null(conf->environment);
	g_assert_cmpuint(conf->warnings->len, ==, 1);
	g_assert_cmpstr(conf->warnings->pdata[0], ==,
			"build_environment: no file '/nonexistent/environment'");
}

static void test_build_environment_that_fails(struct fixture *f, gconstpointer data)
{
	g_autofree char *path = g_build_filename(f->tree.dir, "src/environment", NULL);
	g_autoptr(GError) error = NULL;

	faketree_write(&f->tree, "/src/environment", "exit 3\n");
	f->settings->framework->build_environment = g_strdup(path);
	g_assert_null(load(f, ONE, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_INVALID);
	g_assert_nonnull(
		strstr(error->message, "src/environment:1: bash cannot read it"));
}

/* A launcher in its place prints its arguments. */
static void test_the_sandbox_can_be_required(struct fixture *f, gconstpointer data)
{
	g_autofree char *program = faketree_path(&f->tree, "/libexec/sandbox");
	g_autoptr(GError) error = NULL;

	faketree_write(&f->tree, "/libexec/sandbox",
		       "#!/bin/bash\n"
		       "if grep -qz '^require=1$' /proc/self/fd/$1; then\n"
		       "	echo 'refused the fake has no layer' >&$2\n"
		       "fi\nexit 125\n");
	g_assert_cmpint(g_chmod(program, 0755), ==, 0);
	g_free(f->system->libexec_dir);
	f->system->libexec_dir = g_path_get_dirname(program);
	g_assert_null(load(f, ONE "MAKE=$(echo make)\n", &error));
	g_assert_null(strstr(error->message, "the fake has no layer"));
	g_clear_error(&error);
	f->settings->sandbox = KS_SANDBOX_REQUIRE;
	g_assert_null(load(f, NULL, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_DENIED);
	g_assert_nonnull(strstr(error->message, "the fake has no layer"));
}

#define ADD(path, func)                                                                  \
	g_test_add("/conf-bash/" path, struct fixture, NULL, set_up, func, tear_down)

int main(int argc, char **argv)
{
	/* what is closed to others: a directory on the way, the source, a file of it */
	static const char *const closed[] = {"/.", "/src", "/src/dkms.conf",
					     "/src/version.inc"};

	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	ADD("sources-the-kernels-config", test_sources_the_kernels_config);
	ADD("sees-dkmss-variables-but-no-environment",
	    test_sees_dkmss_variables_but_no_environment);
	ADD("uname-is-of-the-kernel", test_uname);
	ADD("cannot-write", test_cannot_write);
	ADD("second-evaluation-by-bash", test_second_evaluation_by_bash);
	ADD("overrides-go-on-from-what-bash-read",
	    test_overrides_go_on_from_what_bash_read);
	ADD("complaints-are-warnings", test_complaints_are_warnings);
	for (size_t i = 0; i < G_N_ELEMENTS(closed); i++) {
		g_autofree char *path = g_strconcat(
			"/conf-bash/reads-a-source-that-only-root-can:", closed[i] + 1,
			NULL);

		g_test_add(path, struct fixture, closed[i], set_up,
			   test_reads_a_source_that_only_root_can, tear_down);
	}
	ADD("names-the-source-and-not-the-copy", test_names_the_source_and_not_the_copy);
	ADD("reads-an-override-that-only-root-can",
	    test_reads_an_override_that_only_root_can);
	ADD("leaving-bash-is-an-error", test_leaving_bash_is_an_error);
	ADD("values-without-end-are-an-error", test_values_without_end_are_an_error);
	ADD("answers-are-cached-by-their-inputs",
	    test_answers_are_cached_by_their_inputs);
	ADD("failures-are-cached-by-their-inputs",
	    test_failures_are_cached_by_their_inputs);
	ADD("a-failure-that-is-not-kept-does-not-say-so",
	    test_a_failure_that_is_not_kept_does_not_say_so);
	ADD("memory-is-bounded", test_memory_is_bounded);
	ADD("nothing-is-cached-where-there-is-no-state",
	    test_nothing_is_cached_where_there_is_no_state);
	ADD("a-damaged-cache-is-read-again", test_a_damaged_cache_is_read_anew);
	ADD("build-environment", test_build_environment);
	ADD("build-environment-that-is-not-there",
	    test_build_environment_that_is_not_there);
	ADD("build-environment-that-fails", test_build_environment_that_fails);
	ADD("the-sandbox-can-be-required", test_the_sandbox_can_be_required);
	return g_test_run();
}
