/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's own words: Documentation/admin-guide/cgroup-v2.rst, proc(5). */
#include "core/jobs/memory.h"

#include <string.h>

#define MIB (1024ULL * 1024)

/* Files of procfs and sysfs have no size: read until the end. */
static char *read_text(const char *root_dir, const char *dir, const char *name)
{
	g_autofree char *path = g_strconcat(root_dir, dir, "/", name, NULL);
	char *text = NULL;

	g_file_get_contents(path, &text, NULL, NULL);
	return text;
}

/* The number after key at the beginning of a line. */
static bool find_number(const char *text, const char *key, guint64 *number)
{
	const char *line = text;

	while (line && !g_str_has_prefix(line, key)) {
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	if (!line)
		return false;
	line += strlen(key);
	line += strspn(line, " \t");
	if (!g_ascii_isdigit(*line))
		return false;
	*number = g_ascii_strtoull(line, NULL, 10);
	return true;
}

static guint64 read_machine(const char *root_dir)
{
	g_autofree char *text = read_text(root_dir, "/proc", "meminfo");
	guint64 kib;

	return text && find_number(text, "MemAvailable:", &kib) ? kib * 1024
								: G_MAXUINT64;
}

static guint64 read_cgroup(const char *root_dir, const char *dir)
{
	g_autofree char *max = read_text(root_dir, dir, "memory.max");
	g_autofree char *current = read_text(root_dir, dir, "memory.current");
	g_autofree char *stat = read_text(root_dir, dir, "memory.stat");
	guint64 limit, used, cache = 0;

	/* "max" is no limit; the root cgroup has no such file */
	if (!max || !current || !find_number(max, "", &limit) ||
	    !find_number(current, "", &used))
		return G_MAXUINT64;
	if (stat)
		find_number(stat, "inactive_file", &cache);
	used -= MIN(used, cache);
	return limit - MIN(limit, used);
}

static char *find_cgroup(const char *root_dir)
{
	g_autofree char *text = read_text(root_dir, "/proc/self", "cgroup");
	g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);

	for (char **line = lines; *line; line++)
		if (g_str_has_prefix(*line, "0::/"))
			return g_strdup(*line + 3);
	return NULL;
}

/* Our cgroup and all above it: each may have its own limit. */
static guint64 read_cgroups(const char *root_dir)
{
	g_autofree char *path = find_cgroup(root_dir);
	guint64 available = G_MAXUINT64;

	while (path && strlen(path) > 1) {
		g_autofree char *dir = g_strconcat("/sys/fs/cgroup", path, NULL);

		available = MIN(available, read_cgroup(root_dir, dir));
		*strrchr(path, '/') = '\0';
	}
	/* in a container the root that we see has limits too */
	return MIN(available, read_cgroup(root_dir, "/sys/fs/cgroup"));
}

guint64 ks_memory_available(const char *root_dir)
{
	return MIN(read_machine(root_dir), read_cgroups(root_dir));
}

unsigned int ks_memory_limit_jobs(unsigned int n_jobs, unsigned int mib_per_job)
{
	guint64 fit;

	if (!mib_per_job)
		return n_jobs;
	fit = ks_memory_available("") / (mib_per_job * MIB);
	return (unsigned int)CLAMP(fit, 1, MAX(n_jobs, 1));
}
