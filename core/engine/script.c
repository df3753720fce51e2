/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The dkms.conf scripts that run as root. */
#include "core/engine/script.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/state/tree.h"
#include "core/support/durable.h"
#include "core/support/error.h"
#include "core/support/process.h"

/* Time to clean up, before it is killed. */
#define GRACE_MS 5000

/* Whoever can write the script, or a directory on the way to it, can become root. */
static bool is_roots_alone(const struct ks_system *system, const char *path)
{
	g_autofree char *dir = g_strdup(path);
	struct stat st;

	while (strcmp(dir, "/") != 0 && strcmp(dir, ".") != 0) {
		char *parent;

		if (!ks_root_stat(system->root, dir, &st) || st.st_uid != 0 ||
		    (st.st_mode & (S_IWGRP | S_IWOTH)))
			return false;
		parent = g_path_get_dirname(dir);
		g_free(dir);
		dir = parent;
	}
	return true;
}

static char *resolve_script(const struct ks_system *system, const char *module,
			    const char *source_dir, const char *name)
{
	g_autofree char *override =
		g_build_filename(system->dkms_etc, module, name, NULL);

	if (ks_root_exists(system->root, override))
		return g_steal_pointer(&override);
	return g_build_filename(source_dir, name, NULL);
}

/* The script of the source is called by the name that place gives it. */
static void name_by_place(char **name, const char *script, const char *real_dir,
			  const char *place)
{
	char *called = g_str_has_prefix(script, real_dir)
			       ? g_build_filename(place, *name, NULL)
			       : g_strdup(script);

	g_free(*name);
	*name = called;
}

static bool is_executable(const struct ks_system *system, const char *path)
{
	struct stat st;

	return ks_root_stat(system->root, path, &st) && S_ISREG(st.st_mode) &&
	       (st.st_mode & S_IXUSR);
}

/* Its place in T, by whose name dkms runs it, when that leads to it. */
static char *find_place(const struct ks_system *system, const char *module,
			const char *version, const char *real_dir)
{
	g_autofree char *entry = ks_tree_entry_path(system, module, version);
	g_autofree char *place = g_build_filename(entry, "source", NULL);
	g_autofree char *real_place = ks_root_realpath(system->root, place);

	return g_strcmp0(real_place, real_dir) == 0 ? g_steal_pointer(&place)
						    : g_strdup(real_dir);
}

static char **script_env(const char *module, const char *version,
			 const struct ks_kernel *kernel, const char *place)
{
	GPtrArray *env = g_ptr_array_new();

	for (size_t i = 0; ks_process_clean_env[i]; i++)
		g_ptr_array_add(env, g_strdup(ks_process_clean_env[i]));
	g_ptr_array_add(env, g_strdup_printf("KMODSMITH_LOCKED=%d", (int)getpid()));
	g_ptr_array_add(env, g_strdup_printf("PWD=%s", place));
	g_ptr_array_add(env, g_strdup_printf("module=%s", module));
	g_ptr_array_add(env, g_strdup_printf("module_version=%s", version));
	if (kernel) {
		g_ptr_array_add(env, g_strdup_printf("kernelver=%s", kernel->release));
		g_ptr_array_add(env, g_strdup_printf("arch=%s", kernel->arch));
	}
	g_ptr_array_add(env, NULL);
	return (char **)g_ptr_array_free(env, FALSE);
}

static int open_log(const struct ks_system *system)
{
	g_autofree char *path = g_build_filename(system->log_dir, "scripts.log", NULL);

	if (!ks_root_mkdir_p(system->root, system->log_dir, 0755, NULL))
		return -1;
	return ks_root_openat(system->root, path, O_WRONLY | O_CREAT | O_APPEND, 0640,
			      NULL);
}

static bool has_ended(int pidfd, int timeout_ms)
{
	struct pollfd fd = {.fd = pidfd, .events = POLLIN};
	const gint64 end_us = g_get_monotonic_time() + timeout_ms * 1000LL;

	for (;;) {
		const gint64 left_ms = (end_us - g_get_monotonic_time()) / 1000;
		int n = poll(&fd, 1, MAX(left_ms, 0));

		if (n != 0 && !(n < 0 && errno == EINTR))
			return true;
		if (n == 0)
			return false;
	}
}

/*
 * Start it and wait, but not for ever: a script that waits for an answer must not
 * keep a package manager from ending. *is_over: its time is.
 */
static bool run_bounded(const struct ks_process_options *options, unsigned int timeout_s,
			int *wait_status, bool *is_over, GError **error)
{
	int pidfd = -1;
	const pid_t pid = ks_process_spawn(options, &pidfd, error);
	ks_autofd int fd = pidfd;

	if (pid < 0)
		return false;
	*is_over = false;
	if (fd >= 0 && !has_ended(fd, timeout_s * 1000)) {
		*is_over = true;
		kill(pid, SIGTERM);
		if (!has_ended(fd, GRACE_MS))
			kill(pid, SIGKILL);
	}
	*wait_status = ks_process_wait(pid);
	return true;
}

static bool run_script(const struct ks_system *system, const char *what, char **argv,
		       const char *source_dir, char **env, unsigned int timeout_s,
		       bool to_stdout, int *exit_status, GError **error)
{
	ks_autofd int log_fd = to_stdout ? -1 : open_log(system);
	struct ks_process_options options = KS_PROCESS_OPTIONS_INIT;
	g_autofree char *described = NULL;
	bool is_over;
	int wait_status;

	options.argv = (const char *const *)argv;
	options.env = (const char *const *)env;
	options.chroot = ks_root_is_host(system->root) ? NULL : system->root;
	options.cwd = source_dir;
	options.stdout_fd = to_stdout ? STDOUT_FILENO : log_fd;
	options.stderr_fd = to_stdout ? STDERR_FILENO : log_fd;
	/* in our process group: ^C ends a script that hangs */
	if (!run_bounded(&options, timeout_s, &wait_status, &is_over, error)) {
		g_prefix_error(error, "cannot run %s '%s': ", what, argv[0]);
		return false;
	}
	*exit_status = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status)
					      : 128 + WTERMSIG(wait_status);
	if (is_over) {
		ks_error_set(error, KS_ERROR_FAILED,
			     "%s '%s' failed: killed after %u seconds", what, argv[0],
			     timeout_s);
		return false;
	}
	if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0)
		return true;
	described = ks_process_describe(wait_status);
	ks_error_set(error, KS_ERROR_FAILED, "%s '%s' failed: %s", what, argv[0],
		     described);
	return false;
}

bool ks_script_run(const struct ks_system *system, const struct ks_settings *settings,
		   const char *what, const char *command, const char *source_dir,
		   const char *module, const char *version,
		   const struct ks_kernel *kernel,
		   const struct ks_script_options *options, int *exit_status,
		   GError **error)
{
	static const struct ks_script_options defaults;
	int unused;
	g_autofree char *real_dir = NULL;
	g_autofree char *real_script = NULL;
	g_auto(GStrv) argv = NULL;
	g_auto(GStrv) env = NULL;
	g_autofree char *place = NULL;
	g_autofree char *script = NULL;

	options = options ? options : &defaults;
	exit_status = exit_status ? exit_status : &unused;
	*exit_status = 0;
	if (!command || !*command || settings->root_scripts == KS_ROOT_SCRIPTS_SKIP)
		return true;
	real_dir = ks_root_realpath(system->root, source_dir);
	argv = g_strsplit_set(command, " \t", -1);
	if (!real_dir || !argv[0])
		return true;
	script = resolve_script(system, module, real_dir, argv[0]);
	if (!is_executable(system, script)) {
		if (options->report)
			options->report(what, false, options->data);
		return true; /* as dkms; lint reports it */
	}
	/* Check the real path too: a link may lead below somebody else's directory. */
	real_script = ks_root_realpath(system->root, script);
	if (!real_script || !is_roots_alone(system, real_dir) ||
	    !is_roots_alone(system, script) || !is_roots_alone(system, real_script)) {
		ks_error_set(error, KS_ERROR_DENIED,
			     "cannot run %s '%s': others than root can write to it", what,
			     script);
		return false;
	}
	place = find_place(system, module, version, real_dir);
	name_by_place(&argv[0], script, real_dir, place);
	env = script_env(module, version, kernel, place);
	if (options->report)
		options->report(what, true, options->data);
	return run_script(system, what, argv, place, env, settings->script_timeout_s,
			  options->to_stdout, exit_status, error);
}
