/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See dpkgrun.h. */
#include "plugins/apt/dpkgrun.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "core/support/error.h"
#include "core/support/process.h"

#define FRONTEND_LOCK "/var/lib/dpkg/lock-frontend"
#define DATABASE_LOCK "/var/lib/dpkg/lock"
#define UPDATES_DIR   "/var/lib/dpkg/updates"
#define LAST_WORDS    600
#define MAX_ANCESTORS 64

/* The parent of pid, or 0. */
static pid_t parent_of(pid_t pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/stat", (int)pid);
	g_autofree char *text = NULL;
	const char *after_name;
	int parent = 0;

	if (!g_file_get_contents(path, &text, NULL, NULL))
		return 0;
	after_name = strrchr(text, ')');
	if (!after_name || sscanf(after_name + 1, " %*c %d", &parent) != 1)
		return 0;
	return parent;
}

static bool is_ancestor(pid_t pid)
{
	pid_t at = getpid();

	for (int i = 0; i < MAX_ANCESTORS && at > 1; i++) {
		if (at == pid)
			return true;
		at = parent_of(at);
	}
	return at == pid;
}

/*
 * The process that holds the fcntl(2) lock on path: 0 none, -1 one out of sight
 * (in another pid namespace), else its pid.
 */
static pid_t lock_holder(const struct ks_system *system, const char *path)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	ks_autofd int fd = ks_root_openat(system->root, path, O_RDWR, 0, NULL);

	if (fd < 0 || fcntl(fd, F_GETLK, &lock) < 0 || lock.l_type == F_UNLCK)
		return 0;
	return lock.l_pid > 0 ? lock.l_pid : -1;
}

static bool is_locked_for_us(const struct ks_system *system)
{
	pid_t holder;

	if (!getenv("DPKG_FRONTEND_LOCKED"))
		return false;
	holder = lock_holder(system, FRONTEND_LOCK);
	/* out of sight: then only the environment can decide */
	return holder == -1 || (holder > 0 && is_ancestor(holder));
}

bool ks_dpkg_check_lock(const struct ks_system *system, GError **error)
{
	pid_t frontend =
		is_locked_for_us(system) ? 0 : lock_holder(system, FRONTEND_LOCK);
	pid_t holder = frontend ? frontend : lock_holder(system, DATABASE_LOCK);

	if (!holder)
		return true;
	if (holder > 0)
		ks_error_set(error, KS_ERROR_PENDING,
			     "the package database is locked by process %d", (int)holder);
	else
		ks_error_set(error, KS_ERROR_PENDING, "the package database is locked");
	return false;
}

/*
 * Variables that a dpkg around us has set for itself do not belong into the
 * nested one.
 */
static const char *const unwanted[] = {
	"DPKG_ROOT",
	"DPKG_ADMINDIR",
	"DPKG_HOOK_ACTION",
	"DPKG_MAINTSCRIPT_ARCH",
	"DPKG_MAINTSCRIPT_DEBUG",
	"DPKG_MAINTSCRIPT_NAME",
	"DPKG_MAINTSCRIPT_PACKAGE",
	"DPKG_MAINTSCRIPT_PACKAGE_REFCOUNT",
	"DPKG_RUNNING_VERSION",
	"DPKG_FORCE",
};

static char **dpkg_env(const struct ks_system *system)
{
	char **env = g_get_environ();

	for (size_t i = 0; i < G_N_ELEMENTS(unwanted); i++)
		env = g_environ_unsetenv(env, unwanted[i]);
	if (!is_locked_for_us(system))
		env = g_environ_unsetenv(env, "DPKG_FRONTEND_LOCKED");
	env = g_environ_setenv(env, "KMODSMITH_NESTED", "1", TRUE);
	/* other packages' triggers may run: they must not ask anything */
	env = g_environ_setenv(env, "DEBIAN_FRONTEND", "noninteractive", TRUE);
	env = g_environ_setenv(env, "PATH", "/usr/sbin:/usr/bin:/sbin:/bin", TRUE);
	return g_environ_setenv(env, "LC_ALL", "C.UTF-8", TRUE);
}

static char **dpkg_argv(const struct ks_system *system, GPtrArray *arguments)
{
	GPtrArray *argv = g_ptr_array_new();
	const char *root = ks_root_prefix(system->root);

	g_ptr_array_add(argv, g_strdup("dpkg"));
	if (*root) {
		g_ptr_array_add(argv, g_strdup_printf("--root=%s", root));
		/* without this it would write to the machine's own */
		g_ptr_array_add(argv, g_strdup_printf("--log=%s/var/log/dpkg.log", root));
	}
	for (guint i = 0; i < arguments->len; i++)
		g_ptr_array_add(argv, g_strdup(g_ptr_array_index(arguments, i)));
	g_ptr_array_add(argv, NULL);
	return (char **)g_ptr_array_free(argv, FALSE);
}

static int open_log(const struct ks_system *system, GError **error)
{
	g_autofree char *path = g_build_filename(system->log_dir, "dpkg.log", NULL);

	if (!ks_root_mkdir_p(system->root, system->log_dir, 0755, error))
		return -1;
	return ks_root_openat(system->root, path, O_RDWR | O_CREAT | O_APPEND, 0640,
			      error);
}

/* The end of the text written to the log since start, on one line. */
static char *last_words(int log_fd, off_t start)
{
	char buffer[LAST_WORDS + 1];
	off_t end = lseek(log_fd, 0, SEEK_END);
	off_t from = MAX(start, end - LAST_WORDS);
	ssize_t n = end > from ? pread(log_fd, buffer, (size_t)(end - from), from) : 0;

	buffer[MAX(n, 0)] = '\0';
	return g_strdup(g_strstrip(g_strdelimit(buffer, "\n\t", ' ')));
}

static bool judge(int wait_status, int log_fd, off_t start, GError **error)
{
	g_autofree char *words = last_words(log_fd, start);
	g_autofree char *described = NULL;

	if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0)
		return true;
	described = ks_process_describe(wait_status);
	/* 2: the database, its lock or the disk; nothing about the packages */
	ks_error_set(error,
		     WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 2
			     ? KS_ERROR_PENDING
			     : KS_ERROR_FAILED,
		     "'dpkg' failed: %s: %s", described, words);
	return false;
}

bool ks_dpkg_run(const struct ks_system *system, GPtrArray *arguments, GError **error)
{
	struct ks_process_options options = KS_PROCESS_OPTIONS_INIT;
	g_auto(GStrv) argv = dpkg_argv(system, arguments);
	g_auto(GStrv) env = dpkg_env(system);
	g_autofree char *line = g_strjoinv(" ", argv);
	ks_autofd int log_fd = open_log(system, error);
	off_t start;
	int wait_status;

	if (log_fd < 0)
		return false;
	dprintf(log_fd, "--- %s\n", line);
	start = lseek(log_fd, 0, SEEK_END);
	options.argv = (const char *const *)argv;
	options.env = (const char *const *)env;
	options.stdout_fd = log_fd;
	options.stderr_fd = log_fd;
	options.new_session = true;
	return ks_process_run(&options, &wait_status, error) &&
	       judge(wait_status, log_fd, start, error);
}

bool ks_dpkg_is_interrupted(const struct ks_system *system)
{
	g_autoptr(GPtrArray) names = ks_root_list(system->root, UPDATES_DIR, NULL);

	for (guint i = 0; names && i < names->len; i++)
		if (isdigit(*(const unsigned char *)g_ptr_array_index(names, i)))
			return true;
	return false;
}

bool ks_dpkg_merge_journal(const struct ks_system *system, GError **error)
{
	g_autoptr(GPtrArray) arguments = g_ptr_array_new();

	/* selects nothing, since nothing is on its standard input */
	g_ptr_array_add(arguments, (char *)"--set-selections");
	return ks_dpkg_run(system, arguments, error);
}
