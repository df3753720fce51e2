/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words: quoting. What follows '$' is in expand.c. */
#include <string.h>

#include "core/shell/reader.h"

static bool put(struct ks_reader *reader, GString *value, char c)
{
	g_string_append_c(value, c);
	return ks_reader_spend(reader, 1);
}

/* After "'". */
static bool read_single_quoted(struct ks_reader *reader, GString *value)
{
	const char *start = reader->p;

	for (; *reader->p != '\''; reader->p++) {
		if (!*reader->p)
			return ks_reader_refuse(reader, KS_NATIVE_BROKEN,
						"no closing quote");
		if (*reader->p == '\n')
			reader->line++;
	}
	g_string_append_len(value, start, reader->p - start);
	reader->p++;
	return ks_reader_spend(reader, reader->p - start);
}

/* Inside double quotes only these are escaped; before others a backslash stays. */
static bool read_quoted_escape(struct ks_reader *reader, GString *value)
{
	char next = reader->p[1];

	if (next == '\n') {
		reader->line++;
		reader->p += 2;
		return true;
	}
	if (next && strchr("$`\"\\", next)) {
		reader->p += 2;
		return put(reader, value, next);
	}
	reader->p++;
	return put(reader, value, '\\');
}

/* After '"'. */
static bool read_double_quoted(struct ks_reader *reader, GString *value)
{
	for (;;) {
		char c = *reader->p;
		bool ok;

		switch (c) {
		case '\0':
			return ks_reader_refuse(reader, KS_NATIVE_BROKEN,
						"no closing quote");
		case '"':
			reader->p++;
			return true;
		case '\\':
			ok = read_quoted_escape(reader, value);
			break;
		case '`':
			ok = ks_reader_backquote(reader, value);
			break;
		case '$':
			reader->p++;
			ok = ks_reader_expand(reader, true, value);
			break;
		default:
			reader->line += c == '\n';
			reader->p++;
			ok = put(reader, value, c);
		}
		if (!ok)
			return false;
	}
}

static bool read_escape(struct ks_reader *reader, GString *value)
{
	char next = reader->p[1];

	if (!next)
		return ks_reader_refuse(reader, KS_NATIVE_UNSURE,
					"a backslash at the end");
	reader->p += 2;
	if (next == '\n') {
		reader->line++;
		return true;
	}
	return put(reader, value, next);
}

/* Characters that, unquoted, make the shell do something more with the word. */
static const char *other_expansion(enum ks_word kind, char c, const GString *value)
{
	switch (c) {
	case '~':
		if (!value->len || value->str[value->len - 1] == ':')
			return "tilde expansion";
		return NULL;
	case '{':
		return kind == KS_WORD_ASSIGNED ? NULL : "brace expansion";
	case '*':
	case '?':
	case '[':
		return kind == KS_WORD_LISTED || kind == KS_WORD_TESTED
			       ? "file name expansion"
			       : NULL;
	case '$':
	case '`':
		return kind == KS_WORD_LISTED ? "word splitting" : NULL;
	default:
		return NULL;
	}
}

/* A word that bash would not split, not match with files, and not drop. */
static bool is_plain(const char *text)
{
	if (!*text)
		return false;
	for (; *text; text++) {
		if (!g_ascii_isalnum(*text) && !strchr("_-.,:/+@%=", *text))
			return false;
	}
	return true;
}

/* At an unquoted '$' or '`'. */
static bool read_expansion(struct ks_reader *reader, enum ks_word kind, GString *value)
{
	gsize start = value->len;
	bool ok;

	if (*reader->p == '`') {
		ok = ks_reader_backquote(reader, value);
	} else {
		reader->p++;
		ok = ks_reader_expand(reader, false, value);
	}
	if (ok && kind == KS_WORD_TESTED && !is_plain(value->str + start))
		return ks_reader_refuse(reader, KS_NATIVE_UNSURE, "word splitting");
	return ok;
}

static bool read_unquoted(struct ks_reader *reader, enum ks_word kind, GString *value)
{
	char c = *reader->p;
	const char *why = other_expansion(kind, c, value);

	if (why)
		return ks_reader_refuse(reader, KS_NATIVE_UNSURE, why);
	switch (c) {
	case '\'':
		reader->p++;
		return read_single_quoted(reader, value);
	case '"':
		reader->p++;
		return read_double_quoted(reader, value);
	case '\\':
		return read_escape(reader, value);
	case '`':
	case '$':
		return read_expansion(reader, kind, value);
	case '(':
	case ')':
	case '<':
	case '>':
	case '&':
	case '|':
	case ';':
		return ks_reader_refuse(reader, KS_NATIVE_BROKEN, "a shell operator");
	default:
		reader->p++;
		return put(reader, value, c);
	}
}

bool ks_reader_quoted(struct ks_reader *reader, GString *value)
{
	char quote = *reader->p++;

	return quote == '"' ? read_double_quoted(reader, value)
			    : read_single_quoted(reader, value);
}

bool ks_reader_word(struct ks_reader *reader, enum ks_word kind, GString *value)
{
	const char *stops = kind == KS_WORD_LISTED ? " \t\n)" : " \t\n;";

	while (*reader->p && !strchr(stops, *reader->p)) {
		if (!read_unquoted(reader, kind, value))
			return false;
	}
	return true;
}
