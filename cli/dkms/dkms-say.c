/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How dkms says what is wrong. */
#include <stdarg.h>

#include "cli/dkms/dkms.h"
#include "cli/message.h"

/* Details come from confs and logs of third parties; the line ends are ours. */
static char *format_clean(const char *format, va_list args) G_GNUC_PRINTF(1, 0);
static char *format_clean(const char *format, va_list args)
{
	g_autofree char *text = g_strdup_vprintf(format, args);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (char **line = lines; *line; line++) {
		char *clean = ks_message_clean(*line);

		g_free(*line);
		*line = clean;
	}
	return g_strjoinv("\n", lines);
}

static void print_error(const char *format, va_list args)
{
	g_autofree char *text = format_clean(format, args);

	fflush(stdout);
	fprintf(stderr, "\nError! %s\n", text);
}

int ks_dkms_fail(int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_error(format, args);
	va_end(args);
	return code;
}

void ks_dkms_error_line(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_error(format, args);
	va_end(args);
}

void ks_dkms_warn(const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list args;

	va_start(args, format);
	text = format_clean(format, args);
	va_end(args);
	fflush(stdout);
	fprintf(stderr, "Warning: %s\n", text);
}

void ks_dkms_complain(const char *text)
{
	g_autofree char *clean = ks_message_clean(text);

	fflush(stdout);
	fprintf(stderr, "dkms.conf: Error! %s\n", clean);
}

int ks_dkms_fail_no_module(const char *action)
{
	return ks_dkms_fail(KS_DKMS_NOT_ALLOWED,
			    "Arguments <module> and <module-version> are not specified.\n"
			    "Usage: %s <module>/<module-version> or\n"
			    "       %s -m <module>/<module-version> or\n"
			    "       %s -m <module> -v <module-version>",
			    action, action, action);
}

bool ks_dkms_is_first_read(const struct ks_dkms *dkms, const char *name,
			   const char *version)
{
	return g_hash_table_add(dkms->read, g_strdup_printf("%s/%s", name, version));
}
