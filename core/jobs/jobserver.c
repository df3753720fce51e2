/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pipe or FIFO holds one byte per token. All makes share a pipe's open
 * file description: nothing that one of them does to it (O_NONBLOCK, a pipe
 * filled to the brim) may stop us, and nothing that we do may stop them. So
 * our own ends are opened again through /proc, with flags of their own, and
 * never block.
 */
#include "core/jobs/jobserver.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/jobs/caller-pool.h"
#include "core/jobs/jobserver-fifo.h"
#include "core/support/error.h"

#define TOKEN '+'
/* A pipe holds at least a page; nobody needs more jobs. */
#define JOBS_MAX 4096
/* The makes' ends of a pipe, see move_high() */
#define FIRST_FD 100

struct ks_jobserver {
	const struct ks_system *system;
	int fds[2]; /* the makes' ends of a pipe; -1 of a FIFO */
	int own[2]; /* ours, of the same pipe or FIFO */
	int both;   /* epoll(7) of our own and the caller's; -1 without one */
	struct ks_caller_pool *caller; /* or NULL */
	unsigned int n_jobs;	       /* no more than that */
	unsigned int n_tokens;	       /* there should be now, taken or not */
	unsigned int n_taken;	       /* and not given back: makes that run, or may */
	char *fifo;		       /* or NULL */
	char *auth;
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
	/* Do not read until it is empty: it may be written faster than we read. */
	surplus = n_tokens - (int)jobserver->n_tokens + 1;
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

/* --- of the caller's */

/* Its descriptor is left out while no more may be borrowed: it would always be ready. */
static bool watch(struct ks_jobserver *jobserver, int op)
{
	const int caller_fd = ks_caller_pool_fd(jobserver->caller);
	struct epoll_event event = {
		.events = jobserver->n_tokens < jobserver->n_jobs ? EPOLLIN : 0};

	return epoll_ctl(jobserver->both, op, caller_fd, &event) == 0;
}

static void watch_caller(struct ks_jobserver *jobserver)
{
	watch(jobserver, EPOLL_CTL_MOD);
}

static bool watch_both(struct ks_jobserver *jobserver)
{
	struct epoll_event event = {.events = EPOLLIN};

	jobserver->both = epoll_create1(EPOLL_CLOEXEC);
	return jobserver->both >= 0 &&
	       epoll_ctl(jobserver->both, EPOLL_CTL_ADD, jobserver->own[0], &event) ==
		       0 &&
	       watch(jobserver, EPOLL_CTL_ADD);
}

/* One more, which is not in the pool yet. */
static bool borrow(struct ks_jobserver *jobserver)
{
	if (!jobserver->caller || jobserver->n_tokens >= jobserver->n_jobs ||
	    !ks_caller_pool_borrow(jobserver->caller))
		return false;
	jobserver->n_tokens++;
	watch_caller(jobserver);
	return true;
}

/* Only idle tokens: those that makes hold come back into the pool. */
static void give_back_idle(struct ks_jobserver *jobserver, int n)
{
	while (n-- > 0 && ks_caller_pool_count(jobserver->caller) && get(jobserver) &&
	       ks_caller_pool_return(jobserver->caller))
		jobserver->n_tokens--;
	watch_caller(jobserver);
}

/* --- made and gone */

/*
 * Scripts redirect 3 to 9 as they like (every configure of autoconf has its log at 5 and
 * its messages at 6), and a make that they call would take those for its pool. What a
 * shell saves lies at 10 and higher, bash's own script at 255.
 */
static void move_high(int *fd)
{
	int high = fcntl(*fd, F_DUPFD_CLOEXEC, FIRST_FD);

	if (high < 0)
		return; /* a low limit of descriptors: it works for most */
	close(*fd);
	*fd = high;
}

static bool make_pipe(struct ks_jobserver *jobserver, GError **error)
{
	if (pipe2(jobserver->fds, O_CLOEXEC) != 0) {
		jobserver->fds[0] = jobserver->fds[1] = -1;
		ks_error_set_errno(error, errno, "cannot make a jobserver");
		return false;
	}
	move_high(&jobserver->fds[0]);
	move_high(&jobserver->fds[1]);
	jobserver->own[0] = open_own_end(jobserver->fds[0], O_RDONLY);
	jobserver->own[1] = open_own_end(jobserver->fds[1], O_WRONLY);
	if (jobserver->own[0] < 0 || jobserver->own[1] < 0) {
		ks_error_set_errno(error, errno, "cannot make a jobserver");
		return false;
	}
	return true;
}

struct ks_jobserver *ks_jobserver_open(const struct ks_system *system,
				       unsigned int n_jobs, const char *makeflags,
				       GError **error)
{
	ks_auto(ks_jobserver) jobserver = g_new0(struct ks_jobserver, 1);

	jobserver->system = system;
	jobserver->fds[0] = jobserver->fds[1] = -1;
	jobserver->own[0] = jobserver->own[1] = jobserver->both = -1;
	jobserver->n_jobs = CLAMP(n_jobs, 1, JOBS_MAX);
	if (system && ks_jobserver_fifo_is_known(system))
		jobserver->fifo = ks_jobserver_fifo_make(system, jobserver->own);
	if (!jobserver->fifo && !make_pipe(jobserver, error))
		return NULL;
	jobserver->caller = ks_caller_pool_open(makeflags);
	jobserver->n_tokens = 1;
	if (jobserver->caller && !watch_both(jobserver))
		g_clear_pointer(&jobserver->caller, ks_caller_pool_free);
	if (!jobserver->caller)
		jobserver->n_tokens = jobserver->n_jobs;
	for (unsigned int i = 0; i < jobserver->n_tokens; i++)
		put(jobserver);
	/* The pipe's form since make 4.2; the blank in front is make's own. */
	jobserver->auth = jobserver->fifo ? g_strconcat("fifo:", jobserver->fifo, NULL)
					  : g_strdup_printf("%d,%d", jobserver->fds[0],
							    jobserver->fds[1]);
	jobserver->makeflags = g_strdup_printf(" -j%u --jobserver-auth=%s",
					       jobserver->n_jobs, jobserver->auth);
	return g_steal_pointer(&jobserver);
}

struct ks_jobserver *ks_jobserver_new(unsigned int n_jobs, GError **error)
{
	return ks_jobserver_open(NULL, n_jobs, NULL, error);
}

void ks_jobserver_free(struct ks_jobserver *jobserver)
{
	if (!jobserver)
		return;

	const int fds[] = {jobserver->fds[0], jobserver->fds[1], jobserver->own[0],
			   jobserver->own[1], jobserver->both};

	ks_caller_pool_free(jobserver->caller);
	if (jobserver->fifo)
		ks_jobserver_fifo_remove(jobserver->system, jobserver->fifo);
	for (size_t i = 0; i < G_N_ELEMENTS(fds); i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
	g_free(jobserver->fifo);
	g_free(jobserver->auth);
	g_free(jobserver->makeflags);
	g_free(jobserver);
}

void ks_jobserver_sweep(const struct ks_system *system)
{
	ks_jobserver_fifo_sweep(system);
}

/* --- used */

bool ks_jobserver_try_take(struct ks_jobserver *jobserver)
{
	bool taken = get(jobserver) || borrow(jobserver);

	jobserver->n_taken += taken;
	/* a make begins, which may use more than this one */
	if (taken)
		ks_jobserver_balance(jobserver);
	return taken;
}

void ks_jobserver_give(struct ks_jobserver *jobserver)
{
	if (jobserver->n_taken)
		jobserver->n_taken--;
	put(jobserver);
	if (jobserver->caller && !jobserver->n_taken)
		give_back_idle(jobserver, (int)jobserver->n_tokens - 1);
}

int ks_jobserver_poll_fd(const struct ks_jobserver *jobserver)
{
	return jobserver->caller ? jobserver->both : jobserver->own[0];
}

size_t ks_jobserver_fds(const struct ks_jobserver *jobserver, int fds[2])
{
	if (jobserver->fifo)
		return 0;
	fds[0] = jobserver->fds[0];
	fds[1] = jobserver->fds[1];
	return 2;
}

const char *ks_jobserver_fifo(const struct ks_jobserver *jobserver)
{
	return jobserver->fifo;
}

const char *ks_jobserver_auth(const struct ks_jobserver *jobserver)
{
	return jobserver->auth;
}

const char *ks_jobserver_makeflags(const struct ks_jobserver *jobserver)
{
	return jobserver->makeflags;
}

void ks_jobserver_balance(struct ks_jobserver *jobserver)
{
	int n_idle;

	if (!jobserver->caller || ioctl(jobserver->own[0], FIONREAD, &n_idle) != 0)
		return;
	if (n_idle > 0) {
		give_back_idle(jobserver, n_idle - 1);
		return;
	}
	/* Nobody knows how many makes wait for one: as many again as there are. */
	for (unsigned int n = jobserver->n_tokens; n > 0 && borrow(jobserver); n--)
		put(jobserver);
}

unsigned int ks_jobserver_refill(struct ks_jobserver *jobserver)
{
	unsigned int n = 0, n_lost;

	/*
	 * Makes hold some of the tokens that are not in the pipe, and nobody
	 * knows how many.
	 */
	if (jobserver->n_taken)
		return 0;
	/* Also bytes that a hostile build wrote into it; not until it is empty. */
	while (n <= JOBS_MAX && get(jobserver))
		n++;
	n_lost = n < jobserver->n_tokens ? jobserver->n_tokens - n : 0;
	for (unsigned int i = 0; i < jobserver->n_tokens; i++)
		put(jobserver);
	if (jobserver->caller)
		give_back_idle(jobserver, (int)jobserver->n_tokens - 1);
	return n_lost;
}
