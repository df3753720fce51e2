/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A journal from anywhere: refused, or written back to what reads the same. */
#include "core/install/journal.h"

#include <string.h>

#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(GError) error = NULL;
	ks_auto(ks_journal) journal =
		ks_journal_parse((const char *)data, size, "fuzz", &error);
	ks_auto(ks_journal) again = NULL;
	g_autofree char *once = NULL;
	g_autofree char *twice = NULL;

	g_assert_true((journal == NULL) == (error != NULL));
	if (!journal)
		return 0;
	for (guint i = 0; i < journal->steps->len; i++) {
		const struct ks_journal_step *step = g_ptr_array_index(journal->steps, i);

		g_assert_true(g_str_has_prefix(step->path, journal->base));
		g_assert_null(strstr(step->path, "/../"));
	}
	once = ks_journal_format(journal);
	again = ks_journal_parse(once, strlen(once), "again", NULL);
	g_assert_nonnull(again);
	twice = ks_journal_format(again);
	g_assert_cmpstr(once, ==, twice);
	return 0;
}
