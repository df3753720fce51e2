/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dkms add. */
#include "cli/add.h"
#include "cli/dkms.h"
#include "cli/run.h"
#include "core/support/error.h"

static int add_directory(struct ks_dkms *dkms, const char *dir)
{
	ks_auto(ks_conf) conf = NULL;
	g_autofree char *placed = NULL;
	g_autofree char *entry = NULL;
	g_autoptr(GError) error = NULL;

	conf = ks_conf_load(dkms->cli.system, dkms->cli.settings, dir,
			    dkms->options.module, dkms->options.version, NULL, &error);
	if (!conf)
		return ks_dkms_die(g_error_matches(error, KS_ERROR, KS_ERROR_NOT_FOUND)
					   ? KS_DKMS_NO_CONF
					   : KS_DKMS_BAD_CONF,
				   "%s", error->message);
	/* what lies in the source tree is found by the run above */
	if (ks_run_queue_if_held_above(&dkms->cli, "dkms add"))
		return KS_DKMS_OK;
	entry = ks_tree_entry_path(dkms->cli.system, conf->package_name,
				   conf->package_version);
	if (!ks_add_source(&dkms->cli, dir, conf, false, &placed, &error))
		return ks_dkms_die(KS_DKMS_NOT_ALLOWED, "%s", error->message);
	printf("Creating symlink %s/source -> %s\n", entry, placed);
	return KS_DKMS_OK;
}

/* The directory may be given instead of the module, as a path of the caller. */
static int add_elsewhere(struct ks_dkms *dkms)
{
	g_autofree char *dir = g_canonicalize_filename(dkms->options.source_dir, NULL);

	return add_directory(dkms, dir);
}

int ks_dkms_add(struct ks_dkms *dkms)
{
	const struct ks_dkms_options *options = &dkms->options;
	g_autofree char *source = NULL;

	if (options->source_dir)
		return add_elsewhere(dkms);
	if (!options->module || !options->version)
		return ks_dkms_die_no_module("add");
	source = ks_dkms_source_path(dkms);
	if (ks_dkms_is_added(dkms))
		return ks_dkms_die(
			KS_DKMS_NOT_IN_TREE,
			"DKMS tree already contains: %s/%s\n"
			"You cannot add the same module/version combo more than "
			"once.",
			options->module, options->version);
	if (!ks_root_exists(dkms->cli.system->root, source))
		return ks_dkms_die_no_source(dkms);
	return add_directory(dkms, source);
}
