/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a desired set: the reader of the rpm plugin takes and refuses what the
 * engine's own does, and reads the same from it.
 */
#include "plugins/rpm/recordtext.h"

#include <string.h>

#include "core/record/record.h"
#include "tests/fuzz/fuzz.h"

static void compare(const struct ks_text_record *ours, const struct ks_record *theirs)
{
	g_assert_cmpstr(ours->name, ==, theirs->name);
	g_assert_cmpstr(ours->module, ==, theirs->module);
	g_assert_cmpstr(ours->version, ==, theirs->version);
	g_assert_cmpstr(ours->release, ==, theirs->release);
	g_assert_cmpstr(ours->arch, ==, theirs->arch);
	g_assert_cmpstr(ours->digest, ==, theirs->digest);
	g_assert_cmpstr(ours->fingerprint, ==, theirs->fingerprint);
	g_assert_cmpuint(ours->n_files, ==, theirs->files->len);
	for (guint i = 0; i < theirs->files->len; i++) {
		const struct ks_record_file *file = g_ptr_array_index(theirs->files, i);

		g_assert_cmpstr(ours->files[i].path, ==, file->path);
		g_assert_cmpstr(ours->files[i].sha256, ==, file->sha256);
		g_assert_cmpuint(ours->files[i].size_bytes, ==, file->size_bytes);
		g_assert_cmpuint(ours->files[i].mode, ==, file->mode);
	}
	g_assert_cmpuint(ours->n_provides, ==, theirs->provides->len);
	for (guint i = 0; i < theirs->provides->len; i++)
		g_assert_cmpstr(ours->provides[i], ==,
				g_ptr_array_index(theirs->provides, i));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) theirs =
		ks_record_parse((const char *)data, size, "fuzz", &error);
	struct ks_text_set set;
	struct ks_why why = {""};
	bool taken = ks_text_parse((const char *)data, size, &set, &why);

	g_assert_true(taken == (theirs != NULL));
	g_assert_true(taken || *why.text);
	for (guint i = 0; taken && i < theirs->len; i++)
		compare(&set.records[i], g_ptr_array_index(theirs, i));
	if (taken)
		g_assert_cmpuint(set.n_records, ==, theirs->len);
	ks_text_clear(&set);
	return 0;
}
