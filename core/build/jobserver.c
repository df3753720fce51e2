/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pipe holds one byte per token. All makes share its open file
 * description: whatever one of them does to it (O_NONBLOCK, a pipe filled to
 * the brim) must neither stop us nor be stopped for them. So our own ends are
 * opened anew through /proc, with flags of their own, and never block.
 */
#include "core/build/jobserver.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/support/error.h"

#define TOKEN '+'
/* A pipe holds at least a page; nobody compiles with more. */
#define JOBS_MAX 4096

struct ks_jobserver {
	int fds[2]; /* the makes' ends */
	int own[2]; /* ours, of the same pipe */
	unsigned int n_jobs;
	unsigned int n_taken; /* and not given back: makes that run, or may */
	char *makeflags;
};

/* Without /proc: the shared description, and poll(2) before each use. */
static int open_own_end(int fd, int flags)
{
	g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);
	int own = open(path, flags | O_NONBLOCK | O_CLOEXEC);

	return own >= 0 ? own : fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

static bool is_ready(int fd, short events)
{
	struct pollfd pollfd = {.fd = fd, .events = events};

	return poll(&pollfd, 1, 0) == 1 && pollfd.revents & events;
}

static bool get(struct ks_jobserver *jobserver)
{
	char token;
	ssize_t n;

	do {
		n = is_ready(jobserver->own[0], POLLIN)
			    ? read(jobserver->own[0], &token, 1)
			    : 0;
	} while (n < 0 && errno == EINTR);
	return n == 1;
}

/* Made up by a hostile build, to have others wait for room in the pipe. */
static void drop_surplus(struct ks_jobserver *jobserver)
{
	char buffer[4096];
	int n_tokens, surplus;

	if (ioctl(jobserver->own[0], FIONREAD, &n_tokens) != 0)
		return;
	/* Not until there is none: it may be written faster than we read. */
	surplus = n_tokens - (int)jobserver->n_jobs + 1;
	while (surplus > 0 && is_ready(jobserver->own[0], POLLIN)) {
		ssize_t n = read(jobserver->own[0], buffer,
				 MIN((size_t)surplus, sizeof(buffer)));

		if (n <= 0)
			return;
		surplus -= (int)n;
	}
}

static void put(struct ks_jobserver *jobserver)
{
	const char token = TOKEN;
	ssize_t n;

	drop_surplus(jobserver);
	do {
		n = is_ready(jobserver->own[1], POLLOUT)
			    ? write(jobserver->own[1], &token, 1)
			    : 0;
	} while (n < 0 && errno == EINTR);
}

struct ks_jobserver *ks_jobserver_new(unsigned int n_jobs, GError **error)
{
	ks_auto(ks_jobserver) jobserver = g_new0(struct ks_jobserver, 1);

	jobserver->own[0] = jobserver->own[1] = -1;
	if (pipe2(jobserver->fds, O_CLOEXEC) != 0) {
		jobserver->fds[0] = jobserver->fds[1] = -1;
		ks_error_set_errno(error, errno, "cannot make a jobserver");
		return NULL;
	}
	jobserver->own[0] = open_own_end(jobserver->fds[0], O_RDONLY);
	jobserver->own[1] = open_own_end(jobserver->fds[1], O_WRONLY);
	if (jobserver->own[0] < 0 || jobserver->own[1] < 0) {
		ks_error_set_errno(error, errno, "cannot make a jobserver");
		return NULL;
	}
	jobserver->n_jobs = CLAMP(n_jobs, 1, JOBS_MAX);
	for (unsigned int i = 0; i < jobserver->n_jobs; i++)
		put(jobserver);
	/* The form of make 4.2 and later; the blank before it is make's own. */
	jobserver->makeflags =
		g_strdup_printf(" -j%u --jobserver-auth=%d,%d", jobserver->n_jobs,
				jobserver->fds[0], jobserver->fds[1]);
	return g_steal_pointer(&jobserver);
}

void ks_jobserver_free(struct ks_jobserver *jobserver)
{
	const int fds[] = {jobserver->fds[0], jobserver->fds[1], jobserver->own[0],
			   jobserver->own[1]};

	for (size_t i = 0; i < G_N_ELEMENTS(fds); i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
	g_free(jobserver->makeflags);
	g_free(jobserver);
}

bool ks_jobserver_try_take(struct ks_jobserver *jobserver)
{
	bool taken = get(jobserver);

	jobserver->n_taken += taken;
	return taken;
}

void ks_jobserver_give(struct ks_jobserver *jobserver)
{
	if (jobserver->n_taken)
		jobserver->n_taken--;
	put(jobserver);
}

int ks_jobserver_poll_fd(const struct ks_jobserver *jobserver)
{
	return jobserver->own[0];
}

void ks_jobserver_fds(const struct ks_jobserver *jobserver, int fds[2])
{
	fds[0] = jobserver->fds[0];
	fds[1] = jobserver->fds[1];
}

const char *ks_jobserver_makeflags(const struct ks_jobserver *jobserver)
{
	return jobserver->makeflags;
}

unsigned int ks_jobserver_refill(struct ks_jobserver *jobserver)
{
	unsigned int n = 0;

	/* Of what is not in the pipe they hold some, and nobody knows how many. */
	if (jobserver->n_taken)
		return 0;
	/* Also what a hostile build wrote into it; not until there is none. */
	while (n <= JOBS_MAX && get(jobserver))
		n++;
	for (unsigned int i = 0; i < jobserver->n_jobs; i++)
		put(jobserver);
	return n < jobserver->n_jobs ? jobserver->n_jobs - n : 0;
}
