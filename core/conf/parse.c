/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Helpers of the files that fill struct ks_conf: they read the variables, and
 * report errors and warnings.
 */
#include <regex.h>
#include <stdarg.h>
#include <string.h>

#include "core/conf/conf-private.h"
#include "core/shell/match.h"
#include "core/support/error.h"

#define MAX_SHOWN    80
#define MAX_WARNINGS 64

bool ks_conf_is_inside(const char *path)
{
	g_auto(GStrv) parts = g_strsplit(path, "/", -1);

	if (*path == '/')
		return false;
	for (char **part = parts; *part; part++) {
		if (strcmp(*part, "..") == 0)
			return false;
	}
	for (; *path; path++) {
		if (g_ascii_iscntrl(*path))
			return false;
	}
	return true;
}

char *ks_conf_parse_show(const char *value)
{
	char *shown = g_utf8_make_valid(value, strnlen(value, MAX_SHOWN * 4));

	for (char *p = shown; *p; p++)
		if (g_ascii_iscntrl(*p))
			*p = '?';
	if (g_utf8_strlen(shown, -1) > MAX_SHOWN) {
		char *end = g_utf8_offset_to_pointer(shown, MAX_SHOWN - 3);
		g_autofree char *whole = shown;

		*end = '\0';
		shown = g_strconcat(whole, "...", NULL);
	}
	return shown;
}

const char *ks_conf_parse_get(const struct ks_conf_parse *parse, const char *name,
			      guint index)
{
	const char *value = ks_vars_get(parse->evaluation.vars, name, index);

	return value ? value : "";
}

G_GNUC_PRINTF(4, 0)
static char *format_at(const struct ks_conf_parse *parse, const char *name, guint index,
		       const char *format, va_list args)
{
	g_autofree char *message = g_strdup_vprintf(format, args);
	const char *label;
	unsigned int line;

	ks_evaluation_locate(&parse->evaluation, name, index, &label, &line);
	return g_strdup_printf("%s:%u: %s", label, line, message);
}

bool ks_conf_parse_fail(const struct ks_conf_parse *parse, const char *name, guint index,
			GError **error, const char *format, ...)
{
	g_autofree char *message = NULL;
	va_list args;

	va_start(args, format);
	message = format_at(parse, name, index, format, args);
	va_end(args);
	ks_error_set(error, KS_ERROR_INVALID, "%s", message);
	return false;
}

void ks_conf_parse_warn(const struct ks_conf_parse *parse, const char *name, guint index,
			const char *format, ...)
{
	va_list args;

	if (parse->conf->warnings->len >= MAX_WARNINGS)
		return;
	va_start(args, format);
	g_ptr_array_add(parse->conf->warnings,
			format_at(parse, name, index, format, args));
	va_end(args);
}

bool ks_conf_parse_matches(const struct ks_conf_parse *parse, const char *name,
			   guint index, const char *text)
{
	const char *pattern = ks_conf_parse_get(parse, name, index);
	const char *why = ks_match_refuse(pattern);
	char message[120];
	regex_t regex;
	int err;

	if (why) {
		ks_conf_parse_warn(parse, name, index,
				   "the expression in %s is not used: %s", name, why);
		return false;
	}
	err = regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB);
	if (err) {
		regerror(err, &regex, message, sizeof(message));
		ks_conf_parse_warn(parse, name, index,
				   "the expression in %s is not used: %s", name, message);
		return false;
	}
	err = regexec(&regex, text, 0, NULL, 0);
	regfree(&regex);
	return err == 0;
}
