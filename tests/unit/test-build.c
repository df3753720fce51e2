/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Real builds in the real sandbox: the machine's own "/" with its make, the
 * working directories in a scratch place, a kernel that is only described, and
 * makefiles that put the playground's modules where a compiler would.
 */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "core/compile/compile-private.h"
#include "core/compile/build.h"
#include "core/memo/memo-private.h"
#include "core/memo/memo.h"
#include "core/jobs/wrapper.h"
#include "core/sandbox/sandbox.h"
#include "core/sign/finish.h"
#include "core/state/tree.h"
#include "core/platform/digest.h"
#include "core/support/error.h"
#include "tests/unit/faketree.h"

#define RELEASE "6.1.0-1-play"
#define SYMVERS                                                                          \
	"0x11111111\tmodule_layout\tvmlinux\tEXPORT_SYMBOL\t\n"                          \
	"0x22222222\tplay_kernel_call\tvmlinux\tEXPORT_SYMBOL\t\n"                       \
	"0x00000000\tplay_kernel_call_without_crc\tvmlinux\tEXPORT_SYMBOL\t\n"

struct fixture {
	struct faketree tree; /* only its directory */
	struct ks_system *system;
	struct utsname machine;
	struct ks_kernel kernel;
	struct ks_conf conf;
	struct ks_conf_module module;
	struct ks_settings settings;
	struct ks_jobserver *jobserver;
	struct ks_build_request request;
	char *staged_dir; /* of the last good build */
};

static void move_directory(char **dir, struct faketree *tree, const char *path)
{
	g_free(*dir);
	*dir = faketree_path(tree, path);
}

static void copy_module(struct fixture *f, const char *name, const char *to)
{
	g_autofree char *from = g_test_build_filename(G_TEST_BUILT, "tests", "unit",
						      "modules", name, NULL);
	g_autofree char *full = faketree_path(&f->tree, to);
	g_autofree char *data = NULL;
	size_t size;

	g_assert_true(g_file_get_contents(from, &data, &size, NULL));
	g_assert_true(g_file_set_contents(full, data, (gssize)size, NULL));
}

static bool has(struct fixture *f, const char *path)
{
	g_autofree char *full = g_strconcat(f->tree.dir, path, NULL);
	struct stat st;

	return lstat(full, &st) == 0;
}

static void set_up_system(struct fixture *f)
{
	f->system = ks_system_new("/", NULL);
	g_assert_nonnull(f->system);
	move_directory(&f->system->dkms_tree, &f->tree, "/T");
	move_directory(&f->system->source_tree, &f->tree, "/src");
	move_directory(&f->system->install_tree, &f->tree, "/modules");
	move_directory(&f->system->dkms_etc, &f->tree, "/etc-dkms");
	move_directory(&f->system->state_dir, &f->tree, "/state");
	move_directory(&f->system->run_dir, &f->tree, "/run");
}

static void set_up(struct fixture *f, gconstpointer data)
{
	faketree_set_up(&f->tree, NULL);
	/* The build uid has to get through it. */
	g_assert_cmpint(g_chmod(f->tree.dir, 0755), ==, 0);
	set_up_system(f);
	g_assert_cmpint(uname(&f->machine), ==, 0);
	f->kernel = (struct ks_kernel){
		.release = (char *)RELEASE,
		.arch = f->machine.machine,
		.modules_dir = (char *)"/lib/modules/" RELEASE,
		.headers_dir = (char *)"/lib/modules/" RELEASE "/build",
		.symvers_path = faketree_path(&f->tree, "/headers/Module.symvers"),
		.module_suffix = (char *)".ko",
		.config = g_hash_table_new(g_str_hash, g_str_equal),
	};
	faketree_write(&f->tree, "/headers/Module.symvers", SYMVERS);
	f->module = (struct ks_conf_module){
		.built_name = (char *)"good",
		.built_location = (char *)"out/",
		.dest_name = (char *)"play-good",
		.dest_location = (char *)"/kernel/misc",
	};
	f->conf = (struct ks_conf){
		.package_name = (char *)"play",
		.package_version = (char *)"1.0",
		.modules = g_ptr_array_new(),
		.make = (char *)"make all",
		.text_digest = (char *)"00",
	};
	g_ptr_array_add(f->conf.modules, &f->module);
	f->settings.build_timeout_s = 60;
	f->settings.modules = g_hash_table_new(g_str_hash, g_str_equal);
	f->settings.n_jobs = 2;
	f->jobserver = ks_jobserver_new(2, NULL);
	f->request = (struct ks_build_request){
		.module = "play",
		.version = "1.0",
		.source_dir = faketree_path(&f->tree, "/src/play-1.0"),
		.kernel = &f->kernel,
		.conf = &f->conf,
		.fingerprint = "f1",
		.private_build = ks_sandbox_can_mount(f->system),
	};
	faketree_write(&f->tree, "/src/play-1.0/Makefile",
		       "all:\n\tmkdir -p out\n\tcp prebuilt.ko out/good.ko\n"
		       "\techo KR=$(KERNELRELEASE); pwd; echo 0x1 sym mod EXPORT > "
		       "Module.symvers\n");
	copy_module(f, "play-good.ko", "/src/play-1.0/prebuilt.ko");
	faketree_mkdir(&f->tree, "/T/play/1.0");
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	ks_jobserver_free(f->jobserver);
	g_ptr_array_unref(f->conf.modules);
	g_hash_table_unref(f->kernel.config);
	g_hash_table_unref(f->settings.modules);
	g_free(f->kernel.symvers_path);
	g_free(f->kernel.uname);
	g_free((char *)f->request.source_dir);
	g_free(f->staged_dir);
	ks_system_free(f->system);
	faketree_tear_down(&f->tree, NULL);
}

static struct ks_build *start(struct fixture *f)
{
	g_autoptr(GError) error = NULL;
	struct ks_build *build = ks_build_start(f->system, &f->settings, f->jobserver,
						&f->request, &error);

	g_assert_no_error(error);
	g_assert_nonnull(build);
	return build;
}

/* Drive the build as the engine does. */
static struct ks_build_result *drive(struct ks_build *build)
{
	struct ks_build_result *result = NULL;
	bool over = false;

	while (!over) {
		struct pollfd pollfd = {.fd = ks_build_poll_fd(build), .events = POLLIN};

		g_assert_cmpint(poll(&pollfd, 1, 60000), ==, 1);
		over = ks_build_advance(build, &result);
	}
	g_assert_nonnull(result);
	return result;
}

static struct ks_build_result *run(struct fixture *f)
{
	ks_auto(ks_build) build = start(f);
	struct ks_build_result *result = drive(build);

	/* whatever happened, no token is lost and nothing is left over */
	g_assert_cmpuint(ks_jobserver_refill(f->jobserver), ==, 0);
	g_autofree char *work = faketree_path(&f->tree, "/state/build");
	g_autoptr(GPtrArray) left = ks_root_list(f->system->root, work, NULL);
	g_assert_cmpuint(left->len, ==, 0);
	return result;
}

static char *read_file(const char *path)
{
	char *text = NULL;

	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	return text;
}

static void assert_failed(const struct ks_build_result *result, const char *step,
			  const char *message)
{
	g_assert_false(result->ok);
	g_assert_cmpstr(result->step, ==, step);
	if (!strstr(result->message, message))
		g_error("'%s' is not in '%s'", message, result->message);
}

static void test_success(struct fixture *f, gconstpointer data)
{
	ks_auto(ks_build_result) result = run(f);

	if (!result->ok)
		g_error("%s: %s (%s)", result->step, result->message,
			result->first_error);
	g_autofree char *module =
		g_build_filename(result->staged_dir, "module/play-good.ko", NULL);
	g_autofree char *symvers =
		g_build_filename(result->staged_dir, "module/Module.symvers", NULL);
	g_autofree char *log = g_build_filename(result->staged_dir, "log/make.log", NULL);
	g_autofree char *manifest =
		g_build_filename(result->staged_dir, "manifest", NULL);
	g_autofree char *text = read_file(log);
	struct stat st;

	g_assert_cmpint(lstat(module, &st), ==, 0);
	g_assert_true(S_ISREG(st.st_mode));
	g_assert_cmpint(st.st_mode & 07777, ==, 0644);
	g_assert_cmpint(st.st_uid, ==, geteuid());
	g_assert_true(g_file_test(symvers, G_FILE_TEST_IS_REGULAR));
	g_assert_true(g_file_test(manifest, G_FILE_TEST_IS_REGULAR));

	g_assert_true(g_str_has_prefix(text, "DKMS (kmodsmith-"));
	g_assert_nonnull(
		strstr(text, ") make.log for play/1.0 for kernel " RELEASE " ("));
	g_assert_nonnull(
		strstr(text, "\n# command: make -j2 KERNELRELEASE=" RELEASE " all\n"));
	g_assert_nonnull(strstr(text, "\nKR=" RELEASE "\n"));
	g_assert_nonnull(strstr(text, "\n# exit code: 0\n# elapsed time: 00:00:0"));
	/* it saw itself at T/M/V/build */
	g_autofree char *build_path = faketree_path(&f->tree, "/T/play/1.0/build\n");
	g_assert_nonnull(strstr(text, build_path));

	g_assert_cmpstr(result->manifest->build_fingerprint, ==, "f1");
	g_assert_cmpuint(result->manifest->files->len, ==, 1);
	const struct ks_manifest_file *file = result->manifest->files->pdata[0];
	g_assert_cmpstr(file->name, ==, "play-good.ko");
	g_assert_cmpstr(file->dest_dir, ==, "/lib/modules/" RELEASE "/kernel/misc");
	g_assert_cmpstr(file->sha256, ==, file->built_sha256);
	g_assert_cmpuint(file->size_bytes, ==, st.st_size);
	g_assert_cmpuint(g_strv_length(file->aliases), ==, 2);
	g_assert_cmpint(result->layers & KS_SANDBOX_SECCOMP, !=, 0);
}

static void test_compressed(struct fixture *f, gconstpointer data)
{
	f->kernel.module_suffix = (char *)".ko.xz";
	f->request.dest_dir = "/lib/modules/" RELEASE "/updates/dkms";
	ks_auto(ks_build_result) result = run(f);

	if (!result->ok)
		g_error("%s: %s (%s)", result->step, result->message,
			result->first_error);
	g_autofree char *xz =
		g_build_filename(result->staged_dir, "module/play-good.ko.xz", NULL);
	g_autofree char *plain =
		g_build_filename(result->staged_dir, "module/play-good.ko", NULL);
	const struct ks_manifest_file *file = result->manifest->files->pdata[0];

	g_assert_true(g_file_test(xz, G_FILE_TEST_IS_REGULAR));
	g_assert_false(g_file_test(plain, G_FILE_TEST_EXISTS));
	g_assert_cmpstr(file->name, ==, "play-good.ko.xz");
	g_assert_cmpstr(file->dest_dir, ==, f->request.dest_dir);
	g_assert_cmpstr(file->sha256, !=, file->built_sha256);
}

static void test_failure_is_kept(struct fixture *f, gconstpointer data)
{
	faketree_write(
		&f->tree, "/src/play-1.0/Makefile",
		"all:\n\t@echo 'x.c:1:2: error: no such thing'; chmod 4777 prebuilt.ko; "
		"mkdir -m 777 open; ln -s /etc/passwd make.log; exit 3\n");
	ks_auto(ks_build_result) result = run(f);
	struct stat st;

	assert_failed(result, "make", "exit status 2");
	g_assert_cmpint(result->reason, ==, KS_REASON_BUILD_FAILED);
	g_assert_cmpstr(result->first_error, ==, "x.c:1:2: error: no such thing");
	g_autofree char *log = faketree_path(&f->tree, "/T/play/1.0/build/make.log");
	g_autofree char *module =
		faketree_path(&f->tree, "/T/play/1.0/build/prebuilt.ko");
	g_autofree char *release = faketree_path(&f->tree, "/T/play/1.0/" RELEASE);
	g_autoptr(GPtrArray) staged = ks_root_list(f->system->root, release, NULL);

	g_assert_cmpstr(result->log_path, ==, log);
	g_autofree char *text = read_file(log);
	g_assert_nonnull(strstr(text, "# exit code: 2"));
	g_assert_cmpint(lstat(log, &st), ==, 0);
	g_assert_true(S_ISREG(st.st_mode));
	g_assert_cmpint(lstat(module, &st), ==, 0);
	g_assert_cmpint(st.st_uid, ==, geteuid());
	if (geteuid() == 0) {
		g_autofree char *dir = faketree_path(&f->tree, "/T/play/1.0/build/open");

		g_assert_cmpint(st.st_mode & 07022, ==, 0);
		g_assert_cmpint(stat(dir, &st), ==, 0);
		g_assert_cmpint(st.st_mode & 0777, ==, 0755);
	}
	g_assert_cmpuint(staged->len, ==, 0);

	/* a good build of the same target forgets it */
	faketree_write(&f->tree, "/src/play-1.0/Makefile",
		       "all:\n\tmkdir -p out\n\tcp prebuilt.ko out/good.ko\n");
	ks_auto(ks_build_result) good = run(f);
	g_assert_true(good->ok);
	g_assert_false(g_file_test(log, G_FILE_TEST_EXISTS));
}

/* At T/M/V/build the later failure replaces the earlier one. */
static void test_each_kernel_has_its_own_log(struct fixture *f, gconstpointer data)
{
	faketree_write(&f->tree, "/src/play-1.0/Makefile",
		       "all:\n\t@echo 'failed on $(KERNELRELEASE)'; false\n");
	ks_auto(ks_build_result) first = run(f);
	f->kernel.release = (char *)RELEASE "-other";
	ks_auto(ks_build_result) second = run(f);
	g_autofree char *log_of_first = read_file(first->failure_log_path);
	g_autofree char *log_of_second = read_file(second->failure_log_path);

	g_assert_false(first->ok || second->ok);
	g_assert_cmpstr(first->log_path, ==, second->log_path);
	g_assert_nonnull(strstr(log_of_first, "\nfailed on " RELEASE "\n"));
	g_assert_nonnull(strstr(log_of_second, "\nfailed on " RELEASE "-other\n"));
	g_assert_null(strstr(log_of_first, RELEASE "-other"));
}

static void test_refused_sandbox_is_outside(struct fixture *f, gconstpointer data)
{
	g_autofree char *launcher = faketree_path(&f->tree, "/libexec/sandbox");

	faketree_write(
		&f->tree, "/libexec/sandbox",
		"#!/bin/bash\necho \"refused the layer 'uid' is not available: no\" "
		">&\"$2\"\n");
	g_assert_cmpint(g_chmod(launcher, 0755), ==, 0);
	move_directory(&f->system->libexec_dir, &f->tree, "/libexec");
	ks_auto(ks_build_result) result = run(f);
	assert_failed(result, "make", "the layer 'uid' is not available");
	g_assert_error(result->outside, KS_ERROR, KS_ERROR_DENIED);
	g_assert_nonnull(strstr(ks_error_get_hint(result->outside), "sandbox = auto"));
}

/* The first step has the real launcher, the next one this script. */
static void use_failing_launcher(struct fixture *f, const char *script)
{
	g_autofree char *real = g_build_filename(f->system->libexec_dir, "sandbox", NULL);
	g_autofree char *mark = faketree_path(&f->tree, "/libexec/used");
	g_autofree char *launcher = faketree_path(&f->tree, "/libexec/sandbox");
	g_autofree char *text = g_strdup_printf(
		"#!/bin/bash\n[ -e '%s' ] || { : >'%s'; exec '%s' \"$@\"; }\n%s\n", mark,
		mark, real, script);

	faketree_write(&f->tree, "/libexec/sandbox", text);
	g_assert_cmpint(g_chmod(launcher, 0755), ==, 0);
	move_directory(&f->system->libexec_dir, &f->tree, "/libexec");
	f->module.strip = true; /* a step after make */
}

static void test_failing_launcher_is_outside(struct fixture *f, gconstpointer data)
{
	static const struct {
		const char *script, *message;
		bool is_outside;
	} cases[] = {
		{"kill -9 $$", "the launcher was killed", true},
		{"echo 'error 12 cannot fork' >&$2", "cannot fork", true},
		{"echo 'refused no uid' >&$2", "no uid", true},
		{"printf 'out-of-memory machine\nstatus 9\n' >&$2",
		 "the machine's memory", true},
		{"printf 'out-of-memory own\nstatus 9\n' >&$2", "a build may use", false},
		{"echo 'unusable 13 cannot change to there' >&$2", "cannot change",
		 false},
	};
	char *libexec_dir = f->system->libexec_dir;

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		f->system->libexec_dir = g_strdup(libexec_dir);
		use_failing_launcher(f, cases[i].script);
		ks_auto(ks_build_result) result = run(f);
		assert_failed(result, "strip", cases[i].message);
		g_assert_cmpint(result->outside != NULL, ==, cases[i].is_outside);
		/* such errors are not reported again after the build's own end */
		g_assert_false(g_error_matches(result->outside, KS_ERROR,
					       KS_ERROR_BUILD_FAILED));
		g_free(f->system->libexec_dir);
		g_autofree char *mark = faketree_path(&f->tree, "/libexec/used");
		g_assert_cmpint(g_unlink(mark), ==, 0);
	}
	f->system->libexec_dir = libexec_dir;
}

static void test_locked_out_by_a_step(struct fixture *f, gconstpointer data)
{
	if (geteuid() != 0) {
		g_test_skip("only root gets into a directory of mode 0");
		return;
	}
	f->module.strip = true; /* a step after make */
	faketree_write(&f->tree, "/src/play-1.0/Makefile", "all:\n\tchmod 000 .\n");
	ks_auto(ks_build_result) result = run(f);
	assert_failed(result, "strip", "cannot change to");
	g_assert_no_error(result->outside);
	g_assert_true(has(f, "/T/play/1.0/build/prebuilt.ko"));
}

static void test_endless_log(struct fixture *f, gconstpointer data)
{
	faketree_write(&f->tree, "/src/play-1.0/Makefile",
		       "all:\n\t@echo the beginning; truncate -s 1G /dev/stderr\n"
		       "\t@echo the end; exit 1\n");
	ks_auto(ks_build_result) result = run(f);
	struct stat st;

	g_assert_false(result->ok);
	g_assert_cmpint(stat(result->log_path, &st), ==, 0);
	g_assert_cmpint(st.st_size, <, 50 << 20);
	g_autofree char *text = NULL;
	gsize size;
	g_assert_true(g_file_get_contents(result->log_path, &text, &size, NULL));
	g_assert_nonnull(strstr(text, "the beginning\n"));
	g_assert_nonnull(memmem(text + size - 1000, 1000, "the end\n", 8));
}

static void test_not_produced(struct fixture *f, gconstpointer data)
{
	f->module.built_name = (char *)"absent";
	ks_auto(ks_build_result) result = run(f);

	assert_failed(result, "collect", "'out/absent.ko'");
	g_assert_no_error(result->outside);
}

static void test_link_is_not_followed(struct fixture *f, gconstpointer data)
{
	faketree_write(&f->tree, "/src/play-1.0/Makefile",
		       "all:\n\tmkdir out; ln -s /etc/passwd out/good.ko\n");
	ks_auto(ks_build_result) result = run(f);

	assert_failed(result, "collect", "symbolic link");
	g_assert_no_error(result->outside);
	g_autofree char *log = read_file(result->log_path);
	g_assert_nonnull(strstr(log, "symbolic link"));
}

static void test_directory_link_is_not_followed(struct fixture *f, gconstpointer data)
{
	g_autofree char *target = faketree_path(&f->tree, "/elsewhere");

	faketree_mkdir(&f->tree, "/elsewhere");
	copy_module(f, "play-good.ko", "/elsewhere/good.ko");
	faketree_link(&f->tree, target, "/src/play-1.0/out");
	faketree_write(&f->tree, "/src/play-1.0/Makefile", "all:\n\ttrue\n");
	ks_auto(ks_build_result) result = run(f);

	assert_failed(result, "collect", "symbolic link");
}

static void test_fifo_does_not_stop_us(struct fixture *f, gconstpointer data)
{
	faketree_write(&f->tree, "/src/play-1.0/Makefile",
		       "all:\n\tmkdir out; mkfifo out/good.ko\n");
	ks_auto(ks_build_result) result = run(f);

	assert_failed(result, "collect", "regular file");
	g_assert_no_error(result->outside);
}

static void test_sparse_modules(struct fixture *f, gconstpointer data)
{
	struct ks_conf_module another = f->module;

	another.built_name = another.dest_name = (char *)"another";
	g_ptr_array_add(f->conf.modules, &another);
	f->settings.build_size_mib = 5;
	faketree_write(&f->tree, "/src/play-1.0/Makefile",
		       "all:\n\tmkdir out; truncate -s 3M out/good.ko out/another.ko\n");
	ks_auto(ks_build_result) result = run(f);

	assert_failed(result, "collect", "larger than 'build-size', 5 MiB");
	g_assert_no_error(result->outside);
	/* the place it was staged in is gone, too */
	g_assert_false(has(f, "/T/play/1.0/" RELEASE));
}

static void test_no_directory(struct fixture *f, gconstpointer data)
{
	faketree_write(&f->tree, "/src/play-1.0/Makefile", "all:\n\ttouch out\n");
	ks_auto(ks_build_result) result = run(f);

	assert_failed(result, "collect", "Not a directory");
	g_assert_no_error(result->outside);
}

static void test_symvers_are_gone(struct fixture *f, gconstpointer data)
{
	g_assert_cmpint(g_unlink(f->kernel.symvers_path), ==, 0);
	ks_auto(ks_build_result) result = run(f);

	assert_failed(result, "verify", "Module.symvers'");
	g_assert_true(has(f, "/T/play/1.0/build/make.log"));
	g_assert_false(has(f, "/T/play/1.0/build/Makefile"));
	g_assert_error(result->outside, KS_ERROR, KS_ERROR_NOT_FOUND);
}

/* The worker that reads and compresses the module ends as the script does. */
static void test_failing_inspector(struct fixture *f, gconstpointer data)
{
	static const struct {
		const char *check, *compress, *message;
		bool is_outside;
	} cases[] = {
		{"kill -9 $$", "", "killed by signal 9", true},
		{"kill -SEGV $$", "", "killed by signal 11", false},
		{"printf 'error=cannot make a memory file\n\n'", "", "memory file", true},
		{"printf 'rubbish\n'", "", "cannot understand", false},
		{"printf 'module=0\n\nend=1\n\n'",
		 "echo 'cannot write the module file: No space left on device' >&2; exit "
		 "1",
		 "No space left on device", true},
		{"printf 'module=0\n\nend=1\n\n'", "kill -9 $$", "killed by signal 9",
		 true},
	};
	g_autofree char *sandbox =
		g_build_filename(f->system->libexec_dir, "sandbox", NULL);
	g_autofree char *inspector = faketree_path(&f->tree, "/libexec/inspect");

	faketree_link(&f->tree, sandbox, "/libexec/sandbox");
	move_directory(&f->system->libexec_dir, &f->tree, "/libexec");
	f->kernel.module_suffix = (char *)".ko.xz";
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *text = g_strdup_printf(
			"#!/bin/bash\nif [ $1 = check ]; then %s; else :; %s; fi\n",
			cases[i].check,
			*cases[i].compress ? cases[i].compress : "exit 1");

		faketree_write(&f->tree, "/libexec/inspect", text);
		g_assert_cmpint(g_chmod(inspector, 0755), ==, 0);
		ks_auto(ks_build_result) result = run(f);
		assert_failed(result, "verify", cases[i].message);
		g_assert_cmpint(result->outside != NULL, ==, cases[i].is_outside);
	}
}

static void test_wrong_module(struct fixture *f, gconstpointer data)
{
	copy_module(f, "play-other-release.ko", "/src/play-1.0/prebuilt.ko");
	ks_auto(ks_build_result) result = run(f);

	assert_failed(result, "verify", "'play-good.ko'");
	g_assert_no_error(result->outside);
	g_assert_cmpint(result->reason, ==, KS_REASON_VERIFY_FAILED);
	/* the place it was staged in is gone, too */
	g_assert_false(has(f, "/T/play/1.0/" RELEASE));
}

/* Add play-user beside play-good, built from another of the playground's objects. */
static void add_user(struct fixture *f, const char *object)
{
	static struct ks_conf_module user = {
		.built_name = (char *)"user",
		.built_location = (char *)"out/",
		.dest_name = (char *)"play-user",
		.dest_location = (char *)"/kernel/misc",
	};

	g_ptr_array_add(f->conf.modules, &user);
	copy_module(f, object, "/src/play-1.0/user.ko");
	faketree_write(&f->tree, "/src/play-1.0/Makefile",
		       "all:\n\tmkdir -p out\n\tcp prebuilt.ko out/good.ko\n"
		       "\tcp user.ko out/user.ko\n");
}

/* A kernel upgrade must not cost the modules that are good. */
static void test_unresolved_beside_good(struct fixture *f, gconstpointer data)
{
	add_user(f, "play-user.ko");
	faketree_write(&f->tree, "/headers/Module.symvers",
		       "0x11111111\tmodule_layout\t"
		       "vmlinux\tEXPORT_SYMBOL\t\n");
	ks_auto(ks_build_result) result = run(f);

	if (!result->ok)
		g_error("%s: %s", result->step, result->message);
	const struct ks_manifest_file *good = result->manifest->files->pdata[0];
	const struct ks_manifest_file *user = result->manifest->files->pdata[1];

	g_assert_cmpstr(good->unresolved, ==,
			"symbols 'play_kernel_call', 'play_kernel_call_without_crc' are "
			"exported by nothing");
	g_assert_cmpstr(user->unresolved, ==, NULL);
	g_assert_cmpuint(result->warnings->len, ==, 0);
	/* and it is known later */
	g_autofree char *path = g_build_filename(result->staged_dir, "manifest", NULL);
	ks_auto(ks_manifest) again = ks_manifest_load(f->system, path, NULL);
	g_autofree char *words = ks_manifest_unresolved(again);
	g_assert_cmpstr(words, ==,
			"'play-good.ko': symbols 'play_kernel_call', "
			"'play_kernel_call_without_crc' are exported by nothing");
}

static void test_unresolved_alone(struct fixture *f, gconstpointer data)
{
	copy_module(f, "play-user.ko", "/src/play-1.0/prebuilt.ko");
	ks_auto(ks_build_result) result = run(f);

	if (!result->ok)
		g_error("%s: %s", result->step, result->message);
	const struct ks_manifest_file *file = result->manifest->files->pdata[0];
	g_assert_cmpstr(file->unresolved, ==,
			"symbol 'play_good_call' is exported by nothing");
	g_assert_cmpuint(g_strv_length(file->missing), ==, 1);
	g_assert_true(g_str_has_suffix(file->missing[0], " play_good_call"));
}

/* A module that replaces the kernel's own may come, with the CRCs that it was built for. */
static void test_other_crcs(struct fixture *f, gconstpointer data)
{
	copy_module(f, "play-stale.ko", "/src/play-1.0/prebuilt.ko");
	ks_auto(ks_build_result) result = run(f);

	if (!result->ok)
		g_error("%s: %s", result->step, result->message);
	const struct ks_manifest_file *file = result->manifest->files->pdata[0];
	g_assert_nonnull(file->unresolved);
	g_assert_cmpuint(g_strv_length(file->missing), >=, 1);
}

/* A module for another kernel, and a file that is no module: something went wrong. */
static void test_wrong_beside_good(struct fixture *f, gconstpointer data)
{
	static const char *const wrong[] = {"play-other-release.ko",
					    "play-not-a-module.ko"};

	add_user(f, "play-user.ko");
	for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
		copy_module(f, wrong[i], "/src/play-1.0/user.ko");
		ks_auto(ks_build_result) result = run(f);

		assert_failed(result, "verify", "'play-user.ko'");
		g_assert_cmpint(result->reason, ==, KS_REASON_VERIFY_FAILED);
	}
}

static void test_rubbish_module(struct fixture *f, gconstpointer data)
{
	faketree_write(&f->tree, "/src/play-1.0/prebuilt.ko", "not a module\n");
	ks_auto(ks_build_result) result = run(f);

	assert_failed(result, "verify", "'play-good.ko'");
	g_assert_cmpint(result->reason, ==, KS_REASON_VERIFY_FAILED);
}

static void test_excluded_module(struct fixture *f, gconstpointer data)
{
	struct ks_conf_module excluded = {
		.built_name = (char *)"never",
		.built_location = (char *)"",
		.dest_name = (char *)"never",
		.dest_location = (char *)"/extra",
		.excluded = (char *)"needs another kernel",
	};

	g_ptr_array_insert(f->conf.modules, 0, &excluded);
	ks_auto(ks_build_result) result = run(f);
	g_assert_true(result->ok);
	g_assert_cmpuint(result->manifest->files->len, ==, 1);
}

static void fail_to_compile(struct fixture *f)
{
	faketree_write(&f->tree, "/src/play-1.0/Makefile", "all:\n\tfalse\n");
}

/* Equal fingerprints give the same module: nobody looks at the source. */
static void test_built_once(struct fixture *f, gconstpointer data)
{
	g_autofree char *fingerprint = g_strnfill(64, 'e');

	f->request.fingerprint = fingerprint;
	f->request.use_store = f->request.keep_in_store = true;
	ks_auto(ks_build_result) first = run(f);
	g_assert_true(first->ok);
	g_assert_false(first->reused);
	fail_to_compile(f);
	ks_auto(ks_build_result) second = run(f);
	g_assert_true(second->ok);
	g_assert_true(second->reused);
	const struct ks_manifest_file *a = first->manifest->files->pdata[0];
	const struct ks_manifest_file *b = second->manifest->files->pdata[0];
	g_assert_cmpstr(a->sha256, ==, b->sha256);
	g_assert_cmpstr(a->built_sha256, ==, b->built_sha256);
	g_assert_cmpint(first->manifest->build_duration_ms, ==,
			second->manifest->build_duration_ms);
	g_assert_cmpstr(first->manifest->sandbox_layers, ==,
			second->manifest->sandbox_layers);
	g_autofree char *log = g_build_filename(second->staged_dir, "log/make.log", NULL);
	g_assert_true(g_file_test(log, G_FILE_TEST_IS_REGULAR));

	f->request.use_store = false;
	ks_auto(ks_build_result) third = run(f);
	g_assert_false(third->ok);
}

/* Modules that cannot be loaded, and failed builds, are not stored. */
/* Back from a newer kernel: the module built for this one is still there. */
static void test_an_older_kernel_is_not_built_again(struct fixture *f, gconstpointer data)
{
	g_autofree char *fingerprint = g_strnfill(64, 'a');
	g_autofree char *newer_fingerprint = g_strnfill(64, 'b');

	f->request.use_store = f->request.keep_in_store = true;
	f->request.fingerprint = fingerprint;
	ks_auto(ks_build_result) first = run(f);
	g_assert_true(first->ok);
	g_assert_false(first->reused);
	f->request.fingerprint = newer_fingerprint;
	ks_auto(ks_build_result) newer = run(f);
	g_assert_true(newer->ok);
	g_assert_false(newer->reused);
	fail_to_compile(f);
	f->request.fingerprint = fingerprint;
	ks_auto(ks_build_result) back = run(f);
	g_assert_true(back->ok);
	g_assert_true(back->reused);
	const struct ks_manifest_file *a = first->manifest->files->pdata[0];
	const struct ks_manifest_file *b = back->manifest->files->pdata[0];
	g_assert_cmpstr(a->sha256, ==, b->sha256);
}

/* Its own store is empty: another root's has the module, and keeps it. */
static void test_a_second_root_takes_what_the_first_built(struct fixture *f,
							  gconstpointer data)
{
	g_autofree char *fingerprint = g_strnfill(64, 'c');
	ks_auto(ks_system) first_root = ks_system_new("/", NULL);

	move_directory(&first_root->state_dir, &f->tree, "/state");
	f->request.fingerprint = fingerprint;
	f->request.use_store = f->request.keep_in_store = true;
	ks_auto(ks_build_result) first = run(f);
	g_assert_true(first->ok);
	fail_to_compile(f);

	move_directory(&f->system->state_dir, &f->tree, "/second/state");
	ks_auto(ks_build) alone = start(f);
	ks_auto(ks_build_result) built = drive(alone);
	g_assert_false(built->ok);
	f->request.other_store = first_root;
	ks_auto(ks_build) helped = start(f);
	ks_auto(ks_build_result) taken = drive(helped);
	g_assert_true(taken->ok);
	g_assert_true(taken->reused);
	g_assert_cmpstr(taken->manifest->build_fingerprint, ==, fingerprint);
	const struct ks_manifest_file *a = first->manifest->files->pdata[0];
	const struct ks_manifest_file *b = taken->manifest->files->pdata[0];
	g_assert_cmpstr(a->sha256, ==, b->sha256);
	g_autofree char *kept = g_strconcat("/state/store/", fingerprint, NULL);
	g_assert_true(has(f, kept));
}

static void test_failures_are_not_stored(struct fixture *f, gconstpointer data)
{
	g_autofree char *fingerprint = g_strnfill(64, 'e');

	f->request.fingerprint = fingerprint;
	f->request.use_store = f->request.keep_in_store = true;
	copy_module(f, "play-other-release.ko", "/src/play-1.0/prebuilt.ko");
	ks_auto(ks_build_result) refused = run(f);
	g_assert_false(refused->ok);
	fail_to_compile(f);
	ks_auto(ks_build_result) failed = run(f);
	g_assert_false(failed->ok);
	g_assert_cmpuint(faketree_count(&f->tree, "/state/store"), ==, 0);
}

/* A trial leaves what an earlier failure left alone. */
static void test_trial(struct fixture *f, gconstpointer data)
{
	g_autofree char *log = faketree_path(&f->tree, "/T/play/1.0/build/make.log");

	if (!f->request.private_build) {
		g_test_skip("no mount namespace to be had here");
		return;
	}
	fail_to_compile(f);
	ks_auto(ks_build_result) first = run(f);
	g_assert_false(first->ok);
	g_autofree char *before = read_file(log);
	f->request.is_trial = true;
	ks_auto(ks_build_result) second = run(f);
	g_assert_false(second->ok);
	g_assert_null(second->failure_log_path);
	faketree_write(&f->tree, "/src/play-1.0/Makefile",
		       "all:\n\tmkdir -p out\n\tcp prebuilt.ko out/good.ko\n");
	ks_auto(ks_build_result) third = run(f);
	g_assert_true(third->ok);
	g_autofree char *after = read_file(log);
	g_assert_cmpstr(before, ==, after);
}

static void test_scripts(struct fixture *f, gconstpointer data)
{
	f->conf.pre_build = (char *)"pre.sh one \"two words\"";
	f->conf.post_build = (char *)"missing.sh";
	faketree_write(&f->tree, "/src/play-1.0/pre.sh",
		       "#!/bin/sh\necho source\nexit 9\n");
	faketree_write(
		&f->tree, "/etc-dkms/play/pre.sh",
		"#!/bin/sh\necho \"$# $2 $kernelver $arch $module $module_version\"\n"
		"echo \"$kernel_source_dir $HOME\"\n");
	g_autofree char *script = faketree_path(&f->tree, "/etc-dkms/play/pre.sh");
	g_assert_cmpint(g_chmod(script, 0755), ==, 0);
	if (f->request.private_build && g_str_has_prefix(f->tree.dir, "/tmp/")) {
		/* the private /tmp hides the override; it is not there in earnest */
		g_free(f->system->dkms_etc);
		f->system->dkms_etc = g_strdup("/nonexistent");
		g_autofree char *own = faketree_path(&f->tree, "/src/play-1.0/pre.sh");
		g_assert_cmpint(g_rename(script, own), ==, 0);
	}
	ks_auto(ks_build_result) result = run(f);

	if (!result->ok)
		g_error("%s: %s", result->step, result->message);
	g_autofree char *log_path =
		g_build_filename(result->staged_dir, "log/make.log", NULL);
	g_autofree char *log = read_file(log_path);
	g_autofree char *expected = g_strdup_printf(
		"\n2 two words " RELEASE " %s play 1.0\n", f->machine.machine);
	g_assert_nonnull(strstr(log, expected));
	g_assert_nonnull(strstr(log, "\nRunning the pre_build script\n# command: "));
	g_assert_nonnull(
		strstr(log, "Warning: The post_build script is not executable."));
}

/* The configure script that autoconf makes redirects 5 and 6, and calls makes with the
 * descriptors they then have. */
static bool make_configure(struct fixture *f)
{
	g_autofree char *dir = faketree_path(&f->tree, "/src/play-1.0");
	const char *argv[] = {"autoconf", NULL};
	int status;

	faketree_write(&f->tree, "/src/play-1.0/probe.mk",
		       "all: a b c d\na b c d:\n\t@echo made $@; sleep 0.01\n");
	faketree_write(
		&f->tree, "/src/play-1.0/configure.ac",
		"AC_INIT([play], [1.0])\n"
		"AC_MSG_CHECKING([whether the kernel has modules])\n"
		"AS_IF([AC_TRY_COMMAND([make -k -j4 -f probe.mk >probe.log 2>&1])],\n"
		"  [AC_MSG_RESULT([yes])], [cat probe.log; AC_MSG_ERROR([no])])\n"
		"AC_OUTPUT\n");
	return g_spawn_sync(dir, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
			    NULL, NULL, &status, NULL) &&
	       status == 0;
}

static void test_configure(struct fixture *f, gconstpointer data)
{
	static const enum ks_sandbox_setting settings[] = {KS_SANDBOX_AUTO,
							   KS_SANDBOX_OFF};

	if (!make_configure(f)) {
		g_test_skip("no autoconf");
		return;
	}
	f->conf.pre_build = (char *)"configure";
	for (size_t i = 0; i < 2 * G_N_ELEMENTS(settings); i++) {
		f->settings.sandbox = settings[i / 2];
		/* without namespaces it happens in the tree itself */
		f->request.private_build = i % 2 == 0 && ks_sandbox_can_mount(f->system);
		g_clear_pointer(&f->staged_dir, g_free);
		ks_auto(ks_build_result) result = run(f);

		if (!result->ok)
			g_error("%s: %s (%s)", result->step, result->message,
				result->first_error);
		g_autofree char *path =
			g_build_filename(result->staged_dir, "log/make.log", NULL);
		g_autofree char *log = read_file(path);
		if (!strstr(log, "whether the kernel has modules... yes"))
			g_error("%s", log);
	}
}

/* Also by a path, with an environment of its own, and from the kernel's files. */
static void test_uname(struct fixture *f, gconstpointer data)
{
	static const enum ks_sandbox_setting settings[] = {KS_SANDBOX_AUTO,
							   KS_SANDBOX_OFF};
	static const char expected[] =
		"\n1 " RELEASE "\n2 " RELEASE "\n3 " RELEASE "\n4 " RELEASE "\n5 " RELEASE
		"\n6 Linux version " RELEASE
		" (me@home) (gcc-12 12.2.0) #1 SMP Play 6.1.1 (2026)\n"
		"7 #1 SMP Play 6.1.1 (2026)\n8 #1 SMP Play 6.1.1 (2026)\n";

	if (!f->request.private_build) {
		g_test_skip("no mount namespace to be had here");
		return;
	}
	f->kernel.headers_dir = faketree_path(&f->tree, "/headers");
	faketree_write(&f->tree, "/headers/include/generated/utsversion.h",
		       "#define UTS_VERSION \"#1 SMP Play 6.1.1 (2026)\"\n");
	faketree_write(&f->tree, "/headers/include/generated/compile.h",
		       "#define LINUX_COMPILE_BY \"me\"\n"
		       "#define LINUX_COMPILE_HOST\t\"home\"\n"
		       "#define LINUX_COMPILER\t\t\"gcc-12 12.2.0\"\n");
	faketree_write(&f->tree, "/src/play-1.0/Makefile",
		       "all:\n\tmkdir -p out; cp prebuilt.ko out/good.ko\n"
		       "\t@echo; echo 1 $(shell uname -r); echo 2 `/usr/bin/uname -r`\n"
		       "\t@echo 3 `/bin/uname -r`; echo 4 `env -i sh -c 'uname -r'`\n"
		       "\t@echo 5 `cat /proc/sys/kernel/osrelease`\n"
		       "\t@echo 6 `cat /proc/version`; echo 7 `uname -v`\n"
		       "\t@echo 8 `cat /proc/sys/kernel/version`\n"
		       "\t@[ `uname -m` = $$arch ] && [ `arch` = $$arch ]\n"
		       "\t@! echo x 2>/dev/null >/usr/bin/uname\n");
	for (size_t i = 0; i < G_N_ELEMENTS(settings); i++) {
		f->settings.sandbox = settings[i];
		g_clear_pointer(&f->staged_dir, g_free);
		ks_auto(ks_build_result) result = run(f);

		if (!result->ok)
			g_error("%s: %s (%s)", result->step, result->message,
				result->first_error);
		g_autofree char *path =
			g_build_filename(result->staged_dir, "log/make.log", NULL);
		g_autofree char *log = read_file(path);
		if (!strstr(log, expected))
			g_error("%s", log);
	}
	g_free(f->kernel.headers_dir);
}

/* As OpenZFS, Lustre and others do it, in every directory that is the build's own. */
static const char place_script[] =
	"#!/bin/sh -e\n"
	"cd \"$dkms_tree/$module/$module_version\"\n"
	"test \"$PWD/build\" = \"$(cd build && pwd)\"\n"
	"echo note >note\n"
	"echo note >\"$kernelver/note\"\n"
	"mkdir -p \"$kernelver/$arch/log\" \"$kernelver/$arch/include/deep\"\n"
	"cp build/Module.symvers \"$kernelver/$arch/\"\n"
	"echo log >\"$kernelver/$arch/log/config.log\"\n"
	"echo h >\"$kernelver/$arch/include/deep/config.h\"\n"
	"printf '#!/bin/sh\\n' >\"$kernelver/$arch/tool\"\n"
	"chmod 755 \"$kernelver/$arch/tool\"\n"
	"echo forged >\"$kernelver/$arch/manifest\"\n"
	"mkdir -p \"$HOME/.cache/x\"; echo x >\"$HOME/.cache/x/y\"\n"
	"exec 2>/dev/null\n"
	"echo x >5.0/x86_64/evil || true\n"
	"rm -rf 5.0 source || true\n";

static char *staged_text(const struct ks_build_result *result, const char *name)
{
	g_autofree char *path = g_build_filename(result->staged_dir, name, NULL);

	return read_file(path);
}

static void prepare_place(struct fixture *f)
{
	f->conf.post_build = (char *)"post.sh";
	faketree_write(&f->tree, "/src/play-1.0/post.sh", place_script);
	g_autofree char *script = faketree_path(&f->tree, "/src/play-1.0/post.sh");
	g_assert_cmpint(g_chmod(script, 0755), ==, 0);
	faketree_write(&f->tree, "/T/play/1.0/5.0/x86_64/module/x.ko", "x");
	faketree_link(&f->tree, "/usr/src/play-1.0", "/T/play/1.0/source");
}

static void assert_place_is_kept(struct fixture *f)
{
	ks_auto(ks_build_result) result = run(f);

	if (!result->ok)
		g_error("%s: %s", result->step, result->message);
	static const char *const kept[][2] = {
		{"Module.symvers", "0x1 sym mod EXPORT\n"},
		{"log/config.log", "log\n"},
		{"include/deep/config.h", "h\n"},
		{KS_TREE_BESIDE_RELEASE "/note", "note\n"},
		{KS_TREE_BESIDE_ENTRY "/note", "note\n"},
	};
	for (size_t i = 0; i < G_N_ELEMENTS(kept); i++) {
		g_autofree char *text = staged_text(result, kept[i][0]);

		g_assert_cmpstr(text, ==, kept[i][1]);
	}
	g_autofree char *tool = g_build_filename(result->staged_dir, "tool", NULL);
	g_assert_true(g_file_test(tool, G_FILE_TEST_IS_EXECUTABLE));
	g_assert_cmpstr(result->manifest->build_fingerprint, ==, f->request.fingerprint);
	/* the earlier files are as they were, and the build left nothing else */
	g_assert_true(has(f, "/T/play/1.0/5.0/x86_64/module/x.ko"));
	g_assert_false(has(f, "/T/play/1.0/5.0/x86_64/evil"));
	g_assert_true(has(f, "/T/play/1.0/source"));
	g_assert_false(has(f, "/T/play/1.0/.home"));
	g_assert_false(has(f, "/T/play/1.0/note"));
	g_autofree char *entry = faketree_path(&f->tree, "/T/play/1.0");
	struct stat st;
	g_assert_cmpint(stat(entry, &st), ==, 0);
	g_assert_cmpint(st.st_mode & 07777, ==, 0755);
	g_assert_cmpint(st.st_uid, ==, geteuid());

	g_autoptr(GError) error = NULL;
	g_assert_true(ks_tree_publish(f->system, "play", "1.0", RELEASE,
				      f->machine.machine, result->staged_dir, &error));
	g_assert_no_error(error);
	g_assert_true(has(f, "/T/play/1.0/note"));
	g_assert_true(has(f, "/T/play/1.0/" RELEASE "/note"));
	g_assert_true(ks_tree_unbuild(f->system, "play", "1.0", RELEASE,
				      f->machine.machine, &error));
	g_assert_false(has(f, "/T/play/1.0/note"));
	g_assert_false(has(f, "/T/play/1.0/" RELEASE));
}

static void test_place(struct fixture *f, gconstpointer data)
{
	prepare_place(f);
	assert_place_is_kept(f);
}

static void test_place_without_mounts(struct fixture *f, gconstpointer data)
{
	if (geteuid() != 0) {
		g_test_skip("only root's builds have a user of their own");
		return;
	}
	prepare_place(f);
	f->request.private_build = false;
	assert_place_is_kept(f);
}

static void test_place_without_sandbox(struct fixture *f, gconstpointer data)
{
	prepare_place(f);
	f->settings.sandbox = KS_SANDBOX_OFF;
	assert_place_is_kept(f);
}

static void test_place_is_stored(struct fixture *f, gconstpointer data)
{
	g_autofree char *fingerprint = g_strnfill(64, 'e');

	prepare_place(f);
	f->request.fingerprint = fingerprint;
	f->request.use_store = f->request.keep_in_store = true;
	assert_place_is_kept(f);
	fail_to_compile(f);
	assert_place_is_kept(f);
}

/* One step, and one build, after the other. */
static void test_notes(struct fixture *f, gconstpointer data)
{
	f->conf.pre_build = (char *)"pre.sh";
	f->conf.make = (char *)"cat ../note ../" RELEASE "/note; make all";
	faketree_write(&f->tree, "/src/play-1.0/pre.sh",
		       "#!/bin/sh\necho more >>../note\n"
		       "echo step >>../$kernelver/note\n");
	g_autofree char *script = faketree_path(&f->tree, "/src/play-1.0/pre.sh");
	g_assert_cmpint(g_chmod(script, 0755), ==, 0);
	faketree_write(&f->tree, "/T/play/1.0/note", "before\n");
	ks_auto(ks_build_result) result = run(f);

	g_assert_true(result->ok);
	g_autofree char *log = staged_text(result, "log/make.log");
	g_assert_nonnull(strstr(log, "\nbefore\nmore\nstep\n"));
	g_autofree char *note = staged_text(result, KS_TREE_BESIDE_ENTRY "/note");
	g_assert_cmpstr(note, ==, "before\nmore\n");
}

/* Entries that can only mean harm, or mean something else in the tree. */
static void test_what_is_not_kept(struct fixture *f, gconstpointer data)
{
	f->conf.post_build = (char *)"post.sh";
	faketree_write(&f->tree, "/src/play-1.0/post.sh",
		       "#!/bin/sh -e\ncd ../$kernelver/$arch\n"
		       "ln -s /etc/shadow link\nmkfifo fifo\necho x >one\nln one two\n"
		       "mkdir ../other ../../7.0; echo x >../other/manifest\n");
	g_autofree char *script = faketree_path(&f->tree, "/src/play-1.0/post.sh");
	g_assert_cmpint(g_chmod(script, 0755), ==, 0);
	ks_auto(ks_build_result) result = run(f);

	g_assert_true(result->ok);
	static const char *const gone[] = {"link", "fifo", "one", "two", ".beside"};
	for (size_t i = 0; i < G_N_ELEMENTS(gone); i++) {
		g_autofree char *path =
			g_build_filename(result->staged_dir, gone[i], NULL);
		struct stat st;

		g_assert_cmpint(lstat(path, &st), !=, 0);
	}
	g_assert_cmpuint(result->warnings->len, ==, 4);
}

/* An LLVM of a version that nobody has. */
static char **make_llvm(struct fixture *f)
{
	static const char *const names[] = {"clang-98", "ld.lld-98", "llvm-strip-98"};
	GPtrArray *environment = g_ptr_array_new();

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *name = g_strconcat("/bin/", names[i], NULL);
		g_autofree char *path = faketree_path(&f->tree, name);

		faketree_write(&f->tree, name, "#!/bin/sh\n");
		g_assert_cmpint(g_chmod(path, 0755), ==, 0);
	}
	g_ptr_array_add(environment,
			g_strdup_printf("PATH=%s/bin:/usr/bin:/bin", f->tree.dir));
	g_ptr_array_add(environment, NULL);
	return (char **)g_ptr_array_free(environment, FALSE);
}

static void test_llvm(struct fixture *f, gconstpointer data)
{
	static const struct {
		const char *make;
		int n_kbuilds;
	} cases[] = {
		{"make all", 1},
		{"make one; make two", 2},
		{"( cd . && make all )", 1},
		{"{ make one; make two; }", 2},
		{"make all | tee build.txt", 1},
		{"make all # as vendors comment it", 1},
		{"./build.sh", 1},
		{"env X=1 make all", 1},
		{"'make' all", 1},
		{"make -C . sub", 1},
		{"test -e Makefile && make one && make two", 2},
		{"make one\nmake two", 2},
	};
	g_auto(GStrv) environment = make_llvm(f);
	g_autofree char *script = faketree_path(&f->tree, "/src/play-1.0/build.sh");

	f->kernel.clang = f->kernel.lld = true;
	f->kernel.clang_major = 98;
	f->conf.environment = environment;
	faketree_write(&f->tree, "/src/play-1.0/build.sh", "#!/bin/sh\nmake all\n");
	g_assert_cmpint(g_chmod(script, 0755), ==, 0);
	faketree_write(&f->tree, "/src/play-1.0/Makefile",
		       "all one two:\n\t@mkdir -p out; cp prebuilt.ko out/good.ko; "
		       "echo is LLVM=$(LLVM) $$CC $$LD.\nsub:\n\t@$(MAKE) all\n");
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		int n = 0;

		f->conf.make = (char *)cases[i].make;
		g_clear_pointer(&f->staged_dir, g_free);
		ks_auto(ks_build_result) result = run(f);
		if (!result->ok)
			g_error("%s: %s (%s)", cases[i].make, result->message,
				result->first_error);
		g_autofree char *path =
			g_build_filename(result->staged_dir, "log/make.log", NULL);
		g_autofree char *log = read_file(path);
		for (const char *p = log;
		     (p = strstr(p, "\nis LLVM=-98 clang-98 ld.lld-98.\n")); p++)
			n++;
		if (n != cases[i].n_kbuilds)
			g_error("%s: %s", cases[i].make, log);
	}
	f->conf.environment = NULL;
}

/* As kbuild leaves it behind, and what only looks like it. */
static void add_leftovers(struct fixture *f)
{
	static const char *const files[][2] = {
		{"stale.c", ""},
		{"stale.o", "old"},
		{".stale.o.cmd", "savedcmd_stale.o := gcc -o stale.o stale.c\n\n"
				 "source_stale.o := /home/me/x/stale.c\n"},
		{"stale.mod.c", "old"},
		{"stale.ko", "old"},
		{".stale.ko.cmd",
		 "cmd_/home/me/x/stale.ko := ld -r -o stale.ko stale.o\n"},
		{"modules.order", "old"},
		{"sub/deep.c", ""},
		{"sub/deep.o", "old"},
		{"sub/.deep.o.cmd", "cmd_/x/sub/deep.o := gcc -o deep.o\n\n"
				    "source_/x/sub/deep.o := /x/sub/deep.c\n"},
		{"rel.h", "#define OLD\n"},
		{"kept.o_shipped", "new"},
		{"lib.o_binary", "new"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autofree char *path = g_strconcat("/src/play-1.0/", files[i][0], NULL);

		faketree_write(&f->tree, path, files[i][1]);
	}
	faketree_write(&f->tree, "/src/play-1.0/Makefile",
		       "all:\n\t@mkdir -p out; cp prebuilt.ko_ out/good.ko\n"
		       "\t@echo files: `find . -type f | sort`\nclean:\n\trm -f rel.h\n");
	g_autofree char *from = faketree_path(&f->tree, "/src/play-1.0/prebuilt.ko");
	g_autofree char *to = faketree_path(&f->tree, "/src/play-1.0/prebuilt.ko_");
	g_assert_cmpint(g_rename(from, to), ==, 0);
}

static char *run_and_list(struct fixture *f)
{
	g_clear_pointer(&f->staged_dir, g_free);
	ks_auto(ks_build_result) result = run(f);

	if (!result->ok)
		g_error("%s: %s (%s)", result->step, result->message,
			result->first_error);
	g_autofree char *path =
		g_build_filename(result->staged_dir, "log/make.log", NULL);
	return read_file(path);
}

static void test_leftovers(struct fixture *f, gconstpointer data)
{
	add_leftovers(f);
	f->conf.clean = (char *)"make clean # as vendors comment it";
	g_autofree char *first = run_and_list(f);
	if (!strstr(first, "\nfiles: ./Makefile ./kept.o_shipped ./lib.o_binary "
			   "./out/good.ko ./prebuilt.ko_ ./stale.c ./sub/deep.c\n") ||
	    !strstr(first, "\nCleaning build area\n# command: make clean"))
		g_error("%s", first);
	/* the source itself is not touched */
	g_assert_true(has(f, "/src/play-1.0/stale.o"));
	/* a clean that fails, and one that would take prebuilt objects along */
	f->conf.clean = (char *)"exit 3";
	g_autofree char *second = run_and_list(f);
	g_assert_nonnull(strstr(second, "./rel.h "));
	f->conf.clean = (char *)"rm -f *.o rel.h";
	faketree_write(&f->tree, "/src/play-1.0/blob.o", "new");
	faketree_write(&f->tree, "/src/play-1.0/secret.o", "new");
	faketree_write(&f->tree, "/src/play-1.0/.secret.o.cmd",
		       "cmd_secret.o := gcc -o secret.o secret.c\n\n"
		       "source_secret.o := secret.c\n");
	faketree_write(&f->tree, "/src/play-1.0/pleased.o", "new");
	faketree_write(&f->tree, "/src/play-1.0/.pleased.o.cmd", "");
	g_autofree char *third = run_and_list(f);
	if (!strstr(third, " ./blob.o ") || !strstr(third, " ./secret.o ") ||
	    !strstr(third, " ./pleased.o ") || strstr(third, "stale.o"))
		g_error("%s", third);
}

static void test_failing_script_is_named(struct fixture *f, gconstpointer data)
{
	f->conf.pre_build = (char *)"pre.sh";
	faketree_write(&f->tree, "/src/play-1.0/pre.sh", "#!/bin/sh\nexit 9\n");
	g_autofree char *script = faketree_path(&f->tree, "/src/play-1.0/pre.sh");
	g_assert_cmpint(g_chmod(script, 0755), ==, 0);
	ks_auto(ks_build_result) result = run(f);

	assert_failed(result, "pre_build", "exit status 9");
}

static void test_patches(struct fixture *f, gconstpointer data)
{
	static const char patch[] = "--- a/%s\n+++ b/%s\n@@ -1 +1 @@\n-old\n+new\n";
	g_autofree char *tool = g_find_program_in_path("patch");
	g_autofree char *first = g_strdup_printf(patch, "one.txt", "one.txt");
	g_autofree char *second = g_strdup_printf(patch, "two.txt", "two.txt");
	char *patches[] = {(char *)"first.patch", (char *)"second.patch", NULL};

	if (!tool) {
		g_test_skip("no patch");
		return;
	}
	f->conf.patches = patches;
	faketree_write(&f->tree, "/src/play-1.0/one.txt", "old\n");
	faketree_write(&f->tree, "/src/play-1.0/two.txt", "old\n");
	faketree_write(&f->tree, "/src/play-1.0/patches/first.patch", first);
	faketree_write(&f->tree, "/src/play-1.0/patches/second.patch", "garbage\n");
	/* the administrator's goes over the source's */
	faketree_write(&f->tree, "/etc-dkms/play/patches/second.patch", second);
	faketree_write(&f->tree, "/src/play-1.0/Makefile",
		       "all:\n\tgrep new one.txt && grep new two.txt\n"
		       "\tmkdir out; cp prebuilt.ko out/good.ko\n");
	ks_auto(ks_build_result) result = run(f);
	if (!result->ok)
		g_error("%s: %s (%s)", result->step, result->message,
			result->first_error);

	faketree_write(&f->tree, "/src/play-1.0/one.txt", "something else\n");
	ks_auto(ks_build_result) failed = run(f);
	assert_failed(failed, "patch", "exit status 1");
	g_assert_cmpstr(failed->first_error, ==, "Hunk #1 FAILED at 1.");
}

static void test_patches_link(struct fixture *f, gconstpointer data)
{
	g_autofree char *victim = faketree_path(&f->tree, "/victim");
	g_autofree char *written = faketree_path(&f->tree, "/victim/p.patch");
	g_autoptr(GError) error = NULL;

	faketree_mkdir(&f->tree, "/victim");
	faketree_link(&f->tree, victim, "/src/play-1.0/patches");
	faketree_write(&f->tree, "/etc-dkms/play/patches/p.patch", "x\n");
	g_assert_null(ks_build_start(f->system, &f->settings, f->jobserver, &f->request,
				     &error));
	g_assert_nonnull(strstr(error->message, "'patches'"));
	g_assert_false(g_file_test(written, G_FILE_TEST_EXISTS));
}

static void test_timeout(struct fixture *f, gconstpointer data)
{
	f->settings.build_timeout_s = 1;
	faketree_write(&f->tree, "/src/play-1.0/Makefile", "all:\n\tsleep 600\n");
	ks_auto(ks_build) build = start(f);
	ks_auto(ks_build_result) result = drive(build);

	assert_failed(result, "make", "killed after 1 second");
	ks_jobserver_refill(f->jobserver);
}

/* So many microseconds are 32704 in an unsigned int. */
static void test_status_of_a_timeout(struct fixture *f, gconstpointer data)
{
	f->settings.build_timeout_s = 4295;
	f->conf.make = (char *)"sleep 0.1; exit 124";
	ks_auto(ks_build_result) result = run(f);
	assert_failed(result, "make", "exit status 124");
}

/* Blocks that are allocated count, not the size that a sparse file claims. */
static void test_too_large(struct fixture *f, gconstpointer data)
{
	f->settings.build_size_mib = 4;
	faketree_write(&f->tree, "/src/play-1.0/Makefile",
		       "all:\n\ttruncate -s 1G sparse; mkdir sub\n"
		       "\tdd if=/dev/zero of=sub/big bs=1M count=8 status=none\n"
		       "\techo filled; sleep 600\n");
	ks_auto(ks_build) build = start(f);
	struct pollfd pollfd = {.fd = ks_build_poll_fd(build), .events = POLLIN};

	while (poll(&pollfd, 1, 100) == 0)
		ks_build_check_limits(build);
	ks_auto(ks_build_result) result = drive(build);
	assert_failed(result, "make", "stopped after it had written more than 4 MiB");
	g_assert_true(has(f, "/T/play/1.0/build/make.log"));
	g_assert_false(has(f, "/T/play/1.0/build/sub"));
	g_assert_nonnull(strstr(result->hint, "'build-size'"));
	g_assert_no_error(result->outside);
	ks_jobserver_refill(f->jobserver);
}

/* Whatever is mounted by a test is seen by it alone. */
static bool has_own_mounts;

static void get_own_mounts(void)
{
	has_own_mounts = geteuid() == 0 && unshare(CLONE_NEWNS) == 0 &&
			 mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

/*
 * A small file system for the build's products, which the caller unmounts;
 * NULL, and skipped, where none is possible.
 */
static char *mount_state(struct fixture *f, const char *options)
{
	char *state = faketree_path(&f->tree, "/state");

	if (!f->request.private_build || !has_own_mounts) {
		g_test_skip("no mounts to be had");
		g_free(state);
		return NULL;
	}
	faketree_mkdir(&f->tree, "/state");
	g_assert_cmpint(mount("tmpfs", state, "tmpfs", 0, options), ==, 0);
	return state;
}

/* --- what only root can reach */

static bool can_show(struct fixture *f)
{
	if (geteuid() == 0 && f->request.private_build)
		return true;
	g_test_skip("nobody to be kept out, or no mounts to be had");
	return false;
}

static void set_mode(struct fixture *f, const char *path, mode_t mode)
{
	g_autofree char *full = faketree_path(&f->tree, path);

	g_assert_cmpint(g_chmod(full, mode), ==, 0);
}

static char *logged(struct fixture *f)
{
	ks_auto(ks_build_result) result = run(f);

	if (!result->ok)
		g_error("%s: %s (%s)", result->step, result->message,
			result->first_error);
	return staged_text(result, "log/make.log");
}

/* A home of mode 0700, with a link in it, and files that must not be seen. */
static void prepare_home(struct fixture *f)
{
	f->kernel.modules_dir = faketree_path(&f->tree, "/modules/k");
	f->kernel.headers_dir = faketree_path(&f->tree, "/modules/k/build");
	faketree_write(&f->tree, "/home/linux-6/mark", "the mark\n");
	faketree_write(&f->tree, "/home/linux-6/certs/signing_key.pem", "a key\n");
	faketree_write(&f->tree, "/home/linux-6/certs/mine.key", "a key\n");
	faketree_write(&f->tree, "/home/secret", "a secret\n");
	faketree_link(&f->tree, "linux-6", "/home/linux");
	set_mode(f, "/home", 0700);
	g_autofree char *linux_dir = faketree_path(&f->tree, "/home/linux");
	faketree_mkdir(&f->tree, "/modules/k");
	faketree_link(&f->tree, linux_dir, "/modules/k/build");
	f->conf.make = (char *)"cat $kernel_source_dir/mark; d=`realpath "
			       "$kernel_source_dir`; cat $d/certs/*; "
			       "cat $d/../secret; make all";
}

static void free_home(struct fixture *f)
{
	g_free(f->kernel.modules_dir);
	g_free(f->kernel.headers_dir);
}

static void test_headers_in_a_home(struct fixture *f, gconstpointer data)
{
	static const enum ks_sandbox_setting settings[] = {KS_SANDBOX_AUTO,
							   KS_SANDBOX_OFF};

	if (!can_show(f))
		return;
	prepare_home(f);
	for (size_t i = 0; i < G_N_ELEMENTS(settings); i++) {
		f->settings.sandbox = settings[i];
		g_autofree char *log = logged(f);

		g_assert_nonnull(strstr(log, "\nthe mark\n"));
		g_assert_null(strstr(log, "a secret"));
		g_assert_null(strstr(log, "a key"));
	}
	free_home(f);
}

/* make O=: a directory of objects that includes the makefile of another. */
static void test_headers_that_include_others(struct fixture *f, gconstpointer data)
{
	if (!can_show(f))
		return;
	prepare_home(f);
	g_autofree char *path = faketree_path(&f->tree, "/root/sources");
	g_autofree char *text = g_strdup_printf("include %s/Makefile\n", path);
	faketree_write(&f->tree, "/home/linux-6/Makefile", text);
	faketree_write(&f->tree, "/root/sources/Makefile", "m:\n\t@echo included\n");
	faketree_write(&f->tree, "/root/asm/x.h", "linked\n");
	set_mode(f, "/root", 0700);
	faketree_link(&f->tree, "../../root/asm", "/home/linux-6/asm");
	f->conf.make = (char *)"make -s -C $kernel_source_dir m; "
			       "cat $kernel_source_dir/asm/x.h; make all";
	g_autofree char *log = logged(f);
	g_assert_nonnull(strstr(log, "\nincluded\nlinked\n"));
	free_home(f);
}

static void test_headers_of_a_umask(struct fixture *f, gconstpointer data)
{
	if (!can_show(f))
		return;
	prepare_home(f);
	faketree_write(&f->tree, "/home/linux-6/scripts/tool", "#!/bin/sh\necho ran\n");
	set_mode(f, "/home/linux-6/scripts/tool", 0700);
	set_mode(f, "/home/linux-6/scripts", 0700);
	set_mode(f, "/home/linux-6/mark", 0600);
	set_mode(f, "/home/linux-6", 0700);
	f->conf.make = (char *)"cat $kernel_source_dir/mark; "
			       "$kernel_source_dir/scripts/tool; "
			       "cat $kernel_source_dir/certs/*; "
			       "echo x >$kernel_source_dir/mark; make all";
	ks_auto(ks_build) build = start(f);
	ks_auto(ks_build_result) result = drive(build);

	g_assert_true(result->ok);
	g_autofree char *log = staged_text(result, "log/make.log");
	g_assert_nonnull(strstr(log, "\nthe mark\nran\n"));
	g_assert_null(strstr(log, "a key"));
	g_autofree char *mark = faketree_path(&f->tree, "/home/linux-6/mark");
	g_autofree char *text = read_file(mark);
	g_assert_cmpstr(text, ==, "the mark\n");
	/* the copy is of the run, and goes with it */
	g_assert_cmpuint(faketree_count(&f->tree, "/state/build"), ==, 1);
	ks_build_drop_views(f->system);
	g_assert_cmpuint(faketree_count(&f->tree, "/state/build"), ==, 0);
	ks_jobserver_refill(f->jobserver);
	free_home(f);
}

/* As the loaders of Falco do it: a wrapper in /tmp, and here of root's alone. */
static void test_a_program_that_is_named(struct fixture *f, gconstpointer data)
{
	static const mode_t modes[] = {0755, 0700};
	const char *directives[] = {NULL, NULL};
	const struct ks_conf_overrides overrides = {.directives = directives};

	if (!can_show(f))
		return;
	g_autofree char *program = faketree_path(&f->tree, "/named/falco-dkms-make");
	g_autofree char *directive = g_strdup_printf("MAKE='%s'", program);
	faketree_write(&f->tree, "/named/falco-dkms-make",
		       "#!/bin/bash\necho wrapped; make all \"$@\"\n");
	faketree_write(&f->tree, "/named/key", "a key\n");
	set_mode(f, "/named/key", 0600);
	directives[0] = directive;
	f->settings.overrides = &overrides;
	f->conf.make = program;
	for (size_t i = 0; i < G_N_ELEMENTS(modes); i++) {
		set_mode(f, "/named/falco-dkms-make", modes[i]);
		ks_auto(ks_build) build = start(f);
		ks_auto(ks_build_result) result = drive(build);

		if (!result->ok)
			g_error("%s: %s (%s)", result->step, result->message,
				result->first_error);
		g_autofree char *log = staged_text(result, "log/make.log");
		g_assert_nonnull(strstr(log, "\nwrapped\n"));
		g_clear_pointer(&f->staged_dir, g_free);
		ks_jobserver_refill(f->jobserver);
	}
	ks_build_drop_views(f->system);
	f->conf.make = (char *)"make all";
}

/* Hardened machines mount /var so. */
static void test_noexec(struct fixture *f, gconstpointer data)
{
	static const enum ks_sandbox_setting settings[] = {KS_SANDBOX_AUTO,
							   KS_SANDBOX_OFF};
	g_autofree char *state = NULL;

	if (!can_show(f))
		return;
	state = mount_state(f, "mode=755");
	if (!state)
		return;
	g_assert_cmpint(mount(NULL, state, NULL, MS_REMOUNT | MS_BIND | MS_NOEXEC, NULL),
			==, 0);
	f->conf.pre_build = (char *)"pre.sh";
	faketree_write(&f->tree, "/src/play-1.0/pre.sh",
		       "#!/bin/sh\necho \"ran here\"\n"
		       "printf '#!/bin/sh\\necho and there\\n' >/tmp/there\n"
		       "chmod 755 /tmp/there; /tmp/there; rm /tmp/there\n");
	set_mode(f, "/src/play-1.0/pre.sh", 0755);
	for (size_t i = 0; i < G_N_ELEMENTS(settings); i++) {
		f->settings.sandbox = settings[i];
		g_clear_pointer(&f->staged_dir, g_free);
		g_autofree char *log = logged(f);

		g_assert_nonnull(strstr(log, "\nran here\nand there\n"));
	}
	g_assert_cmpint(umount2(state, MNT_DETACH), ==, 0);
}

/* --- what a failure says when it is the sandbox */

static void assert_hint(struct fixture *f, const char *make, const char *expected)
{
	f->conf.make = (char *)make;
	ks_auto(ks_build_result) result = run(f);

	g_assert_false(result->ok);
	if (!expected)
		g_assert_cmpstr(result->hint, ==, NULL);
	else if (!result->hint || !strstr(result->hint, expected))
		g_error("'%s': '%s' is not in '%s'", make, expected,
			result->hint ? result->hint : "(none)");
}

static void test_hints(struct fixture *f, gconstpointer data)
{
	if (!can_show(f))
		return;
	g_autofree char *closed = faketree_path(&f->tree, "/closed/file");
	g_autofree char *read_closed = g_strdup_printf("cat %s", closed);
	g_autofree char *write_tree = g_strdup_printf("echo x >%s/x", f->tree.dir);

	faketree_write(&f->tree, "/closed/file", "x");
	set_mode(f, "/closed", 0700);
	assert_hint(f, "echo 'curl: (6) Could not resolve host: example.org'; exit 6",
		    "[module play]");
	assert_hint(f, "echo x >/var/tmp/kmodsmith-x", "'sandbox = off'");
	assert_hint(f, "touch /etc/kmodsmith-x", "only root may");
	assert_hint(f, "chown root /etc/passwd", "only root may");
	assert_hint(f, "exit 1", NULL);
	assert_hint(f, "cat /tmp/kmodsmith-no-such-file", NULL);
	assert_hint(f, "cat ./no-such-file ../no-such-file", NULL);
	if (!g_str_has_prefix(f->tree.dir, "/tmp/"))
		assert_hint(f, read_closed, "closed to the user that builds");
	else
		assert_hint(f, read_closed, "a /tmp and /run of its own");
	f->settings.sandbox = KS_SANDBOX_OFF;
	assert_hint(f, read_closed, "closed to the user that builds");
	assert_hint(f, write_tree, "only root may");
	assert_hint(f, "echo 'curl: (6) Could not resolve host: example.org'; exit 6",
		    NULL);
}

/* Empty files, on a file system of few inodes. */
static void test_no_inodes_left(struct fixture *f, gconstpointer data)
{
	g_autofree char *state = mount_state(f, "nr_inodes=1000,mode=755");

	if (!state)
		return;
	faketree_write(&f->tree, "/src/play-1.0/Makefile",
		       "all:\n\ti=0; while [ $$i -lt 985 ]; do (: > f$$i) || break; "
		       "i=$$((i+1)); done; echo filled; sleep 600\n");
	ks_auto(ks_build) build = start(f);
	struct pollfd pollfd = {.fd = ks_build_poll_fd(build), .events = POLLIN};

	while (poll(&pollfd, 1, 100) == 0)
		ks_build_check_limits(build);
	ks_auto(ks_build_result) result = drive(build);
	assert_failed(result, "make", "inodes left");
	g_assert_error(result->outside, KS_ERROR, KS_ERROR_NO_SPACE);
	ks_jobserver_refill(f->jobserver);
	g_assert_cmpint(umount2(state, MNT_DETACH), ==, 0);
}

/* A failure that any module would have is not remembered against this one. */
static void test_full_disk_is_outside(struct fixture *f, gconstpointer data)
{
	g_autofree char *state = mount_state(f, "size=4m,mode=755");

	if (!state)
		return;
	faketree_write(&f->tree, "/src/play-1.0/Makefile",
		       "all:\n\tdd if=/dev/zero of=big bs=64k count=200\n");
	ks_auto(ks_build_result) result = run(f);
	assert_failed(result, "make", "exit status 2");
	g_assert_error(result->outside, KS_ERROR, KS_ERROR_NO_SPACE);
	g_assert_nonnull(strstr(result->outside->message, "No space left on device"));
	g_assert_cmpint(umount2(state, MNT_DETACH), ==, 0);
}

/* The sandbox's own file systems are as full at the next time. */
static void test_words_of_a_full_disk(struct fixture *f, gconstpointer data)
{
	faketree_write(&f->tree, "/src/play-1.0/Makefile",
		       "all:\n\t@echo 'x.c:1:2: fatal error: error writing to /tmp/x.s: "
		       "No space left on device'; exit 1\n");
	ks_auto(ks_build_result) result = run(f);
	g_assert_nonnull(strstr(result->first_error, "No space left on device"));
	g_assert_no_error(result->outside);
}

static void test_within_the_limits(struct fixture *f, gconstpointer data)
{
	f->settings.build_size_mib = 64;
	ks_auto(ks_build) build = start(f);

	ks_build_check_limits(build);
	ks_auto(ks_build_result) result = drive(build);
	g_assert_true(result->ok);
}

#define TRY_RUN                                                                          \
	"try-run = $(shell set -e; TMP=$(TMPOUT)/tmp; trap \"rm -rf $(TMPOUT)\" EXIT; "  \
	"mkdir -p $(TMPOUT); if ($(1)) >/dev/null 2>&1; then echo \"$(2)\"; else "       \
	"echo \"$(3)\"; fi)\n"

/*
 * The recorded answers decide how others are compiled: no other process of that
 * user may write.
 */
static void test_probes_are_recorded_out_of_reach(struct fixture *f, gconstpointer data)
{
	g_autofree char *headers = faketree_path(&f->tree, "/headers");
	g_autofree char *work = faketree_path(&f->tree, "/state/build");
	g_autofree char *seen = g_strdup_printf("%s/state/probes/%s-%s.%d", f->tree.dir,
						RELEASE, f->machine.machine, getpid());
	ks_auto(ks_digest_cache) cache = ks_digest_cache_open(f->system);
	g_autoptr(GError) error = NULL;
	g_autofree char *memo = NULL;
	bool is_whole;
	struct stat st;

	faketree_write(&f->tree, "/headers/scripts/Makefile.compiler", TRY_RUN);
	faketree_write(&f->tree, "/headers/Makefile",
		       "TMPOUT = $(M)/.tmp_$$$$\nCC = gcc\n" TRY_RUN
		       "a := $(call try-run,true,-fyes,-fno)\nmodules:\n\t@true\n");
	f->kernel.headers_dir = headers;
	f->kernel.has_headers = true;
	g_assert_true(ks_wrapper_place(f->system, &error));
	ks_auto(ks_memo_recording) recording = ks_memo_record(
		f->system, &f->settings, f->jobserver, &f->kernel, cache, &error);
	g_assert_no_error(error);
	if (!recording && !f->request.private_build) {
		g_test_skip("neither mounts nor another user to be had here");
		return;
	}
	g_assert_nonnull(recording);
	if (geteuid() == 0 && f->request.private_build) {
		g_assert_cmpint(stat(seen, &st), ==, 0);
		g_assert_cmpuint(st.st_uid, ==, 0);
		g_assert_cmpint(stat(work, &st), ==, 0);
		g_assert_cmpint(st.st_mode & 0777, ==, 0700);
	}
	/* the headers of the test have to be in sight: its own /tmp is another one */
	if (!g_str_has_prefix(headers, "/tmp/")) {
		g_assert_true(ks_memo_recording_finish(recording, &error));
		g_assert_no_error(error);
		memo = ks_memo_find(f->system, &f->kernel, cache, &is_whole);
		g_assert_nonnull(memo);
		g_assert_true(is_whole);
	}
	g_clear_pointer(&recording, ks_memo_recording_free);
	g_assert_cmpint(stat(seen, &st), ==, -1);
}

/* The same programs have answered: the new kernel begins with those answers. */
static void test_probes_of_another_kernel(struct fixture *f, gconstpointer data)
{
	static const char fragment[] =
		"kmodsmith-yes := \\\n gcc~-O2~-c|-O2| \\\n ./x.sh~gcc|y|n\n";
	g_autofree char *headers = faketree_path(&f->tree, "/headers");
	g_autofree char *headers2 = faketree_path(&f->tree, "/headers2");
	struct ks_kernel other = f->kernel;
	g_autoptr(GPtrArray) kernels = g_ptr_array_new();
	ks_auto(ks_digest_cache) cache = ks_digest_cache_open(f->system);
	g_autofree char *key = NULL, *carried = NULL, *path = NULL, *stale = NULL;
	g_autoptr(GError) error = NULL;
	bool is_whole;

	faketree_write(&f->tree, "/headers/scripts/Makefile.compiler", TRY_RUN);
	faketree_write(&f->tree, "/headers2/scripts/Makefile.compiler", TRY_RUN);
	f->kernel.headers_dir = headers;
	other.headers_dir = headers2;
	other.release = (char *)"9.9.9-other";
	f->kernel.has_headers = other.has_headers = true;
	g_ptr_array_add(kernels, &other);
	g_ptr_array_add(kernels, &f->kernel);

	g_assert_false(ks_memo_carry(f->system, &other, kernels, cache));
	key = ks_memo_key(f->system, &f->kernel, cache);
	g_assert_true(ks_memo_write(f->system, &f->kernel, key, fragment, &error));
	g_assert_no_error(error);
	g_assert_true(ks_memo_carry(f->system, &other, kernels, cache));
	path = ks_memo_find(f->system, &other, cache, &is_whole);
	g_assert_nonnull(path);
	g_assert_false(is_whole);
	carried = ks_memo_read(f->system, &other, cache);
	g_assert_nonnull(strstr(carried, "gcc~-O2~-c|-O2|\n"));
	g_assert_null(strstr(carried, "x.sh"));
	g_assert_nonnull(strstr(carried, headers2));

	/* one that is no longer true of its own kernel says nothing */
	g_assert_true(ks_memo_write(f->system, &f->kernel, "00", fragment, &error));
	g_assert_cmpint(unlink(path), ==, 0);
	g_assert_false(ks_memo_carry(f->system, &other, kernels, cache));
	stale = ks_memo_find(f->system, &other, cache, NULL);
	g_assert_null(stale);
}

static char *count_question(void *data)
{
	++*(guint *)data;
	return NULL;
}

/* An answer recorded while it waits for a token can still be used. */
static void test_waits_for_a_token(struct fixture *f, gconstpointer data)
{
	struct ks_build_result *result = NULL;
	guint n_questions = 0;

	f->request.find_memo = count_question;
	f->request.find_memo_data = &n_questions;
	g_assert_true(ks_jobserver_try_take(f->jobserver));
	g_assert_true(ks_jobserver_try_take(f->jobserver));
	ks_auto(ks_build) build = start(f);
	struct pollfd pollfd = {.fd = ks_build_poll_fd(build), .events = POLLIN};

	g_assert_cmpstr(ks_build_step(build), ==, "make");
	g_assert_cmpint(poll(&pollfd, 1, 50), ==, 0);
	g_assert_false(ks_build_advance(build, &result));
	ks_jobserver_give(f->jobserver);
	g_assert_cmpint(poll(&pollfd, 1, 1000), ==, 1);
	g_assert_cmpuint(n_questions, ==, 0);
	ks_auto(ks_build_result) ended = drive(build);
	g_assert_true(ended->ok);
	g_assert_cmpuint(n_questions, ==, 1);
}

static void test_jobs_in_the_conf(struct fixture *f, gconstpointer data)
{
	f->conf.make = (char *)"make -j4 all && 'make' -j$(nproc) all";
	ks_auto(ks_build_result) result = run(f);

	if (!result->ok)
		g_error("%s: %s (%s)", result->step, result->message,
			result->first_error);
}

/* The build user may be "nobody", which other processes may be as well. */
static void test_work_is_out_of_reach(struct fixture *f, gconstpointer data)
{
	ks_auto(ks_build) build = start(f);
	g_autofree char *state = faketree_path(&f->tree, "/state");
	g_autofree char *work = faketree_path(&f->tree, "/state/build");
	struct stat st;

	g_assert_cmpint(stat(work, &st), ==, 0);
	g_assert_cmpint(st.st_mode & 0777, ==, 0700);
	g_assert_cmpint(stat(state, &st), ==, 0);
	g_assert_cmpint(st.st_mode & 0777, ==, 0755);
	ks_auto(ks_build_result) result = drive(build);
	g_assert_true(result->ok);
}

/* A second name of a file leads out of the tree as a link does. */
static void test_ownership_of_a_linked_file(struct fixture *f, gconstpointer data)
{
	g_autofree char *dir = faketree_path(&f->tree, "/src/play-1.0");
	g_autofree char *file = faketree_path(&f->tree, "/src/play-1.0/Makefile");
	g_autofree char *name = faketree_path(&f->tree, "/src/play-1.0/other");
	ks_autofd int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	g_assert_true(ks_ownership_give(fd, geteuid(), getegid()));
	g_assert_cmpint(link(file, name), ==, 0);
	g_assert_false(ks_ownership_give(fd, geteuid(), getegid()));
}

static void test_cancel(struct fixture *f, gconstpointer data)
{
	g_autofree char *work = faketree_path(&f->tree, "/state/build");
	g_autofree char *release = faketree_path(&f->tree, "/T/play/1.0/" RELEASE);

	faketree_write(&f->tree, "/src/play-1.0/Makefile", "all:\n\tsleep 600\n");
	ks_auto(ks_build) build = start(f);
	ks_build_cancel(build);
	ks_jobserver_refill(f->jobserver);
	g_autoptr(GPtrArray) left = ks_root_list(f->system->root, work, NULL);
	g_autoptr(GPtrArray) staged = ks_root_list(f->system->root, release, NULL);
	g_assert_cmpuint(left->len, ==, 0);
	g_assert_cmpuint(staged->len, ==, 0);
}

static void test_two_kernels_at_once(struct fixture *f, gconstpointer data)
{
	struct ks_kernel other = f->kernel;
	struct ks_build_request request = f->request;
	g_autoptr(GError) error = NULL;

	if (!f->request.private_build) {
		g_test_skip("no mount namespace to be had here");
		return;
	}
	/* the module is for the other one: this one must build, and be refused */
	other.release = (char *)"6.1.0-2-play";
	request.kernel = &other;
	faketree_write(
		&f->tree, "/src/play-1.0/Makefile",
		"all:\n\ttest ! -e mark; touch mark; sleep 0.1\n"
		"\ttest \"`cat mark`\" = ''; echo $(KERNELRELEASE) > mark; sleep 0.1\n"
		"\tgrep -qx $(KERNELRELEASE) mark\n"
		"\tmkdir out; cp prebuilt.ko out/good.ko\n");
	ks_auto(ks_build) first = start(f);
	ks_auto(ks_build) second =
		ks_build_start(f->system, &f->settings, f->jobserver, &request, &error);
	g_assert_no_error(error);
	ks_auto(ks_build_result) first_result = drive(first);
	ks_auto(ks_build_result) second_result = drive(second);
	g_assert_true(first_result->ok);
	assert_failed(second_result, "verify", "");
}

static void test_sweep(struct fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	faketree_write(&f->tree, "/state/build/left-over.1/tree/file", "x");
	faketree_write(&f->tree, "/T/play/1.0/" RELEASE "/.tmp_x86_64_77/module/x.ko",
		       "x");
	faketree_write(&f->tree, "/T/play/1.0/5.0/x86_64/module/x.ko", "x");
	faketree_write(&f->tree, "/T/play/1.0/5.0/.tmp_x86_64_78/manifest", "x");
	faketree_write(&f->tree, "/T/play/1.0/build/make.log", "x");
	faketree_link(&f->tree, "/usr/src/play-1.0", "/T/play/1.0/source");
	g_assert_true(ks_build_sweep(f->system, &error));
	g_assert_no_error(error);
	g_assert_false(has(f, "/state/build/left-over.1"));
	g_assert_false(has(f, "/T/play/1.0/" RELEASE));
	g_assert_false(has(f, "/T/play/1.0/5.0/.tmp_x86_64_78"));
	g_assert_true(has(f, "/T/play/1.0/5.0/x86_64/module/x.ko"));
	g_assert_true(has(f, "/T/play/1.0/build/make.log"));
	g_assert_true(has(f, "/T/play/1.0/source"));
}

static void test_source_is_not_touched(struct fixture *f, gconstpointer data)
{
	g_autofree char *source = faketree_path(&f->tree, "/src/play-1.0");

	faketree_write(&f->tree, "/src/play-1.0/Makefile",
		       "all:\n\tcp prebuilt.ko made; mkdir out; cp made out/good.ko\n");
	g_autoptr(GPtrArray) before = ks_root_list(f->system->root, source, NULL);
	ks_auto(ks_build_result) result = run(f);
	g_autoptr(GPtrArray) after = ks_root_list(f->system->root, source, NULL);

	g_assert_true(result->ok);
	g_assert_cmpuint(before->len, ==, after->len);
}

static void test_read_only_source(struct fixture *f, gconstpointer data)
{
	g_autofree char *makefile = faketree_path(&f->tree, "/src/play-1.0/Makefile");

	faketree_write(
		&f->tree, "/src/play-1.0/Makefile",
		"all:\n\techo >> Makefile; mkdir out; cp prebuilt.ko out/good.ko\n");
	g_assert_cmpint(g_chmod(makefile, 0444), ==, 0);
	ks_auto(ks_build_result) result = run(f);
	g_assert_true(result->ok);
}

static void test_dev_stderr(struct fixture *f, gconstpointer data)
{
	faketree_write(
		&f->tree, "/src/play-1.0/Makefile",
		"all:\n\techo said >> /dev/stderr; echo more | tee -a /dev/stdout\n"
		"\tmkdir out; cp prebuilt.ko out/good.ko\n");
	ks_auto(ks_build_result) result = run(f);

	if (!result->ok)
		g_error("%s: %s (%s)", result->step, result->message,
			result->first_error);
	g_autofree char *path =
		g_build_filename(result->staged_dir, "log/make.log", NULL);
	g_autofree char *log = read_file(path);

	g_assert_nonnull(strstr(log, "\nsaid\n"));
}

/* --- signing */

/* Make a pair in the scratch directory, and settings to sign with it. */
static struct ks_signing *use_key(struct fixture *f)
{
	struct ks_signing *signing = g_new0(struct ks_signing, 1);
	g_autoptr(GError) error = NULL;

	signing->verdict = KS_SIGN_YES;
	signing->hash = g_strdup("sha256");
	signing->certificate_sha256 = g_strdup("c1");
	signing->pair = g_new0(struct ks_key_pair, 1);
	signing->pair->key = faketree_path(&f->tree, "/keys/mok.key");
	signing->pair->certificate = faketree_path(&f->tree, "/keys/mok.pub");
	g_assert_true(ks_key_create(f->system, signing->pair, false, &error));
	g_assert_no_error(error);
	f->request.signing = signing;
	return signing;
}

static void test_signed_and_back(struct fixture *f, gconstpointer data)
{
	static const char *const suffixes[] = {".ko", ".ko.xz", ".ko.zst", ".ko.gz"};
	ks_auto(ks_signing) signing = use_key(f);
	g_autofree char *first_built = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(suffixes); i++) {
		f->kernel.module_suffix = (char *)suffixes[i];
		ks_auto(ks_build_result) result = run(f);
		g_autoptr(GError) error = NULL;

		g_assert_true(result->ok);
		g_assert_cmpuint(result->warnings->len, ==, 0);
		const struct ks_manifest *manifest = result->manifest;
		const struct ks_manifest_file *file = manifest->files->pdata[0];
		g_autofree char *dir =
			g_build_filename(result->staged_dir, "module", NULL);

		g_assert_cmpstr(manifest->signing, ==, "yes");
		g_assert_cmpstr(manifest->certificate_sha256, ==, "c1");
		g_assert_cmpstr(manifest->sign_hash, ==, "sha256");
		g_assert_cmpstr(file->sha256, !=, file->built_sha256);
		/* the digest of the built file does not depend on the key */
		if (first_built)
			g_assert_cmpstr(file->built_sha256, ==, first_built);
		else
			first_built = g_strdup(file->built_sha256);
		g_autofree char *built = ks_finish_undo(f->system, dir, file, &error);
		g_assert_no_error(error);
		g_autofree char *text = NULL;
		size_t size;
		g_assert_true(g_file_get_contents(built, &text, &size, NULL));
		g_autofree char *digest = ks_digest_data(text, size);
		g_assert_cmpstr(digest, ==, file->built_sha256);
		/* next to nothing but Module.symvers: the compressed one is gone */
		g_autoptr(GPtrArray) names = ks_root_list(f->system->root, dir, NULL);
		g_assert_cmpuint(names->len, ==, 2);
	}
}

/* --- while one build is concluded */

/* A program in the signer's place: it says that it began, and then does as script says.
 * No other process than itself has the fifo open to write: its end is its death. */
static struct ks_signing *use_slow_signer(struct fixture *f, const char *script)
{
	struct ks_signing *signing = use_key(f);
	g_autofree char *fifo = faketree_path(&f->tree, "/keys/began");
	g_autofree char *go = faketree_path(&f->tree, "/keys/go");
	g_autofree char *text =
		g_strdup_printf("#!/bin/sh\nexec >%s\necho began\n%s\n", fifo, script);

	g_assert_cmpint(mkfifo(fifo, 0600), ==, 0);
	g_assert_cmpint(mkfifo(go, 0600), ==, 0);
	faketree_write(&f->tree, "/keys/slow", text);
	signing->is_external = true;
	signing->program = faketree_path(&f->tree, "/keys/slow");
	g_assert_cmpint(chmod(signing->program, 0755), ==, 0);
	return signing;
}

static int open_fifo(struct fixture *f, const char *path, int flags)
{
	g_autofree char *full = faketree_path(&f->tree, path);
	int fd = open(full, flags | O_CLOEXEC);

	g_assert_cmpint(fd, >=, 0);
	return fd;
}

/*
 * Drive it until its signer has begun; returns the descriptor to read until the
 * signer's end.
 */
static int drive_to_the_signer(struct fixture *f, struct ks_build *build)
{
	struct ks_build_result *result = NULL;
	char text[6];
	int fd;

	while (strcmp(ks_build_step(build), "finish") != 0) {
		struct pollfd pollfd = {.fd = ks_build_poll_fd(build), .events = POLLIN};

		g_assert_cmpint(poll(&pollfd, 1, 60000), ==, 1);
		g_assert_false(ks_build_advance(build, &result));
	}
	fd = open_fifo(f, "/keys/began", O_RDONLY);
	g_assert_cmpint(read(fd, text, sizeof(text)), ==, sizeof(text));
	return fd;
}

static void test_another_build_goes_on(struct fixture *f, gconstpointer data)
{
	struct ks_kernel other = f->kernel;
	struct ks_build_request request = f->request;
	g_autoptr(GError) error = NULL;
	g_autofree char *script =
		g_strdup_printf("read x <%s/keys/go\nexit 1", f->tree.dir);
	ks_auto(ks_signing) signing = use_slow_signer(f, script);
	ks_auto(ks_build) slow = start(f);
	ks_autofd int began = drive_to_the_signer(f, slow);

	if (!f->request.private_build) {
		g_test_skip("no mount namespace to be had here");
		return;
	}
	/*
	 * all of it fails, including its own conclusion: the module is not
	 * this kernel's
	 */
	other.release = (char *)"6.1.0-2-play";
	request.kernel = &other;
	ks_auto(ks_build) quick =
		ks_build_start(f->system, &f->settings, f->jobserver, &request, &error);
	g_assert_no_error(error);
	ks_auto(ks_build_result) refused = drive(quick);
	assert_failed(refused, "verify", "'play-good.ko'");
	/* the slow one has a token of the pool meanwhile, and a single one is left */
	g_assert_true(ks_jobserver_try_take(f->jobserver));
	g_assert_false(ks_jobserver_try_take(f->jobserver));
	ks_jobserver_give(f->jobserver);

	ks_autofd int go = open_fifo(f, "/keys/go", O_WRONLY);
	g_assert_cmpint(write(go, "\n", 1), ==, 1);
	ks_auto(ks_build_result) result = drive(slow);
	g_assert_true(result->ok);
	g_assert_cmpuint(result->warnings->len, ==, 1);
	g_assert_cmpuint(ks_jobserver_refill(f->jobserver), ==, 0);
}

static void test_cancel_while_concluded(struct fixture *f, gconstpointer data)
{
	g_autofree char *work = faketree_path(&f->tree, "/state/build");
	g_autofree char *store = faketree_path(&f->tree, "/state/store");
	g_autofree char *release = faketree_path(&f->tree, "/T/play/1.0/" RELEASE);
	ks_auto(ks_signing) signing = use_slow_signer(f, "exec sleep 600");
	char byte;

	f->request.keep_in_store = true;
	f->request.fingerprint =
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	ks_auto(ks_build) build = start(f);
	ks_autofd int began = drive_to_the_signer(f, build);
	gint64 start_us = g_get_monotonic_time();

	ks_build_cancel(build);
	alarm(60); /* to hang is the failure */
	g_assert_cmpint(read(began, &byte, 1), ==, 0);
	alarm(0);
	g_assert_cmpint(g_get_monotonic_time() - start_us, <, G_USEC_PER_SEC);
	g_assert_cmpuint(ks_jobserver_refill(f->jobserver), ==, 0);
	g_autoptr(GPtrArray) left = ks_root_list(f->system->root, work, NULL);
	g_autoptr(GPtrArray) staged = ks_root_list(f->system->root, release, NULL);
	g_autoptr(GPtrArray) stored = ks_root_list(f->system->root, store, NULL);
	g_assert_cmpuint(left->len, ==, 0);
	g_assert_cmpuint(staged->len, ==, 0);
	g_assert_cmpuint(stored->len, ==, 0);
}

static void test_the_conclusion_is_killed(struct fixture *f, gconstpointer data)
{
	ks_auto(ks_signing) signing = use_slow_signer(f, "exec sleep 600");
	ks_auto(ks_build) build = start(f);
	ks_autofd int began = drive_to_the_signer(f, build);

	g_assert_cmpint(
		syscall(SYS_pidfd_send_signal, ks_build_poll_fd(build), SIGKILL, NULL, 0),
		==, 0);
	ks_auto(ks_build_result) result = drive(build);
	assert_failed(result, "finish", "killed by signal 9");
	/* another run tries again */
	g_assert_nonnull(result->outside);
	g_assert_cmpuint(ks_jobserver_refill(f->jobserver), ==, 0);
}

/* The engine itself is killed: its work does not go on. */
static void test_killed_while_concluded(struct fixture *f, gconstpointer data)
{
	ks_auto(ks_signing) signing = use_slow_signer(f, "exec sleep 600");
	pid_t pid = fork();
	char text[6];
	int status;

	g_assert_cmpint(pid, >=, 0);
	if (pid == 0) {
		drive(start(f));
		_exit(1);
	}
	ks_autofd int began = open_fifo(f, "/keys/began", O_RDONLY);
	g_assert_cmpint(read(began, text, sizeof(text)), ==, sizeof(text));
	kill(pid, SIGKILL);
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	alarm(60); /* to hang is the failure */
	g_assert_cmpint(read(began, text, 1), ==, 0);
	alarm(0);
}

static void test_failing_to_sign_is_a_warning(struct fixture *f, gconstpointer data)
{
	ks_auto(ks_signing) signing = use_key(f);

	faketree_write(&f->tree, "/keys/mok.key", "rubbish");
	ks_auto(ks_build_result) result = run(f);
	g_assert_true(result->ok);
	g_assert_cmpuint(result->warnings->len, ==, 1);
	const GError *warning = result->warnings->pdata[0];
	g_assert_nonnull(strstr(warning->message, "cannot sign 'play-good.ko'"));
	g_assert_cmpstr(result->manifest->signing, ==, "failed");
	g_assert_null(result->manifest->certificate_sha256);
	const struct ks_manifest_file *file = result->manifest->files->pdata[0];
	g_assert_cmpstr(file->sha256, ==, file->built_sha256);
}

static void test_failing_to_sign_where_it_is_enforced(struct fixture *f,
						      gconstpointer data)
{
	ks_auto(ks_signing) signing = use_key(f);

	faketree_write(&f->tree, "/keys/mok.key", "rubbish");
	signing->enforced_by = "lockdown";
	ks_auto(ks_build_result) result = run(f);
	g_assert_false(result->ok);
	/* the module is not to blame: it is tried again when the key is right */
	g_assert_nonnull(result->outside);
	g_assert_nonnull(strstr(result->outside->message, "lockdown"));
	g_assert_nonnull(strstr(result->outside->message, "cannot sign 'play-good.ko'"));
}

static void test_a_build_cannot_reach_the_key(struct fixture *f, gconstpointer data)
{
	ks_auto(ks_signing) signing = use_key(f);
	g_autofree char *signer =
		g_build_filename(f->system->libexec_dir, "signer", NULL);
	g_autofree char *text = NULL;

	if (geteuid() != 0) {
		g_test_skip("not root: the key is the builder's own");
		return;
	}
	text = g_strdup_printf(
		"K = %s\nC = %s\nS = %s\n"
		"all:\n"
		"\tif cat $(K); then echo READ-THE-KEY; fi\n"
		"\tif cp $(K) key; then echo COPIED-THE-KEY; fi\n"
		"\tif ln $(K) key; then echo LINKED-THE-KEY; fi\n"
		"\tif chmod 644 $(K); then echo OPENED-THE-KEY; fi\n"
		"\tif echo > $(K); then echo WROTE-THE-KEY; fi\n"
		"\tif (exec 8<$(K)); then echo GOT-A-DESCRIPTOR; fi\n"
		"\tfor n in 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do "
		"if $(S) sign sha256 $$n $$n <prebuilt.ko; then echo SIGNED; fi; done\n"
		"\tif ls -l /proc/[0-9]*/fd | grep mok; then echo SAW-THE-KEY; fi\n"
		"\tif ls -d /proc/[0-9]* | xargs -I P cat P/comm | grep signer; then "
		"echo SAW-THE-SIGNER; fi\n"
		"\techo REACHED-THE-END; mkdir out; cp prebuilt.ko out/good.ko\n",
		signing->pair->key, signing->pair->certificate, signer);
	/* -s: the log has make's output, not the words above */
	f->conf.make = (char *)"make -s all";
	faketree_write(&f->tree, "/src/play-1.0/Makefile", text);
	ks_auto(ks_build_result) result = run(f);

	if (!result->ok)
		g_error("%s: %s (%s)", result->step, result->message,
			result->first_error);
	g_autofree char *path =
		g_build_filename(result->staged_dir, "log/make.log", NULL);
	g_autofree char *log = read_file(path);
	static const char *const signs[] = {
		"READ-THE-KEY",	  "COPIED-THE-KEY",    "LINKED-THE-KEY", "OPENED-THE-KEY",
		"WROTE-THE-KEY",  "GOT-A-DESCRIPTOR",  "SIGNED",	 "SAW-THE-KEY",
		"SAW-THE-SIGNER", "BEGIN PRIVATE KEY",
	};

	g_assert_nonnull(strstr(log, "REACHED-THE-END"));
	for (size_t i = 0; i < G_N_ELEMENTS(signs); i++)
		if (strstr(log, signs[i]))
			g_error("%s: %s", signs[i], log);
	/* and what it built is signed all the same */
	g_assert_cmpstr(result->manifest->signing, ==, "yes");
}

#define ADD(name, func)                                                                  \
	g_test_add("/build/" name, struct fixture, NULL, set_up, func, tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	get_own_mounts();
	ADD("a good build is staged with modules, log and manifest", test_success);
	ADD("modules are compressed as the kernel's own are", test_compressed);
	ADD("a failed build is kept with its log, and forgotten after success",
	    test_failure_is_kept);
	ADD("what a build puts into its place in the tree is kept", test_place);
	ADD("so it is without mounts", test_place_without_mounts);
	ADD("so it is without the sandbox", test_place_without_sandbox);
	ADD("so it is by the store", test_place_is_stored);
	ADD("a note goes from step to step, and from build to build", test_notes);
	ADD("links, pipes and what means something in the tree are not kept",
	    test_what_is_not_kept);
	ADD("headers in a home are seen, and nothing else of it", test_headers_in_a_home);
	ADD("so are those that they include or lead to",
	    test_headers_that_include_others);
	ADD("headers that only root can read are seen as a copy",
	    test_headers_of_a_umask);
	ADD("a program that is named is seen, also root's own",
	    test_a_program_that_is_named);
	ADD("what is mounted noexec is executed in a build", test_noexec);
	ADD("a failure by the sandbox says so, and what helps", test_hints);
	ADD("two kernels' failures have each their log",
	    test_each_kernel_has_its_own_log);
	ADD("a full disk is not the module's failure", test_full_disk_is_outside);
	ADD("words of a full disk are, when there is room", test_words_of_a_full_disk);
	ADD("a sandbox that is not available is not either",
	    test_refused_sandbox_is_outside);
	ADD("a launcher that fails after good steps is not, if no step can have done it",
	    test_failing_launcher_is_outside);
	ADD("a step that locks the next one out is the module's failure",
	    test_locked_out_by_a_step);
	ADD("of an endless log head and tail are kept", test_endless_log);
	ADD("a module that was not produced is named", test_not_produced);
	ADD("a link in place of a module is not followed", test_link_is_not_followed);
	ADD("a link on the way to a module is not followed",
	    test_directory_link_is_not_followed);
	ADD("a fifo in place of a module does not stop us", test_fifo_does_not_stop_us);
	ADD("a file in the place of its directory is its own failure", test_no_directory);
	ADD("sparse modules count in full", test_sparse_modules);
	ADD("symbols of the kernel that are gone are not the module's failure",
	    test_symvers_are_gone);
	ADD("a worker without memory or disk is not either, one that crashes is",
	    test_failing_inspector);
	ADD("a module of another kernel is refused", test_wrong_module);
	ADD("a module that lacks a symbol does not keep a good one back",
	    test_unresolved_beside_good);
	ADD("a module that lacks symbols is built, and says which",
	    test_unresolved_alone);
	ADD("a module with other CRCs than the kernel's is built, and says so",
	    test_other_crcs);
	ADD("a wrong module beside a good one is refused", test_wrong_beside_good);
	ADD("a file that is no module is refused", test_rubbish_module);
	ADD("an excluded module is left out", test_excluded_module);
	ADD("what was built once is taken from the store", test_built_once);
	ADD("an older kernel is not built again",
	    test_an_older_kernel_is_not_built_again);
	ADD("a second root takes what the first built",
	    test_a_second_root_takes_what_the_first_built);
	ADD("failures are not stored", test_failures_are_not_stored);
	ADD("a trial leaves no trace", test_trial);
	ADD("scripts get arguments and environment", test_scripts);
	ADD("a failing script is named", test_failing_script_is_named);
	ADD("patches are applied, the administrator's first", test_patches);
	ADD("a link in place of patches is not followed", test_patches_link);
	ADD("the time limit ends a build", test_timeout);
	ADD("a make that ends as one does is not taken for it", test_status_of_a_timeout);
	ADD("a build that fills the disk is stopped", test_too_large);
	ADD("a build that takes all inodes is, too", test_no_inodes_left);
	ADD("a build within its limits is not", test_within_the_limits);
	ADD("probes are recorded out of the reach of others",
	    test_probes_are_recorded_out_of_reach);
	ADD("a new kernel begins with what the same compiler has answered",
	    test_probes_of_another_kernel);
	ADD("a build waits for a token", test_waits_for_a_token);
	ADD("jobs given in the conf do no harm", test_jobs_in_the_conf);
	ADD("the work directory is out of others' reach", test_work_is_out_of_reach);
	ADD("a file of two names is not given away", test_ownership_of_a_linked_file);
	ADD("cancelling leaves nothing", test_cancel);
	ADD("two kernels of one module build at the same time", test_two_kernels_at_once);
	ADD("what a killed run left is swept", test_sweep);
	ADD("the source is not touched", test_source_is_not_touched);
	ADD("a read-only source can be changed by its build", test_read_only_source);
	ADD("the output can be opened again as /dev/stderr", test_dev_stderr);
	ADD("a built module is signed, and its bytes can be restored",
	    test_signed_and_back);
	ADD("while one build is concluded another one goes on",
	    test_another_build_goes_on);
	ADD("cancelling while it is concluded leaves nothing",
	    test_cancel_while_concluded);
	ADD("a killed conclusion is not the module's failure",
	    test_the_conclusion_is_killed);
	ADD("a killed engine takes the conclusion along", test_killed_while_concluded);
	ADD("a configure that calls make gets on with the pool", test_configure);
	ADD("uname speaks of the kernel that is built for", test_uname);
	ADD("every make of a build gets LLVM", test_llvm);
	ADD("of a developer's own make nothing is used", test_leftovers);
	ADD("failing to sign is a warning", test_failing_to_sign_is_a_warning);
	ADD("failing to sign is an error where signatures are enforced",
	    test_failing_to_sign_where_it_is_enforced);
	ADD("a build cannot reach the key", test_a_build_cannot_reach_the_key);
	return g_test_run();
}
