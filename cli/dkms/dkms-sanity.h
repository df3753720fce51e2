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

/*
 * How the files of /usr/share/dkms/modules_to_force_install want the module to
 * be installed.
 */
enum ks_sanity_force ks_sanity_is_forced(const struct ks_dkms *dkms);

/*
 * KS_DKMS_OK, or KS_DKMS_INSTALL_FAILED after printing why no module of the
 * artifact may be installed. Modules that may not be while others may are
 * printed as well, and added to refused (char *, file names). A file that is
 * the artifact's own, left by an installation that died, is no obstacle. With
 * --force or --force-version-override all may.
 */
int ks_sanity_check(const struct ks_dkms *dkms, const char *release, const char *arch,
		    GPtrArray *refused);
