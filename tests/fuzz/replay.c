/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The main program of a fuzz entry when it is not linked with libFuzzer: runs
 * it over its seed corpus, over every truncation of a seed and over every
 * seed with one byte changed, as an ordinary test. KS_CORPUS is the directory
 * below tests/fuzz/corpus.
 */
#include <glib.h>

#include "tests/fuzz/fuzz.h"

/* Larger seeds are run as they are: by size, or less where a run is slow. */
#ifndef KS_MAX_VARIED_BYTES
#define KS_MAX_VARIED_BYTES 4096
#endif

static void run(const char *data, size_t size_bytes)
{
	/* an exact allocation, for the address sanitizer */
	g_autofree guint8 *copy = g_memdup2(data, size_bytes);

	LLVMFuzzerTestOneInput(copy, size_bytes);
}

static void vary(char *data, size_t size_bytes)
{
	static const char bytes[] = {'\0', '\n', '\t', '%', '=', '/', '\xff', ' '};

	for (size_t i = 0; i < size_bytes; i++) {
		char was = data[i];

		run(data, i);
		for (size_t j = 0; j < sizeof(bytes); j++) {
			data[i] = bytes[j];
			run(data, size_bytes);
		}
		data[i] = was;
	}
}

static void test_seeds(void)
{
	g_autofree char *path = g_test_build_filename(G_TEST_DIST, "tests", "fuzz",
						      "corpus", KS_CORPUS, NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(GDir) dir = g_dir_open(path, 0, &error);
	const char *name;
	unsigned int n = 0;

	g_assert_no_error(error);
	while ((name = g_dir_read_name(dir))) {
		g_autofree char *file = g_build_filename(path, name, NULL);
		g_autofree char *data = NULL;
		size_t size_bytes;

		g_assert_true(g_file_get_contents(file, &data, &size_bytes, NULL));
		run(data, size_bytes);
		if (size_bytes <= KS_MAX_VARIED_BYTES)
			vary(data, size_bytes);
		n++;
	}
	g_assert_cmpuint(n, >, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/fuzz/" KS_CORPUS "/no-seed-or-variation-of-one-breaks-it",
			test_seeds);
	return g_test_run();
}
