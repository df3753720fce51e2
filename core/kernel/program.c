/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A program that builds use, by what tells it from its next version. */
#include "core/kernel/kernel-private.h"

/* Running it for its version would cost more than all the rest. */
char *ks_kernel_program_identity(const struct ks_system *system, const char *path)
{
	g_autofree char *real = ks_root_realpath(system->root, path);
	struct stat st;

	if (!real || !ks_root_stat(system->root, real, &st))
		return NULL;
	return g_strdup_printf("%s %" G_GINT64_FORMAT " %" G_GINT64_FORMAT ".%09ld", real,
			       (gint64)st.st_size, (gint64)st.st_mtim.tv_sec,
			       st.st_mtim.tv_nsec);
}
