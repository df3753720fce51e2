/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A manifest from anywhere: an accepted one names no file outside its directory. */
#include "core/state/manifest.h"

#include <string.h>

#include "tests/fuzz/fuzz.h"

static void check_file(const struct ks_manifest_file *file)
{
	g_assert_null(strchr(file->name, '/'));
	g_assert_true(file->name[0] != '.');
	g_assert_true(file->dest_dir[0] == '/');
	g_assert_null(strstr(file->dest_dir, "/../"));
	g_assert_false(g_str_has_suffix(file->dest_dir, "/.."));
	g_assert_cmpuint(strlen(file->sha256), ==, 64);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(GError) error = NULL;
	ks_auto(ks_manifest) manifest =
		ks_manifest_parse((const char *)data, size, "fuzz", &error);

	g_assert_true((manifest == NULL) == (error != NULL));
	if (!manifest)
		return 0;
	g_assert_null(strchr(manifest->module, '/'));
	g_assert_null(strchr(manifest->release, '/'));
	for (guint i = 0; i < manifest->files->len; i++)
		check_file(manifest->files->pdata[i]);
	return 0;
}
