/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See pacname.h. */
#include "plugins/alpm/pacname.h"

#include <string.h>

#define RELEASE "1"

char *ks_alpm_package_name(const char *name)
{
	char *mapped = g_strdup(name);

	for (char *p = mapped; *p; p++) {
		if (*p == '~')
			*p = '.';
		else if (!g_ascii_isalnum(*p) && !strchr("@._+-", *p))
			*p = '-';
	}
	return mapped;
}

char *ks_alpm_upstream_version(const char *version)
{
	char *mapped = g_strdup(*version ? version : "0");

	for (char *p = mapped; *p; p++) {
		if (*p == '-')
			*p = '_';
		else if (!g_ascii_isalnum(*p) && !strchr("._+~", *p))
			*p = '.';
	}
	return mapped;
}

char *ks_alpm_package_version(const char *version)
{
	g_autofree char *upstream = ks_alpm_upstream_version(version);

	return g_strconcat(upstream, "-" RELEASE, NULL);
}

bool ks_alpm_split_entry(const char *entry, char **name, char **version)
{
	const char *release = strrchr(entry, '-');
	const char *start = release;

	if (!release || release == entry || !release[1])
		return false;
	do {
		start--;
	} while (start > entry && *start != '-');
	if (start == entry || start + 1 == release)
		return false;
	*name = g_strndup(entry, start - entry);
	*version = g_strdup(start + 1);
	return true;
}
