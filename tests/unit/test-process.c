/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Running programs: what they inherit, and how their failures are reported. */
#include "core/support/process.h"

#include <signal.h>
#include <sys/wait.h>

#include "tests/unit/faketree.h"

static char *shell(const char *script, const char *input, size_t max_bytes,
		   GError **error)
{
	const char *const argv[] = {"sh", "-c", script, NULL};
	struct ks_process_options options = KS_PROCESS_OPTIONS_INIT;

	options.argv = argv;
	return ks_process_capture(&options, input, max_bytes, NULL, error);
}

static void environment_is_exactly_what_is_given(void)
{
	const char *const argv[] = {"env", NULL};
	const char *const env[] = {"PATH=/usr/bin:/bin", "A=b c", NULL};
	struct ks_process_options options = KS_PROCESS_OPTIONS_INIT;
	g_autoptr(GError) error = NULL;
	g_autofree char *given = NULL;
	g_autofree char *clean = NULL;

	g_setenv("KS_TEST_LEAK", "1", TRUE);
	options.argv = argv;
	options.env = env;
	given = ks_process_capture(&options, NULL, 4096, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(given, ==, "PATH=/usr/bin:/bin\nA=b c\n");
	options.env = NULL;
	clean = ks_process_capture(&options, NULL, 4096, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(clean, ==,
			"PATH=/usr/sbin:/usr/bin:/sbin:/bin\nLC_ALL=C.UTF-8\nHOME=/\n");
}

static void program_that_cannot_be_executed_is_an_error(struct faketree *s,
							gconstpointer data)
{
	const char *argv[] = {"no-such-program-anywhere", NULL};
	struct ks_process_options options = KS_PROCESS_OPTIONS_INIT;
	g_autofree char *file = faketree_path(s, "/plain");
	g_autoptr(GError) error = NULL;
	int status = 99;

	options.argv = argv;
	g_assert_cmpint(ks_process_spawn(&options, NULL, &error), ==, -1);
	g_assert_error(error, KS_ERROR, KS_ERROR_NOT_FOUND);
	g_assert_nonnull(strstr(error->message, "'no-such-program-anywhere'"));
	g_clear_error(&error);
	faketree_write(s, "/plain", "#!/bin/sh\n");
	g_assert_cmpint(chmod(file, 0644), ==, 0);
	argv[0] = file;
	g_assert_false(ks_process_run(&options, &status, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_DENIED);
	g_assert_cmpint(status, ==, 99);
	/* and no zombie is left */
	g_assert_cmpint(waitpid(-1, NULL, WNOHANG), ==, -1);
}

static void missing_directory_is_an_error(void)
{
	const char *const argv[] = {"true", NULL};
	struct ks_process_options options = KS_PROCESS_OPTIONS_INIT;
	g_autoptr(GError) error = NULL;
	int status;

	options.argv = argv;
	options.cwd = "/nonexistent/dir";
	g_assert_false(ks_process_run(&options, &status, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_NOT_FOUND);
	g_assert_nonnull(strstr(error->message, "/nonexistent/dir"));
}

static void only_passed_descriptors_are_open(struct faketree *s, gconstpointer data)
{
	/* of the shell: ls itself has the directory open, a pipeline would have a pipe */
	const char *const argv[] = {"sh", "-c", "ls /proc/$$/fd; :", NULL};
	struct ks_process_options options = KS_PROCESS_OPTIONS_INIT;
	g_autofree char *file = faketree_path(s, "/f");
	g_autofree char *expected = NULL;
	g_autofree char *seen = NULL;
	g_autoptr(GError) error = NULL;
	ks_autofd int leaky = open(file, O_RDWR | O_CREAT, 0600);
	ks_autofd int passed = open(file, O_RDWR | O_CLOEXEC);

	g_assert_cmpint(leaky, >=, 0);
	g_assert_cmpint(passed, >, leaky);
	options.argv = argv;
	options.pass_fds = &passed;
	options.n_pass_fds = 1;
	seen = ks_process_capture(&options, NULL, 4096, NULL, &error);
	g_assert_no_error(error);
	expected = g_strdup_printf("0\n1\n2\n%d\n", passed);
	g_assert_cmpstr(seen, ==, expected);
	/* ours has kept its flag */
	g_assert_cmpint(fcntl(passed, F_GETFD) & FD_CLOEXEC, ==, FD_CLOEXEC);
}

static void signals_and_umask_are_at_their_defaults(void)
{
	g_autofree char *out = NULL;
	g_autoptr(GError) error = NULL;
	sigset_t set, old;
	mode_t old_mask = umask(077);

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, &old);
	out = shell("grep -E '^Sig(Blk|Ign)' /proc/self/status; umask", NULL, 4096,
		    &error);
	sigprocmask(SIG_SETMASK, &old, NULL);
	signal(SIGPIPE, SIG_DFL);
	umask(old_mask);
	g_assert_no_error(error);
	g_assert_cmpstr(out, ==,
			"SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n0022\n");
}

static void capture_gives_input_and_takes_output(void)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *out = shell("cat; echo noise >&2", "hello\n", 100, &error);

	g_assert_no_error(error);
	g_assert_cmpstr(out, ==, "hello\n");
}

static void capture_of_too_much_kills_it(void)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(shell("exec cat /dev/zero", NULL, 100000, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_INVALID);
	g_clear_error(&error);
	{
		g_autofree char *exact = shell("printf 12345", NULL, 5, &error);

		g_assert_no_error(error);
		g_assert_cmpstr(exact, ==, "12345");
	}
}

static void capture_failure_names_status_and_first_line(void)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(shell("echo first >&2; echo second >&2; exit 3", NULL, 10, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_FAILED);
	g_assert_cmpstr(error->message, ==, "'sh' failed: exit status 3: first");
}

static void capture_survives_endless_stderr(void)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *out =
		shell("head -c 1000000 /dev/zero >&2; echo done", NULL, 100, &error);

	g_assert_no_error(error);
	g_assert_cmpstr(out, ==, "done\n");
}

static void capture_does_not_wait_for_a_grandchild(void)
{
	g_autoptr(GError) error = NULL;
	gint64 begun_us = g_get_monotonic_time();
	g_autofree char *out = shell("sleep 20 & echo $!", NULL, 100, &error);

	g_assert_no_error(error);
	g_assert_cmpint(g_get_monotonic_time() - begun_us, <, 10 * G_USEC_PER_SEC);
	kill((pid_t)g_ascii_strtoll(out, NULL, 10), SIGKILL);
}

static void pidfd_becomes_readable_and_status_is_told(void)
{
	const char *const argv[] = {"sh", "-c", "kill -9 $$", NULL};
	struct ks_process_options options = KS_PROCESS_OPTIONS_INIT;
	g_autoptr(GError) error = NULL;
	g_autofree char *text = NULL;
	g_autofree char *other = NULL;
	ks_autofd int pidfd = -1;
	GPollFD poll_fd = {.events = G_IO_IN};
	pid_t pid;

	options.argv = argv;
	pid = ks_process_spawn(&options, &pidfd, &error);
	g_assert_no_error(error);
	poll_fd.fd = pidfd;
	g_assert_cmpint(g_poll(&poll_fd, 1, 10000), ==, 1);
	text = ks_process_describe(ks_process_wait(pid));
	g_assert_cmpstr(text, ==, "killed by signal 9 (Killed)");
	other = ks_process_describe(2 << 8);
	g_assert_cmpstr(other, ==, "exit status 2");
}

static void new_session_and_cwd(void)
{
	const char *const argv[] = {"sh", "-c",
				    "pwd; [ $(cut -d' ' -f6 /proc/$$/stat) = $$ ]", NULL};
	struct ks_process_options options = KS_PROCESS_OPTIONS_INIT;
	g_autoptr(GError) error = NULL;
	g_autofree char *out = NULL;

	options.argv = argv;
	options.cwd = "/usr";
	options.new_session = true;
	options.die_with_parent = true;
	out = ks_process_capture(&options, NULL, 100, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(out, ==, "/usr\n");
}

static void chroot_runs_the_program_of_the_tree(struct faketree *s, gconstpointer data)
{
	const char *const argv[] = {"only-inside", NULL};
	struct ks_process_options options = KS_PROCESS_OPTIONS_INIT;
	g_autofree char *program = faketree_path(s, "/usr/bin/only-inside");
	g_autoptr(GError) error = NULL;
	int status;

	/* no program at all, so that running it fails, but in its own way */
	faketree_write(s, "/usr/bin/only-inside", "nonsense");
	g_assert_cmpint(chmod(program, 0755), ==, 0);
	options.argv = argv;
	options.chroot = s->root;
	g_assert_false(ks_process_run(&options, &status, &error));
	if (geteuid() == 0) {
		g_assert_error(error, KS_ERROR, KS_ERROR_FAILED);
		g_assert_nonnull(strstr(error->message, g_strerror(ENOEXEC)));
	} else {
		g_assert_error(error, KS_ERROR, KS_ERROR_DENIED);
	}
}

static void host_root_needs_no_chroot(void)
{
	const char *const argv[] = {"pwd", NULL};
	struct ks_process_options options = KS_PROCESS_OPTIONS_INIT;
	g_autoptr(GError) error = NULL;
	ks_auto(ks_root) host = ks_root_open("/", &error);
	g_autofree char *out = NULL;

	options.argv = argv;
	options.chroot = host;
	out = ks_process_capture(&options, NULL, 100, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(out, ==, "/\n");
}

#define ADD(name) g_test_add_func("/process/" #name, name)
#define ADD_FAKETREE(name)                                                               \
	g_test_add("/process/" #name, struct faketree, NULL, faketree_set_up, name,      \
		   faketree_tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD(environment_is_exactly_what_is_given);
	ADD_FAKETREE(program_that_cannot_be_executed_is_an_error);
	ADD(missing_directory_is_an_error);
	ADD_FAKETREE(only_passed_descriptors_are_open);
	ADD(signals_and_umask_are_at_their_defaults);
	ADD(capture_gives_input_and_takes_output);
	ADD(capture_of_too_much_kills_it);
	ADD(capture_failure_names_status_and_first_line);
	ADD(capture_survives_endless_stderr);
	ADD(capture_does_not_wait_for_a_grandchild);
	ADD(pidfd_becomes_readable_and_status_is_told);
	ADD(new_session_and_cwd);
	ADD_FAKETREE(chroot_runs_the_program_of_the_tree);
	ADD(host_root_needs_no_chroot);
	return g_test_run();
}
