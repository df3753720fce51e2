/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dkms uninstall and dkms remove. */
#include "cli/dkms-engine.h"

static void print_removed(const struct ks_dkms *dkms, const struct ks_outcome *outcome,
			  const struct ks_artifact *artifact)
{
	const struct ks_manifest *manifest = artifact->manifest;

	printf("Module %s/%s for kernel %s (%s):\n", dkms->options.module,
	       dkms->options.version, artifact->release, artifact->arch);
	if (!artifact->active)
		return;
	puts("Before uninstall, this module version was ACTIVE on this kernel.");
	for (guint i = 0; manifest && i < manifest->files->len; i++) {
		const struct ks_manifest_file *file =
			g_ptr_array_index(manifest->files, i);

		printf("Deleting %s/%s\n", file->dest_dir, file->name);
	}
	if (!outcome->n_failed_actions)
		puts("Running depmod... done.\n");
}

/* Take it off one kernel. */
static int uninstall_from(struct ks_dkms *dkms, const struct ks_tree_entry *entry,
			  const char *release)
{
	const struct ks_plan_request request = {.module = dkms->options.module,
						.version = dkms->options.version,
						.release = release,
						.uninstall = true};
	const struct ks_artifact *found = NULL;
	ks_auto(ks_outcome) outcome = NULL;
	int code;

	for (guint i = 0; i < entry->artifacts->len; i++) {
		const struct ks_artifact *artifact =
			g_ptr_array_index(entry->artifacts, i);

		if (g_str_equal(artifact->release, release))
			found = artifact;
	}
	if (!found || !found->active) {
		printf("Module %s/%s is not installed for kernel %s. Skipping...\n",
		       dkms->options.module, dkms->options.version, release);
		return KS_DKMS_OK;
	}
	code = ks_dkms_run_engine(dkms, "dkms uninstall", &request, &outcome);
	if (!outcome)
		return code;
	print_removed(dkms, outcome, found);
	return outcome->n_failed_actions ? KS_DKMS_INSTALL_FAILED : KS_DKMS_OK;
}

static int uninstall_selected(struct ks_dkms *dkms, const struct ks_tree_entry *entry)
{
	const struct ks_dkms_options *options = &dkms->options;
	int code = KS_DKMS_OK;

	for (guint i = 0; options->all && i < entry->artifacts->len; i++) {
		const struct ks_artifact *artifact =
			g_ptr_array_index(entry->artifacts, i);
		int one = uninstall_from(dkms, entry, artifact->release);

		code = code ? code : one;
	}
	for (guint i = 0; i < options->kernels->len; i++) {
		int one = uninstall_from(dkms, entry,
					 g_ptr_array_index(options->kernels, i));

		code = code ? code : one;
	}
	return code;
}

/*
 * Inside a package's maintainer script nothing is taken away: it may be an
 * upgrade. What is to go shows at the end of the transaction, by what is then
 * still in /usr/src and /lib/modules.
 */
static int leave_to_end(struct ks_dkms *dkms)
{
	const struct ks_dkms_options *options = &dkms->options;
	g_autoptr(GError) error = NULL;

	if (options->all && !ks_tree_set_removal_asked(dkms->cli.system, options->module,
						       options->version, true, &error))
		return ks_dkms_die(KS_DKMS_NOT_ALLOWED, "%s", error->message);
	printf("dkms: %s/%s: kept until the end of the transaction, removed then if its "
	       "source or kernel is gone\n",
	       options->module, options->version);
	return KS_DKMS_OK;
}

int ks_dkms_uninstall(struct ks_dkms *dkms)
{
	const struct ks_dkms_options *options = &dkms->options;
	g_autoptr(GPtrArray) entries = NULL;
	g_autoptr(GError) error = NULL;

	if (dkms->in_script)
		return leave_to_end(dkms);
	if (ks_run_queue_if_held_above(&dkms->cli, "dkms uninstall"))
		return KS_DKMS_OK;
	entries = ks_tree_scan(dkms->cli.system, &error);
	if (!entries || !ks_tree_set_asked(dkms->cli.system, options->module,
					   options->version, false, &error))
		return ks_dkms_die(KS_DKMS_NOT_ALLOWED, "%s", error->message);
	return uninstall_selected(
		dkms, ks_tree_find(entries, options->module, options->version));
}

/* Is there an artifact of a kernel that is not named? */
static bool is_built_elsewhere(const struct ks_dkms *dkms,
			       const struct ks_tree_entry *entry)
{
	for (guint i = 0; i < entry->artifacts->len; i++) {
		const struct ks_artifact *artifact =
			g_ptr_array_index(entry->artifacts, i);

		if (!g_ptr_array_find_with_equal_func(
			    dkms->options.kernels, artifact->release, g_str_equal, NULL))
			return true;
	}
	return false;
}

static int remove_altogether(struct ks_dkms *dkms, const struct ks_tree_entry *entry)
{
	const struct ks_dkms_options *options = &dkms->options;
	const struct ks_plan_request request = {.module = options->module};
	ks_auto(ks_outcome) outcome = NULL;
	g_autoptr(GError) error = NULL;
	int code;

	if (!ks_tree_set_dismissed(dkms->cli.system, options->module, options->version,
				   true, &error) ||
	    !ks_tree_set_asked(dkms->cli.system, options->module, options->version, false,
			       &error))
		return ks_dkms_die(KS_DKMS_NOT_ALLOWED, "%s", error->message);
	if (ks_run_queue_if_held_above(&dkms->cli, "dkms remove"))
		return KS_DKMS_OK;
	code = ks_dkms_run_engine(dkms, "dkms remove", &request, &outcome);
	if (!outcome)
		return code;
	for (guint i = 0; i < entry->artifacts->len; i++)
		print_removed(dkms, outcome, g_ptr_array_index(entry->artifacts, i));
	if (ks_dkms_is_in_tree(dkms))
		return ks_dkms_die(KS_DKMS_INSTALL_FAILED,
				   "%s/%s could not be removed altogether.",
				   options->module, options->version);
	printf("Deleting module %s/%s completely from the DKMS tree.\n", options->module,
	       options->version);
	return KS_DKMS_OK;
}

int ks_dkms_remove(struct ks_dkms *dkms)
{
	const struct ks_dkms_options *options = &dkms->options;
	const struct ks_tree_entry *entry;
	g_autoptr(GPtrArray) entries = NULL;
	g_autoptr(GError) error = NULL;

	if (dkms->in_script)
		return leave_to_end(dkms);
	entries = ks_tree_scan(dkms->cli.system, &error);
	if (!entries)
		return ks_dkms_die(KS_DKMS_NOT_ALLOWED, "%s", error->message);
	entry = ks_tree_find(entries, options->module, options->version);
	if (!entry)
		return ks_dkms_die(KS_DKMS_NOT_IN_TREE,
				   "%s/%s: nothing of it is in the DKMS tree.",
				   options->module, options->version);
	if (options->all || !is_built_elsewhere(dkms, entry))
		return remove_altogether(dkms, entry);
	if (ks_run_queue_if_held_above(&dkms->cli, "dkms remove"))
		return KS_DKMS_OK;
	return uninstall_selected(dkms, entry);
}
