/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dkms kernel_preinst and kernel_prerm, which old hooks of dkms's call. */
#include "cli/dkms/dkms-actions.h"
#include "cli/dkms/dkms-engine.h"

static void print_each(const struct ks_dkms *dkms, GPtrArray *entries, const char *what)
{
	const char *release = g_ptr_array_index(dkms->options->kernels, 0);
	g_autofree char *arch = ks_dkms_arch(dkms, 0);

	for (guint i = 0; i < entries->len; i++) {
		struct ks_tree_entry *entry = g_ptr_array_index(entries, i);

		if (ks_tree_find_artifact(entry, release, arch))
			fprintf(stderr, "dkms: module %s/%s for kernel %s (%s) is %s\n",
				entry->name, entry->version, release, arch, what);
	}
}

/*
 * dkms takes everything off a kernel that is about to be unpacked, and has nothing
 * if it then cannot be built. Here it stays until its replacement is there: what
 * changes with the kernel is built again by the autoinstall that follows.
 */
int ks_dkms_kernel_preinst(struct ks_dkms *dkms)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) entries = ks_tree_scan(dkms->cli.system, &error);

	if (!entries)
		return ks_dkms_fail(KS_DKMS_NOT_ALLOWED, "%s", error->message);
	print_each(dkms, entries, "kept until it is built again");
	return KS_DKMS_OK;
}

static int print_failures(const struct ks_dkms *dkms, const struct ks_dkms_speech *speech,
			  GPtrArray *entries)
{
	const char *release = g_ptr_array_index(dkms->options->kernels, 0);
	g_autofree char *arch = ks_dkms_arch(dkms, 0);
	g_autoptr(GString) failed = g_string_new(NULL);

	for (guint i = 0; i < entries->len; i++) {
		const struct ks_tree_entry *entry = g_ptr_array_index(entries, i);
		const struct ks_dkms_done *done =
			ks_dkms_speech_done(speech, entry->name, entry->version, release);

		if (done && done->code)
			g_string_append_printf(failed, " %s/%s(%d)", entry->name,
					       entry->version, done->code);
	}
	if (!failed->len)
		return KS_DKMS_OK;
	return ks_dkms_fail(
		KS_DKMS_KERNEL_FAILED,
		"dkms kernel_prerm for kernel %s (%s) failed for module(s)%s.", release,
		arch, failed->str);
}

/* In dkms's order: each module's lines, and one depmod at the end. */
static int print_removed(const struct ks_dkms *dkms, const struct ks_dkms_speech *speech,
			 GPtrArray *entries)
{
	const char *release = g_ptr_array_index(dkms->options->kernels, 0);
	g_autofree char *arch = ks_dkms_arch(dkms, 0);
	bool any = false;

	for (guint i = 0; i < entries->len; i++) {
		struct ks_tree_entry *entry = g_ptr_array_index(entries, i);
		const struct ks_dkms_done *done;

		if (!ks_tree_find_artifact(entry, release, arch))
			continue;
		done = ks_dkms_speech_done(speech, entry->name, entry->version, release);
		any |= done && done->uninstalled;
		fflush(stdout);
		fprintf(stderr, "dkms: removing module %s/%s for kernel %s (%s)\n",
			entry->name, entry->version, release, arch);
		ks_dkms_speech_print(speech, entry->name, entry->version, release, false);
		ks_dkms_speech_print_failure(speech, entry->name, entry->version,
					     release);
		puts("");
	}
	if (any)
		ks_dkms_speech_print_depmod(speech, release);
	return print_failures(dkms, speech, entries);
}

int ks_dkms_kernel_prerm(struct ks_dkms *dkms)
{
	const struct ks_plan_request request = {
		.release = g_ptr_array_index(dkms->options->kernels, 0),
		.goal = KS_GOAL_UNBUILD,
	};
	ks_auto(ks_dkms_speech) speech =
		ks_dkms_speech_new(dkms, ks_dkms_job(dkms), true);
	ks_auto(ks_outcome) outcome = NULL;
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) entries = ks_tree_scan(dkms->cli.system, &error);
	int code;

	if (!entries)
		return ks_dkms_fail(KS_DKMS_NOT_ALLOWED, "%s", error->message);
	if (dkms->in_script) {
		print_each(dkms, entries, "removed when its kernel is gone");
		return KS_DKMS_OK;
	}
	if (ks_run_queue_if_held_above(&dkms->cli, "dkms kernel_prerm"))
		return KS_DKMS_OK;
	code = ks_dkms_run_engine(dkms, "dkms kernel_prerm", &request, speech, &outcome);
	if (!outcome)
		return code;
	return print_removed(dkms, speech, entries);
}
