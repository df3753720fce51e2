/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See kernel-name.h. */
#include "plugins/apt/kernel-name.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* What follows a prefix, when that is a release; else NULL. */
static const char *after_prefix(const char *package)
{
	static const char *const prefixes[] = {"linux-image-unsigned-", "linux-image-",
					       "proxmox-kernel-", "pve-kernel-"};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		const size_t length = strlen(prefixes[i]);

		if (strncmp(package, prefixes[i], length) == 0 &&
		    isdigit((unsigned char)package[length]))
			return package + length;
	}
	return NULL;
}

static bool ends_with(const char *text, const char *end)
{
	const size_t length = strlen(text), end_length = strlen(end);

	return length > end_length && strcmp(text + length - end_length, end) == 0;
}

/* Debian's and Ubuntu's "linux-image-K", Proxmox's "proxmox-kernel-K-signed". */
char *ks_kernel_name_release(const char *package)
{
	static const char *const ends[] = {"-signed", "-unsigned"};
	const char *release = after_prefix(package);
	size_t length;

	if (!release || ends_with(release, "-dbg") || ends_with(release, "-dbgsym"))
		return NULL;
	length = strlen(release);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (ends_with(release, ends[i]))
			length -= strlen(ends[i]);
	return strndup(release, length);
}

/* Debian builds against linux-kbuild-V as well. */
bool ks_kernel_name_is_headers(const char *package)
{
	return strstr(package, "-headers-") ||
	       strncmp(package, "linux-kbuild-", strlen("linux-kbuild-")) == 0;
}
