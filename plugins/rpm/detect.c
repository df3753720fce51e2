/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See detect.h. */
#include "plugins/rpm/detect.h"

#include <string.h>

#include <rpm/rpmfiles.h>

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* Names of directories end with "/". A debugger's sources are no module's. */
static bool is_of_interest(const char *dir)
{
	if (begins(dir, "/usr/"))
		dir += strlen("/usr");
	else if (!begins(dir, "/lib/modules/"))
		return false;
	return begins(dir, "/lib/modules/") ||
	       (begins(dir, "/src/") && !begins(dir, "/src/debug/"));
}

bool ks_detect_element(rpmte te)
{
	rpmfiles files = rpmteFiles(te);
	bool found = false;
	int n_dirs = files ? (int)rpmfilesDC(files) : 0;

	for (int i = 0; !found && i < n_dirs; i++) {
		const char *dir = rpmfilesDN(files, i);

		found = dir && is_of_interest(dir);
	}
	rpmfilesFree(files);
	return found;
}
