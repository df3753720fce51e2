/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dkms add: a source directory, in its place or to be copied there. */
#include "cli/add.h"
#include "cli/dkms/dkms-rpm.h"
#include "cli/dkms/dkms.h"
#include "cli/run.h"
#include "core/support/error.h"

static int die_twice(const struct ks_dkms *dkms)
{
	return ks_dkms_fail(KS_DKMS_NOT_IN_TREE,
			    "DKMS tree already contains: %s/%s\n"
			    "You cannot add the same module/version combo more than "
			    "once.",
			    dkms->options.module, dkms->options.version);
}

/* The directory is given instead of the module, as a path of the caller. */
static int add_elsewhere(struct ks_dkms *dkms)
{
	g_autofree char *dir = g_canonicalize_filename(dkms->options.source_dir, NULL);
	ks_auto(ks_conf) conf = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *module = NULL;

	conf = ks_dkms_load_conf(dkms, dir, &error);
	if (!conf)
		return ks_dkms_fail_conf(dkms, dir, error, true);
	module = g_strdup_printf("%s/%s", conf->package_name, conf->package_version);
	ks_dkms_options_set_module(&dkms->options, module);
	ks_dkms_rpm_remember(dkms);
	if (ks_dkms_is_added(dkms))
		return die_twice(dkms);
	return ks_dkms_add_directory(dkms, dir, conf);
}

static int add_in_place(struct ks_dkms *dkms)
{
	g_autofree char *source = ks_dkms_source_path(dkms);
	ks_auto(ks_conf) conf = NULL;
	g_autoptr(GError) error = NULL;

	ks_dkms_rpm_remember(dkms);
	if (ks_dkms_is_added(dkms))
		return die_twice(dkms);
	if (!ks_root_exists(dkms->cli.system->root, source))
		return ks_dkms_fail_no_source(dkms);
	conf = ks_dkms_load_conf(dkms, source, &error);
	if (!conf)
		return ks_dkms_fail_conf(dkms, source, error, false);
	return ks_dkms_add_directory(dkms, source, conf);
}

int ks_dkms_add_given(struct ks_dkms *dkms)
{
	if (dkms->options.module && dkms->options.version)
		return KS_DKMS_OK;
	if (dkms->options.archive)
		return ks_dkms_ldtarball(dkms);
	if (dkms->options.source_dir)
		return add_elsewhere(dkms);
	return KS_DKMS_OK;
}

int ks_dkms_add(struct ks_dkms *dkms)
{
	const struct ks_dkms_options *options = &dkms->options;

	if (!(options->module && options->version) &&
	    (options->source_dir || options->archive))
		return ks_dkms_add_given(dkms);
	if (!options->module || !options->version)
		return ks_dkms_fail_no_module("add");
	return add_in_place(dkms);
}
