/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flock(2) on run_dir/lock.
 *
 * A wait asks again every 100 ms. flock(2) itself has no timeout, an interval
 * timer would belong to the whole process, and a helper child would have to be
 * killed in time; ten calls a second cost nothing that anybody can measure.
 */
#include "core/platform/lock.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/support/error.h"

#define POLL_MS		 100
#define MAX_HOLDER_BYTES 512
#define MAX_STAT_BYTES	 4096
/* deeper than any sane chain of processes; ends a walk that races with reuse of pids */
#define MAX_ANCESTORS 1000

struct ks_lock {
	int fd;
};

/* "PID COMMAND" without the line end; "" when there is none. */
static char *read_holder(int fd)
{
	char text[MAX_HOLDER_BYTES];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	char *valid;

	text[MAX(n, 0)] = '\0';
	text[strcspn(text, "\n")] = '\0';
	valid = g_utf8_make_valid(text, -1);
	for (char *p = valid; *p; p++)
		if (g_ascii_iscntrl(*p))
			*p = ' ';
	return valid;
}

static void write_holder(int fd, const char *command)
{
	g_autofree char *name = g_strdelimit(g_strdup(command), "\n", ' ');
	g_autofree char *text =
		g_strdup_printf("%d %.*s\n", (int)getpid(), MAX_HOLDER_BYTES / 2, name);
	ssize_t n;

	/* The text only informs: a full /run must not keep anybody from working. */
	n = pwrite(fd, text, strlen(text), 0);
	if (n < 0 || ftruncate(fd, n) < 0)
		return;
}

/*
 * Readable by its owner alone: flock(2) needs only a descriptor, so whoever could read
 * the file could hold it, and every upgrade of the machine, for ever.
 */
static int open_lock_file(const struct ks_system *system, int flags, GError **error)
{
	g_autofree char *path = g_build_filename(system->run_dir, "lock", NULL);
	ks_autofd int fd =
		ks_root_openat(system->root, path, flags | O_NOFOLLOW, 0600, error);
	struct stat st;

	/* One that was there before, with another mode. */
	if (fd >= 0 && fstat(fd, &st) == 0 && st.st_mode & 0077 &&
	    fchmod(fd, 0600) != 0) {
		ks_error_set_errno(error, errno, "cannot protect '%s%s'",
				   ks_root_prefix(system->root), path);
		return -1;
	}
	return ks_steal_fd(&fd);
}

/* False when somebody has removed the file that we have locked: others lock another. */
static bool is_still_the_lock_file(const struct ks_system *system, int fd)
{
	g_autofree char *path = g_build_filename(system->run_dir, "lock", NULL);
	struct stat ours, current;

	return fstat(fd, &ours) == 0 && ks_root_lstat(system->root, path, &current) &&
	       ours.st_dev == current.st_dev && ours.st_ino == current.st_ino;
}

/* 1: got it; 0: somebody holds it, whose text is in *holder; -1: error. */
static int try_lock(const struct ks_system *system, int *locked_fd, char **holder,
		    GError **error)
{
	for (;;) {
		ks_autofd int fd = open_lock_file(system, O_RDWR | O_CREAT, error);

		if (fd < 0)
			return -1;
		if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
			if (!is_still_the_lock_file(system, fd))
				continue;
			*locked_fd = ks_steal_fd(&fd);
			return 1;
		}
		if (errno == EINTR)
			continue;
		if (errno != EWOULDBLOCK) {
			ks_error_set_errno(error, errno, "cannot lock '%s%s/lock'",
					   ks_root_prefix(system->root), system->run_dir);
			return -1;
		}
		g_free(*holder);
		*holder = read_holder(fd);
		return 0;
	}
}

/* False when the time is over, or a signal handler has run. */
static bool wait_a_little(gint64 deadline_us, const char *holder, GError **error)
{
	gint64 left_us = deadline_us - g_get_monotonic_time();

	if (left_us <= 0) {
		ks_error_set(error, KS_ERROR_LOCKED,
			     "cannot get the lock: it is held by process '%s'",
			     *holder ? holder : "unknown");
		return false;
	}
	if (poll(NULL, 0, (int)MIN(POLL_MS, (left_us + 999) / 1000)) < 0 &&
	    errno == EINTR) {
		ks_error_set(error, KS_ERROR_CANCELLED,
			     "interrupted while waiting for the lock of process '%s'",
			     *holder ? holder : "unknown");
		return false;
	}
	return true;
}

struct ks_lock *ks_lock_acquire(const struct ks_system *system, const char *command,
				int timeout_ms, ks_lock_wait_func wait_func, void *data,
				GError **error)
{
	gint64 deadline_us = timeout_ms < 0
				     ? G_MAXINT64
				     : g_get_monotonic_time() + timeout_ms * 1000LL;
	g_autofree char *holder = NULL;
	struct ks_lock *lock;
	bool told = false;
	int got, fd;

	if (!ks_root_mkdir_p(system->root, system->run_dir, 0755, error))
		return NULL;
	while ((got = try_lock(system, &fd, &holder, error)) == 0) {
		if (wait_func && !told && timeout_ms != 0)
			wait_func(holder, data);
		told = true;
		if (!wait_a_little(deadline_us, holder, error))
			return NULL;
	}
	if (got < 0)
		return NULL;
	write_holder(fd, command);
	lock = g_new0(struct ks_lock, 1);
	lock->fd = fd;
	return lock;
}

void ks_lock_release(struct ks_lock *lock)
{
	int ignored;

	if (!lock)
		return;
	/* only the text goes: removing the file would let two processes hold
	 * "the" lock */
	ignored = ftruncate(lock->fd, 0);
	(void)ignored;
	close(lock->fd);
	g_free(lock);
}

/* The parent of a process, or 0 when unknown (no /proc, or it is gone). */
static pid_t parent_of(pid_t pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/stat", (int)pid);
	char text[MAX_STAT_BYTES];
	const char *after_name;
	ks_autofd int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n <= 0)
		return 0;
	text[n] = '\0';
	/* "PID (NAME) STATE PPID": the name may hold anything, also ')' and blanks */
	after_name = strrchr(text, ')');
	if (!after_name || strlen(after_name) < 4)
		return 0;
	return (pid_t)g_ascii_strtoll(after_name + 4, NULL, 10);
}

static bool is_ancestor(pid_t pid)
{
	pid_t walk = getppid();

	for (int i = 0; i < MAX_ANCESTORS && walk > 0; i++) {
		if (walk == pid)
			return true;
		walk = parent_of(walk);
	}
	return false;
}

/* Without /proc only the mark is left. */
static bool is_marked(pid_t pid)
{
	const char *mark = g_getenv(KS_LOCK_ENV);

	return mark && g_ascii_strtoll(mark, NULL, 10) == pid && parent_of(getpid()) == 0;
}

bool ks_lock_is_held_above(const struct ks_system *system)
{
	g_autofree char *holder = NULL;
	ks_autofd int fd = open_lock_file(system, O_RDONLY, NULL);
	pid_t pid;

	if (fd < 0)
		return false;
	holder = read_holder(fd);
	pid = (pid_t)g_ascii_strtoll(holder, NULL, 10);
	if (pid <= 0 || (!is_ancestor(pid) && !is_marked(pid)))
		return false;
	/*
	 * The text of a dead holder stays; this shows that nobody holds the
	 * lock. Asked last: for an instant this call itself holds it, shared.
	 */
	return flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}
