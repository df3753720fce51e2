/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an action demands before it begins. */
#include <unistd.h>

#include "cli/dkms/dkms-actions.h"
#include "cli/dkms/dkms-source.h"

static int check_one_kernel(const struct ks_dkms_options *options,
			    const struct ks_dkms_action *action)
{
	if (options->all && !action->takes_all)
		return ks_dkms_fail(KS_DKMS_NO_ALL,
				    "The action %s does not support the --all parameter.",
				    action->name);
	if (options->kernels->len > 1)
		return ks_dkms_fail(KS_DKMS_BROKEN,
				    "The action %s does not support multiple kernel "
				    "version parameters on the command line.",
				    action->name);
	return KS_DKMS_OK;
}

static int check_broken(const struct ks_dkms *dkms)
{
	const struct ks_dkms_options *options = dkms->options;

	if (!ks_dkms_is_broken(dkms, ks_dkms_job(dkms)))
		return KS_DKMS_OK;
	return ks_dkms_fail(KS_DKMS_BROKEN,
			    "%s/%s is broken!\n"
			    "Missing the source directory or the symbolic link pointing "
			    "to it.\n"
			    "Manual intervention is required!",
			    options->module, options->version);
}

static int check_added(const struct ks_dkms *dkms)
{
	const struct ks_dkms_options *options = dkms->options;

	if (ks_dkms_is_in_tree(dkms, ks_dkms_job(dkms)))
		return KS_DKMS_OK;
	return ks_dkms_fail(KS_DKMS_NOT_IN_TREE,
			    "The module/version combo: %s/%s is not located in the DKMS "
			    "tree.",
			    options->module, options->version);
}

int ks_dkms_check_tree(const struct ks_dkms *dkms)
{
	const struct ks_system *system = dkms->cli.system;
	g_autofree char *path = ks_root_host_path(system->root, system->dkms_tree);

	if (geteuid() == 0 || access(path, W_OK) == 0)
		return KS_DKMS_OK;
	return ks_dkms_fail(KS_DKMS_NOT_ALLOWED, "No write access to DKMS tree at %s",
			    system->dkms_tree);
}

static int check_one(const struct ks_dkms *dkms, const struct ks_dkms_action *action,
		     enum ks_dkms_check check)
{
	const struct ks_dkms_options *options = dkms->options;

	switch (check) {
	case KS_DKMS_CHECK_MODULE:
		return options->module && options->version
			       ? KS_DKMS_OK
			       : ks_dkms_fail_no_module(action->name);
	case KS_DKMS_CHECK_NOT_BROKEN:
		return check_broken(dkms);
	case KS_DKMS_CHECK_ADDED:
		return check_added(dkms);
	case KS_DKMS_CHECK_NO_ALL:
		return !options->all
			       ? KS_DKMS_OK
			       : ks_dkms_fail(KS_DKMS_NO_ALL,
					      "The action %s does not support the --all "
					      "parameter.",
					      action->name);
	case KS_DKMS_CHECK_ONE_KERNEL:
		return check_one_kernel(options, action);
	case KS_DKMS_CHECK_TREE:
		return ks_dkms_check_tree(dkms);
	case KS_DKMS_CHECK_ROOT:
		return geteuid() == 0
			       ? KS_DKMS_OK
			       : ks_dkms_fail(KS_DKMS_NOT_ALLOWED,
					      "You must be root to use this command.");
	case KS_DKMS_CHECK_END:
		break;
	}
	return KS_DKMS_OK;
}

int ks_dkms_check(const struct ks_dkms *dkms, const struct ks_dkms_action *action)
{
	int code = KS_DKMS_OK;

	for (size_t i = 0; !code && i < KS_DKMS_MAX_CHECKS; i++)
		code = check_one(dkms, action, action->checks[i]);
	return code;
}
