/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a desired set and as a list: refused, or written back to what reads the
 * same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/record/protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	g_autoptr(GPtrArray) records =
		ks_record_parse((const char *)data, size_bytes, "fuzz", NULL);
	g_autoptr(GPtrArray) entries =
		ks_record_parse_list((const char *)data, size_bytes, "fuzz", NULL);

	if (records) {
		g_autofree char *once = ks_record_format(records);
		g_autoptr(GPtrArray) again =
			ks_record_parse(once, strlen(once), "again", NULL);
		g_autofree char *twice = again ? ks_record_format(again) : NULL;

		if (!twice || strcmp(once, twice) != 0)
			abort();
	}
	if (entries) {
		g_autofree char *once = ks_record_format_list(entries);
		g_autoptr(GPtrArray) again =
			ks_record_parse_list(once, strlen(once), "again", NULL);

		if (!again)
			abort();
	}
	return 0;
}
