/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Without a pid namespace: this process is a subreaper, so a process that
 * loses its parent becomes its child. Kill the children until none is alive;
 * each kill brings the next generation up. The dead are not reaped before:
 * they count for RLIMIT_NPROC, so that a fork bomb that has reached it cannot
 * replace them and has fewer processes after each round, however the machine
 * is loaded. Needs /proc with CONFIG_PROC_CHILDREN; without it only the
 * children that we know are reaped.
 */
#include "core/sandbox/launcher.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Nothing ends us when something cannot be killed. */
#define ROUNDS_MAX 20000

static bool is_dead(pid_t pid)
{
	siginfo_t info = {0};

	return waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid == pid;
}

/* How many were alive; -1 when unknown. */
static int children_kill(void)
{
	char path[64];
	FILE *file;
	int n_alive = 0;
	pid_t pid;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	file = fopen(path, "re");
	if (!file)
		return -1;
	while (fscanf(file, "%d", &pid) == 1) {
		if (is_dead(pid))
			continue;
		kill(pid, SIGKILL);
		n_alive++;
	}
	fclose(file);
	return n_alive;
}

void descendants_kill(void)
{
	const struct timespec pause = {.tv_nsec = 200000};

	for (int i = 0; i < ROUNDS_MAX; i++) {
		int n_alive = children_kill();
		pid_t pid = 1;

		/* The children of the dead are our own by now, so there are no others. */
		while (n_alive <= 0 && pid > 0)
			pid = waitpid(-1, NULL, WNOHANG);
		if (n_alive < 0 || pid < 0)
			return;
		nanosleep(&pause, NULL);
	}
}
