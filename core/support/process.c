/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fork(2) and execve(2). Everything that allocates is done before the fork;
 * the child reports a failure through a pipe that closes itself on exec.
 */
#include "core/support/process.h"

#include <errno.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/support/error.h"
#include "core/support/watch.h"

#define MAX_STDERR_BYTES  4096
#define MAX_MESSAGE_CHARS 200
/* Without close_range(2), descriptors beyond this stay open. */
#define MAX_FALLBACK_FDS 65536
/* The status from ks_process_wait() for a child that somebody else has reaped. */
#define STATUS_UNKNOWN W_EXITCODE(255, 0)

const char *const ks_process_clean_env[] = {
	"PATH=/usr/sbin:/usr/bin:/sbin:/bin",
	"LC_ALL=C.UTF-8",
	"HOME=/",
	NULL,
};

enum stage {
	STAGE_STDIO,
	STAGE_PARENT,
	STAGE_CHROOT,
	STAGE_CWD,
	STAGE_EXEC,
};

struct failure {
	int stage;
	int err;
};

/* All that the child needs, ready before the fork. */
struct start {
	const struct ks_process_options *options;
	char *const *argv;
	char *const *env;
	GPtrArray *candidates; /* paths to try, NULL at the end */
	const char *cwd;
	int chroot_fd; /* -1 for none */
	int null_fd;
	int report_fd;
	pid_t parent;
};

static const char *path_of_env(const char *const *env)
{
	for (; *env; env++)
		if (g_str_has_prefix(*env, "PATH="))
			return *env + strlen("PATH=");
	return "/usr/bin:/bin";
}

/*
 * The paths that execvpe(3) would try; here, because that allocates and falls
 * back to a shell.
 */
static GPtrArray *list_candidates(const char *program, const char *const *env)
{
	GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);

	if (strchr(program, '/')) {
		g_ptr_array_add(paths, g_strdup(program));
	} else {
		g_auto(GStrv) dirs = g_strsplit(path_of_env(env), ":", -1);

		/* an empty element would mean the working directory: never search that */
		for (char **dir = dirs; *dir; dir++)
			if (**dir == '/')
				g_ptr_array_add(paths,
						g_strdup_printf("%s/%s", *dir, program));
	}
	g_ptr_array_add(paths, NULL);
	return paths;
}

G_GNUC_NORETURN static void child_fail(const struct start *start, enum stage stage)
{
	struct failure failure = {.stage = stage, .err = errno};
	ssize_t n;

	do
		n = write(start->report_fd, &failure, sizeof(failure));
	while (n < 0 && errno == EINTR);
	_exit(127);
}

/*
 * Handlers are gone with the exec; what is ignored or blocked would stay so.
 * Through the kernel's own call: the C library hides the two signals that it
 * uses itself, and a caller may have left those ignored. An all-zero action is
 * SIG_DFL without flags on every architecture; 64 bytes hold it on all.
 */
static void child_reset_signals(void)
{
	static const unsigned long action[8];
	sigset_t none;

	for (int sig = 1; sig <= 64; sig++)
		syscall(SYS_rt_sigaction, sig, action, NULL, 8);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void child_close_others(void)
{
	struct rlimit limit;
	int max_fd;

	if (syscall(SYS_close_range, 3u, ~0u, CLOSE_RANGE_CLOEXEC) == 0)
		return;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur > MAX_FALLBACK_FDS)
		limit.rlim_cur = MAX_FALLBACK_FDS;
	max_fd = (int)limit.rlim_cur;
	for (int fd = 3; fd < max_fd; fd++)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static void child_set_descriptors(const struct start *start)
{
	const struct ks_process_options *options = start->options;
	int fds[3] = {options->stdin_fd, options->stdout_fd, options->stderr_fd};

	/* first out of the way: a source may itself be one of 0, 1, 2 */
	for (int i = 0; i < 3; i++) {
		fds[i] = fcntl(fds[i] < 0 ? start->null_fd : fds[i], F_DUPFD_CLOEXEC, 3);
		if (fds[i] < 0)
			child_fail(start, STAGE_STDIO);
	}
	for (int i = 0; i < 3; i++)
		if (dup2(fds[i], i) < 0)
			child_fail(start, STAGE_STDIO);
	child_close_others();
	for (size_t i = 0; i < options->n_pass_fds; i++)
		if (fcntl(options->pass_fds[i], F_SETFD, 0) < 0)
			child_fail(start, STAGE_STDIO);
}

static void child_exec(const struct start *start)
{
	bool denied = false;

	errno = ENOENT;
	for (guint i = 0; start->candidates->pdata[i]; i++) {
		execve(start->candidates->pdata[i], start->argv, start->env);
		if (errno == EACCES)
			denied = true;
		else if (errno != ENOENT && errno != ENOTDIR)
			child_fail(start, STAGE_EXEC);
	}
	if (denied)
		errno = EACCES;
	child_fail(start, STAGE_EXEC);
}

G_GNUC_NORETURN static void child_run(const struct start *start)
{
	const struct ks_process_options *options = start->options;

	child_reset_signals();
	if (options->new_session)
		setsid();
	if (options->die_with_parent) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* it may have died before the request */
		if (getppid() != start->parent) {
			errno = ESRCH;
			child_fail(start, STAGE_PARENT);
		}
	}
	child_set_descriptors(start);
	umask(022);
	if (start->chroot_fd >= 0 && (fchdir(start->chroot_fd) < 0 || chroot(".") < 0))
		child_fail(start, STAGE_CHROOT);
	if (chdir(start->cwd) < 0)
		child_fail(start, STAGE_CWD);
	child_exec(start);
	_exit(127);
}

static void set_failure(const struct start *start, const struct failure *failure,
			GError **error)
{
	const struct ks_root *chroot = start->options->chroot;
	const char *program = start->argv[0];

	switch (failure->stage) {
	case STAGE_CHROOT:
		ks_error_set_errno(error, failure->err, "cannot run '%s' inside '%s'",
				   program, ks_root_prefix(chroot));
		break;
	case STAGE_CWD:
		ks_error_set_errno(error, failure->err,
				   "cannot run '%s' in directory '%s%s'", program,
				   chroot ? ks_root_prefix(chroot) : "", start->cwd);
		break;
	case STAGE_STDIO:
		ks_error_set_errno(error, failure->err, "cannot pass descriptors to '%s'",
				   program);
		break;
	default:
		ks_error_set_errno(
			error, failure->err, "cannot run '%s%s'",
			chroot && *program == '/' ? ks_root_prefix(chroot) : "", program);
	}
}

/* A signal handler of ours must not run in the child before it has been reset. */
static pid_t fork_with_signals_blocked(const struct start *start)
{
	sigset_t all, old;
	pid_t pid;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	pid = fork();
	if (pid == 0)
		child_run(start);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return pid;
}

/* True when the exec happened; else *failure says why not. */
static bool read_report(int fd, struct failure *failure)
{
	ssize_t n;

	do
		n = read(fd, failure, sizeof(*failure));
	while (n < 0 && errno == EINTR);
	return n != sizeof(*failure);
}

static pid_t fork_and_exec(struct start *start, GError **error)
{
	struct failure failure;
	int report[2];
	bool executed;
	pid_t pid;

	if (pipe2(report, O_CLOEXEC) < 0) {
		ks_error_set_errno(error, errno, "cannot run '%s'", start->argv[0]);
		return -1;
	}
	/* above the three that the child overwrites */
	start->report_fd = fcntl(report[1], F_DUPFD_CLOEXEC, 3);
	close(report[1]);
	pid = start->report_fd < 0 ? -1 : fork_with_signals_blocked(start);
	if (pid < 0) {
		ks_error_set_errno(error, errno, "cannot run '%s'", start->argv[0]);
		executed = false;
	}
	if (start->report_fd >= 0)
		close(start->report_fd);
	if (pid > 0) {
		executed = read_report(report[0], &failure);
		if (!executed) {
			ks_process_wait(pid);
			set_failure(start, &failure, error);
		}
	}
	close(report[0]);
	return executed ? pid : -1;
}

static int open_pidfd(pid_t pid, GError **error)
{
	int fd = ks_watch_child(pid);

	if (fd < 0) {
		ks_error_set_errno(error, errno, "cannot watch process %d", (int)pid);
		kill(pid, SIGKILL);
		ks_process_wait(pid);
	}
	return fd;
}

/* Opened once: a program may have no /dev any more when it needs it. */
static int open_null(void)
{
	static int kept = -1;

	if (kept < 0)
		kept = open("/dev/null", O_RDWR | O_CLOEXEC);
	return kept < 0 ? -1 : fcntl(kept, F_DUPFD_CLOEXEC, 3);
}

bool ks_process_keep_null(void)
{
	ks_autofd int fd = open_null();

	return fd >= 0;
}

pid_t ks_process_spawn(const struct ks_process_options *options, int *pidfd,
		       GError **error)
{
	const char *const *env = options->env ? options->env : ks_process_clean_env;
	g_autoptr(GPtrArray) candidates = list_candidates(options->argv[0], env);
	ks_autofd int null_fd = open_null();
	struct start start = {
		.options = options,
		/* execve(2) does not write to them; its prototype is older than const */
		.argv = (char *const *)options->argv,
		.env = (char *const *)env,
		.candidates = candidates,
		.cwd = options->cwd ? options->cwd : "/",
		.chroot_fd = -1,
		.null_fd = null_fd,
		.parent = getpid(),
	};
	pid_t pid;
	int fd;

	if (null_fd < 0) {
		ks_error_set_errno(error, errno, "cannot open '/dev/null'");
		return -1;
	}
	if (options->chroot && !ks_root_is_host(options->chroot))
		start.chroot_fd = ks_root_fd(options->chroot);
	pid = fork_and_exec(&start, error);
	if (pid < 0 || !pidfd)
		return pid;
	fd = open_pidfd(pid, error);
	if (fd < 0)
		return -1;
	*pidfd = fd;
	return pid;
}

int ks_process_wait(pid_t pid)
{
	int status = 0;
	pid_t got;

	do
		got = waitpid(pid, &status, 0);
	while (got < 0 && errno == EINTR);
	return got == pid ? status : STATUS_UNKNOWN;
}

bool ks_process_run(const struct ks_process_options *options, int *wait_status,
		    GError **error)
{
	pid_t pid = ks_process_spawn(options, NULL, error);

	if (pid < 0)
		return false;
	*wait_status = ks_process_wait(pid);
	return true;
}

/* A file rather than a pipe: nothing to feed, no deadlock and no SIGPIPE. */
static int open_input(const char *input, GError **error)
{
	size_t left = strlen(input);
	ks_autofd int fd = memfd_create("input", MFD_CLOEXEC);

	while (fd >= 0 && left) {
		ssize_t n = write(fd, input, left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		input += n;
		left -= n;
	}
	if (fd < 0 || left || lseek(fd, 0, SEEK_SET) < 0) {
		ks_error_set_errno(error, errno, "cannot pass input to a program");
		return -1;
	}
	return ks_steal_fd(&fd);
}

/* One end of a pipe, being collected. */
struct stream {
	int fd;	      /* -1 once it has ended */
	int child_fd; /* the other end, until the child has it */
	GString *text;
	size_t max_bytes;
	bool overflow; /* more than max_bytes came; the rest was dropped */
};

static void clear_stream(struct stream *stream)
{
	if (stream->fd >= 0)
		close(stream->fd);
	if (stream->child_fd >= 0)
		close(stream->child_fd);
	if (stream->text)
		g_string_free(stream->text, TRUE);
}

static bool open_stream(struct stream *stream, size_t max_bytes, GError **error)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0) {
		ks_error_set_errno(error, errno, "cannot create a pipe");
		return false;
	}
	/* only our end: the child's must stay an ordinary blocking pipe */
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	stream->fd = fds[0];
	stream->child_fd = fds[1];
	stream->text = g_string_new(NULL);
	stream->max_bytes = max_bytes;
	return true;
}

/* Read the available bytes. */
static void drain(struct stream *stream)
{
	char buffer[16384];

	while (stream->fd >= 0 && !stream->overflow) {
		ssize_t n = read(stream->fd, buffer, sizeof(buffer));
		size_t room = stream->max_bytes - stream->text->len;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			close(ks_steal_fd(&stream->fd));
			return;
		}
		g_string_append_len(stream->text, buffer, MIN((size_t)n, room));
		stream->overflow = (size_t)n > room;
	}
}

/* The rest of stderr is read and dropped, so that the child does not block. */
static void drain_and_forget(struct stream *stream)
{
	do {
		stream->overflow = false;
		drain(stream);
	} while (stream->overflow);
}

/*
 * Until both streams have ended or the child has: a grandchild that keeps a
 * pipe open must not keep us. False when stdout became too long.
 */
static bool collect(struct stream *out, struct stream *err, int pidfd)
{
	bool ended = false;

	while (!ended && (out->fd >= 0 || err->fd >= 0)) {
		struct pollfd fds[] = {
			{.fd = out->fd, .events = POLLIN},
			{.fd = err->fd, .events = POLLIN},
			{.fd = pidfd, .events = POLLIN},
		};

		if (poll(fds, G_N_ELEMENTS(fds), -1) < 0)
			continue;
		/* asked before draining: what it wrote before it ended is in the pipe */
		ended = fds[2].revents != 0;
		drain(out);
		drain_and_forget(err);
		if (out->overflow)
			return false;
	}
	return true;
}

/* The first line with something in it, fit for a message. */
static char *first_line(const char *text)
{
	g_autofree char *line = NULL;
	char *valid;

	text += strspn(text, " \t\r\n");
	line = g_strndup(text, strcspn(text, "\r\n"));
	valid = g_utf8_make_valid(line, -1);
	if (g_utf8_strlen(valid, -1) > MAX_MESSAGE_CHARS)
		*g_utf8_offset_to_pointer(valid, MAX_MESSAGE_CHARS) = '\0';
	for (char *p = valid; *p; p++)
		if (g_ascii_iscntrl(*p))
			*p = ' ';
	return g_strchomp(valid);
}

bool ks_process_check(const char *program, int wait_status, const char *err_text,
		      GError **error)
{
	g_autofree char *what = NULL;
	g_autofree char *line = NULL;

	if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0)
		return true;
	what = ks_process_describe(wait_status);
	line = first_line(err_text);
	ks_error_set(error, KS_ERROR_FAILED, "'%s' failed: %s%s%s", program, what,
		     *line ? ": " : "", line);
	return false;
}

/* Run with the streams open; true when all was collected and it exited with 0. */
static bool capture_into(struct ks_process_options *options, struct stream *out,
			 struct stream *err, GError **error)
{
	ks_autofd int pidfd = -1;
	bool complete;
	int status;
	pid_t pid = ks_process_spawn(options, &pidfd, error);

	if (pid < 0)
		return false;
	close(ks_steal_fd(&out->child_fd));
	if (err->child_fd >= 0)
		close(ks_steal_fd(&err->child_fd));
	complete = collect(out, err, pidfd);
	if (!complete)
		kill(options->new_session ? -pid : pid, SIGKILL);
	status = ks_process_wait(pid);
	if (!complete) {
		ks_error_set(error, KS_ERROR_INVALID,
			     "'%s' was stopped: its output is larger than %zu bytes",
			     options->argv[0], out->max_bytes);
		return false;
	}
	return ks_process_check(options->argv[0], status, err->text ? err->text->str : "",
				error);
}

char *ks_process_capture(const struct ks_process_options *options, const char *input,
			 size_t max_bytes, size_t *size_bytes, GError **error)
{
	__attribute__((cleanup(clear_stream))) struct stream out = {.fd = -1,
								    .child_fd = -1};
	__attribute__((cleanup(clear_stream))) struct stream err = {.fd = -1,
								    .child_fd = -1};
	struct ks_process_options actual = *options;
	ks_autofd int input_fd = -1;

	if (input) {
		input_fd = open_input(input, error);
		if (input_fd < 0)
			return NULL;
		actual.stdin_fd = input_fd;
	}
	if (!open_stream(&out, max_bytes, error))
		return NULL;
	actual.stdout_fd = out.child_fd;
	if (options->stderr_fd < 0) {
		if (!open_stream(&err, MAX_STDERR_BYTES, error))
			return NULL;
		actual.stderr_fd = err.child_fd;
	}
	if (!capture_into(&actual, &out, &err, error))
		return NULL;
	if (size_bytes)
		*size_bytes = out.text->len;
	return g_string_free(g_steal_pointer(&out.text), FALSE);
}

char *ks_process_describe(int wait_status)
{
	int sig;

	if (WIFEXITED(wait_status))
		return g_strdup_printf("exit status %d", WEXITSTATUS(wait_status));
	sig = WTERMSIG(wait_status);
	return g_strdup_printf("killed by signal %d (%s)", sig, g_strsignal(sig));
}
