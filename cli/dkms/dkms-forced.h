/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The administrator's lists of modules that are installed by force. */
#pragma once

#include "cli/dkms/dkms.h"

enum ks_dkms_forced {
	KS_DKMS_NOT_FORCED,
	KS_DKMS_FORCED,		/* "M" */
	KS_DKMS_FORCED_VERSION, /* "M_version-override": whatever version the kernel has */
};

/* How the files of /usr/share/dkms/modules_to_force_install want it to be installed. */
enum ks_dkms_forced ks_dkms_find_forced(const struct ks_dkms *dkms, const char *module);
