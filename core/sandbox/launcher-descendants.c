/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Without a pid namespace: this process is a subreaper, so what loses its
 * parent becomes its child. Kill the children until there are none; each kill
 * brings the next generation up. Needs /proc with CONFIG_PROC_CHILDREN; without
 * it only what is still in our sight is reaped.
 */
#include "core/sandbox/launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A fork bomb may win each single round; it runs into RLIMIT_NPROC. */
#define ROUNDS_MAX 20000

static bool children_kill(void)
{
	char text[4096], path[64], *p = text;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	for (;;) {
		char *end;
		long pid = strtol(p, &end, 10);

		/* The last number may be cut off: only one followed by its blank. */
		if (end == p || *end != ' ')
			break;
		kill(pid, SIGKILL);
		p = end;
	}
	return p != text;
}

void descendants_kill(void)
{
	const struct timespec pause = {.tv_nsec = 200000};

	for (int i = 0; i < ROUNDS_MAX; i++) {
		pid_t pid = waitpid(-1, NULL, WNOHANG);

		if (pid < 0 && errno == ECHILD)
			return;
		if (pid > 0)
			continue;
		if (!children_kill())
			return;
		nanosleep(&pause, NULL);
	}
}
