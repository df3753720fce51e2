/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The probe memo with a real make and a kernel of three makefiles: questions
 * are recorded, recorded ones are not asked again, all others are.
 */
#include <string.h>

#include "core/memo/memo-private.h"
#include "core/support/process.h"
#include "tests/unit/faketree.h"

#define DEFINITION                                                                       \
	"try-run = $(shell set -e;\t\t\\\n"                                              \
	"\tTMP=$(TMPOUT)/tmp;\t\t\\\n"                                                   \
	"\ttrap \"rm -rf $(TMPOUT)\" EXIT;\t\\\n"                                        \
	"\tmkdir -p $(TMPOUT);\t\t\\\n"                                                  \
	"\tif ($(1)) >/dev/null 2>&1;\t\\\n"                                             \
	"\tthen echo \"$(2)\";\t\t\\\n"                                                  \
	"\telse echo \"$(3)\";\t\t\\\n"                                                  \
	"\tfi)\n"

/* Every question that is really asked leaves a mark. */
#define KERNEL                                                                           \
	"TMPOUT = .tmp_$$$$\n"                                                           \
	"CC = :\n" DEFINITION "comma := ,\n"                                             \
	"hash := \\#\n"                                                                  \
	"a := $(call try-run,echo a >> asked; true,-fyes,-fno)\n"                        \
	"b := $(call try-run,echo b >> asked; false,-fyes,)\n"                           \
	"c := $(call try-run,echo c% ~^ a\\b$(hash) $$HOME 'x|y' \"$$TMP\" >> asked; "   \
	"true,-Wa$(comma)-x -y,)\n"                                                      \
	"d := $(call try-run,echo d >> asked; true, -blank,-none)\n"                     \
	"e := $(call try-run,echo e >> asked; true,`hostname`,)\n"                       \
	"f := $(call try-run,echo f >> asked; true,-n,)\n"                               \
	"all:\n\t@echo '[$(a)][$(b)][$(c)][$(d)][$(e)][$(f)]' "                          \
	"'[$(firstword $(MAKEFILE_LIST))][$(words $(MAKEFILE_LIST))]'\n"

#define PATH "/usr/bin:/bin"

struct fixture {
	struct faketree tree;
	struct ks_memo_scope scope;
	char *directories[2];
	char *dir, *log;
};

static void set_up(struct fixture *f, gconstpointer data)
{
	faketree_set_up(&f->tree, NULL);
	faketree_write(&f->tree, "/kernel/Makefile", KERNEL);
	faketree_write(&f->tree, "/other/Makefile", KERNEL);
	f->dir = faketree_path(&f->tree, "/kernel");
	f->log = faketree_path(&f->tree, "/log");
	f->directories[0] = f->dir;
	f->scope = (struct ks_memo_scope){
		.try_run = ks_memo_text_find_try_run(KERNEL),
		.path = (char *)PATH,
		.directories = f->directories,
	};
	g_assert_nonnull(f->scope.try_run);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	g_free(f->scope.try_run);
	g_free(f->dir);
	g_free(f->log);
	faketree_tear_down(&f->tree, NULL);
}

/* The output; the letters that were asked are in *asked. */
static char *make(struct fixture *f, const char *dir, const char *fragment,
		  const char *variable, char **asked)
{
	g_autofree char *where = faketree_path(&f->tree, dir);
	g_autofree char *file = g_strconcat(dir, "/asked", NULL);
	g_autofree char *path = faketree_path(&f->tree, file);
	g_autofree char *fragments = NULL;
	const char *const argv[] = {"make", "-s", "-C", where, NULL};
	const char *env[6] = {"PATH=" PATH, "LC_ALL=C", "HOME=/"};
	struct ks_process_options options = KS_PROCESS_OPTIONS_INIT;
	GError *error = NULL;
	char *output;

	if (fragment) {
		faketree_write(&f->tree, "/fragment.mk", fragment);
		fragments = g_strdup_printf("MAKEFILES=%s/fragment.mk", f->tree.dir);
		env[3] = fragments;
	}
	if (variable)
		env[strchr(variable, '=') && g_str_has_prefix(variable, "PATH") ? 0 : 4] =
			variable;
	g_remove(path);
	options.argv = argv;
	options.env = env;
	output = ks_process_capture(&options, NULL, 65536, NULL, &error);
	g_assert_no_error(error);
	*asked = faketree_read(&f->tree, file);
	return output;
}

#define ANSWERS "[-fyes][][-Wa,-x -y][ -blank]"

static char *record(struct fixture *f)
{
	g_autofree char *recorder = ks_memo_text_recorder(&f->scope, f->log, NULL);
	g_autofree char *asked = NULL;
	g_autofree char *output = make(f, "/kernel", recorder, NULL, &asked);
	g_autofree char *log = faketree_read(&f->tree, "/log");

	if (!strstr(output, ANSWERS) || !strstr(output, "[Makefile][1]"))
		g_error("while recording: %s", output);
	g_assert_nonnull(log);
	return ks_memo_text_make(&f->scope, log);
}

static void test_answers(struct fixture *f, gconstpointer data)
{
	g_autofree char *memo = record(f);
	g_autofree char *asked_without = NULL;
	g_autofree char *asked_with = NULL;
	g_autofree char *without = make(f, "/kernel", NULL, NULL, &asked_without);
	g_autofree char *with = make(f, "/kernel", memo, NULL, &asked_with);

	g_assert_nonnull(memo);
	g_assert_cmpstr(with, ==, without);
	g_assert_true(g_str_has_prefix(asked_without, "a\nb\nc"));
	/* an answer that the shell would have changed is asked for */
	g_assert_cmpstr(asked_with, ==, "e\nf\n");
}

static void test_unknown(struct fixture *f, gconstpointer data)
{
	g_autofree char *memo = record(f);
	g_autofree char *asked = NULL;
	g_autofree char *output = NULL;

	/* the same command with another answer is another question */
	faketree_write(&f->tree, "/kernel/Makefile",
		       "TMPOUT = .tmp_$$$$\n" DEFINITION
		       "a := $(call try-run,echo a >> asked; true,-fother,-fno)\n"
		       "b := $(call try-run,echo  b >> asked; false,-fyes,)\n"
		       "all:\n\t@echo '[$(a)][$(b)]'\n");
	output = make(f, "/kernel", memo, NULL, &asked);
	g_assert_cmpstr(output, ==, "[-fother][]\n");
	g_assert_cmpstr(asked, ==, "a\nb\n");
}

static void test_scope(struct fixture *f, gconstpointer data)
{
	static const char *const variables[] = {"PATH=/bin:/usr/bin", "CPATH=/x",
						"COMPILER_PATH=/x"};
	g_autofree char *memo = record(f);

	for (size_t i = 0; i < G_N_ELEMENTS(variables); i++) {
		g_autofree char *asked = NULL;
		g_autofree char *output = make(f, "/kernel", memo, variables[i], &asked);

		g_assert_nonnull(strstr(output, ANSWERS));
		g_assert_true(g_str_has_prefix(asked, "a\nb\nc"));
	}
	g_autofree char *asked = NULL;
	g_autofree char *output = make(f, "/other", memo, NULL, &asked);
	g_assert_nonnull(strstr(output, ANSWERS));
	g_assert_true(g_str_has_prefix(asked, "a\nb\nc"));
}

/* A disk that is full answers "no" to everything. */
static void test_broken_compiler(struct fixture *f, gconstpointer data)
{
	g_autofree char *makefile = g_strdup(KERNEL);
	g_autofree char *recorder = ks_memo_text_recorder(&f->scope, f->log, NULL);
	g_autofree char *asked = NULL;
	g_autofree char *output = NULL;
	g_autofree char *log = NULL;

	memcpy(strstr(makefile, "CC = :"), "CC=no ", 6);
	faketree_write(&f->tree, "/kernel/Makefile", makefile);
	output = make(f, "/kernel", recorder, NULL, &asked);
	log = faketree_read(&f->tree, "/log");
	g_assert_nonnull(strstr(log, "echo~a~"));
	g_assert_null(strstr(log, "echo~b~"));
}

static void test_hostile_log(struct fixture *f, gconstpointer data)
{
	static const char *const lines[] = {
		"$(shell~touch~/x)|y|n|y",
		"a#|y|n|y",
		"a\\|y|n|y",
		"a%|y|n|y",
		"a b|y|n|y",
		"a|$(y)|n|$(y)",
		"a|y;z|n|y;z",
		"a|y|n|z",
		"a|y|n",
		"a|y|n|y|y",
		"|y|n|y",
		"a|-n|n|-n",
		"a\xc3\xa4|y|n|y",
		"a|-e~x|n|-e~x",
		"",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(lines); i++)
		g_assert_cmpstr(ks_memo_text_make(&f->scope, lines[i]), ==, NULL);
	/* two answers to one question */
	g_assert_cmpstr(ks_memo_text_make(&f->scope, "a|y|n|y\na|y|n|n\n"), ==, NULL);
	g_autofree char *memo =
		ks_memo_text_make(&f->scope, "a|y|n|y\na|y|n|y\nb|y|n|n\n");
	g_assert_nonnull(strstr(memo, "kmodsmith-yes := \\\n a|y|n\n"));
	g_assert_nonnull(strstr(memo, "kmodsmith-no := \\\n b|y|n\n"));
}

/*
 * The same compiler, another kernel: a question that names a file may mean
 * another file there.
 */
static void test_carry(struct fixture *f, gconstpointer data)
{
	static const char log[] = "gcc~-O2~-c~-x~c~/dev/null~-o~\"^6TMP\"|-O2||-O2\n"
				  "nm~x~>~\"^6TMP.u\"|-fa||\n";
	static const char of_one[] = "gcc~-I~include~-c|y|n|y\n"
				     "gcc~-include~x.h|y|n|y\n"
				     "gcc~-fmap=/usr/src/one/=|y|n|y\n"
				     "./scripts/x.sh|y|n|y\n"
				     "scripts/x.sh|y|n|n\n"
				     "gcc~@flags|y|n|y\n";
	g_autofree char *both = g_strconcat(of_one, log, NULL);
	g_autofree char *memo = ks_memo_text_make(&f->scope, both);
	g_autofree char *carried = ks_memo_text_carry(memo);
	g_autofree char *nothing =
		ks_memo_text_carry("kmodsmith-yes := \\\nx|y\nz|y|n\n");

	g_assert_cmpstr(carried, ==, log);
	g_assert_cmpstr(nothing, ==, "");
}

static void test_carried_is_not_asked(struct fixture *f, gconstpointer data)
{
	g_autofree char *first = record(f);
	g_autofree char *known = ks_memo_text_carry(first);
	g_autofree char *asked = NULL, *asked_recording = NULL;
	g_autofree char *memo = NULL, *recorder = NULL, *log = NULL;
	g_autofree char *output = NULL, *recorded = NULL, *whole = NULL;

	f->directories[0] = faketree_path(&f->tree, "/other");
	memo = ks_memo_text_make(&f->scope, known);
	output = make(f, "/other", memo, NULL, &asked);
	g_assert_nonnull(strstr(output, ANSWERS));
	g_assert_cmpstr(asked, ==, "e\nf\n");

	/* and recording there notes it with what it asks */
	faketree_write(&f->tree, "/log", "");
	recorder = ks_memo_text_recorder(&f->scope, f->log, known);
	recorded = make(f, "/other", recorder, NULL, &asked_recording);
	g_assert_nonnull(strstr(recorded, ANSWERS));
	g_assert_cmpstr(asked_recording, ==, "e\nf\n");
	log = faketree_read(&f->tree, "/log");
	whole = ks_memo_text_make(&f->scope, log);
	g_assert_cmpstr(whole, ==, memo);
	g_free(f->directories[0]);
	f->directories[0] = f->dir;
}

static void test_definitions(void)
{
	static const char *const strange[] = {
		"",
		"try-run = $(shell true)\n",
		"try-run = $(shell set -e; TMP=$(TMPOUT)/tmp; if ($(1)); then echo "
		"\"$(2)\"; else echo \"$(3)\"; fi)\n",
	};
	g_autofree char *old = ks_memo_text_find_try_run(
		"x = 1\ntry-run = $(shell set -e; \\\n\tTMP=$(TMPOUT)/tmp; \\\n"
		"\tTMPO=$(TMPOUT)/tmp.o; \\\n\tmkdir -p $(TMPOUT); \\\n"
		"\ttrap \"rm -rf $(TMPOUT)\" EXIT; \\\n\tif ($(1)) >/dev/null 2>&1; \\\n"
		"\tthen echo \"$(2)\"; \\\n\telse echo \"$(3)\"; \\\n\tfi)\nnext = 2\n");

	g_assert_cmpstr(old, ==,
			"$(shell set -e; TMP=$(TMPOUT)/tmp; TMPO=$(TMPOUT)/tmp.o; mkdir "
			"-p $(TMPOUT); trap \"rm -rf $(TMPOUT)\" EXIT; if ($(1)) "
			">/dev/null 2>&1; then echo \"$(2)\"; else echo \"$(3)\"; fi)");
	for (size_t i = 0; i < G_N_ELEMENTS(strange); i++)
		g_assert_null(ks_memo_text_find_try_run(strange[i]));
}

#define ADD(name, func)                                                                  \
	g_test_add("/probe/" name, struct fixture, NULL, set_up, func, tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/probe/the ways of the headers to ask are known or left alone",
			test_definitions);
	ADD("what was asked is answered the same and not asked again", test_answers);
	ADD("what was not asked is", test_unknown);
	ADD("elsewhere everything is asked", test_scope);
	ADD("a no of a broken compiler is not kept", test_broken_compiler);
	ADD("lines that are no answers are left out", test_hostile_log);
	ADD("another kernel's memo has what names no file", test_carry);
	ADD("what another kernel was asked is not asked again",
	    test_carried_is_not_asked);
	return g_test_run();
}
