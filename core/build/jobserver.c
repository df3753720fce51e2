/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pipe holds one byte per token. All makes share its open file
 * description, so O_NONBLOCK must never be set on it by us: we read with
 * RWF_NOWAIT (pipes: Linux 5.8), which concerns this one read.
 */
#include "core/build/jobserver.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/support/error.h"

#define TOKEN '+'
/* A pipe holds at least a page; nobody compiles with more. */
#define JOBS_MAX 4096

struct ks_jobserver {
	int fds[2];
	unsigned int n_jobs;
	char *makeflags;
};

struct ks_jobserver *ks_jobserver_new(unsigned int n_jobs, GError **error)
{
	ks_auto(ks_jobserver) jobserver = g_new0(struct ks_jobserver, 1);

	if (pipe2(jobserver->fds, O_CLOEXEC) != 0) {
		jobserver->fds[0] = jobserver->fds[1] = -1;
		ks_error_set_errno(error, errno, "cannot make a jobserver");
		return NULL;
	}
	jobserver->n_jobs = CLAMP(n_jobs, 1, JOBS_MAX);
	for (unsigned int i = 0; i < jobserver->n_jobs; i++)
		ks_jobserver_give(jobserver);
	/* The form of make 4.2 and later; the blank before it is make's own. */
	jobserver->makeflags =
		g_strdup_printf(" -j%u --jobserver-auth=%d,%d", jobserver->n_jobs,
				jobserver->fds[0], jobserver->fds[1]);
	return g_steal_pointer(&jobserver);
}

void ks_jobserver_free(struct ks_jobserver *jobserver)
{
	if (jobserver->fds[0] >= 0)
		close(jobserver->fds[0]);
	if (jobserver->fds[1] >= 0)
		close(jobserver->fds[1]);
	g_free(jobserver->makeflags);
	g_free(jobserver);
}

bool ks_jobserver_try_take(struct ks_jobserver *jobserver)
{
	struct pollfd pollfd = {.fd = jobserver->fds[0], .events = POLLIN};
	char token;
	struct iovec iov = {.iov_base = &token, .iov_len = 1};
	ssize_t n;

	do {
		n = preadv2(jobserver->fds[0], &iov, 1, -1, RWF_NOWAIT);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EOPNOTSUPP && poll(&pollfd, 1, 0) == 1)
		/* A make may be quicker between poll and read: then wait for its end. */
		n = read(jobserver->fds[0], &token, 1);
	return n == 1;
}

void ks_jobserver_give(struct ks_jobserver *jobserver)
{
	const char token = TOKEN;
	ssize_t n;

	/* It cannot block: there is room for many more than were taken. */
	do {
		n = write(jobserver->fds[1], &token, 1);
	} while (n < 0 && errno == EINTR);
}

int ks_jobserver_poll_fd(const struct ks_jobserver *jobserver)
{
	return jobserver->fds[0];
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

	/* Also what a hostile build wrote into it. */
	while (ks_jobserver_try_take(jobserver))
		n++;
	for (unsigned int i = 0; i < jobserver->n_jobs; i++)
		ks_jobserver_give(jobserver);
	return n < jobserver->n_jobs ? jobserver->n_jobs - n : 0;
}
