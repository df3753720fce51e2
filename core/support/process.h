/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Running another program, without a shell and with nothing inherited by
 * accident: the environment is exactly what is given, descriptors above 2 are
 * closed except those passed, signals are at their defaults, the umask is 022,
 * the working directory is "/" or what is given.
 *
 * fork(2) and exec(2) with only async-signal-safe calls between. The engine
 * polls the returned pidfd; there is no SIGCHLD handler, and no thread but one for each
 * child where the system has no pidfds (watch.h).
 */
#pragma once

#include <sys/types.h>

#include "core/support/contract.h"
#include "core/support/root.h"

struct ks_process_options {
	const char *const
		*argv;		/* argv[0] is a path, or a name searched in PATH of env */
	const char *const *env; /* "NAME=value"; NULL for ks_process_clean_env */
	const struct ks_root *chroot; /* NULL, or the tree that becomes "/" */
	const char *cwd;	      /* after chroot; NULL for "/" */
	int stdin_fd;		      /* -1 is /dev/null */
	int stdout_fd;		      /* -1 is /dev/null */
	int stderr_fd;		      /* -1 is /dev/null; may equal stdout_fd */
	const int *pass_fds;	      /* kept open under their own numbers */
	size_t n_pass_fds;
	bool new_session;     /* setsid(2): no terminal, no ^C from it */
	bool die_with_parent; /* PR_SET_PDEATHSIG SIGKILL */
};

/* PATH=/usr/sbin:/usr/bin:/sbin:/bin, LC_ALL=C.UTF-8, HOME=/ and nothing else. */
extern const char *const ks_process_clean_env[];

#define KS_PROCESS_OPTIONS_INIT                                                          \
	{                                                                                \
		.stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1                         \
	}

/*
 * Have /dev/null open from now on: for a process that goes on to change its root, and
 * may find none there.
 */
bool ks_process_keep_null(void);

/*
 * Start it. Returns the pid, and a descriptor of ks_watch_child() in *pidfd unless that is
 * NULL. A program that cannot be executed is an error here, not a status.
 */
KS_MUST_CHECK
KS_NONNULL(1)
pid_t ks_process_spawn(const struct ks_process_options *options, int *pidfd,
		       GError **error);

/*
 * waitpid(2) without EINTR; a wait status as in waitpid(2). When SIGCHLD is
 * ignored, so that the kernel has reaped the child already, exit status 255.
 */
int ks_process_wait(pid_t pid);

/* Start it and wait. False when it could not be started; *wait_status otherwise. */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_process_run(const struct ks_process_options *options, int *wait_status,
		    GError **error);

/*
 * Start it, collect at most max_bytes of its standard output (more is an
 * error and kills it), wait. Not exiting with 0 is KS_ERROR_FAILED, with the
 * status and the first line of stderr in the message (unless options give
 * stderr_fd). input may be NULL. stdout_fd of the options is not used.
 */
KS_MUST_CHECK
KS_NONNULL(1)
char *ks_process_capture(const struct ks_process_options *options, const char *input,
			 size_t max_bytes, size_t *size_bytes, GError **error);

/*
 * True when wait_status is exit status 0; else KS_ERROR_FAILED with the status and
 * the first line of err_text.
 */
KS_MUST_CHECK
bool ks_process_check(const char *program, int wait_status, const char *err_text,
		      GError **error);

/* "exit status 2", "killed by signal 9 (Killed)". */
char *ks_process_describe(int wait_status);
