/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The process that records a memo: make with an empty module, in the sandbox. */
#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/memo/memo-private.h"
#include "core/memo/memo.h"
#include "core/jobs/wrapper.h"
#include "core/kernel/toolchain.h"
#include "core/sandbox/sandbox.h"
#include "core/support/durable.h"
#include "core/support/error.h"
#include "core/support/process.h"
#include "core/support/treeop.h"
#include "core/support/openat2.h"
#include "core/support/ownership.h"

#define MAX_LOG_BYTES  (1u << 20)
#define MAX_FILE_BYTES (16u << 20)
#define TIMEOUT_S      120

struct ks_memo_recording {
	const struct ks_system *system;
	struct ks_kernel *kernel;
	struct ks_digest_cache *cache;
	struct ks_memo_scope scope;
	char *key;  /* of when it began */
	char *dir;  /* where it sees itself */
	char *tree; /* where that really is */
	bool is_running;
	struct ks_sandbox sandbox;
};

static char *recording_file(const struct ks_memo_recording *recording, const char *name)
{
	return g_build_filename(recording->dir, name, NULL);
}

static bool write_file(const struct ks_memo_recording *recording, const char *name,
		       const char *text, GError **error)
{
	g_autofree char *path = g_build_filename(recording->tree, name, NULL);

	return ks_durable_write(recording->system->root, path, text, strlen(text), 0644,
				error);
}

static bool make_directories(const struct ks_memo_recording *recording, GError **error)
{
	const struct ks_root *root = recording->system->root;
	g_autofree char *parent = ks_memo_dir(recording->system);
	g_autofree char *work_root = ks_system_work_root(recording->system);

	return ks_root_mkdir_p(root, parent, 0755, error) &&
	       ks_root_mkdir_p(root, work_root, 0700, error) &&
	       ks_treeop_remove(root, recording->dir, error) &&
	       ks_treeop_remove(root, recording->tree, error) &&
	       ks_root_mkdir_p(root, recording->dir, 0755, error) &&
	       ks_root_mkdir_p(root, recording->tree, 0700, error);
}

/* An empty module: all the questions are asked before the first file is compiled. */
static bool make_module(struct ks_memo_recording *recording, uid_t uid, gid_t gid,
			GError **error)
{
	const struct ks_root *root = recording->system->root;
	g_autofree char *log = recording_file(recording, "log");
	g_autofree char *memo =
		ks_memo_read(recording->system, recording->kernel, recording->cache);
	g_autofree char *known = memo ? ks_memo_text_carry(memo) : NULL;
	g_autofree char *fragment = ks_memo_text_recorder(&recording->scope, log, known);
	ks_autofd int fd = -1;

	if (!make_directories(recording, error) ||
	    !write_file(recording, "Makefile", "obj-m :=\n", error) ||
	    !write_file(recording, "recorder.mk", fragment, error))
		return false;
	fd = ks_root_openat(root, recording->tree, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0,
			    error);
	if (fd < 0)
		return false;
	if (geteuid() != 0 || ks_ownership_give(fd, uid, gid))
		return true;
	ks_error_set_errno(error, errno, "cannot give '%s' to the build user",
			   recording->dir);
	return false;
}

/* As builds have it: the compiler that the makefiles name, and for which machine. */
static void add_toolchain(const struct ks_memo_recording *recording, GPtrArray *env)
{
	g_autofree char *path = ks_kernel_tool_path(recording->system, NULL);
	g_auto(GStrv) variables = NULL;
	struct ks_toolchain toolchain;

	ks_toolchain_find(recording->system, recording->kernel, path, &toolchain);
	variables = ks_toolchain_variables(&toolchain);
	for (char **variable = variables; *variable; variable++)
		g_ptr_array_add(env, g_strdup(*variable));
	if (ks_toolchain_is_named(&toolchain))
		g_ptr_array_add(env,
				g_strconcat(KS_WRAPPER_CC_ENV "=", toolchain.cc, NULL));
	ks_toolchain_clear(&toolchain);
}

static char **make_env(const struct ks_memo_recording *recording,
		       const struct ks_jobserver *jobserver)
{
	GPtrArray *env = g_ptr_array_new();
	g_autofree char *base = ks_wrapper_fragment(recording->system);
	g_autofree char *recorder = recording_file(recording, "recorder.mk");

	g_ptr_array_add(env, g_strconcat("PATH=", recording->scope.path, NULL));
	g_ptr_array_add(env, g_strdup("LC_ALL=C.UTF-8"));
	g_ptr_array_add(env, g_strconcat("HOME=", recording->dir, NULL));
	g_ptr_array_add(env, g_strdup("CCACHE_DISABLE=1"));
	g_ptr_array_add(env, g_strdup("SHELL=/bin/sh"));
	g_ptr_array_add(env, g_strdup_printf("MAKEFILES=%s %s", base, recorder));
	g_ptr_array_add(
		env, g_strconcat("MAKEFLAGS=", ks_jobserver_makeflags(jobserver), NULL));
	g_ptr_array_add(env, g_strconcat(KS_WRAPPER_JOBS_ENV "=",
					 ks_jobserver_auth(jobserver), NULL));
	g_ptr_array_add(env, g_strconcat("TMPDIR=", recording->dir, NULL));
	add_toolchain(recording, env);
	g_ptr_array_add(env, NULL);
	return (char **)g_ptr_array_free(env, FALSE);
}

static bool start(struct ks_memo_recording *recording, const struct ks_settings *settings,
		  struct ks_jobserver *jobserver, GError **error)
{
	const struct ks_kernel *kernel = recording->kernel;
	g_autofree char *module = g_strconcat("M=", recording->dir, NULL);
	g_auto(GStrv) env = make_env(recording, jobserver);
	const char *const argv[] = {"make", "-C",      kernel->headers_dir,
				    module, "modules", NULL};
	const char *const writable[] = {recording->dir, NULL};
	const struct ks_sandbox_bind bind = {recording->tree, recording->dir};
	int pass_fds[2];
	struct ks_sandbox_policy policy = {
		.cwd = recording->dir,
		.argv = argv,
		.env = (const char *const *)env,
		.writable = writable,
		.binds = &bind,
		.n_binds = strcmp(recording->tree, recording->dir) != 0 ? 1 : 0,
		.require = settings->sandbox == KS_SANDBOX_REQUIRE,
		.timeout_s = TIMEOUT_S,
		.max_file_bytes = MAX_FILE_BYTES,
		.stdin_fd = -1,
		.stdout_fd = -1,
		.stderr_fd = -1,
		.pass_fds = pass_fds,
		.n_pass_fds = ks_jobserver_fds(jobserver, pass_fds),
		.fifo = ks_jobserver_fifo(jobserver),
	};

	ks_sandbox_identity(recording->system, &policy.uid, &policy.gid);
	if (!make_module(recording, policy.uid, policy.gid, error))
		return false;
	recording->is_running =
		ks_sandbox_start(recording->system, &policy, &recording->sandbox, error);
	return recording->is_running;
}

/*
 * Its answers decide how others are compiled, while their builds may run beside
 * it: nobody else may write there. With a mount of its own that is below root's
 * own directory; otherwise it also needs another user than the builds have.
 */
static bool choose_tree(struct ks_memo_recording *recording)
{
	const struct ks_system *system = recording->system;
	g_autofree char *work_root = ks_system_work_root(system);
	g_autofree char *name = g_path_get_basename(recording->dir);
	uid_t uid, build_uid;
	gid_t gid;

	if (ks_sandbox_can_mount(system)) {
		recording->tree = g_strdup_printf("%s/probes-%s", work_root, name);
		return true;
	}
	recording->tree = g_strdup(recording->dir);
	ks_sandbox_identity(system, &uid, &gid);
	ks_sandbox_identity_of(system, 0, &build_uid, &gid);
	return geteuid() != 0 || uid != build_uid;
}

struct ks_memo_recording *ks_memo_record(const struct ks_system *system,
					 const struct ks_settings *settings,
					 struct ks_jobserver *jobserver,
					 struct ks_kernel *kernel,
					 struct ks_digest_cache *cache, GError **error)
{
	ks_auto(ks_memo_recording) recording = g_new0(struct ks_memo_recording, 1);

	recording->system = system;
	recording->kernel = kernel;
	recording->cache = cache;
	recording->dir = g_strdup_printf("%s/probes/%s-%s.%d", system->state_dir,
					 kernel->release, kernel->arch, (int)getpid());
	recording->key = ks_memo_key(system, kernel, cache);
	if (!recording->key || !ks_memo_scope_find(system, kernel, &recording->scope) ||
	    !ks_memo_is_plain_path(recording->dir) || !choose_tree(recording) ||
	    !start(recording, settings, jobserver, error))
		return NULL;
	return g_steal_pointer(&recording);
}

int ks_memo_recording_fd(const struct ks_memo_recording *recording)
{
	return recording->sandbox.pidfd;
}

static bool end(struct ks_memo_recording *recording, GError **error)
{
	g_autofree char *how = NULL;
	int status = 0;

	recording->is_running = false;
	if (!ks_sandbox_finish(&recording->sandbox, &status, NULL, error))
		return false;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	how = ks_process_describe(status);
	ks_error_set(error, KS_ERROR_FAILED, "cannot ask the compiler for %s: make: %s",
		     recording->kernel->release, how);
	return false;
}

/* The directory was the build user's: it may contain anything now. */
static char *read_log(const struct ks_memo_recording *recording, GError **error)
{
	ks_autofd int dir_fd =
		ks_root_openat(recording->system->root, recording->tree,
			       O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, error);
	ks_autofd int fd = -1;
	g_autofree char *text = g_malloc(MAX_LOG_BYTES + 1);
	size_t size = 0;
	struct stat st;
	ssize_t n;

	if (dir_fd < 0)
		return NULL;
	fd = ks_openat2(dir_fd, "log", O_RDONLY | O_NONBLOCK | O_NOCTTY, 0,
			KS_RESOLVE_BENEATH);
	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		ks_error_set(error, KS_ERROR_FAILED,
			     "the makefiles of %s have asked the compiler nothing",
			     recording->kernel->release);
		return NULL;
	}
	while ((n = read(fd, text + size, MAX_LOG_BYTES - size)) > 0)
		size += (size_t)n;
	text[size] = '\0';
	return g_steal_pointer(&text);
}

bool ks_memo_recording_finish(struct ks_memo_recording *recording, GError **error)
{
	const struct ks_system *system = recording->system;
	g_autofree char *log = end(recording, error) ? read_log(recording, error) : NULL;
	g_autofree char *memo = log ? ks_memo_text_make(&recording->scope, log) : NULL;
	g_autofree char *key = NULL;

	if (!log)
		return false;
	key = ks_memo_key(system, recording->kernel, recording->cache);
	if (!memo || g_strcmp0(key, recording->key) != 0) {
		ks_error_set(error, KS_ERROR_FAILED,
			     "what the compiler answers for %s cannot be kept: %s",
			     recording->kernel->release,
			     memo ? "it was changed meanwhile" : "no usable answer");
		return false;
	}
	return ks_memo_write(system, recording->kernel, key, memo, error);
}

void ks_memo_recording_free(struct ks_memo_recording *recording)
{
	int status;

	if (!recording)
		return;
	if (recording->is_running) {
		ks_sandbox_kill(&recording->sandbox);
		ks_ignore(ks_sandbox_finish(&recording->sandbox, &status, NULL, NULL));
	}
	if (recording->tree) {
		ks_ignore(
			ks_treeop_remove(recording->system->root, recording->tree, NULL));
		ks_ignore(
			ks_treeop_remove(recording->system->root, recording->dir, NULL));
	}
	ks_memo_scope_clear(&recording->scope);
	g_free(recording->key);
	g_free(recording->dir);
	g_free(recording->tree);
	g_free(recording);
}
