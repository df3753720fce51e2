/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tokens, counted; and a real make that works with them. */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/jobs/jobserver-fifo.h"
#include "core/jobs/jobserver.h"
#include "core/sandbox/sandbox.h"
#include "core/support/process.h"
#include "tests/unit/faketree.h"

static unsigned int drain(struct ks_jobserver *jobserver)
{
	unsigned int n = 0;

	while (ks_jobserver_try_take(jobserver))
		n++;
	return n;
}

/* Lose tokens as a killed make does. */
static void lose(struct ks_jobserver *jobserver, unsigned int n)
{
	char token;
	int fds[2];

	ks_jobserver_fds(jobserver, fds);
	while (n--)
		g_assert_cmpint(read(fds[0], &token, 1), ==, 1);
}

static bool is_readable(struct ks_jobserver *jobserver)
{
	struct pollfd pollfd = {.fd = ks_jobserver_poll_fd(jobserver), .events = POLLIN};

	return poll(&pollfd, 1, 0) == 1;
}

static void test_tokens(void)
{
	ks_auto(ks_jobserver) jobserver = ks_jobserver_new(3, NULL);

	g_assert_nonnull(jobserver);
	g_assert_true(is_readable(jobserver));
	g_assert_cmpuint(drain(jobserver), ==, 3);
	g_assert_false(is_readable(jobserver));
	g_assert_false(ks_jobserver_try_take(jobserver));
	ks_jobserver_give(jobserver);
	g_assert_true(is_readable(jobserver));
	g_assert_cmpuint(drain(jobserver), ==, 1);
}

static void test_zero_is_one(void)
{
	ks_auto(ks_jobserver) jobserver = ks_jobserver_new(0, NULL);

	g_assert_cmpuint(drain(jobserver), ==, 1);
}

/* Every descriptor that a build has is one more way to stop root. */
static void test_hostile_pipe(void)
{
	ks_auto(ks_jobserver) jobserver = ks_jobserver_new(2, NULL);
	char rubbish[4096] = {0};
	int fds[2];

	ks_jobserver_fds(jobserver, fds);
	g_assert_true(ks_jobserver_try_take(jobserver));
	g_assert_cmpint(fcntl(fds[1], F_SETFL, O_NONBLOCK), ==, 0);
	while (write(fds[1], rubbish, sizeof(rubbish)) > 0)
		;
	g_assert_cmpint(fcntl(fds[1], F_SETFL, 0), ==, 0);
	alarm(10); /* blocking is the failure */
	ks_jobserver_give(jobserver);
	alarm(0);
	g_assert_cmpuint(drain(jobserver), ==, 2);
	/* a blocking end of theirs, and nothing to read */
	alarm(10);
	g_assert_false(ks_jobserver_try_take(jobserver));
	alarm(0);
}

static void test_refill(void)
{
	ks_auto(ks_jobserver) jobserver = ks_jobserver_new(4, NULL);

	g_assert_cmpuint(ks_jobserver_refill(jobserver), ==, 0);
	lose(jobserver, 2);
	g_assert_cmpuint(ks_jobserver_refill(jobserver), ==, 2);
	g_assert_cmpuint(drain(jobserver), ==, 4);
}

/* While somebody has a token, the missing ones may be in use. */
static void test_refill_waits_for_what_was_taken(void)
{
	ks_auto(ks_jobserver) jobserver = ks_jobserver_new(3, NULL);

	g_assert_true(ks_jobserver_try_take(jobserver));
	lose(jobserver, 2);
	g_assert_cmpuint(ks_jobserver_refill(jobserver), ==, 0);
	g_assert_false(is_readable(jobserver));
	ks_jobserver_give(jobserver);
	g_assert_cmpuint(ks_jobserver_refill(jobserver), ==, 2);
	g_assert_cmpuint(drain(jobserver), ==, 3);
}

static void test_surplus_goes(void)
{
	ks_auto(ks_jobserver) jobserver = ks_jobserver_new(2, NULL);

	for (int i = 0; i < 10; i++)
		ks_jobserver_give(jobserver);
	g_assert_cmpuint(ks_jobserver_refill(jobserver), ==, 0);
	g_assert_cmpuint(drain(jobserver), ==, 2);
}

static void test_description_stays_blocking(void)
{
	ks_auto(ks_jobserver) jobserver = ks_jobserver_new(1, NULL);
	int fds[2];

	drain(jobserver);
	ks_jobserver_fds(jobserver, fds);
	/* makes share it */
	g_assert_cmpint(fcntl(fds[0], F_GETFL) & O_NONBLOCK, ==, 0);
	g_assert_cmpint(fcntl(fds[0], F_GETFD) & FD_CLOEXEC, !=, 0);
}

/* Numbers that no script redirects by itself: not 3 to 9, nor bash's 10 and 255. */
static void test_descriptors_are_high(void)
{
	ks_auto(ks_jobserver) jobserver = ks_jobserver_new(1, NULL);
	int fds[2];

	g_assert_cmpuint(ks_jobserver_fds(jobserver, fds), ==, 2);
	for (int i = 0; i < 2; i++) {
		g_assert_cmpint(fds[i], >=, 100);
		g_assert_cmpint(fds[i], <, 255);
		g_assert_cmpint(fcntl(fds[i], F_GETFD) & FD_CLOEXEC, !=, 0);
	}
}

static void test_real_make(void)
{
	static const char makefile[] = "all: a b c d e f\n"
				       "a b c d e f:\n"
				       "\t@echo + >> log; sleep 0.02; echo - >> log\n";
	g_autofree char *make = g_find_program_in_path("make");
	g_autofree char *dir = g_dir_make_tmp("ks-jobserver-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "Makefile", NULL);
	g_autofree char *log = g_build_filename(dir, "log", NULL);
	g_autofree char *output = NULL;
	g_autofree char *text = NULL;
	ks_auto(ks_jobserver) jobserver = ks_jobserver_new(2, NULL);
	g_autofree char *flags =
		g_strconcat("MAKEFLAGS=", ks_jobserver_makeflags(jobserver), NULL);
	const char *const argv[] = {"make", NULL};
	const char *const env[] = {"PATH=/usr/bin:/bin", "LC_ALL=C", flags, NULL};
	struct ks_process_options options = KS_PROCESS_OPTIONS_INIT;
	GError *error = NULL;
	int fds[2], running = 0, most = 0;

	if (!make) {
		g_test_skip("no make");
		return;
	}
	g_assert_true(g_file_set_contents(path, makefile, -1, NULL));
	ks_jobserver_fds(jobserver, fds);
	options.argv = argv;
	options.env = env;
	options.cwd = dir;
	options.pass_fds = fds;
	options.n_pass_fds = 2;
	g_assert_true(ks_jobserver_try_take(jobserver));
	output = ks_process_capture(&options, NULL, 65536, NULL, &error);
	g_assert_no_error(error);
	ks_jobserver_give(jobserver);

	g_assert_true(g_file_get_contents(log, &text, NULL, NULL));
	for (const char *p = text; *p; p++) {
		running += *p == '+' ? 1 : *p == '-' ? -1 : 0;
		most = MAX(most, running);
	}
	/* its own token, and the one from the pool */
	g_assert_cmpint(most, ==, 2);
	g_assert_cmpuint(ks_jobserver_refill(jobserver), ==, 0);
	g_remove(path);
	g_remove(log);
	g_rmdir(dir);
}

/* Both its jobs are there before it is killed: it waits for a fifo they open. */
static void test_killed_make(void)
{
	static const char makefile[] = "all: a b\na b:\n\t@echo >fifo; exec sleep 600\n";
	g_autofree char *make = g_find_program_in_path("make");
	g_autofree char *dir = g_dir_make_tmp("ks-jobserver-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "Makefile", NULL);
	g_autofree char *fifo = g_build_filename(dir, "fifo", NULL);
	ks_auto(ks_jobserver) jobserver = ks_jobserver_new(2, NULL);
	g_autofree char *flags =
		g_strconcat("MAKEFLAGS=", ks_jobserver_makeflags(jobserver), NULL);
	const char *const argv[] = {"make", NULL};
	const char *const env[] = {"PATH=/usr/bin:/bin", "LC_ALL=C", flags, NULL};
	struct ks_process_options options = KS_PROCESS_OPTIONS_INIT;
	char lines[2];
	int fds[2], fifo_fd;
	pid_t pid;

	if (!make) {
		g_test_skip("no make");
		return;
	}
	g_assert_true(g_file_set_contents(path, makefile, -1, NULL));
	g_assert_cmpint(mkfifo(fifo, 0600), ==, 0);
	fifo_fd = open(fifo, O_RDWR | O_CLOEXEC);
	ks_jobserver_fds(jobserver, fds);
	options.argv = argv;
	options.env = env;
	options.cwd = dir;
	options.pass_fds = fds;
	options.n_pass_fds = 2;
	options.new_session = true;
	g_assert_true(ks_jobserver_try_take(jobserver));
	pid = ks_process_spawn(&options, NULL, NULL);
	g_assert_cmpint(pid, >, 0);
	alarm(60);
	for (size_t i = 0; i < sizeof(lines); i++)
		g_assert_cmpint(read(fifo_fd, &lines[i], 1), ==, 1);
	alarm(0);
	g_assert_cmpint(kill(-pid, SIGKILL), ==, 0);
	ks_process_wait(pid);
	ks_jobserver_give(jobserver);
	g_assert_cmpuint(ks_jobserver_refill(jobserver), ==, 1);
	g_assert_cmpuint(drain(jobserver), ==, 2);
	close(fifo_fd);
	g_remove(fifo);
	g_remove(path);
	g_rmdir(dir);
}

/* --- a FIFO */

struct fixture {
	struct faketree tree;
	struct ks_system *system;
};

static void set_up(struct fixture *f, gconstpointer data)
{
	faketree_set_up(&f->tree, NULL);
	f->system = ks_system_new("/", NULL);
	g_free(f->system->state_dir);
	f->system->state_dir = faketree_path(&f->tree, "/state");
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	ks_system_free(f->system);
	faketree_tear_down(&f->tree, NULL);
}

static guint count_fifos(struct fixture *f)
{
	g_autofree char *dir = faketree_path(&f->tree, "/state/jobs");
	g_autoptr(GPtrArray) names = ks_root_list(f->system->root, dir, NULL);

	return names->len;
}

/* Whatever make there is, the file can be made. */
static void test_fifo_file(struct fixture *f, gconstpointer data)
{
	g_autofree char *dir = faketree_path(&f->tree, "/state/jobs");
	g_autofree char *path = NULL;
	g_autofree char *other = NULL;
	struct stat st;
	uid_t uid;
	gid_t gid;
	int fds[2], other_fds[2];
	bool has_identity = ks_sandbox_identity(f->system, &uid, &gid);

	path = ks_jobserver_fifo_make(f->system, fds);
	other = ks_jobserver_fifo_make(f->system, other_fds);
	g_assert_nonnull(path);
	g_assert_nonnull(other);
	g_assert_cmpint(stat(dir, &st), ==, 0);
	g_assert_cmpint(st.st_mode & 07777, ==, 0711);
	g_assert_cmpint(stat(path, &st), ==, 0);
	g_assert_true(S_ISFIFO(st.st_mode));
	g_assert_cmpint(st.st_uid, ==, geteuid());
	g_assert_cmpint(st.st_mode & 07777, ==, has_identity ? 0660 : 0600);
	if (has_identity)
		g_assert_cmpint(st.st_gid, ==, gid);
	g_assert_cmpint(write(fds[1], "x", 1), ==, 1);

	/* as after kill -9: one is still in use, the other is not */
	close(other_fds[0]);
	close(other_fds[1]);
	ks_jobserver_sweep(f->system);
	g_assert_cmpuint(count_fifos(f), ==, 1);
	g_assert_cmpint(stat(path, &st), ==, 0);
	ks_jobserver_fifo_remove(f->system, path);
	g_assert_cmpuint(count_fifos(f), ==, 0);
	close(fds[0]);
	close(fds[1]);
}

/* The form is the make's: 4.3 has no FIFO, 4.4 has. */
static void test_form(struct fixture *f, gconstpointer data)
{
	g_autofree char *version = NULL;
	ks_auto(ks_jobserver) jobserver = NULL;
	int major = 0, minor = 0, fds[2] = {-7, -7};
	bool fifo;

	if (access("/usr/bin/make", X_OK) != 0) {
		g_test_skip("no /usr/bin/make");
		return;
	}
	g_assert_true(g_spawn_command_line_sync("/usr/bin/make --version", &version, NULL,
						NULL, NULL));
	g_assert_cmpint(sscanf(version, "GNU Make %d.%d", &major, &minor), ==, 2);
	fifo = major > 4 || (major == 4 && minor >= 4);
	jobserver = ks_jobserver_open(f->system, 3, NULL, NULL);
	g_assert_nonnull(jobserver);
	g_assert_cmpint(ks_jobserver_fifo(jobserver) != NULL, ==, fifo);
	g_assert_cmpuint(ks_jobserver_fds(jobserver, fds), ==, fifo ? 0 : 2);
	g_assert_cmpint(fds[0] == -7, ==, fifo);
	g_assert_cmpint(g_str_has_prefix(ks_jobserver_auth(jobserver), "fifo:/"), ==,
			fifo);
	g_assert_nonnull(strstr(ks_jobserver_makeflags(jobserver), " -j3 "));
	g_assert_cmpuint(drain(jobserver), ==, 3);
	for (int i = 0; i < 3; i++)
		ks_jobserver_give(jobserver);
	if (fifo) {
		/* a killed make */
		int fd = open(ks_jobserver_fifo(jobserver), O_RDONLY | O_CLOEXEC);
		char token;

		g_assert_cmpint(read(fd, &token, 1), ==, 1);
		close(fd);
		g_assert_cmpuint(ks_jobserver_refill(jobserver), ==, 1);
		g_assert_cmpuint(drain(jobserver), ==, 3);
	}
	ks_jobserver_free(g_steal_pointer(&jobserver));
	g_assert_cmpuint(count_fifos(f), ==, 0);
}

/* --- a caller's */

/* Take all bytes out of a pipe. */
static char *take_all(int fd)
{
	char text[64] = "";
	ssize_t n;

	g_assert_cmpint(fcntl(fd, F_SETFL, O_NONBLOCK), ==, 0);
	n = read(fd, text, sizeof(text) - 1);
	g_assert_cmpint(fcntl(fd, F_SETFL, 0), ==, 0);
	return g_strndup(text, n > 0 ? (gsize)n : 0);
}

static void test_caller_pipe(struct fixture *f, gconstpointer data)
{
	g_autofree char *flags = NULL;
	g_autofree char *left = NULL;
	g_autofree char *back = NULL;
	ks_auto(ks_jobserver) jobserver = NULL;
	ks_auto(ks_jobserver) other = NULL;
	int fds[2], theirs[2];

	g_assert_cmpint(pipe2(fds, O_CLOEXEC), ==, 0);
	g_assert_cmpint(write(fds[1], "abcd", 4), ==, 4);
	flags = g_strdup_printf("k -j5 --jobserver-auth=88,89 --jobserver-auth=%d,%d -- "
				"A=--jobserver-auth=1,2",
				fds[0], fds[1]);
	jobserver = ks_jobserver_open(f->system, 4, flags, NULL);
	/* its descriptors go no further than to us */
	if (ks_jobserver_fds(jobserver, theirs)) {
		g_assert_cmpint(theirs[0], !=, fds[0]);
		g_assert_cmpint(theirs[1], !=, fds[1]);
	}
	/* the one that is ours, then borrowed ones up to four */
	g_assert_true(is_readable(jobserver));
	g_assert_cmpuint(drain(jobserver), ==, 4);
	left = take_all(fds[0]);
	g_assert_cmpstr(left, ==, "d");
	g_assert_cmpint(write(fds[1], "d", 1), ==, 1);
	/* no more may be borrowed: an available token wakes nobody */
	g_assert_false(is_readable(jobserver));
	for (int i = 0; i < 4; i++)
		ks_jobserver_give(jobserver);
	g_assert_true(is_readable(jobserver));
	g_assert_cmpuint(ks_jobserver_refill(jobserver), ==, 0);
	back = take_all(fds[0]);
	g_assert_cmpstr(back, ==, "dcba");
	g_assert_cmpint(write(fds[1], back, 4), ==, 4);

	/* one job: none is borrowed, and available tokens wake nobody */
	other = ks_jobserver_open(NULL, 1, flags, NULL);
	g_assert_cmpuint(drain(other), ==, 1);
	g_assert_false(is_readable(other));
	ks_jobserver_give(other);
	g_assert_true(is_readable(other));

	/* whoever has them: running makes are killed with us */
	g_assert_cmpuint(drain(jobserver), ==, 4);
	ks_jobserver_free(g_steal_pointer(&jobserver));
	g_clear_pointer(&back, g_free);
	back = take_all(fds[0]);
	g_assert_cmpuint(strlen(back), ==, 4);
	g_assert_cmpint(fcntl(fds[0], F_GETFL) & O_NONBLOCK, ==, 0);
	close(fds[0]);
	close(fds[1]);
}

/* Makes take from our pool; what lies there unused goes back. */
static void test_caller_balance(struct fixture *f, gconstpointer data)
{
	g_autofree char *path = faketree_path(&f->tree, "/theirs");
	g_autofree char *flags = g_strdup_printf(" -j --jobserver-auth=fifo:%s", path);
	g_autofree char *back = NULL;
	ks_auto(ks_jobserver) jobserver = NULL;
	int fd, n = 0;

	g_assert_cmpint(mkfifo(path, 0600), ==, 0);
	fd = open(path, O_RDWR | O_CLOEXEC);
	g_assert_cmpint(write(fd, "1234567", 7), ==, 7);
	jobserver = ks_jobserver_open(f->system, 6, flags, NULL);
	/* the first make: its token is ours, and one more is there for it */
	g_assert_true(ks_jobserver_try_take(jobserver));
	g_assert_cmpint(ioctl(fd, FIONREAD, &n), ==, 0);
	g_assert_cmpint(n, ==, 6);
	ks_jobserver_balance(jobserver); /* unused: no more */
	g_assert_cmpint(ioctl(fd, FIONREAD, &n), ==, 0);
	g_assert_cmpint(n, ==, 6);
	g_assert_true(ks_jobserver_try_take(jobserver)); /* 2 + 2 */
	g_assert_cmpint(ioctl(fd, FIONREAD, &n), ==, 0);
	g_assert_cmpint(n, ==, 4);
	g_assert_true(ks_jobserver_try_take(jobserver));
	g_assert_true(ks_jobserver_try_take(jobserver)); /* 4 + 2: there is an end */
	g_assert_cmpint(ioctl(fd, FIONREAD, &n), ==, 0);
	g_assert_cmpint(n, ==, 2);
	ks_jobserver_balance(jobserver); /* two unused: one goes back */
	g_assert_cmpint(ioctl(fd, FIONREAD, &n), ==, 0);
	g_assert_cmpint(n, ==, 3);
	/* two of them are lost, and not by the caller */
	ks_jobserver_give(jobserver);
	ks_jobserver_give(jobserver);
	ks_jobserver_give(jobserver);
	g_assert_true(ks_jobserver_try_take(jobserver));
	g_assert_true(ks_jobserver_try_take(jobserver));
	ks_jobserver_free(g_steal_pointer(&jobserver));
	back = take_all(fd);
	g_assert_cmpuint(strlen(back), ==, 7);
	for (const char *p = "1234567"; *p; p++)
		g_assert_nonnull(strchr(back, *p));
	close(fd);
}

/* A build that writes tokens of its own making gives the caller none of them. */
static void test_caller_gets_no_surplus(struct fixture *f, gconstpointer data)
{
	g_autofree char *flags = NULL;
	g_autofree char *back = NULL;
	ks_auto(ks_jobserver) jobserver = NULL;
	int fds[2], theirs[2], fd;

	g_assert_cmpint(pipe2(fds, O_CLOEXEC), ==, 0);
	g_assert_cmpint(write(fds[1], "ab", 2), ==, 2);
	flags = g_strdup_printf("--jobserver-fds=%d,%d", fds[0], fds[1]);
	jobserver = ks_jobserver_open(f->system, 8, flags, NULL);
	g_assert_cmpuint(drain(jobserver), ==, 3);
	if (ks_jobserver_fds(jobserver, theirs))
		fd = fcntl(theirs[1], F_DUPFD_CLOEXEC, 3);
	else
		fd = open(ks_jobserver_fifo(jobserver), O_WRONLY | O_CLOEXEC);
	g_assert_cmpint(write(fd, "++++++++++", 10), ==, 10);
	close(fd);
	for (int i = 0; i < 3; i++)
		ks_jobserver_give(jobserver);
	ks_jobserver_balance(jobserver);
	ks_jobserver_refill(jobserver);
	ks_jobserver_free(g_steal_pointer(&jobserver));
	back = take_all(fds[0]);
	g_assert_cmpuint(strlen(back), ==, 2);
	g_assert_nonnull(strchr(back, 'a'));
	g_assert_nonnull(strchr(back, 'b'));
	close(fds[0]);
	close(fds[1]);
}

/* MAKEFLAGS goes further than the descriptors: other things have the numbers then. */
static void test_caller_is_gone(struct fixture *f, gconstpointer data)
{
	g_autofree char *stale = faketree_path(&f->tree, "/stale");
	g_autofree char *file = faketree_path(&f->tree, "/file");
	g_autoptr(GPtrArray) flags = g_ptr_array_new_with_free_func(g_free);
	int fds[2], other[2], null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	int n;

	faketree_write(&f->tree, "/file", "+++");
	g_assert_cmpint(mkfifo(stale, 0600), ==, 0);
	g_assert_cmpint(pipe2(fds, O_CLOEXEC), ==, 0);
	g_assert_cmpint(pipe2(other, O_CLOEXEC), ==, 0);
	g_assert_cmpint(write(fds[1], "ab", 2), ==, 2);
#define FLAGS(...) g_ptr_array_add(flags, g_strdup_printf(__VA_ARGS__))
	FLAGS("k");
	FLAGS(" -j8");
	FLAGS(" -j8 --jobserver-auth=-2,-2");
	FLAGS(" -j8 --jobserver-auth=1000,1001");
	FLAGS(" -j8 --jobserver-auth=%d,%d", fds[1], fds[0]);
	FLAGS(" -j8 --jobserver-auth=%d,%d", fds[0], other[1]);
	FLAGS(" -j8 --jobserver-auth=%d,%d", null_fd, null_fd);
	FLAGS(" -j8 --jobserver-auth=%d", fds[0]);
	FLAGS(" -j8 --jobserver-auth=%d,%dx", fds[0], fds[1]);
	FLAGS(" -j8 --jobserver-auth=fifo:");
	FLAGS(" -j8 --jobserver-auth=fifo:%s", stale);
	FLAGS(" -j8 --jobserver-auth=fifo:%s", file);
	FLAGS(" -j8 --jobserver-auth=fifo:%s/nowhere", f->tree.dir);
	FLAGS(" -j8 -- --jobserver-auth=%d,%d", fds[0], fds[1]);
#undef FLAGS
	for (guint i = 0; i < flags->len; i++) {
		ks_auto(ks_jobserver) jobserver =
			ks_jobserver_open(f->system, 3, flags->pdata[i], NULL);

		g_test_message("%s", (char *)flags->pdata[i]);
		g_assert_cmpuint(drain(jobserver), ==, 3);
	}
	g_assert_cmpint(ioctl(fds[0], FIONREAD, &n), ==, 0);
	g_assert_cmpint(n, ==, 2);
	for (size_t i = 0; i < 2; i++) {
		close(fds[i]);
		close(other[i]);
	}
	close(null_fd);
}

#define ADD(name, func)                                                                  \
	g_test_add("/jobserver/" name, struct fixture, NULL, set_up, func, tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/jobserver/there are as many tokens as jobs", test_tokens);
	g_test_add_func("/jobserver/no job is one job", test_zero_is_one);
	g_test_add_func("/jobserver/a full pipe stops nobody", test_hostile_pipe);
	g_test_add_func("/jobserver/lost tokens come back", test_refill);
	g_test_add_func("/jobserver/what is taken is not lost",
			test_refill_waits_for_what_was_taken);
	g_test_add_func("/jobserver/tokens of a hostile build go", test_surplus_goes);
	g_test_add_func("/jobserver/a pipe is out of the way of redirections",
			test_descriptors_are_high);
	g_test_add_func("/jobserver/the shared description stays blocking",
			test_description_stays_blocking);
	g_test_add_func("/jobserver/a real make keeps to the tokens", test_real_make);
	g_test_add_func("/jobserver/what a killed make held comes back",
			test_killed_make);
	ADD("a FIFO is the builds', and goes with its engine", test_fifo_file);
	ADD("the form is the one that make has", test_form);
	ADD("a caller's tokens are borrowed and given back", test_caller_pipe);
	ADD("no more is borrowed than is used", test_caller_balance);
	ADD("a caller gets no token that is not its own", test_caller_gets_no_surplus);
	ADD("a caller that is gone is none", test_caller_is_gone);
	return g_test_run();
}
