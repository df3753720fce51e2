/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/kernel/kernel.h"

struct ks_kernel *ks_kernel_find(GPtrArray *kernels, const char *release)
{
	for (guint i = 0; i < kernels->len; i++) {
		struct ks_kernel *kernel = kernels->pdata[i];

		if (!strcmp(kernel->release, release))
			return kernel;
	}
	return NULL;
}
