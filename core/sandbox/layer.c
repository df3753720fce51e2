/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of the layers; compiled into the engine and into the launcher. */
#include "core/sandbox/layer.h"

#include <stddef.h>

static const char *const names[] = {
	"uid", "rlimits", "seccomp", "landlock", "mount",
	"pid", "net",	  "tmp",     "dev",	 "cgroup",
};

const char *ks_sandbox_layer_name(unsigned int bit)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (bit == 1u << i)
			return names[i];
	}
	return NULL;
}
