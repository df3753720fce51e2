/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/settings/overrides.h"

/* "" is a name that is not known yet: a directory that is being added. */
static bool fits(const char *wanted, const char *name)
{
	return !wanted || !*name || g_str_equal(wanted, name);
}

bool ks_conf_overrides_match(const struct ks_conf_overrides *overrides, const char *name,
			     const char *version)
{
	return overrides && fits(overrides->module, name) &&
	       fits(overrides->version, version);
}
