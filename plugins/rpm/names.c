/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See names.h. */
#include "plugins/rpm/names.h"

#include <stdlib.h>
#include <string.h>

#define ALNUM	     "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define DIGEST_CHARS 8

/* A copy in which every character that is not allowed became another. */
static char *map(const char *text, const char *allowed, char other)
{
	char *mapped = strdup(text);

	for (char *p = mapped; p && *p; p++)
		if (!strchr(allowed, *p))
			*p = *p == '~' ? '.' : other;
	return mapped;
}

char *ks_rpm_name(const char *name)
{
	return map(name, ALNUM "-._+", '_');
}

char *ks_rpm_version(const char *version)
{
	/* rpm refuses an empty one */
	return map(*version ? version : "0", ALNUM "._+~^", '.');
}

char *ks_rpm_release(const char *digest)
{
	char *release = malloc(DIGEST_CHARS + 2);

	if (!release)
		return NULL;
	release[0] = 'k';
	strncpy(release + 1, digest, DIGEST_CHARS);
	release[DIGEST_CHARS + 1] = '\0';
	for (char *p = release; *p; p++)
		if (!strchr(ALNUM, *p))
			*p = '.';
	return release;
}

bool ks_rpm_is_evr(const char *release)
{
	const char *dash = strchr(release, '-');

	return (!dash || (dash != release && dash[1] && !strchr(dash + 1, '-'))) &&
	       *release && strspn(release, ALNUM "-._+~^") == strlen(release);
}
