/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parameter expansion, and the few commands whose output is known without
 * running them. */
#include <string.h>
#include <sys/utsname.h>

#include "core/shell/reader.h"
#include "core/kernel/uname.h"

#define MAX_DEPTH   8
#define MAX_PATTERN 256

static bool put_text(struct ks_reader *reader, GString *value, const char *text)
{
	if (!ks_reader_spend(reader, strlen(text)))
		return false;
	g_string_append(value, text);
	return true;
}

/* For the kernel that is built for; "-r" or "-m". */
static bool put_uname(struct ks_reader *reader, GString *value, bool release)
{
	const char *known = ks_vars_get(reader->vars, KS_UNAME_ENV, 0);
	g_auto(GStrv) words = known && *known ? g_strsplit(known, " ", 3) : NULL;
	struct utsname names;

	if (words && words[0] && words[1])
		return put_text(reader, value, words[release]);
	if (uname(&names) != 0)
		return ks_reader_refuse(reader, KS_NATIVE_UNSURE, "uname");
	return put_text(reader, value, release ? names.release : names.machine);
}

static bool put_command(struct ks_reader *reader, GString *value, const char *command)
{
	g_autofree char *n_jobs = NULL;

	if (strcmp(command, "nproc") == 0) {
		n_jobs = g_strdup_printf("%u", g_get_num_processors());
		return put_text(reader, value, n_jobs);
	}
	return put_uname(reader, value, strcmp(command, "uname -r") == 0);
}

/* At the command; the text up to close is one of the known commands. */
static bool read_command(struct ks_reader *reader, char close, GString *value)
{
	static const char *const commands[] = {"nproc", "uname -r", "uname -m", "arch"};

	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
		size_t length = strlen(commands[i]);

		if (strncmp(reader->p, commands[i], length) != 0 ||
		    reader->p[length] != close)
			continue;
		reader->p += length + 1;
		return put_command(reader, value, commands[i]);
	}
	return ks_reader_refuse(reader, KS_NATIVE_UNSURE, "command substitution");
}

bool ks_reader_backquote(struct ks_reader *reader, GString *value)
{
	reader->p++;
	return read_command(reader, '`', value);
}

/* The word after ${NAME:-, up to '}'. */
static bool read_alternative(struct ks_reader *reader, bool quoted, GString *word)
{
	while (*reader->p && *reader->p != '}') {
		char c = *reader->p;

		if (strchr("\"'`\\\n~{<>()", c))
			return ks_reader_refuse(reader, KS_NATIVE_UNSURE,
						"quoting inside ${...}");
		reader->p++;
		if (c == '$') {
			if (!ks_reader_expand(reader, quoted, word))
				return false;
			continue;
		}
		g_string_append_c(word, c);
		if (!ks_reader_spend(reader, 1))
			return false;
	}
	return true;
}

/* The pattern after ${NAME#, up to '}': plain characters, '*' and '?'. */
static bool read_pattern(struct ks_reader *reader, GString *pattern)
{
	for (; *reader->p && *reader->p != '}'; reader->p++) {
		char c = *reader->p;

		if (strchr("\"'`\\\n~{}$[]<>()!@+|&;", c) || c & 0x80)
			return ks_reader_refuse(reader, KS_NATIVE_UNSURE,
						"a pattern inside ${...}");
		g_string_append_c(pattern, c);
	}
	return pattern->len <= MAX_PATTERN ||
	       ks_reader_refuse(reader, KS_NATIVE_UNSURE, "a long pattern");
}

/* Linear except for one step back per star: no pattern can make it explode. */
static bool match(const char *pattern, const char *text, size_t size)
{
	const char *end = text + size;
	const char *star = NULL, *retry = NULL;

	while (text < end) {
		if (*pattern == '*') {
			star = ++pattern;
			retry = text;
		} else if (*pattern && (*pattern == '?' || *pattern == *text)) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star;
			text = ++retry;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}

/* ${value#pattern} and its relatives: from the front or the end, longest or shortest. */
static bool put_trimmed(struct ks_reader *reader, GString *out, const char *value,
			const char *pattern, char op, bool longest)
{
	size_t length = strlen(value);
	bool front = op == '#';

	for (const char *c = value; *c; c++) {
		if (*c & 0x80)
			return ks_reader_refuse(reader, KS_NATIVE_UNSURE,
						"a pattern on text beyond ASCII");
	}
	for (size_t i = 0; i <= length; i++) {
		size_t size = longest ? length - i : i;
		const char *part = front ? value : value + length - size;

		if (!ks_reader_spend(reader, (size + 1) * (strlen(pattern) + 1)))
			return false;
		if (!match(pattern, part, size))
			continue;
		g_string_append_len(out, front ? value + size : value, length - size);
		return ks_reader_spend(reader, length);
	}
	return put_text(reader, out, value);
}

static bool read_trim(struct ks_reader *reader, GString *out, const char *value)
{
	g_autoptr(GString) pattern = g_string_new(NULL);
	char op = *reader->p++;
	bool longest = *reader->p == op;

	reader->p += longest;
	if (!read_pattern(reader, pattern))
		return false;
	return !value || put_trimmed(reader, out, value, pattern->str, op, longest);
}

static bool read_default(struct ks_reader *reader, bool quoted, GString *out,
			 const char *value)
{
	g_autoptr(GString) word = g_string_new(NULL);
	bool empty_counts = *reader->p == ':';
	char op;
	bool is_set;

	reader->p += empty_counts;
	op = *reader->p++;
	if (op != '-' && op != '+')
		return ks_reader_refuse(reader, KS_NATIVE_UNSURE, "parameter expansion");
	if (!read_alternative(reader, quoted, word))
		return false;
	is_set = value && (!empty_counts || *value);
	if (op == '-')
		return put_text(reader, out, is_set ? value : word->str);
	return !is_set || put_text(reader, out, word->str);
}

/* After "${". */
static bool read_braces(struct ks_reader *reader, bool quoted, GString *out)
{
	g_autoptr(GString) name = g_string_new(NULL);
	guint index = 0;
	const char *value;
	bool ok;

	if (!ks_reader_is_name(*reader->p, true))
		return ks_reader_refuse(reader, KS_NATIVE_UNSURE, "parameter expansion");
	if (!ks_reader_name(reader, name))
		return false;
	if (ks_reader_is_shell_variable(name->str))
		return ks_reader_refuse(reader, KS_NATIVE_UNSURE,
					"a variable of the shell");
	if (*reader->p == '[') {
		reader->p++;
		if (!ks_reader_index(reader, &index))
			return false;
	}
	value = ks_vars_get(reader->vars, name->str, index);
	switch (*reader->p) {
	case '}':
		ok = !value || put_text(reader, out, value);
		break;
	case '#':
	case '%':
		ok = read_trim(reader, out, value);
		break;
	case ':':
	case '-':
	case '+':
		ok = read_default(reader, quoted, out, value);
		break;
	default:
		ok = ks_reader_refuse(reader, KS_NATIVE_UNSURE, "parameter expansion");
	}
	if (!ok)
		return false;
	if (*reader->p != '}')
		return ks_reader_refuse(reader, KS_NATIVE_UNSURE, "no closing brace");
	reader->p++;
	return true;
}

static bool read_variable(struct ks_reader *reader, GString *out)
{
	g_autoptr(GString) name = g_string_new(NULL);
	const char *value;

	if (!ks_reader_name(reader, name))
		return false;
	/* the shell joins lines before it looks at names */
	if (reader->p[0] == '\\' && reader->p[1] == '\n')
		return ks_reader_refuse(reader, KS_NATIVE_UNSURE,
					"a name continued on the next line");
	if (ks_reader_is_shell_variable(name->str))
		return ks_reader_refuse(reader, KS_NATIVE_UNSURE,
					"a variable of the shell");
	value = ks_vars_get(reader->vars, name->str, 0);
	return !value || put_text(reader, out, value);
}

bool ks_reader_expand(struct ks_reader *reader, bool quoted, GString *value)
{
	char c = *reader->p;
	bool ok;

	if (c == '{') {
		if (reader->depth >= MAX_DEPTH)
			return ks_reader_refuse(reader, KS_NATIVE_UNSURE,
						"deeply nested ${...}");
		reader->p++;
		reader->depth++;
		ok = read_braces(reader, quoted, value);
		reader->depth--;
		return ok;
	}
	if (ks_reader_is_name(c, true))
		return read_variable(reader, value);
	if (c == '(') {
		reader->p++;
		return read_command(reader, ')', value);
	}
	if (c && (strchr("@*#?$!-[", c) || g_ascii_isdigit(c)))
		return ks_reader_refuse(reader, KS_NATIVE_UNSURE, "a special parameter");
	if ((c == '\\' && reader->p[1] == '\n') || (!quoted && (c == '\'' || c == '"')))
		return ks_reader_refuse(reader, KS_NATIVE_UNSURE, "a kind of quoting");
	g_string_append_c(value, '$');
	return ks_reader_spend(reader, 1);
}
