/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See assignment.h. */
#include "core/support/assignment.h"

#include <string.h>

/*
 * The value that a shell would assign: the first word, "" when there is none;
 * NULL: malformed.
 */
static char *unquote(const char *text)
{
	g_auto(GStrv) words = NULL;
	g_autoptr(GError) error = NULL;

	/* a blank ends it, and the rest would be a command */
	if (!*text || g_ascii_isspace(*text))
		return g_strdup("");
	if (g_shell_parse_argv(text, NULL, &words, &error))
		return g_strdup(words[0]);
	return g_error_matches(error, G_SHELL_ERROR, G_SHELL_ERROR_EMPTY_STRING)
		       ? g_strdup("")
		       : NULL;
}

char *ks_assignment_find(const char *text, const char *key)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	size_t n = strlen(key);
	char *value = NULL;

	for (char **line = lines; *line; line++) {
		const char *at = *line + strspn(*line, " \t");

		if (strncmp(at, key, n) != 0 || at[n] != '=')
			continue;
		g_free(value);
		value = unquote(at + n + 1);
	}
	return value;
}
