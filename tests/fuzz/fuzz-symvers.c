/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Module.symvers from anywhere: parsed, or refused with a message. */
#include "core/module/symvers.h"

#include <string.h>

#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(GError) error = NULL;
	ks_auto(ks_symvers) symvers =
		ks_symvers_parse((const char *)data, size, "fuzz", &error);
	size_t n_lines = 1;
	guint32 crc = 0;

	g_assert_true((symvers == NULL) == (error != NULL));
	if (!symvers)
		return 0;
	for (size_t i = 0; i < size; i++)
		n_lines += data[i] == '\n';
	g_assert_cmpuint(ks_symvers_get_size(symvers), <=, n_lines);
	g_assert_false(ks_symvers_find(symvers, "a\tb", &crc));
	g_assert_false(ks_symvers_find(symvers, "", &crc));
	return 0;
}
