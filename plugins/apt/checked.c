/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See checked.h. */
#include "plugins/apt/checked.h"

#include <inttypes.h>
#include <string.h>

#include "core/support/durable.h"

#define MAX_MARK_BYTES 4096

const char *const ks_checked_files[] = {
	"/var/lib/dpkg/status",
	"/var/lib/dpkg/updates",
	NULL,
};

/* Not part of the output of "list", so not among ks_checked_files. */
static const char auto_flags[] = "/var/lib/apt/extended_states";

static void append_identity(GString *out, const struct ks_system *system,
			    const char *path)
{
	struct stat st = {0};

	if (ks_root_stat(system->root, path, &st))
		g_string_append_printf(out, "%s %ju %jd %jd.%09ld\n", path,
				       (uintmax_t)st.st_ino, (intmax_t)st.st_size,
				       (intmax_t)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
}

static char *mark_now(const struct ks_system *system)
{
	GString *out = g_string_new(NULL);

	for (const char *const *path = ks_checked_files; *path; path++)
		append_identity(out, system, *path);
	append_identity(out, system, auto_flags);
	return g_string_free(out, FALSE);
}

static char *mark_path(const struct ks_system *system)
{
	return g_build_filename(system->state_dir, "cache", "dpkg-checked", NULL);
}

bool ks_checked_is_current(const struct ks_system *system)
{
	g_autofree char *path = mark_path(system);
	g_autofree char *now = mark_now(system);
	g_autofree char *then =
		ks_root_read_file(system->root, path, MAX_MARK_BYTES, NULL, NULL);

	return then && strcmp(then, now) == 0;
}

void ks_checked_store(const struct ks_system *system)
{
	g_autofree char *path = mark_path(system);
	g_autofree char *now = mark_now(system);

	ks_ignore(ks_durable_write(system->root, path, now, strlen(now), 0644, NULL));
}
