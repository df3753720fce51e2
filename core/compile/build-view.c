/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a build sees of elsewhere, as if its user could go there. */
#include "core/compile/compile-private.h"

void ks_build_shown_clear(gpointer data)
{
	struct ks_sandbox_bind *bind = data;

	g_free((char *)bind->source);
	g_free((char *)bind->target);
}

void ks_build_show(struct ks_build *build, const char *source, const char *target)
{
	const struct ks_sandbox_bind bind = {g_strdup(source), g_strdup(target)};

	g_array_append_val(build->shown, bind);
}
