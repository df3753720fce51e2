/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a build says of itself while it runs, and its result. */
#include "core/compile/compile-private.h"

void ks_build_result_free(struct ks_build_result *result)
{
	if (!result)
		return;
	g_free(result->step);
	g_free(result->message);
	g_free(result->missing_output);
	g_free(result->hint);
	g_free(result->first_error);
	g_free(result->log_path);
	g_free(result->failure_log_path);
	g_free(result->staged_dir);
	ks_manifest_free(result->manifest);
	if (result->warnings)
		g_ptr_array_unref(result->warnings);
	g_clear_error(&result->outside);
	g_free(result);
}

static const struct ks_build_step *get_step(const struct ks_build *build)
{
	return build->step < build->steps->len ? build->steps->pdata[build->step] : NULL;
}

const char *ks_build_step(const struct ks_build *build)
{
	return get_step(build) ? get_step(build)->name : build->phase;
}

const char *ks_build_step_description(const struct ks_build *build)
{
	return get_step(build) ? get_step(build)->description : NULL;
}

const char *ks_build_step_command(const struct ks_build *build)
{
	return get_step(build) ? get_step(build)->command : NULL;
}
