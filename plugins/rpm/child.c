/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See child.h. */
#include "plugins/rpm/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_OUT_BYTES (64 * 1024 * 1024)
#define MAX_ERR_BYTES (64 * 1024)
/* where close_range(2) is not there: more than rpm has ever had open */
#define MAX_FDS		  4096
#define EXIT_CANNOT_ENTER 126
#define EXIT_CANNOT_EXEC  127

static void close_from(int first)
{
#ifdef SYS_close_range
	if (syscall(SYS_close_range, first, ~0U, 0) == 0)
		return;
#endif
	for (int fd = first; fd < MAX_FDS; fd++)
		close(fd);
}

/* Between fork and exec: system calls only. */
static void become(const struct ks_child *child, int out_fd, int err_fd)
{
	int null_fd;
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	null_fd = open("/dev/null", O_RDONLY);
	if (null_fd != STDIN_FILENO) {
		/* no /dev in the tree: then nothing, rather than the caller's */
		if (null_fd < 0)
			close(STDIN_FILENO);
		else
			dup2(null_fd, STDIN_FILENO);
	}
	dup2(out_fd, STDOUT_FILENO);
	dup2(err_fd, STDERR_FILENO);
	close_from(STDERR_FILENO + 1);
	if ((child->root && chroot(child->root) != 0) || chdir("/") != 0)
		_exit(EXIT_CANNOT_ENTER);
	umask(022);
	execve(child->argv[0], (char *const *)child->argv, (char *const *)child->env);
	_exit(EXIT_CANNOT_EXEC);
}

static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		/*
		 * somebody else's handler has reaped it: only its output shows
		 * how it went
		 */
		if (errno != EINTR)
			return 0;
	return status;
}

/*
 * Its output; when there are more than max_bytes, the last ones, since failures
 * are reported at the end. NULL when it is not available as text.
 */
static char *read_back(int fd, size_t max_bytes, size_t *size_bytes)
{
	off_t size = lseek(fd, 0, SEEK_END);
	size_t wanted = size > 0 && (size_t)size > max_bytes ? max_bytes : (size_t)size;
	char *text = size >= 0 ? malloc(wanted + 1) : NULL;
	off_t from = size - (off_t)wanted;
	size_t got = 0;

	while (text && got < wanted) {
		ssize_t n = pread(fd, text + got, wanted - got, from + (off_t)got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		got += (size_t)n;
	}
	if (text)
		text[got] = '\0';
	*size_bytes = got;
	return text;
}

/*
 * Where rpm's caller has SIGCHLD ignored the kernel keeps no status of a child:
 * the signal has its default action as long as our child runs.
 */
static void keep_status(struct sigaction *before)
{
	const struct sigaction usual = {.sa_handler = SIG_DFL};

	sigaction(SIGCHLD, NULL, before);
	if (before->sa_handler == SIG_IGN || before->sa_flags & SA_NOCLDWAIT)
		sigaction(SIGCHLD, &usual, NULL);
}

static bool run(const struct ks_child *child, int out_fd, int err_fd,
		struct ks_child_output *output, struct ks_why *why)
{
	struct sigaction before;
	size_t err_bytes;
	pid_t pid;

	if (out_fd < 0 || err_fd < 0)
		return ks_why_set(why, "cannot make room for the engine's output: %s",
				  strerror(errno));
	keep_status(&before);
	pid = fork();
	if (pid == 0)
		become(child, out_fd, err_fd);
	if (pid > 0)
		output->status = wait_for(pid);
	sigaction(SIGCHLD, &before, NULL);
	if (pid < 0)
		return ks_why_set(why, "cannot start '%s': %s", child->argv[0],
				  strerror(errno));
	output->out = read_back(out_fd, MAX_OUT_BYTES + 1, &output->out_bytes);
	output->err = read_back(err_fd, MAX_ERR_BYTES, &err_bytes);
	if (!output->out || !output->err)
		return ks_why_no_memory(why);
	if (output->out_bytes > MAX_OUT_BYTES)
		return ks_why_set(why, "'%s' said too much", child->argv[0]);
	return true;
}

/* Above the standard ones, which the child fills one after the other. */
static int make_file(const char *name)
{
	int low = memfd_create(name, MFD_CLOEXEC);
	int fd = low < 0 ? -1 : fcntl(low, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

	if (low >= 0)
		close(low);
	return fd;
}

bool ks_child_run(const struct ks_child *child, struct ks_child_output *output,
		  struct ks_why *why)
{
	int out_fd = make_file("kmodsmith-out");
	int err_fd = make_file("kmodsmith-err");
	bool ok;

	memset(output, 0, sizeof(*output));
	ok = run(child, out_fd, err_fd, output, why);
	if (out_fd >= 0)
		close(out_fd);
	if (err_fd >= 0)
		close(err_fd);
	return ok;
}

void ks_child_clear(struct ks_child_output *output)
{
	free(output->out);
	free(output->err);
	memset(output, 0, sizeof(*output));
}

void ks_child_describe(int status, struct ks_why *why)
{
	if (WIFSIGNALED(status))
		ks_why_set(why, "killed by signal %d", WTERMSIG(status));
	else if (WEXITSTATUS(status) == EXIT_CANNOT_ENTER)
		ks_why_set(why, "cannot change the root");
	else if (WEXITSTATUS(status) == EXIT_CANNOT_EXEC)
		ks_why_set(why, "cannot be executed");
	else
		ks_why_set(why, "exit status %d", WEXITSTATUS(status));
}
