/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What dkms 3.4.3 looks at before it puts a built module in place
 * (check_version_sanity): is there a newer one of that name, or the same?
 */
#pragma once

#include "cli/dkms/dkms.h"

enum ks_sanity_force {
	KS_SANITY_NO_FORCE,
	KS_SANITY_FORCE,	 /* "M" */
	KS_SANITY_FORCE_VERSION, /* "M_version-override" */
};

/* What the words in the files of /usr/share/dkms/modules_to_force_install say. */
enum ks_sanity_force ks_sanity_is_forced(const struct ks_dkms *dkms);

/*
 * KS_DKMS_OK, or KS_DKMS_INSTALL_FAILED after telling why none of the modules of
 * the artifact is to be installed. Those that are not to be while others are, told as
 * well, are added to refused (char *, file names). A file that is the artifact's own,
 * left by an installation that died, is no reason. With --force or
 * --force-version-override everything is.
 */
int ks_sanity_check(const struct ks_dkms *dkms, const char *release, const char *arch,
		    GPtrArray *refused);
