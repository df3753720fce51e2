/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dkms mktree and unmktree. */
#include "cli/dkms/dkms-actions.h"
#include "cli/dkms/dkms-source.h"
#include "cli/mktree.h"
#include "cli/run.h"
#include "core/support/error.h"

static int fail(const GError *error, int code)
{
	const char *hint = ks_error_get_hint(error);

	return ks_dkms_fail(code, "%s%s%s", error->message, hint ? "\n" : "",
			    hint ? hint : "");
}

int ks_dkms_mktree(struct ks_dkms *dkms)
{
	const struct ks_dkms_options *options = dkms->options;
	g_autofree char *entry =
		ks_tree_entry_path(dkms->cli.system, options->module, options->version);
	g_autofree char *from =
		options->source_dir ? g_canonicalize_filename(options->source_dir, NULL)
				    : NULL;
	g_autofree char *place = NULL;
	g_autoptr(GError) error = NULL;

	if (ks_run_queue_if_held_above(&dkms->cli, "dkms mktree"))
		return KS_DKMS_OK;
	if (!ks_mktree_make(&dkms->cli, options->module, options->version, from, &place,
			    &error))
		return fail(error, g_error_matches(error, KS_ERROR, KS_ERROR_INVALID)
					   ? KS_DKMS_BAD_CONF
					   : KS_DKMS_NOT_IN_TREE);
	printf("%s %s\nCreating symlink %s/source -> %s\n",
	       from ? "Copying the source to" : "Making a source to begin with in", place,
	       entry, place);
	return KS_DKMS_OK;
}

int ks_dkms_unmktree(struct ks_dkms *dkms)
{
	const struct ks_dkms_options *options = dkms->options;
	g_autofree char *place = ks_dkms_source_path(dkms, ks_dkms_job(dkms));
	g_autoptr(GError) error = NULL;

	if (ks_run_queue_if_held_above(&dkms->cli, "dkms unmktree"))
		return KS_DKMS_OK;
	if (!ks_mktree_remove(&dkms->cli, options->module, options->version,
			      options->force, &error))
		return fail(error, KS_DKMS_NOT_IN_TREE);
	printf("Deleting %s\nDeleting module %s/%s completely from the DKMS tree.\n",
	       place, options->module, options->version);
	return KS_DKMS_OK;
}
