/* SPDX-License-Identifier: GPL-2.0-or-later */
/* key=value lines between the engine and the inspect worker. */
#include "core/module/wire.h"

#include <stdbool.h>
#include <string.h>

void ks_wire_append(GString *text, const char *key, const char *value)
{
	g_string_append(text, key);
	g_string_append_c(text, '=');
	for (; *value; value++) {
		unsigned char c = (unsigned char)*value;

		if (c < 0x20 || c == 0x7f || c == '%')
			g_string_append_printf(text, "%%%02X", c);
		else
			g_string_append_c(text, *value);
	}
	g_string_append_c(text, '\n');
}

void ks_wire_append_format(GString *text, const char *key, const char *format, ...)
{
	g_autofree char *value = NULL;
	va_list args;

	va_start(args, format);
	value = g_strdup_vprintf(format, args);
	va_end(args);
	ks_wire_append(text, key, value);
}

void ks_wire_end_block(GString *text)
{
	g_string_append_c(text, '\n');
}

static bool unescape(char *value)
{
	char *to = value;

	for (const char *from = value; *from; from++) {
		int high, low;

		if (*from != '%') {
			*to++ = *from;
			continue;
		}
		high = g_ascii_xdigit_value(from[1]);
		low = high < 0 ? -1 : g_ascii_xdigit_value(from[2]);
		if (low < 0 || (high == 0 && low == 0))
			return false;
		*to++ = (char)(high << 4 | low);
		from += 2;
	}
	*to = '\0';
	return true;
}

enum ks_wire_token ks_wire_read(struct ks_wire_reader *reader, const char **key,
				const char **value)
{
	char *line = reader->next, *end, *equals;

	if (!*line)
		return KS_WIRE_END;
	reader->line = line;
	end = strchr(line, '\n');
	if (!end)
		return KS_WIRE_BAD;
	*end = '\0';
	reader->next = end + 1;
	if (end == line)
		return KS_WIRE_BLOCK_END;
	equals = strchr(line, '=');
	if (!equals || !unescape(equals + 1))
		return KS_WIRE_BAD;
	*equals = '\0';
	*key = line;
	*value = equals + 1;
	return KS_WIRE_LINE;
}
