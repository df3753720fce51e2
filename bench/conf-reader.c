/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * conf-reader DIR COUNT [STATE]: read DIR/dkms.conf COUNT times with all that belongs to
 * it and print the milliseconds of the quickest and of the median reading. With STATE,
 * an existing directory, what bash gave is taken from the cache after the first time.
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/conf/conf.h"
#include "core/platform/system.h"

static int compare(const void *a, const void *b)
{
	gint64 x = *(const gint64 *)a, y = *(const gint64 *)b;

	return x < y ? -1 : x > y;
}

static gint64 read_once(const struct ks_system *system, const char *dir,
			struct ks_kernel *kernel)
{
	gint64 start_us = g_get_monotonic_time();
	g_autoptr(GError) error = NULL;
	ks_auto(ks_conf) conf =
		ks_conf_load(system, NULL, dir, "foo", "1.0", kernel, &error);

	if (!conf) {
		fprintf(stderr, "%s\n", error->message);
		exit(1);
	}
	return g_get_monotonic_time() - start_us;
}

int main(int argc, char **argv)
{
	int count = argc > 2 ? atoi(argv[2]) : 0;
	g_autofree gint64 *times_us = NULL;
	ks_auto(ks_system) system = NULL;
	struct ks_kernel kernel = {.release = (char *)"6.1.0-56-amd64",
				   .arch = (char *)"x86_64"};

	if (count < 1)
		return 2;
	system = ks_system_new("/", NULL);
	g_free(system->dkms_etc);
	g_free(system->state_dir);
	system->dkms_etc = g_strdup("/nonexistent");
	system->state_dir = g_strdup(argc > 3 ? argv[3] : "/nonexistent");
	kernel.headers_dir = argv[1];
	times_us = g_new(gint64, count);
	for (int i = 0; i < count; i++)
		times_us[i] = read_once(system, argv[1], &kernel);
	qsort(times_us, (size_t)count, sizeof(*times_us), compare);
	printf("%.3f %.3f\n", (double)times_us[0] / 1000,
	       (double)times_us[count / 2] / 1000);
	return 0;
}
