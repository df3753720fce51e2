/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which licences the kernel takes for the GPL. */
#include "core/module/inspect.h"

bool ks_module_is_gpl_compatible(const char *license)
{
	static const char *const compatible[] = {
		"GPL",		"GPL v2",	"GPL and additional rights",
		"Dual BSD/GPL", "Dual MIT/GPL", "Dual MPL/GPL",
		NULL,
	};

	return license && g_strv_contains(compatible, license);
}
