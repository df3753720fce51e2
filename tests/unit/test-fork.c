/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Functions in a copy of the process: their answers, their ends, and what stays here. */
#include "core/support/fork.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "core/support/error.h"

/* Not UTF-8: compilers may print anything. */
#define TEXT "not \xff text"

static int changed;

static GVariant *answer(void *data)
{
	changed = 1;
	return g_variant_new("(u^aym^ay)", 7, data, NULL);
}

static GVariant *take(struct ks_fork *fork, const char *type)
{
	struct pollfd pollfd = {.fd = ks_fork_fd(fork), .events = POLLIN};
	g_autoptr(GError) error = NULL;
	GVariant *variant;

	g_assert_cmpint(poll(&pollfd, 1, 60000), ==, 1);
	variant = ks_fork_finish(fork, G_VARIANT_TYPE(type), &error);
	g_assert_no_error(error);
	return variant;
}

static struct ks_fork *start(ks_fork_func func, void *data)
{
	g_autoptr(GError) error = NULL;
	struct ks_fork *fork = ks_fork_start(func, data, &error);

	g_assert_no_error(error);
	return fork;
}

static void test_answer(void)
{
	g_autoptr(GVariant) variant = take(start(answer, (void *)TEXT), "(uaymay)");
	const char *text, *none;
	guint32 number;

	g_variant_get(variant, "(u^&aym^&ay)", &number, &text, &none);
	g_assert_cmpuint(number, ==, 7);
	g_assert_cmpstr(text, ==, TEXT);
	g_assert_null(none);
	/* what it changed is its own */
	g_assert_cmpint(changed, ==, 0);
}

static GVariant *large_answer(void *data)
{
	g_autofree char *text = g_strnfill(1 << 20, 'x');

	return g_variant_new_bytestring(text);
}

static void test_large_answer(void)
{
	g_autoptr(GVariant) variant = take(start(large_answer, NULL), "ay");

	g_assert_cmpuint(strlen(g_variant_get_bytestring(variant)), ==, 1 << 20);
}

/* A caller may have left it so: the kernel reaps, and keeps no status. */
static void test_nobody_reaps(void)
{
	sighandler_t old = signal(SIGCHLD, SIG_IGN);
	g_autoptr(GVariant) variant = take(start(answer, (void *)TEXT), "(uaymay)");

	g_assert_nonnull(variant);
	signal(SIGCHLD, old);
}

static GVariant *die(void *data)
{
	raise(SIGKILL);
	return NULL;
}

static void test_early_end(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) variant =
		ks_fork_finish(start(die, NULL), G_VARIANT_TYPE("ay"), &error);

	g_assert_null(variant);
	g_assert_error(error, KS_ERROR, KS_ERROR_FAILED);
	g_assert_nonnull(strstr(error->message, "killed by signal 9"));
}

/* data: the end of a pipe that only its death closes */
static GVariant *hang(void *data)
{
	const int *fds = data;

	close(fds[0]);
	if (write(fds[1], "", 1) == 1)
		for (;;)
			pause();
	return g_variant_new_bytestring("");
}

static void test_kill(void)
{
	struct ks_fork *fork;
	int fds[2];
	char byte;

	g_assert_cmpint(pipe(fds), ==, 0);
	fork = start(hang, fds);
	close(fds[1]);
	g_assert_cmpint(read(fds[0], &byte, 1), ==, 1);
	ks_fork_kill(fork);
	g_assert_cmpint(read(fds[0], &byte, 1), ==, 0);
	close(fds[0]);
}

static GVariant *interrupt(void *data)
{
	raise(SIGINT);
	raise(SIGTERM);
	raise(SIGHUP);
	return g_variant_new_bytestring("unimpressed");
}

static void on_signal(int sig)
{
	(void)sig;
	changed = 2;
}

static void test_signals(void)
{
	sighandler_t old = signal(SIGTERM, on_signal);
	g_autoptr(GVariant) variant = take(start(interrupt, NULL), "ay");

	g_assert_cmpstr(g_variant_get_bytestring(variant), ==, "unimpressed");
	g_assert_cmpint(changed, ==, 0);
	signal(SIGTERM, old);
}

static GVariant *fail(void *data)
{
	g_autoptr(GError) error = NULL;

	ks_error_set(&error, KS_ERROR_DENIED, "cannot read '%s'", TEXT);
	if (data)
		ks_error_hint(&error, "ask %s", (const char *)data);
	return ks_error_to_variant(error);
}

static void test_errors(void)
{
	g_autoptr(GVariant) with = take(start(fail, (void *)"root"), KS_ERROR_VARIANT);
	g_autoptr(GVariant) without = take(start(fail, NULL), KS_ERROR_VARIANT);
	g_autoptr(GError) error = ks_error_from_variant(with);
	g_autoptr(GError) plain = ks_error_from_variant(without);

	g_assert_error(error, KS_ERROR, KS_ERROR_DENIED);
	g_assert_cmpstr(error->message, ==, "cannot read '" TEXT "'");
	g_assert_cmpstr(ks_error_get_hint(error), ==, "ask root");
	g_assert_null(ks_error_get_hint(plain));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/fork/an answer comes back, and nothing else", test_answer);
	g_test_add_func("/fork/a large answer needs no reader", test_large_answer);
	g_test_add_func("/fork/an answer counts where SIGCHLD is ignored",
			test_nobody_reaps);
	g_test_add_func("/fork/a copy that dies is an error", test_early_end);
	g_test_add_func("/fork/a killed copy is gone", test_kill);
	g_test_add_func("/fork/a copy outlives what ends the engine", test_signals);
	g_test_add_func("/fork/errors arrive with code and hint", test_errors);
	return g_test_run();
}
