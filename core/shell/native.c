/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Statements, and dkms's second evaluation. */
#include "core/shell/native.h"

#include <string.h>

#include "core/shell/reader.h"

#define MAX_NAME_CHARS 120
#define MAX_DIGITS     9
/* For reports only: more of them would tell nobody more. */
#define MAX_KEPT 256

bool ks_reader_refuse(struct ks_reader *reader, enum ks_native verdict, const char *why)
{
	reader->verdict = verdict;
	reader->why = why;
	return false;
}

bool ks_reader_spend(struct ks_reader *reader, size_t size_bytes)
{
	if (size_bytes > reader->work)
		return ks_reader_refuse(reader, KS_NATIVE_TOO_MUCH,
					"its values grow too large");
	reader->work -= size_bytes;
	return true;
}

bool ks_reader_is_name(char c, bool first)
{
	return c == '_' || g_ascii_isalpha(c) || (!first && g_ascii_isdigit(c));
}

bool ks_reader_name(struct ks_reader *reader, GString *name)
{
	while (ks_reader_is_name(*reader->p, name->len == 0)) {
		if (name->len >= MAX_NAME_CHARS)
			return ks_reader_refuse(reader, KS_NATIVE_UNSURE, "a long name");
		g_string_append_c(name, *reader->p++);
	}
	return true;
}

bool ks_reader_index(struct ks_reader *reader, guint *index)
{
	const char *start = reader->p;
	guint n = 0;

	while (g_ascii_isdigit(*reader->p) && reader->p - start < MAX_DIGITS)
		n = n * 10 + (guint)(*reader->p++ - '0');
	/* a leading zero makes the shell read octal */
	if (reader->p == start || *reader->p != ']' || (*start == '0' && n > 0) ||
	    (*start == '0' && reader->p - start > 1))
		return ks_reader_refuse(reader, KS_NATIVE_UNSURE,
					"an index that is computed");
	reader->p++;
	*index = n;
	return true;
}

bool ks_reader_is_shell_variable(const char *name)
{
	static const char *const prefixes[] = {"BASH", "COMP_", "EPOCH", "HIST", "LC_"};
	static const char *const names[] = {
		"_",	   "COLUMNS",  "COPROC",     "DIRSTACK",
		"EUID",	   "FUNCNAME", "GLOBIGNORE", "GROUPS",
		"HOME",	   "HOSTNAME", "HOSTTYPE",   "IFS",
		"LANG",	   "LINENO",   "LINES",	     "MACHTYPE",
		"OLDPWD",  "OPTARG",   "OPTERR",     "OPTIND",
		"OSTYPE",  "PATH",     "PIPESTATUS", "POSIXLY_CORRECT",
		"PPID",	   "PS4",      "PWD",	     "RANDOM",
		"SECONDS", "SHELL",    "SHELLOPTS",  "SHLVL",
		"SRANDOM", "TERM",     "TZ",	     "UID",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(prefixes); i++) {
		if (g_str_has_prefix(name, prefixes[i]))
			return true;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	/* our own, in the script that bash runs */
	return g_str_has_prefix(name, "__ks_");
}

void ks_reader_skip_blanks(struct ks_reader *reader)
{
	for (;;) {
		if (*reader->p == ' ' || *reader->p == '\t') {
			reader->p++;
		} else if (reader->p[0] == '\\' && reader->p[1] == '\n') {
			reader->p += 2;
			reader->line++;
		} else {
			return;
		}
	}
}

static void skip_comment(struct ks_reader *reader)
{
	while (*reader->p && *reader->p != '\n')
		reader->p++;
}

/* After '('; the words up to ')'. */
static bool read_list(struct ks_reader *reader, GPtrArray *words)
{
	for (;;) {
		g_autoptr(GString) word = NULL;

		ks_reader_skip_blanks(reader);
		if (*reader->p == '\n') {
			reader->line++;
			reader->p++;
			continue;
		}
		if (*reader->p == '#') {
			skip_comment(reader);
			continue;
		}
		if (*reader->p == ')') {
			reader->p++;
			return true;
		}
		if (!*reader->p)
			return ks_reader_refuse(reader, KS_NATIVE_BROKEN,
						"no closing parenthesis");
		if (words->len >= KS_VARS_MAX_ELEMENTS)
			return ks_reader_refuse(reader, KS_NATIVE_TOO_MUCH,
						"it has too many values");
		word = g_string_new(NULL);
		if (!ks_reader_word(reader, KS_WORD_LISTED, word))
			return false;
		g_ptr_array_add(words, g_strdup(word->str));
	}
}

static bool assign_list(struct ks_reader *reader, const char *name, bool append)
{
	g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
	guint base;

	if (!read_list(reader, words))
		return false;
	if (reader->discards)
		return true;
	if (!append)
		ks_vars_unset(reader->vars, name);
	base = ks_vars_end(reader->vars, name);
	for (guint i = 0; i < words->len; i++)
		ks_vars_set(reader->vars, name, base + i, words->pdata[i]);
	return true;
}

static bool assign_word(struct ks_reader *reader, enum ks_word kind, const char *name,
			guint index, bool append)
{
	g_autoptr(GString) value = g_string_new(NULL);
	const char *old;

	if (!ks_reader_word(reader, kind, value))
		return false;
	if (reader->discards)
		return true;
	if (!append) {
		ks_vars_set(reader->vars, name, index, value->str);
		return true;
	}
	old = ks_vars_get(reader->vars, name, index);
	if (old && !ks_reader_spend(reader, strlen(old)))
		return false;
	ks_vars_append(reader->vars, name, index, value->str);
	return true;
}

/* NAME=word, NAME[n]=word, NAME=(...), each also with "+=". */
static bool read_assignment(struct ks_reader *reader, bool exported)
{
	g_autoptr(GString) name = g_string_new(NULL);
	bool indexed = false, append = false;
	guint index = 0;

	if (!ks_reader_is_name(*reader->p, true))
		return ks_reader_refuse(reader, KS_NATIVE_UNSURE, "a command");
	if (!ks_reader_name(reader, name))
		return false;
	if (*reader->p == '[' && !exported) {
		reader->p++;
		indexed = true;
		if (!ks_reader_index(reader, &index))
			return false;
	}
	if (reader->p[0] == '+' && reader->p[1] == '=' && !exported) {
		append = true;
		reader->p++;
	}
	if (*reader->p != '=')
		return ks_reader_refuse(reader, KS_NATIVE_UNSURE, "a command");
	reader->p++;
	if (ks_reader_is_shell_variable(name->str))
		return ks_reader_refuse(reader, KS_NATIVE_UNSURE,
					"a variable of the shell");
	if (*reader->p == '(' && !indexed && !exported) {
		reader->p++;
		if (!assign_list(reader, name->str, append))
			return false;
		/* what touches the parenthesis is no part of the list */
		return !*reader->p || strchr(" \t\n;", *reader->p) ||
		       ks_reader_refuse(reader, KS_NATIVE_UNSURE, "a command");
	}
	return assign_word(reader, exported ? KS_WORD_EXPORTED : KS_WORD_ASSIGNED,
			   name->str, index, append);
}

static bool read_statement(struct ks_reader *reader);

/* A test and the assignments after it; when it is false only their end counts. */
static bool read_conditional(struct ks_reader *reader)
{
	bool applies, ok;

	if (!ks_reader_condition(reader, &applies))
		return false;
	if (strncmp(reader->p, "export", 6) == 0 || *reader->p == '[')
		return ks_reader_refuse(reader, KS_NATIVE_UNSURE, "a command");
	reader->discards = !applies;
	ok = read_statement(reader);
	reader->discards = false;
	return ok;
}

/* The assignments of one command and the end of its line. */
static bool read_statement(struct ks_reader *reader)
{
	bool exported = strncmp(reader->p, "export", 6) == 0 &&
			(reader->p[6] == ' ' || reader->p[6] == '\t');

	if (exported) {
		reader->p += 6;
		ks_reader_skip_blanks(reader);
	}
	for (;;) {
		if (!read_assignment(reader, exported))
			return false;
		if (ks_vars_is_full(reader->vars))
			return ks_reader_refuse(reader, KS_NATIVE_TOO_MUCH,
						"its values grow too large");
		ks_reader_skip_blanks(reader);
		if (*reader->p == '#')
			skip_comment(reader);
		if (!*reader->p || *reader->p == '\n')
			return true;
		if (*reader->p == ';') {
			reader->p++;
			return true;
		}
		if (exported) /* its words are expanded before any is assigned */
			return ks_reader_refuse(reader, KS_NATIVE_UNSURE,
						"more than one exported variable");
	}
}

static bool read_text(struct ks_reader *reader)
{
	for (;;) {
		ks_reader_skip_blanks(reader);
		if (!*reader->p)
			return true;
		if (*reader->p == '\n') {
			reader->line++;
			reader->p++;
		} else if (reader->p[0] == '\r' && reader->p[1] == '\n') {
			/* to the shell a command that is not found */
			reader->p++;
		} else if (*reader->p == '#') {
			skip_comment(reader);
		} else if (ks_reader_is_condition(reader)) {
			if (!read_conditional(reader))
				return false;
		} else if (!read_statement(reader)) {
			return false;
		}
	}
}

static struct ks_reader reader_new(const char *text, struct ks_vars *vars)
{
	return (struct ks_reader){
		.p = text, .line = 1, .vars = vars, .work = KS_READER_MAX_WORK};
}

struct ks_vars *ks_native_source(const char *text, const struct ks_vars *before,
				 struct ks_native_report *report)
{
	ks_auto(ks_vars) vars = ks_vars_copy(before);
	struct ks_reader reader = reader_new(text, vars);

	if (!read_text(&reader)) {
		/* only bash knows how much of it still counts */
		if (reader.verdict == KS_NATIVE_BROKEN)
			reader.verdict = KS_NATIVE_UNSURE;
		*report = (struct ks_native_report){reader.verdict, reader.line,
						    reader.why};
		return NULL;
	}
	*report = (struct ks_native_report){.verdict = KS_NATIVE_READ};
	return g_steal_pointer(&vars);
}

char *ks_native_collapse(const char *value)
{
	size_t length = strlen(value);
	GString *text = g_string_sized_new(length);

	if (length && value[length - 1] == '\r')
		length--;
	for (size_t i = 0; i < length; i++) {
		bool blank = strchr(" \t\n", value[i]) != NULL;

		if (!blank)
			g_string_append_c(text, value[i]);
		else if (!text->len || text->str[text->len - 1] != ' ')
			g_string_append_c(text, ' ');
	}
	return g_string_free(text, FALSE);
}

/* As the right side of NAME[i]="...", which has to be one word. */
static bool read_again(struct ks_reader *reader, const char *collapsed, GString *value)
{
	g_autofree char *line = g_strconcat("\"", collapsed, "\"", NULL);
	bool ok;

	reader->p = line;
	ok = ks_reader_spend(reader, strlen(line)) &&
	     ks_reader_word(reader, KS_WORD_ASSIGNED, value);
	if (ok && *reader->p)
		ok = ks_reader_refuse(reader, KS_NATIVE_BROKEN, "more than one word");
	reader->p = "";
	return ok;
}

bool ks_native_is_kept(const char *collapsed, const struct ks_vars *before)
{
	ks_auto(ks_vars) vars = ks_vars_copy(before);
	struct ks_reader reader = reader_new("", vars);
	g_autoptr(GString) value = g_string_new(NULL);

	return !read_again(&reader, collapsed, value) &&
	       reader.verdict == KS_NATIVE_BROKEN;
}

/* Each override evaluates all values again: the same one may be kept each time. */
static void add_kept(GPtrArray *kept, const char *name, guint index)
{
	g_autofree char *element = g_strdup_printf("%s[%u]", name, index);

	if (kept->len < MAX_KEPT &&
	    !g_ptr_array_find_with_equal_func(kept, element, g_str_equal, NULL))
		g_ptr_array_add(kept, g_steal_pointer(&element));
}

static bool again_one(struct ks_reader *reader, const char *name,
		      const struct ks_vars_element *element, GPtrArray *kept)
{
	g_autofree char *collapsed = ks_native_collapse(element->value);
	g_autoptr(GString) value = g_string_new(NULL);

	if (!read_again(reader, collapsed, value)) {
		if (reader->verdict != KS_NATIVE_BROKEN)
			return false;
		g_string_assign(value, collapsed);
		add_kept(kept, name, element->index);
	}
	ks_vars_set(reader->vars, name, element->index, value->str);
	return !ks_vars_is_full(reader->vars) ||
	       ks_reader_refuse(reader, KS_NATIVE_TOO_MUCH, "its values grow too large");
}

struct ks_vars *ks_native_again(const struct ks_vars *first, const struct ks_vars *before,
				const char *const *known, GPtrArray *kept,
				struct ks_native_report *report)
{
	ks_auto(ks_vars) vars = ks_vars_copy(before);
	struct ks_reader reader = reader_new("", vars);

	for (size_t i = 0; known[i]; i++) {
		guint n_elements;
		const struct ks_vars_element *elements =
			ks_vars_elements(first, known[i], &n_elements);

		for (guint j = 0; j < n_elements; j++) {
			if (again_one(&reader, known[i], &elements[j], kept))
				continue;
			*report =
				(struct ks_native_report){reader.verdict, 0, reader.why};
			return NULL;
		}
	}
	*report = (struct ks_native_report){.verdict = KS_NATIVE_READ};
	return g_steal_pointer(&vars);
}
