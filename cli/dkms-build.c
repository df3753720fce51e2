/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dkms build and dkms install. */
#include "cli/dkms-engine.h"
#include "cli/source.h"

static const char *command_name(bool install)
{
	return install ? "dkms install" : "dkms build";
}

static void print_files(const struct ks_target *target, const char *word)
{
	const struct ks_manifest *manifest =
		target->artifact ? target->artifact->manifest : NULL;

	for (guint i = 0; manifest && i < manifest->files->len; i++) {
		const struct ks_manifest_file *file =
			g_ptr_array_index(manifest->files, i);

		printf("%s %s/%s\n", word, file->dest_dir, file->name);
	}
}

static void print_done(const struct ks_dkms *dkms, bool install,
		       const struct ks_outcome *outcome, const struct ks_verdict *verdict)
{
	const struct ks_target *target = verdict->target;

	if (outcome->n_built)
		puts("Building module(s)... done.");
	else if (!install)
		printf("Module %s/%s already built for kernel %s (%s), skip. You may "
		       "override "
		       "by specifying --force.\n",
		       target->source->name, target->source->version,
		       target->kernel->release, target->kernel->arch);
	if (!install || !ks_dkms_is_installed(verdict))
		return;
	if (outcome->n_installed) {
		print_files(target, "Installing");
		puts("Running depmod... done.");
	} else {
		printf("Module %s/%s already installed on kernel %s (%s), skip. You may "
		       "override by specifying --force.\n",
		       target->source->name, target->source->version,
		       target->kernel->release, target->kernel->arch);
	}
}

static int build_or_install_on(struct ks_dkms *dkms, bool install, const char *release)
{
	const struct ks_dkms_options *options = &dkms->options;
	const struct ks_plan_request request = {
		.module = options->module,
		.version = options->version,
		.release = release,
		.force = options->force,
		.retry_failed = true,
		.build_only = !install,
		.wanted = true,
	};
	ks_auto(ks_outcome) outcome = NULL;
	const struct ks_verdict *verdict;
	int code = ks_dkms_run_engine(dkms, command_name(install), &request, &outcome);

	if (!outcome)
		return code;
	verdict = ks_source_find_verdict(outcome->plan, options->module, options->version,
					 release);
	if (!verdict)
		return ks_dkms_die(KS_DKMS_HEADERS_MISSING, "There is no kernel %s.",
				   release);
	print_done(dkms, install, outcome, verdict);
	return ks_dkms_tell(dkms, install, verdict);
}

/* dkms adds what is not added; the engine does it, the words are dkms's. */
static int require_source(const struct ks_dkms *dkms)
{
	g_autofree char *source = ks_dkms_source_path(dkms);

	if (ks_dkms_is_in_tree(dkms) || ks_root_exists(dkms->cli.system->root, source))
		return KS_DKMS_OK;
	return ks_dkms_die_no_source(dkms);
}

static int build_or_install(struct ks_dkms *dkms, bool install)
{
	const struct ks_dkms_options *options = &dkms->options;
	g_autofree char *what = g_strdup_printf("%s %s/%s", command_name(install),
						options->module, options->version);
	g_autoptr(GError) error = NULL;
	int code = require_source(dkms);

	if (code)
		return code;
	if (!ks_tree_set_asked(dkms->cli.system, options->module, options->version, true,
			       &error) ||
	    !ks_tree_set_dismissed(dkms->cli.system, options->module, options->version,
				   false, &error) ||
	    !ks_tree_set_removal_asked(dkms->cli.system, options->module,
				       options->version, false, &error))
		return ks_dkms_die(KS_DKMS_NOT_ALLOWED, "%s", error->message);
	if (ks_dkms_leave_to_end(what) || ks_run_queue_if_held_above(&dkms->cli, what))
		return KS_DKMS_OK;
	/* the status is that of the first kernel that failed, not of the last one */
	for (guint i = 0; i < options->kernels->len; i++) {
		int one = build_or_install_on(dkms, install,
					      g_ptr_array_index(options->kernels, i));

		code = code ? code : one;
	}
	return code;
}

int ks_dkms_build(struct ks_dkms *dkms)
{
	return build_or_install(dkms, false);
}

int ks_dkms_install(struct ks_dkms *dkms)
{
	return build_or_install(dkms, true);
}
