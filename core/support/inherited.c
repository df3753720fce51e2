/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See inherited.h. */
#include "core/support/inherited.h"

#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

/* Programs that close all descriptors one by one would take long with more. */
#define MAX_FILES 4096

/*
 * If a caller has closed a standard descriptor, the next file that we open, a
 * module or the state, would get its number and our messages.
 */
static bool open_standard_descriptors(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
	return fd >= 0;
}

/* With SIGCHLD ignored the kernel keeps no status of a child: all would seem to fail. */
static void reset_signals(void)
{
	static const int signals[] = {SIGCHLD, SIGALRM, SIGVTALRM, SIGPROF, SIGUSR1,
				      SIGUSR2, SIGXCPU, SIGABRT,   SIGSEGV, SIGBUS,
				      SIGFPE,  SIGILL,	SIGSYS,	   SIGTRAP};
	sigset_t none;

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void stop_timers(void)
{
	static const int timers[] = {ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF};
	const struct itimerval never = {{0, 0}, {0, 0}};

	for (size_t i = 0; i < sizeof(timers) / sizeof(timers[0]); i++)
		setitimer(timers[i], &never, NULL);
}

static void raise_limit(int resource, rlim_t at_most)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) != 0 || limit.rlim_cur >= at_most)
		return;
	limit.rlim_cur = limit.rlim_max < at_most ? limit.rlim_max : at_most;
	setrlimit(resource, &limit);
}

static void raise_limits(void)
{
	raise_limit(RLIMIT_AS, RLIM_INFINITY);
	raise_limit(RLIMIT_CPU, RLIM_INFINITY);
	raise_limit(RLIMIT_DATA, RLIM_INFINITY);
	raise_limit(RLIMIT_FSIZE, RLIM_INFINITY);
	raise_limit(RLIMIT_NPROC, RLIM_INFINITY);
	raise_limit(RLIMIT_NOFILE, MAX_FILES);
}

bool ks_inherited_reset(void)
{
	if (!open_standard_descriptors())
		return false;
	reset_signals();
	stop_timers();
	raise_limits();
	umask(022);
	return true;
}
