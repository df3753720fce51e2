/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See debname.h. */
#include "plugins/apt/debname.h"

#include <string.h>

#define DIGEST_CHARS 8

char *ks_deb_package_name(const char *name)
{
	char *mapped = g_ascii_strdown(name, -1);

	for (char *p = mapped; *p; p++) {
		if (*p == '~')
			*p = '.';
		else if (!g_ascii_isalnum(*p) && !strchr("+-.", *p))
			*p = '-';
	}
	return mapped;
}

char *ks_deb_upstream_version(const char *version)
{
	char *mapped =
		g_strconcat(g_ascii_isdigit(version[0]) ? "" : "0~", version, NULL);

	for (char *p = mapped; *p; p++)
		if (!g_ascii_isalnum(*p) && !strchr(".+~-", *p))
			*p = '.';
	return mapped;
}

char *ks_deb_version(const char *version, const char *digest)
{
	g_autofree char *upstream = ks_deb_upstream_version(version);

	return g_strdup_printf("%s+k%.*s", upstream, DIGEST_CHARS, digest);
}
