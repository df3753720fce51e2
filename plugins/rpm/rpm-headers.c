/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See headers.h. */
#include "plugins/rpm/rpm-headers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/rpm/rpm-database.h"
#include "plugins/rpm/rpm-installed.h"

/* The parts into which Fedora and its family split a kernel. */
static const char *const core_suffixes[] = {"-core", "-modules-core", "-modules"};

static bool take_header(Header h, const char *spelled, void *data)
{
	*(Header *)data = headerLink(h);
	return false;
}

/* "kernel-rt-modules-core" -> "kernel-rt"; NULL for a kernel in one piece. */
static char *flavour_of(const char *name)
{
	char *flavour = NULL;

	for (size_t i = 0; i < sizeof(core_suffixes) / sizeof(core_suffixes[0]); i++) {
		size_t length = strlen(name), cut = strlen(core_suffixes[i]);

		/* the longest that fits leaves the shortest name */
		if (length <= cut || strcmp(name + length - cut, core_suffixes[i]) != 0 ||
		    (flavour && strlen(flavour) <= length - cut))
			continue;
		free(flavour);
		flavour = strndup(name, length - cut);
	}
	return flavour;
}

static char *name_for(Header kernel)
{
	const char *name = headerGetString(kernel, RPMTAG_NAME);
	char *flavour = name ? flavour_of(name) : NULL;
	char *version = headerGetAsString(kernel, RPMTAG_VERSION);
	char *release = headerGetAsString(kernel, RPMTAG_RELEASE);
	char *arch = headerGetAsString(kernel, RPMTAG_ARCH);
	char *package = NULL;
	int length = -1;

	if (name && version && release && arch)
		length = asprintf(&package, "%s-devel-%s-%s.%s", flavour ? flavour : name,
				  version, release, arch);
	free(flavour);
	free(version);
	free(release);
	free(arch);
	return length < 0 ? NULL : package;
}

char *ks_headers_package(rpmts ts, const char *release)
{
	Header kernel = NULL;
	char *package = NULL;

	ks_installed_kernel_owner(ts, release, take_header, &kernel);
	if (kernel)
		package = name_for(kernel);
	headerFree(kernel);
	return package;
}
