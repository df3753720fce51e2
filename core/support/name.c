/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/support/name.h"

#include <glib.h>
#include <string.h>

#define MAX_NAME_BYTES 128

bool ks_name_is_plain(const char *text)
{
	size_t length = strlen(text);

	if (!length || length > MAX_NAME_BYTES || *text == '.' || *text == '-' ||
	    strstr(text, ".."))
		return false;
	for (; *text; text++) {
		if (!g_ascii_isalnum(*text) && !strchr("._+~:@=,%^-", *text))
			return false;
	}
	return true;
}
