/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one kind of statement besides assignments that confs have often:
 *
 *	[ $PROCS_NUM -gt 16 ] && PROCS_NUM=16
 *	[[ $kernelver =~ -rt- ]] && build_exclude="yes"
 *
 * One test of one or two operands, then && or || and assignments. Where bash
 * splits an operand into words, matches it with files, or reads it as a
 * pattern or an arithmetic expression, only texts for which that makes no
 * difference are read here.
 */
#include <regex.h>
#include <string.h>

#include "core/shell/match.h"
#include "core/shell/reader.h"

#define MAX_DIGITS 15

static bool unsure(struct ks_reader *reader, const char *why)
{
	return ks_reader_refuse(reader, KS_NATIVE_UNSURE, why);
}

static bool is_end(char c)
{
	return !c || strchr(" \t\n;&|", c);
}

/* At "]" or "]]", as a word of its own; moves past it. */
static bool read_close(struct ks_reader *reader, const char *close)
{
	size_t length = strlen(close);

	ks_reader_skip_blanks(reader);
	if (strncmp(reader->p, close, length) != 0 || !is_end(reader->p[length]))
		return unsure(reader, "a longer test");
	reader->p += length;
	return true;
}

/* The digits of a number that every way of reading takes for the same. */
static bool parse_number(const char *text, gint64 *number)
{
	size_t length = strspn(text, "0123456789");

	if (!length || text[length] || length > MAX_DIGITS ||
	    (*text == '0' && length > 1))
		return false;
	*number = g_ascii_strtoll(text, NULL, 10);
	return true;
}

static bool compare_numbers(struct ks_reader *reader, const char *op, const char *left,
			    const char *right, bool *result)
{
	gint64 a, b;

	if (!parse_number(left, &a) || !parse_number(right, &b))
		return unsure(reader, "a number that is computed");
	if (strcmp(op, "-eq") == 0)
		*result = a == b;
	else if (strcmp(op, "-ne") == 0)
		*result = a != b;
	else if (strcmp(op, "-lt") == 0)
		*result = a < b;
	else if (strcmp(op, "-le") == 0)
		*result = a <= b;
	else if (strcmp(op, "-gt") == 0)
		*result = a > b;
	else if (strcmp(op, "-ge") == 0)
		*result = a >= b;
	else
		return unsure(reader, "a test");
	return true;
}

static bool is_comparison(const char *op)
{
	return strcmp(op, "=") == 0 || strcmp(op, "==") == 0 || strcmp(op, "!=") == 0;
}

/* An operator is plain text with a blank after it. */
static bool read_operator(struct ks_reader *reader, char op[4])
{
	size_t length;

	ks_reader_skip_blanks(reader);
	length = strcspn(reader->p, " \t\n");
	if (!length || length > 3 || !reader->p[length] || reader->p[length] == '\n')
		return unsure(reader, "a test");
	memcpy(op, reader->p, length);
	op[length] = '\0';
	reader->p += length;
	ks_reader_skip_blanks(reader);
	return true;
}

/* "-z" or "-n" and a blank: moves past it. */
static bool read_unary(struct ks_reader *reader, char *op)
{
	const char *p = reader->p;

	if (p[0] != '-' || (p[1] != 'z' && p[1] != 'n') || (p[2] != ' ' && p[2] != '\t'))
		return false;
	*op = p[1];
	reader->p += 2;
	ks_reader_skip_blanks(reader);
	return true;
}

static bool read_operand(struct ks_reader *reader, enum ks_word kind, GString *value)
{
	/* a word that is not there, a comment, "!", parentheses, other operators */
	if (is_end(*reader->p) || strchr("#!()<>]-", *reader->p))
		return unsure(reader, "a test");
	return ks_reader_word(reader, kind, value);
}

static bool read_unary_test(struct ks_reader *reader, enum ks_word kind, char op,
			    bool *result)
{
	g_autoptr(GString) operand = g_string_new(NULL);

	if (!read_operand(reader, kind, operand))
		return false;
	*result = (op == 'z') == (operand->len == 0);
	return true;
}

/* After "[". */
static bool read_test(struct ks_reader *reader, bool *result)
{
	g_autoptr(GString) left = g_string_new(NULL);
	g_autoptr(GString) right = g_string_new(NULL);
	char op[4], unary;

	ks_reader_skip_blanks(reader);
	if (read_unary(reader, &unary))
		return read_unary_test(reader, KS_WORD_TESTED, unary, result) &&
		       read_close(reader, "]");
	if (!read_operand(reader, KS_WORD_TESTED, left) || !read_operator(reader, op) ||
	    !read_operand(reader, KS_WORD_TESTED, right) || !read_close(reader, "]"))
		return false;
	if (!is_comparison(op))
		return compare_numbers(reader, op, left->str, right->str, result);
	*result = (strcmp(left->str, right->str) == 0) == (*op == '=');
	return true;
}

/* --- [[ ]] */

static bool is_ascii(const char *text)
{
	for (; *text; text++) {
		if (*text & 0x80)
			return false;
	}
	return true;
}

/* Quoted in an expression: itself. */
static void append_literally(GString *pattern, const char *text)
{
	for (; *text; text++) {
		if (strchr(".[]{}()*+?|^$\\", *text))
			g_string_append_c(pattern, '\\');
		g_string_append_c(pattern, *text);
	}
}

/* A quoted part, or a variable: quoted it is text, else part of the expression. */
static bool read_part(struct ks_reader *reader, GString *pattern)
{
	g_autoptr(GString) value = g_string_new(NULL);
	bool quoted = *reader->p != '$';

	if (!quoted) {
		reader->p++;
		if (!ks_reader_expand(reader, false, value))
			return false;
		if (strchr(value->str, '\\'))
			return unsure(reader, "a backslash in an expression");
		g_string_append(pattern, value->str);
		return true;
	}
	if (!ks_reader_quoted(reader, value))
		return false;
	append_literally(pattern, value->str);
	return true;
}

/*
 * Only sets of digits are read in brackets: the meaning of a range depends on
 * the locale.
 */
static bool read_brackets(struct ks_reader *reader, GString *pattern)
{
	size_t length = 1 + strspn(reader->p + 1, "0123456789-");

	if (length == 1 || reader->p[length] != ']')
		return unsure(reader, "brackets in an expression");
	g_string_append_len(pattern, reader->p, (gssize)length + 1);
	reader->p += length + 1;
	return true;
}

static bool read_expression_char(struct ks_reader *reader, GString *pattern,
				 unsigned int *depth)
{
	char c = *reader->p;

	if (c == '"' || c == '\'' ||
	    (c == '$' && !is_end(reader->p[1]) && !strchr(")|", reader->p[1])))
		return read_part(reader, pattern);
	if (c == '[')
		return read_brackets(reader, pattern);
	if (c == '\\') {
		if (!reader->p[1] || !strchr(".+*?^$()|[]{}", reader->p[1]))
			return unsure(reader, "a backslash in an expression");
		g_string_append_len(pattern, reader->p, 2);
		reader->p += 2;
		return true;
	}
	if (c == '|' && !*depth)
		return unsure(reader, "a test");
	if (c == '(')
		++*depth;
	if (c == ')' && (*depth)-- == 0)
		return unsure(reader, "a test");
	if (!g_ascii_isalnum(c) && !strchr("_-.,:/@%=^$*+?()|", c))
		return unsure(reader, "an expression");
	g_string_append_c(pattern, c);
	reader->p++;
	return true;
}

/* The expression after =~, up to a blank. */
static bool read_expression(struct ks_reader *reader, GString *pattern)
{
	unsigned int depth = 0;

	while (*reader->p && !strchr(" \t\n", *reader->p)) {
		if (!ks_reader_spend(reader, 1) ||
		    !read_expression_char(reader, pattern, &depth))
			return false;
	}
	return (pattern->len && !depth) || unsure(reader, "an expression");
}

static bool match(struct ks_reader *reader, const char *pattern, const char *text,
		  bool *result)
{
	regex_t regex;

	/*
	 * beyond ASCII the locale decides, and for an expression that does not
	 * compile bash does
	 */
	if (!is_ascii(pattern) || !is_ascii(text) || ks_match_refuse(pattern) ||
	    strlen(text) > KS_MATCH_MAX_TEXT ||
	    regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0)
		return unsure(reader, "an expression");
	*result = regexec(&regex, text, 0, NULL, 0) == 0;
	regfree(&regex);
	return true;
}

/* The right side of == is a pattern. */
static bool has_pattern(const char *text)
{
	return strpbrk(text, "*?[\\+@!(") != NULL;
}

/* After "[[". */
static bool read_double_test(struct ks_reader *reader, bool *result)
{
	g_autoptr(GString) left = g_string_new(NULL);
	g_autoptr(GString) right = g_string_new(NULL);
	char op[4], unary;

	ks_reader_skip_blanks(reader);
	if (read_unary(reader, &unary))
		return read_unary_test(reader, KS_WORD_ASSIGNED, unary, result) &&
		       read_close(reader, "]]");
	if (!read_operand(reader, KS_WORD_ASSIGNED, left) || !read_operator(reader, op))
		return false;
	if (strcmp(op, "=~") == 0)
		return read_expression(reader, right) && read_close(reader, "]]") &&
		       match(reader, right->str, left->str, result);
	if (!read_operand(reader, KS_WORD_ASSIGNED, right) || !read_close(reader, "]]"))
		return false;
	if (!is_comparison(op))
		return compare_numbers(reader, op, left->str, right->str, result);
	if (has_pattern(right->str))
		return unsure(reader, "a pattern");
	*result = (strcmp(left->str, right->str) == 0) == (*op == '=');
	return true;
}

bool ks_reader_is_condition(const struct ks_reader *reader)
{
	const char *p = reader->p;

	if (*p != '[')
		return false;
	p += p[1] == '[' ? 2 : 1;
	return *p == ' ' || *p == '\t';
}

bool ks_reader_condition(struct ks_reader *reader, bool *applies)
{
	bool is_double = reader->p[1] == '[';
	bool result;

	reader->p += is_double ? 2 : 1;
	if (!(is_double ? read_double_test(reader, &result) : read_test(reader, &result)))
		return false;
	ks_reader_skip_blanks(reader);
	if ((reader->p[0] != '&' && reader->p[0] != '|') || reader->p[1] != reader->p[0])
		return unsure(reader, "a test by itself");
	*applies = result == (*reader->p == '&');
	reader->p += 2;
	ks_reader_skip_blanks(reader);
	return true;
}
