/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The wrapper around make, run over a makefile that prints how it was called. */
#include <glib/gstdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "core/jobs/jobserver.h"
#include "core/jobs/wrapper.h"
#include "core/kernel/uname.h"
#include "core/support/process.h"
#include "tests/unit/faketree.h"

struct fixture {
	struct faketree tree;
	struct ks_system *system;
	struct ks_jobserver *jobserver;
	char *fragment, *path;
};

/* data: the pool is a pipe, also where make knows better. */
static void set_up(struct fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *dirs = NULL;

	faketree_set_up(&f->tree, NULL);
	f->system = ks_system_new("/", NULL);
	g_free(f->system->state_dir);
	f->system->state_dir = faketree_path(&f->tree, "/state");
	f->jobserver = ks_jobserver_open(data ? NULL : f->system, 2, NULL, NULL);
	g_assert_true(ks_wrapper_place(f->system, &error));
	g_assert_no_error(error);
	dirs = ks_wrapper_path(f->system, NULL);
	f->path = g_strconcat("PATH=", dirs, NULL);
	f->fragment = ks_wrapper_fragment(f->system);
	faketree_write(&f->tree, "/Makefile",
		       "all:\n\t@echo 'list=$(MAKEFILE_LIST) make=$(MAKE) "
		       "goals=$(MAKECMDGOALS)'\n"
		       "sub:\n\t+@$(MAKE) -j7 who\n"
		       "lone:\n\t@make -j7 who\n"
		       "who 4:\n\t@echo 'flags=$(MAKEFLAGS)'\n");
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	ks_jobserver_free(f->jobserver);
	ks_system_free(f->system);
	g_free(f->path);
	g_free(f->fragment);
	faketree_tear_down(&f->tree, NULL);
}

static char *run(struct fixture *f, const char *command, bool serve)
{
	const char *const argv[] = {"sh", "-c", command, NULL};
	g_autofree char *flags =
		g_strconcat("MAKEFLAGS=", ks_jobserver_makeflags(f->jobserver), NULL);
	g_autofree char *jobs = g_strconcat(KS_WRAPPER_JOBS_ENV "=",
					    ks_jobserver_auth(f->jobserver), NULL);
	g_autofree char *fragments = g_strconcat("MAKEFILES=", f->fragment, NULL);
	const char *const env[] = {f->path, fragments, "LC_ALL=C", serve ? flags : NULL,
				   jobs,    NULL};
	struct ks_process_options options = KS_PROCESS_OPTIONS_INIT;
	GError *error = NULL;
	char *output;
	int fds[2];

	options.argv = argv;
	options.env = env;
	options.cwd = f->tree.dir;
	options.pass_fds = fds;
	if (serve)
		options.n_pass_fds = ks_jobserver_fds(f->jobserver, fds);
	output = ks_process_capture(&options, NULL, 65536, NULL, &error);
	g_assert_no_error(error);
	return output;
}

static void test_drops_jobs(struct fixture *f, gconstpointer data)
{
	static const char *const commands[] = {
		"make -j8 who",	      "make -j 8 who",	   "make who -j",
		"make --jobs=8 who",  "make --jobs 8 who", "make who --jobs",
		"make -j8 -j9 who",   "make -kj8 who",	   "gmake -j4 who",
		"make -j`nproc` who",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
		g_autofree char *command = g_strconcat(commands[i], " 2>&1", NULL);
		g_autofree char *output = run(f, command, true);

		if (strstr(output, "resetting") || strstr(output, "warning") ||
		    !strstr(output, "-j2 --jobserver-auth="))
			g_error("%s: %s", commands[i], output);
	}
}

static void test_keeps_the_rest(struct fixture *f, gconstpointer data)
{
	g_autofree char *combined = run(f, "make -kj8 who", true);
	g_autofree char *plain = run(f, "make -k who", true);
	g_autofree char *targets = run(f, "make -j8 'A=x  -j9' who -- 4", true);
	g_autofree char *target = run(f, "make -j 4", true);

	g_assert_cmpstr(combined, ==, plain);
	g_assert_nonnull(strstr(targets, "A=x\\ \\ -j9"));
	g_assert_cmpint(strstr(targets, "\nflags=") != NULL, ==, 1);
	/* the number belongs to -j, as it does to make */
	g_assert_nonnull(strstr(target, "goals='") ? target : strstr(target, "goals="));
}

static void test_recursion(struct fixture *f, gconstpointer data)
{
	g_autofree char *output = run(f, "make sub 2>&1", true);
	g_autofree char *all = run(f, "make", true);

	g_assert_null(strstr(output, "resetting"));
	g_assert_nonnull(strstr(output, "-j2 --jobserver-auth="));
	g_assert_cmpstr(all, ==, "list=Makefile make=make goals=\n");
}

/* Without a jobserver, or out of its reach, -jN stays. */
static void test_without_jobserver(struct fixture *f, gconstpointer data)
{
	g_autofree char *output = NULL;
	g_autofree char *lone = NULL;

	if (ks_jobserver_fifo(f->jobserver)) {
		g_test_skip("a FIFO is always in reach");
		return;
	}
	output = run(f, "make -j3 who 2>&1", false);
	lone = run(f, "make lone 2>&1", true);
	g_assert_nonnull(strstr(output, "-j3"));
	g_assert_nonnull(strstr(lone, "-j7"));
}

/* No '+', MAKEFLAGS cleared, a pool of its own: back to the one that is served. */
static void test_put_back(struct fixture *f, gconstpointer data)
{
	static const char *const commands[] = {
		"MAKEFLAGS= make -j8 who",
		"MAKEFLAGS='k --no-print-directory -- A=b' make -j8 who",
		"MAKEFLAGS=-j8 make who",
		"MAKEFLAGS=' -j8 --jobserver-auth=88,89 -- A=b' make who",
		"MAKEFLAGS='k -j8 --jobserver-auth=fifo:/nowhere' make -j9 who",
		"unset MAKEFLAGS; make -j8 who",
	};
	g_autofree char *expected =
		g_strconcat(" --jobserver-auth=", ks_jobserver_auth(f->jobserver), NULL);
	g_autofree char *alone = run(f, "MAKEFLAGS= make who", true);
	g_autofree char *letters = run(f, "MAKEFLAGS='k -- A=x\\ y' make -j8 who", true);

	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
		g_autofree char *command = g_strconcat("(", commands[i], ") 2>&1", NULL);
		g_autofree char *output = run(f, command, true);

		if (strstr(output, "resetting") || strstr(output, "warning") ||
		    !strstr(output, expected))
			g_error("%s: %s", commands[i], output);
	}
	/* who wants no more than one job gets no more */
	g_assert_null(strstr(alone, "jobserver"));
	g_assert_true(g_str_has_prefix(letters, "flags=k "));
	g_assert_nonnull(strstr(letters, " -- A=x\\ y"));
}

/* How many of four jobs ran at the same time at most. */
static int count_most(struct fixture *f)
{
	g_autofree char *log = faketree_read(&f->tree, "/log");
	int running = 0, most = 0;

	for (const char *p = log; *p; p++) {
		running += *p == '+' ? 1 : *p == '-' ? -1 : 0;
		most = MAX(most, running);
	}
	g_assert_cmpint(running, ==, 0);
	return most;
}

/*
 * Ways in which makefiles change MAKEFLAGS. A job goes on when two have begun,
 * which never happens where only one may run, and stays for a while, so that
 * more are seen.
 */
static void test_makefile_sets_jobs(struct fixture *f, gconstpointer data)
{
	static const char *const lines[] = {
		"MAKEFLAGS += -j8",
		"MAKEFLAGS = -j8",
		"MAKEFLAGS := j8",
		"MAKEFLAGS := $(MAKEFLAGS) -j8",
		"export MAKEFLAGS=-j8",
		"MAKEFLAGS += -j 8 -rR",
		"MAKEFLAGS += --jobs=8",
		"MAKEFLAGS += --no-print-directory --jobs 8",
		"MAKEFLAGS += -j",
		"MAKEFLAGS += -j2",
		"MAKEFLAGS += -j$(shell echo 8) B=c",
		"override MAKEFLAGS += -j8",
		"lines: MAKEFLAGS += -j8",
		"all: MAKEFLAGS = -j8",
		"unexport MAKEFLAGS",
		"export\nMAKEFLAGS += -j8",
		"",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
		g_autofree char *line = g_strcompress(lines[i]);
		g_autofree char *makefile = g_strconcat(
			line,
			"\nall: a b c d\n\t+@$(MAKE) sub\n"
			"sub: e f g h\n\t@echo \"flags=$$MAKEFLAGS A=$(A)\"\n"
			"a b c d e f g h:\n"
			"\t@echo + >> log; until grep -c + log | grep -q [2-9]; do sleep "
			"0.01; done; sleep 0.05; echo - >> log\n",
			NULL);
		g_autofree char *log = faketree_path(&f->tree, "/log");
		g_autofree char *output = NULL;

		faketree_write(&f->tree, "/Makefile", makefile);
		g_remove(log);
		g_assert_true(ks_jobserver_try_take(f->jobserver));
		output = run(f, "make A='x  -j9' all 2>&1", true);
		ks_jobserver_give(f->jobserver);
		g_test_message("%s: %s", lines[i], output);
		if (strstr(output, "resetting") || strstr(output, "warning"))
			g_error("%s: %s", lines[i], output);
		g_assert_cmpint(count_most(f), ==, 2);
		if (!strstr(lines[i], "override") && !strstr(output, "A=x  -j9"))
			g_error("%s: %s", lines[i], output);
		g_assert_cmpuint(ks_jobserver_refill(f->jobserver), ==, 0);
	}
}

/* Scripts that know nothing of a pool do this. */
static void test_redirected(struct fixture *f, gconstpointer data)
{
	static const char *const redirections[] = {
		/* every configure of autoconf: stdin, messages, log */
		"exec 7<&0 </dev/null 6>&1; exec 5>>config.log;",
		"exec 3>&1 4>&2 5</dev/null 6>six 7>&1 8>&2 9>lock; flock -n 9;",
		"exec 3<&- 4<&- 5<&- 6<&- 7<&- 8<&- 9<&-;",
		"exec 10>ten 11>eleven 99>more;",
		"exec {own}>own; exec 254>high 255>&1;",
		"",
	};
	static const char *const makes[] = {"make -j4 who", "/usr/bin/make who"};

	for (size_t i = 0; i < G_N_ELEMENTS(redirections); i++)
		for (size_t k = 0; k < G_N_ELEMENTS(makes); k++) {
			g_autofree char *command = g_strdup_printf(
				"bash -c '%s %s 2>&1'", redirections[i], makes[k]);
			g_autofree char *output = run(f, command, true);

			if (!strstr(output, "-j2 --jobserver-auth=") ||
			    strstr(output, "warning"))
				g_error("%s: %s", command, output);
		}
}

/* What python's subprocess, sudo and careless scripts do to a pool. */
static void test_broken(struct fixture *f, gconstpointer data)
{
	static const char *const breaks[] = {
		"eval \"exec $r<&- $w>&-\"",
		"eval \"exec $w>&-\"",
		"eval \"exec $r<&-\"",
		"eval \"exec $r</dev/null $w>log2\"",
		"eval \"exec $r<Makefile\"",
		"eval \"exec $w>log2\"",
		"eval \"exec $r< <(echo abc)\"",
		"eval \"exec $r<. $w>/dev/full\"",
		"for fd in /proc/self/fd/*; do fd=${fd##*/}; ((fd < 3)) || eval \"exec "
		"$fd>&-\"; done",
	};

	faketree_write(&f->tree, "/Makefile",
		       "all: a b c d\n\t+@make who\n\t@$(MAKE) who\n"
		       "a b c d:\n\t@echo + >>log; sleep 0.02; echo - >>log\n"
		       "who:\n\t@echo 'flags=$(MAKEFLAGS)'\n");
	for (size_t i = 0; i < G_N_ELEMENTS(breaks); i++) {
		g_autofree char *log = faketree_path(&f->tree, "/log");
		g_autofree char *command =
			g_strdup_printf("bash -c 'r=${KMODSMITH_JOBS%%,*} "
					"w=${KMODSMITH_JOBS#*,}; %s; "
					"make A=\"x -j9\" -k all 2>&1'",
					breaks[i]);
		g_autofree char *output = run(f, command, true);

		g_test_message("%s: %s", breaks[i], output);
		if (strstr(output, "***") || strstr(output, "jobserver") ||
		    !strstr(output, "flags=k"))
			g_error("%s: %s", breaks[i], output);
		g_assert_cmpint(count_most(f), ==, 1);
		g_assert_nonnull(strstr(output, "A=x\\ -j9"));
		g_remove(log);
	}
	g_assert_cmpuint(ks_jobserver_refill(f->jobserver), ==, 0);
}

static char *run_uname(struct fixture *f, const char *facts, const char *command)
{
	g_autofree char *text =
		g_strdup_printf("export " KS_UNAME_ENV "='%s'; %s", facts, command);

	return run(f, text, true);
}

/* The machine's own program is the model, given the machine's own facts. */
static void test_uname_is_like_the_program(struct fixture *f, gconstpointer data)
{
	static const char *const arguments[] = {
		"",
		"-r",
		"-s",
		"-n",
		"-m",
		"-v",
		"-o",
		"-a",
		"-rm",
		"-mr",
		"-srm",
		"-r -m",
		"-vr",
		"-ar",
		"-snrvm",
		"--all",
		"--kernel-release",
		"--machine",
		"--kernel-name",
		"--kernel-version",
		"--nodename",
		"--operating-system",
		"--kernel-r",
		"--mach",
		"-r -r",
		"-- ",
		"--release",
		"-m -- ",
		"-s --machine",
	};
	struct utsname names;

	g_assert_cmpint(uname(&names), ==, 0);
	g_autofree char *facts =
		g_strdup_printf("%s %s %s", names.machine, names.release, names.version);
	for (size_t i = 0; i < G_N_ELEMENTS(arguments); i++) {
		g_autofree char *own = g_strconcat("uname ", arguments[i], NULL);
		g_autofree char *real = g_strconcat("/usr/bin/", own, NULL);
		g_autofree char *expected = run_uname(f, "", real);
		g_autofree char *output = run_uname(f, facts, own);

		g_assert_cmpstr(output, ==, expected);
	}
}

static void test_uname_of_another_kernel(struct fixture *f, gconstpointer data)
{
	static const char facts[] = "i686 6.1.0-1-play #1 SMP It is (2026-07-02)";
	static const char *const cases[][2] = {
		{"uname -r", "6.1.0-1-play\n"},
		{"uname -rm", "6.1.0-1-play i686\n"},
		{"uname -v", "#1 SMP It is (2026-07-02)\n"},
		{"uname -p", "i686\n"},
		{"uname -i", "i686\n"},
		{"uname --processor --hardware-platform", "i686 i686\n"},
		{"arch", "i686\n"},
		{"uname", "Linux\n"},
		{"sh -c 'echo `uname -r`'", "6.1.0-1-play\n"},
		{"IFS=r; uname -r", "6.1.0-1-play\n"},
		{"uname -x 2>/dev/null || echo $?", "1\n"},
		{"uname file 2>/dev/null || echo $?", "1\n"},
		{"uname --nothing 2>/dev/null || echo $?", "1\n"},
	};
	g_autofree char *real = run_uname(f, "", "/usr/bin/uname -r");
	g_autofree char *without = run_uname(f, "", "uname -r");

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *output = run_uname(f, facts, cases[i][0]);

		g_assert_cmpstr(output, ==, cases[i][1]);
	}
	g_assert_cmpstr(without, ==, real);
}

/* What build_environment has put in front is taken, and the wrapper stays before it. */
static void test_another_make(struct fixture *f, gconstpointer data)
{
	g_autofree char *dir = faketree_path(&f->tree, "/opt");
	g_autofree char *make = faketree_path(&f->tree, "/opt/make");
	g_autofree char *given = g_strdup_printf("PATH=%s:/usr/bin:/bin", dir);
	const char *const environment[] = {"A=b", given, NULL};
	g_autofree char *path = ks_wrapper_path(f->system, environment);
	g_autofree char *command =
		g_strdup_printf("export PATH='%s'; make -j8 who 2>&1", path);

	faketree_write(&f->tree, "/opt/make",
		       "#!/bin/sh\n[ \"$1\" = --version ] || echo \"other $*\"\n"
		       "exec /usr/bin/make \"$@\"\n");
	g_assert_cmpint(g_chmod(make, 0755), ==, 0);
	g_autofree char *output = run(f, command, true);
	g_assert_true(g_str_has_prefix(output, "other who\nflags="));
	g_assert_nonnull(strstr(output, "--jobserver-auth="));
	/* one that is older than the pool's form goes on alone */
	faketree_write(&f->tree, "/opt/make",
		       "#!/bin/sh\n[ \"$1\" != --version ] || exec echo 'GNU Make 4.3'\n"
		       "echo \"flags=$MAKEFLAGS.\"\n");
	g_autofree char *alone = run(f, command, true);
	if (ks_jobserver_fifo(f->jobserver))
		g_assert_null(strstr(alone, "jobserver"));
	else
		g_assert_nonnull(strstr(alone, "--jobserver-auth="));
}

/* A kernel's makefile says CC = gcc; the command line is stronger. */
static void test_compiler(struct fixture *f, gconstpointer data)
{
	faketree_write(&f->tree, "/Makefile",
		       "CC = gcc\nwho:\n\t@echo 'CC=$(CC).'\n"
		       "sub:\n\t@$(MAKE) who\n");
	g_autofree char *plain = run(f, "make who", true);
	g_autofree char *named =
		run(f, "export " KS_WRAPPER_CC_ENV "=gcc-99; make sub -s", true);
	g_autofree char *given =
		run(f, "export " KS_WRAPPER_CC_ENV "=gcc-99; make who CC=cc", true);

	g_assert_cmpstr(plain, ==, "CC=gcc.\n");
	g_assert_cmpstr(named, ==, "CC=gcc-99.\n");
	g_assert_cmpstr(given, ==, "CC=cc.\n");
}

static void test_repaired(struct fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *before = faketree_read(&f->tree, "/state/make/make");
	g_autofree char *path = faketree_path(&f->tree, "/state/make/gmake");
	struct stat st;

	faketree_write(&f->tree, "/state/make/make", "#!/bin/sh\nexit 0\n");
	g_assert_cmpint(g_chmod(path, 0777), ==, 0);
	g_assert_true(ks_wrapper_place(f->system, &error));
	g_autofree char *after = faketree_read(&f->tree, "/state/make/make");
	g_assert_cmpstr(after, ==, before);
	g_assert_cmpint(stat(path, &st), ==, 0);
	g_assert_cmpint(st.st_mode & 07777, ==, 0755);
}

#define ADD(name, func)                                                                  \
	g_test_add("/wrapper/" name, struct fixture, NULL, set_up, func, tear_down)

int main(int argc, char **argv)
{
	g_autofree char *make = g_find_program_in_path("make");

	g_test_init(&argc, &argv, NULL);
	if (!make || strcmp(make, "/usr/bin/make") != 0) {
		g_print("1..0 # SKIP no /usr/bin/make\n");
		return 0;
	}
	ADD("jobs on the command line are dropped", test_drops_jobs);
	ADD("everything else is passed on", test_keeps_the_rest);
	ADD("make calls the wrapper again, and is found first in its list",
	    test_recursion);
	ADD("a pool that was left is put back", test_put_back);
	ADD("jobs in a makefile's MAKEFLAGS are dropped", test_makefile_sets_jobs);
	ADD("without a jobserver nothing is dropped", test_without_jobserver);
	ADD("uname is like the program of that name", test_uname_is_like_the_program);
	ADD("uname prints the kernel that it was given", test_uname_of_another_kernel);
	ADD("a make before the tree's gets the pool", test_another_make);
	ADD("the kernel's compiler is the one that is named", test_compiler);
	ADD("what was changed is written again", test_repaired);
	g_test_add("/wrapper/redirected low descriptors are not the pool's",
		   struct fixture, "pipe", set_up, test_redirected, tear_down);
	g_test_add("/wrapper/with a broken pool make goes on with one job",
		   struct fixture, "pipe", set_up, test_broken, tear_down);
	return g_test_run();
}
