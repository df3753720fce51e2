/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lock: who waits for whom, and who must not. */
#include "core/platform/lock.h"

#include <signal.h>
#include <sys/wait.h>

#include "tests/unit/faketree.h"

/* A child that holds the lock until it is killed. */
static pid_t fork_holder(struct faketree *t)
{
	int ready[2];
	char byte = 0;
	pid_t pid;

	g_assert_cmpint(pipe(ready), ==, 0);
	pid = fork();
	g_assert_cmpint(pid, >=, 0);
	if (pid == 0) {
		if (!ks_lock_acquire(t->system, "sync --all", 0, NULL, NULL, NULL))
			_exit(1);
		if (write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	g_assert_cmpint(read(ready[0], &byte, 1), ==, 1);
	close(ready[0]);
	return pid;
}

static void end_holder(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

struct told {
	int times;
	char *holder;
};

static void tell(const char *holder, void *data)
{
	struct told *told = data;

	told->times++;
	g_free(told->holder);
	told->holder = g_strdup(holder);
}

static void waiting_names_the_holder_and_times_out(struct faketree *t, gconstpointer data)
{
	pid_t pid = fork_holder(t);
	g_autofree char *expected = g_strdup_printf("%d sync --all", (int)pid);
	gint64 begun_us = g_get_monotonic_time();
	g_autoptr(GError) error = NULL;
	struct told told = {0};

	g_assert_null(ks_lock_acquire(t->system, "me", 150, tell, &told, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_LOCKED);
	g_assert_nonnull(strstr(error->message, expected));
	g_assert_cmpint(told.times, ==, 1);
	g_assert_cmpstr(told.holder, ==, expected);
	g_assert_cmpint(g_get_monotonic_time() - begun_us, >=, 150000);
	g_clear_error(&error);
	g_assert_null(ks_lock_acquire(t->system, "me", 0, tell, &told, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_LOCKED);
	g_assert_cmpint(told.times, ==, 1);
	g_free(told.holder);
	end_holder(pid);
}

/* A process that can open it can hold it: a file of an older mode is closed, too. */
static void lock_file_is_its_owners_alone(struct faketree *t, gconstpointer data)
{
	g_autofree char *path = g_build_filename(t->system->run_dir, "lock", NULL);
	struct stat st;

	for (int i = 0; i < 2; i++) {
		struct ks_lock *lock =
			ks_lock_acquire(t->system, "sync", 0, NULL, NULL, NULL);

		g_assert_nonnull(lock);
		ks_lock_release(lock);
		g_assert_true(ks_root_lstat(t->root, path, &st));
		g_assert_cmpuint(st.st_mode & 0777, ==, 0600);
		g_autofree char *full = faketree_path(t, path);
		g_assert_cmpint(chmod(full, 0644), ==, 0);
	}
}

static void death_frees_it(struct faketree *t, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *text = NULL;
	g_autofree char *expected = g_strdup_printf("%d me\n", (int)getpid());
	ks_auto(ks_lock) lock = NULL;

	end_holder(fork_holder(t));
	lock = ks_lock_acquire(t->system, "me", 0, NULL, NULL, &error);
	g_assert_no_error(error);
	text = faketree_read(t, "/run/kmodsmith/lock");
	g_assert_cmpstr(text, ==, expected);
}

static void kill_holder(const char *holder, void *data)
{
	kill((pid_t)g_ascii_strtoll(holder, NULL, 10), SIGKILL);
}

static void wait_ends_when_the_holder_does(struct faketree *t, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	pid_t pid = fork_holder(t);
	ks_auto(ks_lock) lock =
		ks_lock_acquire(t->system, "me", 20000, kill_holder, NULL, &error);

	g_assert_no_error(error);
	g_assert_nonnull(lock);
	waitpid(pid, NULL, 0);
}

static void on_alarm(int sig)
{
}

static void raise_alarm_soon(const char *holder, void *data)
{
	ualarm(20000, 20000);
}

static void signal_ends_the_wait(struct faketree *t, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	pid_t pid = fork_holder(t);

	signal(SIGALRM, on_alarm);
	g_assert_null(
		ks_lock_acquire(t->system, "me", -1, raise_alarm_soon, NULL, &error));
	ualarm(0, 0);
	signal(SIGALRM, SIG_DFL);
	g_assert_error(error, KS_ERROR, KS_ERROR_CANCELLED);
	end_holder(pid);
}

static void released_lock_can_be_had_again(struct faketree *t, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	for (int i = 0; i < 2; i++) {
		ks_auto(ks_lock) lock =
			ks_lock_acquire(t->system, "me", 0, NULL, NULL, &error);

		g_assert_no_error(error);
		g_assert_nonnull(lock);
	}
}

static void removed_lock_file_is_not_two_locks(struct faketree *t, gconstpointer data)
{
	g_autofree char *file = faketree_path(t, "/run/kmodsmith/lock");
	g_autoptr(GError) error = NULL;
	ks_auto(ks_lock) first = ks_lock_acquire(t->system, "a", 0, NULL, NULL, &error);
	ks_auto(ks_lock) second = NULL;
	ks_auto(ks_lock) third = NULL;

	g_assert_nonnull(first);
	g_assert_cmpint(unlink(file), ==, 0);
	second = ks_lock_acquire(t->system, "b", 0, NULL, NULL, &error);
	g_assert_no_error(error);
	third = ks_lock_acquire(t->system, "c", 0, NULL, NULL, &error);
	g_assert_error(error, KS_ERROR, KS_ERROR_LOCKED);
}

/* Answer of a grandchild, so that the holder is not only the parent. */
static int ask_grandchild(struct faketree *t)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		pid_t inner = fork();

		if (inner == 0)
			_exit(ks_lock_is_held_above(t->system) ? 10 : 20);
		waitpid(inner, &status, 0);
		_exit(WEXITSTATUS(status));
	}
	waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}

static void descendants_of_the_holder_know_it(struct faketree *t, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	struct ks_lock *lock = ks_lock_acquire(t->system, "me", 0, NULL, NULL, &error);

	g_assert_no_error(error);
	g_assert_cmpint(ask_grandchild(t), ==, 10);
	g_assert_false(ks_lock_is_held_above(t->system));
	ks_lock_release(lock);
	g_assert_cmpint(ask_grandchild(t), ==, 20);
}

static void others_and_old_texts_are_not_above(struct faketree *t, gconstpointer data)
{
	pid_t pid = fork_holder(t);
	g_autofree char *mark = g_strdup_printf("%d", (int)pid);
	g_autofree char *stale = g_strdup_printf("%d dead\n", (int)getpid());

	/* a sibling's mark, inherited by somebody who is no descendant */
	g_setenv(KS_LOCK_ENV, mark, TRUE);
	g_assert_false(ks_lock_is_held_above(t->system));
	g_assert_cmpint(ask_grandchild(t), ==, 20);
	end_holder(pid);
	/* our own pid in the text, but nobody holds it */
	faketree_write(t, "/run/kmodsmith/lock", stale);
	g_assert_cmpint(ask_grandchild(t), ==, 20);
	g_unsetenv(KS_LOCK_ENV);
}

static void hostile_text_is_harmless(struct faketree *t, gconstpointer data)
{
	g_autofree char *longest = g_strnfill(100000, '9');
	g_autoptr(GError) error = NULL;

	faketree_write(t, "/run/kmodsmith/lock", longest);
	g_assert_false(ks_lock_is_held_above(t->system));
	{
		ks_auto(ks_lock) lock =
			ks_lock_acquire(t->system, longest, 0, NULL, NULL, &error);
		g_autofree char *text = faketree_read(t, "/run/kmodsmith/lock");

		g_assert_no_error(error);
		g_assert_nonnull(lock);
		g_assert_cmpuint(strlen(text), <, 600);
	}
}

#define ADD(name)                                                                        \
	g_test_add("/lock/" #name, struct faketree, NULL, faketree_set_up, name,         \
		   faketree_tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD(waiting_names_the_holder_and_times_out);
	ADD(lock_file_is_its_owners_alone);
	ADD(death_frees_it);
	ADD(wait_ends_when_the_holder_does);
	ADD(signal_ends_the_wait);
	ADD(released_lock_can_be_had_again);
	ADD(removed_lock_file_is_not_two_locks);
	ADD(descendants_of_the_holder_know_it);
	ADD(others_and_old_texts_are_not_above);
	ADD(hostile_text_is_harmless);
	return g_test_run();
}
