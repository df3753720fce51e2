/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dkms add: a source directory, in its place or to be copied there. */
#include "cli/add.h"
#include "cli/dkms/dkms-rpm.h"
#include "cli/dkms/dkms-actions.h"
#include "cli/dkms/dkms-source.h"
#include "cli/run.h"
#include "core/support/error.h"

static int fail_twice(struct ks_dkms_job job)
{
	return ks_dkms_fail(KS_DKMS_NOT_IN_TREE,
			    "DKMS tree already contains: %s/%s\n"
			    "You cannot add the same module/version combo more than "
			    "once.",
			    job.module, job.version);
}

/* The directory is given instead of the module, as a path of the caller. */
static int add_elsewhere(struct ks_dkms *dkms, struct ks_dkms_job *job)
{
	g_autofree char *dir = g_canonicalize_filename(dkms->options->source_dir, NULL);
	ks_auto(ks_conf) conf = NULL;
	g_autoptr(GError) error = NULL;

	conf = ks_dkms_load_conf(dkms, *job, dir, &error);
	if (!conf)
		return ks_dkms_fail_conf(dkms, dir, error, true);
	job->module = g_intern_string(conf->package_name);
	job->version = g_intern_string(conf->package_version);
	ks_dkms_rpm_remember(dkms, *job);
	if (ks_dkms_is_added(dkms, *job))
		return fail_twice(*job);
	return ks_dkms_add_directory(dkms, dir, conf);
}

static int add_in_place(struct ks_dkms *dkms, struct ks_dkms_job job)
{
	g_autofree char *source = ks_dkms_source_path(dkms, job);
	ks_auto(ks_conf) conf = NULL;
	g_autoptr(GError) error = NULL;

	ks_dkms_rpm_remember(dkms, job);
	if (ks_dkms_is_added(dkms, job))
		return fail_twice(job);
	if (!ks_root_exists(dkms->cli.system->root, source))
		return ks_dkms_fail_no_source(dkms, job);
	conf = ks_dkms_load_conf(dkms, job, source, &error);
	if (!conf)
		return ks_dkms_fail_conf(dkms, source, error, false);
	return ks_dkms_add_directory(dkms, source, conf);
}

int ks_dkms_add_given(struct ks_dkms *dkms, struct ks_dkms_job *job)
{
	if (job->module && job->version)
		return KS_DKMS_OK;
	if (dkms->options->archive)
		return ks_dkms_add_archive(dkms, job);
	if (dkms->options->source_dir)
		return add_elsewhere(dkms, job);
	return KS_DKMS_OK;
}

int ks_dkms_add(struct ks_dkms *dkms)
{
	const struct ks_dkms_options *options = dkms->options;
	struct ks_dkms_job job = ks_dkms_job(dkms);

	if (!(job.module && job.version) && (options->source_dir || options->archive))
		return ks_dkms_add_given(dkms, &job);
	if (!job.module || !job.version)
		return ks_dkms_fail_no_module("add");
	return add_in_place(dkms, job);
}
