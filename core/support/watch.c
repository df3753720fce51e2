/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See watch.h. */
#include "core/support/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct watch {
	pid_t pid;
	int fd; /* the thread's own: the caller may close his before */
};

static void *wait_for_child(void *data)
{
	struct watch *watch = data;
	const guint64 one = 1;
	siginfo_t info;

	/* ECHILD: the caller was faster */
	while (waitid(P_PID, (id_t)watch->pid, &info, WEXITED | WNOWAIT) < 0 &&
	       errno == EINTR)
		continue;
	(void)!write(watch->fd, &one, sizeof(one));
	close(watch->fd);
	g_free(watch);
	return NULL;
}

/*
 * Signals are for the thread that has always been there. Not by GLib, which ends the
 * program where a thread is refused. 0 or an errno.
 */
static int start_thread(struct watch *watch)
{
	sigset_t all, old;
	pthread_t thread;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	err = pthread_create(&thread, NULL, wait_for_child, watch);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!err)
		pthread_detach(thread);
	return err;
}

static int watch_by_thread(pid_t pid)
{
	const int fd = eventfd(0, EFD_CLOEXEC);
	struct watch *watch = g_new0(struct watch, 1);

	int err;

	watch->pid = pid;
	watch->fd = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
	err = watch->fd < 0 ? errno : start_thread(watch);
	if (!err)
		return fd;
	if (watch->fd >= 0)
		close(watch->fd);
	if (fd >= 0)
		close(fd);
	g_free(watch);
	errno = err;
	return -1;
}

int ks_watch_child(pid_t pid)
{
	/* close-on-exec by itself; no race, because nobody but us reaps the child */
	const int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (fd >= 0 || (errno != ENOSYS && errno != EPERM))
		return fd;
	return watch_by_thread(pid);
}
