/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The answer comes in a memory file: nobody has to read while it is written. */
#include "core/support/fork.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/support/error.h"
#include "core/support/process.h"
#include "core/support/watch.h"

struct ks_fork {
	pid_t pid;
	int pidfd;
	int answer_fd;
};

/* The head of the answer's file. */
struct head {
	guint64 size, is_whole;
};

static void fork_free(struct ks_fork *fork)
{
	if (fork->pidfd >= 0)
		close(fork->pidfd);
	if (fork->answer_fd >= 0)
		close(fork->answer_fd);
	g_free(fork);
}

/*
 * The copy must not act on them; a handler of the engine would only set a flag
 * in the copy.
 */
static void copy_ignore_signals(void)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
	sigset_t none;

	for (size_t i = 0; i < G_N_ELEMENTS(signals); i++)
		signal(signals[i], SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static bool write_at(int fd, const char *data, gsize left, off_t at)
{
	while (left) {
		ssize_t n = pwrite(fd, data, left, at);

		if (n < 0 && errno != EINTR)
			return false;
		data += MAX(n, 0);
		left -= (gsize)MAX(n, 0);
		at += MAX(n, 0);
	}
	return true;
}

/* The head is written last: its presence shows that the answer is whole. */
static bool write_answer(int fd, GVariant *answer)
{
	const struct head head = {.size = g_variant_get_size(answer), .is_whole = 1};

	return write_at(fd, g_variant_get_data(answer), head.size, sizeof(head)) &&
	       write_at(fd, (const char *)&head, sizeof(head), 0);
}

/* Never back into the caller, nor through its atexit(3) functions and buffers. */
G_GNUC_NORETURN static void copy_run(const struct ks_fork *fork, pid_t parent,
				     ks_fork_func func, void *data)
{
	GVariant *answer;

	copy_ignore_signals();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* it may have died before the request */
	if (getppid() != parent)
		_exit(1);
	answer = g_variant_take_ref(func(data));
	_exit(write_answer(fork->answer_fd, answer) ? 0 : 1);
}

struct ks_fork *ks_fork_start(ks_fork_func func, void *data, GError **error)
{
	struct ks_fork *started = g_new0(struct ks_fork, 1);
	const pid_t parent = getpid();
	sigset_t all, old;

	started->pidfd = -1;
	started->answer_fd = memfd_create("answer", MFD_CLOEXEC);
	/* a handler of ours must not run in the copy */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	started->pid = started->answer_fd >= 0 ? fork() : -1;
	if (started->pid == 0)
		copy_run(started, parent, func, data);
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (started->pid > 0)
		started->pidfd = ks_watch_child(started->pid);
	if (started->pidfd >= 0)
		return started;
	ks_error_set_errno(error, errno, "cannot fork");
	if (started->pid > 0)
		ks_fork_kill(started);
	else
		fork_free(started);
	return NULL;
}

int ks_fork_fd(const struct ks_fork *fork)
{
	return fork->pidfd;
}

static bool read_at(int fd, char *data, gsize left, off_t at)
{
	while (left) {
		ssize_t n = pread(fd, data, left, at);

		if (n == 0 || (n < 0 && errno != EINTR))
			return false;
		data += MAX(n, 0);
		left -= (gsize)MAX(n, 0);
		at += MAX(n, 0);
	}
	return true;
}

static GBytes *read_answer(int fd)
{
	g_autofree char *data = NULL;
	struct head head;

	if (!read_at(fd, (char *)&head, sizeof(head), 0) || !head.is_whole)
		return NULL;
	data = g_malloc(head.size);
	if (!read_at(fd, data, head.size, sizeof(head)))
		return NULL;
	return g_bytes_new_take(g_steal_pointer(&data), head.size);
}

/* The status does not matter: where SIGCHLD is ignored the kernel keeps none. */
GVariant *ks_fork_finish(struct ks_fork *fork, const GVariantType *type, GError **error)
{
	int status = ks_process_wait(fork->pid);
	g_autoptr(GBytes) bytes = read_answer(fork->answer_fd);
	g_autofree char *how = NULL;

	fork_free(fork);
	if (bytes)
		return g_variant_ref_sink(g_variant_new_from_bytes(type, bytes, FALSE));
	how = ks_process_describe(status);
	ks_error_set(error, KS_ERROR_FAILED, "a process of kmodsmith ended early: %s",
		     how);
	return NULL;
}

void ks_fork_kill(struct ks_fork *fork)
{
	kill(fork->pid, SIGKILL);
	ks_process_wait(fork->pid);
	fork_free(fork);
}
