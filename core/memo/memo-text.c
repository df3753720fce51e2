/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fragments in make's language. A question, a complete shell command, becomes
 * one word of make's and of the log: the characters that mean something to
 * make, and '|' and '~', are "^" and a digit, and a blank is "~".
 */
#include <string.h>

#include "core/memo/memo-private.h"

#define LOG_LINES_MAX 1000

#define LIST_YES "kmodsmith-yes :="
#define LIST_NO	 "kmodsmith-no :="

/* --- the question as the headers ask it */

static char *strip_blanks(const char *text)
{
	GString *out = g_string_new(NULL);

	for (; *text; text++)
		if (!g_ascii_isspace(*text))
			g_string_append_c(out, *text);
	return g_string_free(out, FALSE);
}

/* Linux 5.8 to 6.17; they differ in the order, and in the second temporary file. */
static bool is_known(const char *definition)
{
	static const char head[] = "$(shellset-e;";
	static const char tail[] = "if($(1))>/dev/null2>&1;thenecho\"$(2)\";"
				   "elseecho\"$(3)\";fi)";
	static const char *const statements[] = {
		"TMP=$(TMPOUT)/tmp;",
		"TMPO=$(TMPOUT)/tmp.o;",
		"trap\"rm-rf$(TMPOUT)\"EXIT;",
		"mkdir-p$(TMPOUT);",
	};
	g_autofree char *compact = strip_blanks(definition);
	const char *rest = compact + strlen(head);

	if (!g_str_has_prefix(compact, head))
		return false;
	for (size_t i = 0; i < G_N_ELEMENTS(statements); i++) {
		if (!g_str_has_prefix(rest, statements[i]))
			continue;
		rest += strlen(statements[i]);
		i = (size_t)-1;
	}
	return strcmp(rest, tail) == 0;
}

char *ks_memo_text_find_try_run(const char *makefile)
{
	static const char start[] = "try-run = ";
	g_auto(GStrv) lines = g_strsplit(makefile, "\n", -1);
	g_autoptr(GString) text = g_string_new(NULL);
	char **line = lines;

	while (*line && !g_str_has_prefix(*line, start))
		line++;
	if (!*line)
		return NULL;
	for (const char *part = *line + strlen(start); part; part = *++line) {
		g_autofree char *piece = g_strstrip(g_strdup(part));
		size_t length = strlen(piece);
		bool goes_on = length && piece[length - 1] == '\\';

		if (goes_on)
			piece[length - 1] = '\0';
		g_string_append_printf(text, "%s%s", text->len ? " " : "",
				       g_strchomp(piece));
		if (!goes_on)
			break;
	}
	return is_known(text->str) ? g_strdup(text->str) : NULL;
}

/* --- fragments */

static const char encoder[] =
	"kmodsmith-empty :=\n"
	"kmodsmith-blank := $(kmodsmith-empty) $(kmodsmith-empty)\n"
	"kmodsmith-tab := $(kmodsmith-empty)\t$(kmodsmith-empty)\n"
	"kmodsmith-hash := \\#\n"
	"define kmodsmith-newline\n\n\nendef\n"
	"kmodsmith-word = $(subst $(kmodsmith-blank),~,$(subst |,^8,$(subst \\,^7,"
	"$(subst $$,^6,$(subst $(kmodsmith-hash),^5,$(subst $(kmodsmith-newline),^4,"
	"$(subst $(kmodsmith-tab),^3,$(subst %,^2,$(subst ~,^1,$(subst ^,^0,$(1))))))))"
	")))\n"
	"kmodsmith-question = $(call kmodsmith-word,$(1))|$(call kmodsmith-word,$(2))"
	"|$(call kmodsmith-word,$(3))\n";

/*
 * Not for makefiles of the module itself, in which try-run may mean something
 * else; not where other programs than the usual ones would be asked.
 */
static void open_scope(GString *text, const struct ks_memo_scope *scope)
{
	g_autofree char *directories = g_strjoinv(" ", scope->directories);

	g_string_append_printf(
		text,
		"ifneq ($(filter %s,$(CURDIR) $(abs_srctree)),)\n"
		"ifeq ($(PATH),%s)\n"
		"ifeq ($(strip $(COMPILER_PATH)$(GCC_EXEC_PREFIX)$(CPATH)"
		"$(C_INCLUDE_PATH)$(LIBRARY_PATH)$(LD_LIBRARY_PATH)$(LD_PRELOAD)"
		"$(LD_RUN_PATH)$(DEPENDENCIES_OUTPUT)$(SUNPRO_DEPENDENCIES)"
		"$(CCC_OVERRIDE_OPTIONS)),)\n",
		directories, scope->path);
	g_string_append(text, encoder);
	g_string_append_printf(text, "kmodsmith-ask = %s\n", scope->try_run);
}

static void close_scope(GString *text)
{
	g_string_append(text, "endif\nendif\nendif\nMAKEFILE_LIST :=\n");
}

/*
 * Known questions are answered, all others asked; kmodsmith-yes and -no are
 * the answers.
 */
static const char answerer[] =
	"kmodsmith-answer = $(if $(filter $(kmodsmith-yes),$(4)),$(2),$(if "
	"$(filter $(kmodsmith-no),$(4)),$(3),$(call kmodsmith-ask,$(1),$(2),$(3))))\n";

/* --- from the log */

/* Words that echo and make's shell function return unchanged. */
static bool is_plain_answer(const char *word)
{
	static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				   "0123456789_=,./+:@-~";

	if (word[strspn(word, safe)])
		return false;
	/* "echo -n" says nothing, "echo -e -x" something else */
	return !(word[0] == '-' && word[1] && strspn(word + 1, "neE") > 0 &&
		 (word[1 + strspn(word + 1, "neE")] == '\0' ||
		  word[1 + strspn(word + 1, "neE")] == '~'));
}

static bool is_word(const char *word)
{
	for (const char *p = word; *p; p++)
		if (!g_ascii_isgraph(*p) || strchr("$#%\\", *p))
			return false;
	return true;
}

static bool read_line(const char *line, GPtrArray *yes, GPtrArray *no)
{
	g_auto(GStrv) fields = g_strsplit(line, "|", 5);
	GPtrArray *answers;
	char *question;

	if (g_strv_length(fields) != 4 || !is_word(fields[0]) || !*fields[0] ||
	    !is_plain_answer(fields[1]) || !is_plain_answer(fields[2]))
		return false;
	if (strcmp(fields[3], fields[1]) == 0)
		answers = yes;
	else if (strcmp(fields[3], fields[2]) == 0)
		answers = no;
	else
		return false;
	question = g_strndup(line, strlen(line) - strlen(fields[3]) - 1);
	if (g_ptr_array_find_with_equal_func(answers, question, g_str_equal, NULL))
		g_free(question);
	else
		g_ptr_array_add(answers, question);
	return true;
}

/* Two answers to one question: then it has none. */
static void drop_disputed(GPtrArray *yes, GPtrArray *no)
{
	for (guint i = yes->len; i-- > 0;) {
		guint other;

		if (!g_ptr_array_find_with_equal_func(no, yes->pdata[i], g_str_equal,
						      &other))
			continue;
		g_ptr_array_remove_index(no, other);
		g_ptr_array_remove_index(yes, i);
	}
}

static void append_questions(GString *text, const char *name, const GPtrArray *questions)
{
	g_string_append(text, name);
	for (guint i = 0; i < questions->len; i++)
		g_string_append_printf(text, " \\\n %s", (char *)questions->pdata[i]);
	g_string_append_c(text, '\n');
}

/* The two lists out of a log. False when they are empty. */
static bool append_answers(GString *text, const char *log)
{
	g_auto(GStrv) lines = g_strsplit(log, "\n", LOG_LINES_MAX);
	g_autoptr(GPtrArray) yes = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) no = g_ptr_array_new_with_free_func(g_free);

	for (char **line = lines; *line; line++)
		read_line(*line, yes, no);
	drop_disputed(yes, no);
	append_questions(text, LIST_YES, yes);
	append_questions(text, LIST_NO, no);
	g_string_append(text, answerer);
	return yes->len || no->len;
}

/* --- whole */

char *ks_memo_text_recorder(const struct ks_memo_scope *scope, const char *log_path,
			    const char *known)
{
	GString *text = g_string_new(NULL);

	open_scope(text, scope);
	append_answers(text, known ? known : "");
	/* a "no" may also come of a full disk: then the simplest thing fails too */
	g_string_append_printf(
		text,
		"kmodsmith-works = $(call kmodsmith-ask,$(CC) -c -x c /dev/null -o "
		"\"$$TMP\",yes,)\n"
		"kmodsmith-note = $(if $(or $(filter x$(call kmodsmith-word,$(2)),"
		"x$(call kmodsmith-word,$(4))),$(kmodsmith-works)),"
		"$(file >>%s,$(kmodsmith-question)|$(call kmodsmith-word,$(4))))$(4)\n"
		"override try-run = $(call kmodsmith-note,$(1),$(2),$(3),"
		"$(call kmodsmith-answer,$(1),$(2),$(3),$(kmodsmith-question)))\n",
		log_path);
	close_scope(text);
	return g_string_free(text, FALSE);
}

char *ks_memo_text_make(const struct ks_memo_scope *scope, const char *log)
{
	GString *text = g_string_new(NULL);

	open_scope(text, scope);
	if (!append_answers(text, log)) {
		g_string_free(text, TRUE);
		return NULL;
	}
	g_string_append(text, "override try-run = $(call kmodsmith-answer,$(1),$(2),$(3),"
			      "$(kmodsmith-question))\n");
	close_scope(text);
	return g_string_free(text, FALSE);
}

/* --- from one kernel's memo to another's */

/*
 * A question asked in one kernel's headers is the same in another's, unless it
 * names a file there: by a path, or by an option that finds files by name.
 */
static bool is_of_any_kernel(const char *question)
{
	static const char *const leading[] = {"@",	  "-I",	      "-i", "-B",
					      "-L",	  "-T",	      "-l", "-specs",
					      "-fplugin", "--sysroot"};
	g_autofree char *command = g_strndup(question, strcspn(question, "|"));
	g_auto(GStrv) words = g_strsplit(command, "~", -1);

	for (char **word = words; *word; word++) {
		if (strchr(*word, '/') && strcmp(*word, "/dev/null") != 0)
			return false;
		for (size_t i = 0; i < G_N_ELEMENTS(leading); i++)
			if (g_str_has_prefix(*word, leading[i]))
				return false;
	}
	return true;
}

char *ks_memo_text_carry(const char *memo)
{
	g_auto(GStrv) lines = g_strsplit(memo, "\n", LOG_LINES_MAX);
	GString *log = g_string_new(NULL);
	guint answer = 0; /* the field of the question that is it; 0: no list of them */

	for (char **line = lines; *line; line++) {
		char *question = g_strchomp(*line);
		g_auto(GStrv) fields = NULL;

		if (*question != ' ') {
			answer = g_str_has_prefix(question, LIST_YES)  ? 1
				 : g_str_has_prefix(question, LIST_NO) ? 2
								       : 0;
			continue;
		}
		if (g_str_has_suffix(question, " \\"))
			question[strlen(question) - 2] = '\0';
		fields = g_strsplit(++question, "|", -1);
		if (answer && g_strv_length(fields) == 3 && is_of_any_kernel(question))
			g_string_append_printf(log, "%s|%s\n", question, fields[answer]);
	}
	return g_string_free(log, FALSE);
}
