/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/shell/match.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PATTERN 2048
#define MAX_GROUPS  64
/* Characters of the expression when its repetitions are written out. */
#define MAX_WRITTEN_OUT 8192

const char *ks_match_refuse(const char *pattern)
{
	unsigned long written_out = strlen(pattern);
	unsigned int n_groups = 0;

	if (written_out > MAX_PATTERN)
		return "it is too long";
	for (const char *p = pattern; *p; p++) {
		if (p[0] == '\\' && p[1]) {
			if (g_ascii_isdigit(p[1]))
				return "it refers back";
			p++;
		} else if (*p == '(') {
			n_groups++;
		} else if (*p == '{') {
			const char *comma = strpbrk(p, ",}");
			unsigned long low = strtoul(p + 1, NULL, 10);
			unsigned long high = comma ? strtoul(comma + 1, NULL, 10) : 0;

			low = CLAMP(MAX(low, high), 1, MAX_WRITTEN_OUT + 1);
			written_out *= low;
			if (written_out > MAX_WRITTEN_OUT)
				return "it repeats too often";
		}
	}
	return n_groups > MAX_GROUPS ? "it has too many groups" : NULL;
}
