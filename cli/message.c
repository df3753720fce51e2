/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Error, warning, hint and information lines. */
#include "cli/message.h"

#include "cli/command.h"

#include <stdarg.h>

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

static void print(FILE *to, const char *what, const char *format, va_list args)
	G_GNUC_PRINTF(3, 0);
static void print(FILE *to, const char *what, const char *format, va_list args)
{
	g_autofree char *text = g_strdup_vprintf(format, args);
	g_autofree char *clean = ks_message_clean(text);

	if (prepare_line)
		prepare_line();
	/* the two streams may be one terminal: keep the lines in order */
	fflush(to == stderr ? stdout : stderr);
	fprintf(to, "kmodsmith: %s%s\n", what, clean);
	fflush(to);
}

void ks_message_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print(stderr, "error: ", format, args);
	va_end(args);
}

void ks_message_warning(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print(stderr, "warning: ", format, args);
	va_end(args);
}

void ks_message_hint(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print(stderr, "hint: ", format, args);
	va_end(args);
}

void ks_message_note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print(stderr, "", format, args);
	va_end(args);
}

void ks_message_info(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print(stdout, "", format, args);
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
