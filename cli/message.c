/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Error, warning, hint and information lines. */
#include "cli/message.h"

#include "cli/command.h"

#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "core/support/error.h"

static void (*prepare_line)(void);

void ks_message_set_prepare(void (*prepare)(void))
{
	prepare_line = prepare;
}

char *ks_message_clean(const char *text)
{
	char *clean = text ? g_utf8_make_valid(text, -1) : NULL;

	for (char *p = clean; p && *p; p = g_utf8_next_char(p)) {
		/* C1 controls are two bytes in UTF-8: 0xC2 0x80..0x9F */
		if (g_ascii_iscntrl(*p))
			*p = ' ';
		else if ((guchar)p[0] == 0xc2 && (guchar)p[1] < 0xa0)
			p[0] = p[1] = ' ';
	}
	return clean;
}

static enum ks_color wanted_color;

void ks_message_set_color(enum ks_color color)
{
	wanted_color = color;
}

bool ks_color_from_text(const char *text, enum ks_color *color)
{
	static const char *const words[] = {[KS_COLOR_AUTO] = "auto",
					    [KS_COLOR_ALWAYS] = "always",
					    [KS_COLOR_NEVER] = "never"};

	for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
		if (strcmp(text, words[i]) != 0)
			continue;
		*color = (enum ks_color)i;
		return true;
	}
	return false;
}

static bool has_color(FILE *to)
{
	const char *no_color = g_getenv("NO_COLOR"), *terminal = g_getenv("TERM");

	if (wanted_color != KS_COLOR_AUTO)
		return wanted_color == KS_COLOR_ALWAYS;
	return !(no_color && *no_color) && terminal && *terminal &&
	       strcmp(terminal, "dumb") != 0 && isatty(fileno(to));
}

/* What a line is: its word, and the colour of that (ECMA-48, SGR). */
struct kind {
	const char *word;
	const char *color;
};

static const struct kind error_kind = {"error:", "\033[1;31m"},
			 warning_kind = {"warning:", "\033[1;33m"},
			 hint_kind = {"hint:", "\033[36m"};

static void print_word(FILE *to, const struct kind *kind)
{
	if (has_color(to))
		fprintf(to, "%s%s\033[0m ", kind->color, kind->word);
	else
		fprintf(to, "%s ", kind->word);
}

static void print(FILE *to, const struct kind *kind, const char *format, va_list args)
	G_GNUC_PRINTF(3, 0);
static void print(FILE *to, const struct kind *kind, const char *format, va_list args)
{
	g_autofree char *text = g_strdup_vprintf(format, args);
	g_autofree char *clean = ks_message_clean(text);

	if (prepare_line)
		prepare_line();
	/* the two streams may be one terminal: keep the lines in order */
	fflush(to == stderr ? stdout : stderr);
	fputs("kmodsmith: ", to);
	if (kind)
		print_word(to, kind);
	fprintf(to, "%s\n", clean);
	fflush(to);
}

void ks_message_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print(stderr, &error_kind, format, args);
	va_end(args);
}

void ks_message_warning(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print(stderr, &warning_kind, format, args);
	va_end(args);
}

void ks_message_hint(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print(stderr, &hint_kind, format, args);
	va_end(args);
}

void ks_message_note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print(stderr, NULL, format, args);
	va_end(args);
}

void ks_message_info(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print(stdout, NULL, format, args);
	va_end(args);
}

void ks_message_gerror(const GError *error)
{
	const char *hint = ks_error_get_hint(error);

	ks_message_error("%s", error->message);
	if (hint)
		ks_message_hint("%s", hint);
}

int ks_message_fail(const GError *error)
{
	ks_message_gerror(error);
	if (g_error_matches(error, KS_ERROR, KS_ERROR_LOCKED))
		return KS_EXIT_LOCKED;
	if (g_error_matches(error, KS_ERROR, KS_ERROR_CANCELLED))
		return KS_EXIT_INTERRUPTED;
	if (g_error_matches(error, KS_ERROR, KS_ERROR_PENDING))
		return KS_EXIT_PENDING;
	return KS_EXIT_ERROR;
}
