/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dkms build and dkms install. */
#include "cli/dkms/dkms-actions.h"
#include "cli/dkms/dkms-arch.h"
#include "cli/dkms/dkms-engine.h"
#include "cli/dkms/dkms-forced.h"
#include "cli/dkms/dkms-source.h"
#include "cli/find.h"
#include "core/platform/lock.h"

static const char *command_name(bool install)
{
	return install ? "dkms install" : "dkms build";
}

/* Build and install in one run, and what was built upon another version of it. */
static struct ks_plan_request make_request(struct ks_dkms_job job, bool install)
{
	return (struct ks_plan_request){
		/*
		 * install installs a built module again, as dkms does; build
		 * builds it again
		 */
		.goal = !install    ? KS_GOAL_BUILD
			: job.force ? KS_GOAL_REINSTALL
				    : KS_GOAL_INSTALL,
		.module = job.module,
		.version = job.version,
		.release = job.release,
		.force = job.force && !install,
		.ignore_depends = job.force,
		.retry_failed = true,
		.rebuild_dependents = job.with_dependents,
		/* what could not be signed is installed nevertheless, as dkms does */
		.keep_signature = true,
	};
}

/* The module was taken off again, unless it was installed before the run. */
static int fail_depmod(const struct ks_dkms_done *done)
{
	if (done && done->uninstalled)
		return ks_dkms_fail(
			KS_DKMS_INSTALL_FAILED,
			"Install Failed (depmod problems). Module rolled back "
			"to built state.");
	return ks_dkms_fail(KS_DKMS_INSTALL_FAILED,
			    "Problems with depmod detected.\n"
			    "The module stays, as it was installed before.");
}

static int print_dependent(const struct ks_dkms *dkms,
			   const struct ks_dkms_speech *speech,
			   const struct ks_outcome *outcome, const char *name,
			   const char *release)
{
	g_auto(GStrv) parts = g_strsplit(name, "/", 2);
	const struct ks_verdict *verdict =
		ks_source_find_verdict(outcome->plan, parts[0], parts[1], release);

	printf("\nRebuilding module %s due to updated dependencies\n\n", name);
	ks_dkms_speech_print_prologue(speech);
	ks_dkms_speech_print(speech, parts[0], parts[1], release, true);
	return verdict ? ks_dkms_print_result(dkms, true, speech, verdict) : KS_DKMS_OK;
}

static int print_dependents(const struct ks_dkms *dkms,
			    const struct ks_dkms_speech *speech,
			    const struct ks_outcome *outcome, const char *release)
{
	const GPtrArray *names = ks_dkms_speech_dependents(speech);
	int code = KS_DKMS_OK;

	for (guint i = 0; i < names->len; i++) {
		int one =
			print_dependent(dkms, speech, outcome, names->pdata[i], release);

		code = code ? code : one;
	}
	return code;
}

static void print_skipped(const char *what, struct ks_dkms_job job, const char *arch)
{
	printf("Module %s/%s already %s kernel %s (%s), skip. You may override by "
	       "specifying --force.\n",
	       job.module, job.version, what, job.release, arch);
}

/* What the run has done to the job's module, and to its dependents; the code. */
static int conclude(const struct ks_dkms *dkms, bool install,
		    struct ks_dkms_speech *speech, const struct ks_outcome *outcome)
{
	const struct ks_dkms_job job = ks_dkms_speech_job(speech);
	const struct ks_verdict *verdict = ks_source_find_verdict(
		outcome->plan, job.module, job.version, job.release);
	const struct ks_dkms_done *done =
		ks_dkms_speech_done(speech, job.module, job.version, job.release);
	int code;

	if (!verdict)
		return ks_dkms_fail_no_target(dkms, job, outcome->inventory);
	if (done && done->uninstalled)
		return fail_depmod(done);
	code = ks_dkms_print_result(dkms, install, speech, verdict);
	if (!code && ks_dkms_speech_depmod_failed(speech, job.release))
		return fail_depmod(done);
	if (code)
		return code;
	ks_dkms_speech_print_preface(speech);
	if (!install && !(done && done->built))
		ks_dkms_print_built(dkms, job);
	if (install && !(done && done->installed))
		print_skipped("installed on", job, verdict->target->kernel->arch);
	return print_dependents(dkms, speech, outcome, job.release);
}

static int run_on(struct ks_dkms *dkms, bool install, struct ks_dkms_job job,
		  const char *preface)
{
	const struct ks_plan_request request = make_request(job, install);
	ks_auto(ks_dkms_speech) speech = ks_dkms_speech_new(dkms, job, false);
	ks_auto(ks_outcome) outcome = NULL;
	int code;

	ks_dkms_speech_set_preface(speech, preface);
	code = ks_dkms_run_engine(dkms, command_name(install), &request, speech,
				  &outcome);
	return outcome ? conclude(dkms, install, speech, outcome) : code;
}

bool ks_dkms_is_built(const struct ks_dkms *dkms, struct ks_dkms_job job)
{
	g_autofree char *arch =
		ks_dkms_kernel_arch(dkms->cli.system, &dkms->overrides, job.release);
	g_autofree char *dir = ks_tree_artifact_path(dkms->cli.system, job.module,
						     job.version, job.release, arch);
	g_autofree char *module_dir = g_build_filename(dir, "module", NULL);

	return ks_root_exists(dkms->cli.system->root, module_dir);
}

void ks_dkms_print_built(const struct ks_dkms *dkms, struct ks_dkms_job job)
{
	g_autofree char *arch =
		ks_dkms_kernel_arch(dkms->cli.system, &dkms->overrides, job.release);

	print_skipped("built for", job, arch);
	fflush(stdout);
}

int ks_dkms_build_on(struct ks_dkms *dkms, struct ks_dkms_job job)
{
	return run_on(dkms, false, job, NULL);
}

/* Files in /usr/share/dkms/modules_to_force_install name modules. What is printed of it. */
static char *force_if_listed(const struct ks_dkms *dkms, struct ks_dkms_job *job)
{
	switch (ks_dkms_find_forced(dkms, job->module)) {
	case KS_DKMS_FORCED:
		job->force = true;
		return g_strdup_printf("Forcing installation of %s\n", job->module);
	case KS_DKMS_FORCED_VERSION:
		job->force_version = true;
		return g_strdup_printf("Forcing version override of %s\n", job->module);
	case KS_DKMS_NOT_FORCED:
		break;
	}
	return NULL;
}

static bool has_kernel(const struct ks_dkms *dkms, const char *release)
{
	const struct ks_system *system = dkms->cli.system;
	g_autofree char *dir = g_build_filename(system->install_tree, release, NULL);

	return ks_root_exists(system->root, dir);
}

/* With --kernelsourcedir it can be built for a kernel that does not exist here. */
static int build_for_absent_kernel(struct ks_dkms *dkms, struct ks_dkms_job job)
{
	int code = ks_dkms_is_built(dkms, job) ? KS_DKMS_OK : ks_dkms_build_on(dkms, job);

	return code ? code : ks_dkms_fail_no_kernel(dkms, job.release);
}

int ks_dkms_install_on(struct ks_dkms *dkms, struct ks_dkms_job job)
{
	g_autofree char *preface = NULL;

	job.with_dependents = !job.force;
	job.force |= dkms->options->rpm_safe_upgrade;
	if (!has_kernel(dkms, job.release))
		return build_for_absent_kernel(dkms, job);
	preface = force_if_listed(dkms, &job);
	return run_on(dkms, true, job, preface);
}

/* dkms adds a module that is not added; the engine does it, the words are dkms's. */
static int require_source(const struct ks_dkms *dkms, struct ks_dkms_job job)
{
	g_autofree char *source = ks_dkms_source_path(dkms, job);
	g_autofree char *entry =
		ks_tree_entry_path(dkms->cli.system, job.module, job.version);
	g_autofree char *added = g_build_filename(entry, "source", NULL);
	g_autoptr(GPtrArray) names = NULL;

	if (!ks_dkms_is_added(dkms, job))
		return ks_root_exists(dkms->cli.system->root, source)
			       ? KS_DKMS_OK
			       : ks_dkms_fail_no_source(dkms, job);
	names = ks_root_list(dkms->cli.system->root, added, NULL);
	if (names && names->len >= 2)
		return ks_dkms_read_strict(dkms, job, added);
	return ks_dkms_fail(
		KS_DKMS_BAD_CONF,
		"The directory %s does not appear to have module source located within "
		"it.\nBuild halted.",
		added);
}

/* Only an architecture that can be built for makes a target. */
static int check_arches(const struct ks_dkms *dkms)
{
	const GPtrArray *kernels = dkms->options->kernels;

	for (guint i = 0; i < kernels->len && dkms->options->arches->len; i++) {
		g_autofree char *own = ks_dkms_kernel_arch(
			dkms->cli.system, &dkms->overrides, kernels->pdata[i]);
		g_autofree char *arch = ks_dkms_arch(dkms, i);

		if (!g_str_equal(arch, own))
			return ks_dkms_fail(KS_DKMS_NO_ARCH,
					    "Cannot build for the architecture %s on %s.",
					    arch, own);
	}
	return KS_DKMS_OK;
}

static bool set_marks(const struct ks_dkms *dkms, struct ks_dkms_job job, GError **error)
{
	const struct ks_system *system = dkms->cli.system;

	return ks_tree_set_asked(system, job.module, job.version, true, error) &&
	       ks_tree_set_dismissed(system, job.module, job.version, false, error) &&
	       ks_tree_set_removal_asked(system, job.module, job.version, false, error);
}

static int for_each_kernel(struct ks_dkms *dkms, struct ks_dkms_job job,
			   int (*run)(struct ks_dkms *, struct ks_dkms_job))
{
	int code = KS_DKMS_OK;

	/* the status is that of the first kernel that failed, not of the last one */
	for (guint i = 0; i < dkms->options->kernels->len; i++) {
		int one;

		job.release = g_ptr_array_index(dkms->options->kernels, i);
		one = run(dkms, job);
		code = code ? code : one;
	}
	return code;
}

static int build_or_install(struct ks_dkms *dkms, bool install)
{
	struct ks_dkms_job job = ks_dkms_job(dkms);
	g_autofree char *what = NULL;
	g_autoptr(GError) error = NULL;
	int code = ks_dkms_add_given(dkms, &job);

	if (code)
		return code;
	if (!job.module || !job.version)
		/* dkms says "add", which it tries first */
		return ks_dkms_fail_no_module("add");
	code = require_source(dkms, job);
	code = code ? code : check_arches(dkms);
	/* before it is left to a run that only builds what it finds by itself */
	if (!code && !ks_lock_is_held_above(dkms->cli.system))
		code = ks_dkms_add_found(dkms, job);
	if (code)
		return code;
	if (!set_marks(dkms, job, &error))
		return ks_dkms_fail(KS_DKMS_NOT_ALLOWED, "%s", error->message);
	what = g_strdup_printf("%s %s/%s", command_name(install), job.module,
			       job.version);
	if (ks_dkms_leave_to_end(what) || ks_run_queue_if_held_above(&dkms->cli, what))
		return KS_DKMS_OK;
	return for_each_kernel(dkms, job,
			       install ? ks_dkms_install_on : ks_dkms_build_on);
}

int ks_dkms_build(struct ks_dkms *dkms)
{
	return dkms->options->all ? ks_dkms_build_all(dkms, false)
				  : build_or_install(dkms, false);
}

int ks_dkms_install(struct ks_dkms *dkms)
{
	return dkms->options->all ? ks_dkms_build_all(dkms, true)
				  : build_or_install(dkms, true);
}
