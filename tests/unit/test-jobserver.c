/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tokens, counted; and a real make that works with them. */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/build/jobserver.h"
#include "core/support/process.h"

static unsigned int drain(struct ks_jobserver *jobserver)
{
	unsigned int n = 0;

	while (ks_jobserver_try_take(jobserver))
		n++;
	return n;
}

/* As a make that is killed does. */
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

/* While somebody has one, what is missing may be in use. */
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
	g_test_add_func("/jobserver/the shared description stays blocking",
			test_description_stays_blocking);
	g_test_add_func("/jobserver/a real make keeps to the tokens", test_real_make);
	g_test_add_func("/jobserver/what a killed make held comes back",
			test_killed_make);
	return g_test_run();
}
