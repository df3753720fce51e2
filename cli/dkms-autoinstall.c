/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dkms autoinstall. */
#include "cli/dkms-engine.h"

static void collect(const struct ks_verdict *verdict, GString *succeeded,
		    GString *skipped, GString *failed)
{
	const char *name = verdict->target->source->name;

	if (ks_dkms_is_installed(verdict))
		g_string_append_printf(succeeded, " %s", name);
	else if (verdict->state == KS_TARGET_FAILED)
		g_string_append_printf(failed, " %s(%d)", name, KS_DKMS_BUILD_FAILED);
	else if (verdict->state == KS_TARGET_BROKEN)
		g_string_append_printf(failed, " %s(%d)", name, KS_DKMS_BAD_CONF);
	else if (verdict->state == KS_TARGET_WAITING && verdict->wanted)
		g_string_append_printf(failed, " %s(%d)", name,
				       verdict->reason == KS_REASON_HEADERS_MISSING
					       ? KS_DKMS_HEADERS_MISSING
					       : KS_DKMS_DEPENDS_MISSING);
	else if (verdict->state == KS_TARGET_EXCLUDED &&
		 verdict->target->exclusion != KS_CONF_NOT_EXCLUDED)
		g_string_append_printf(skipped, " %s", name);
}

static int print_summary(const struct ks_outcome *outcome, const char *release)
{
	g_autoptr(GString) succeeded = g_string_new(NULL);
	g_autoptr(GString) skipped = g_string_new(NULL);
	g_autoptr(GString) failed = g_string_new(NULL);

	for (guint i = 0; i < outcome->plan->verdicts->len; i++) {
		const struct ks_verdict *verdict =
			g_ptr_array_index(outcome->plan->verdicts, i);

		if (g_str_equal(verdict->target->kernel->release, release))
			collect(verdict, succeeded, skipped, failed);
	}
	if (succeeded->len)
		printf("Autoinstall on %s succeeded for module(s)%s.\n", release,
		       succeeded->str);
	if (skipped->len)
		printf("Autoinstall on %s was skipped for module(s)%s.\n", release,
		       skipped->str);
	if (!failed->len)
		return KS_DKMS_OK;
	printf("Autoinstall on %s failed for module(s)%s.\n", release, failed->str);
	return ks_dkms_die(KS_DKMS_AUTOINSTALL_FAILED,
			   "One or more modules failed to install during autoinstall.\n"
			   "Refer to previous errors for more information.");
}

int ks_dkms_autoinstall(struct ks_dkms *dkms)
{
	struct ks_plan_request request = {0};
	ks_auto(ks_outcome) outcome = NULL;
	int code;

	if (dkms->cli.settings->no_autoinstall) {
		puts("Automatic installation of modules has been disabled.");
		return KS_DKMS_OK;
	}
	if (ks_dkms_leave_to_end("dkms autoinstall") ||
	    ks_run_queue_if_held_above(&dkms->cli, "dkms autoinstall"))
		return KS_DKMS_OK;
	request.release = g_ptr_array_index(dkms->options.kernels, 0);
	code = ks_dkms_run_engine(dkms, "dkms autoinstall", &request, &outcome);
	if (!outcome)
		return code;
	return print_summary(outcome, request.release);
}
