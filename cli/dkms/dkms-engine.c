/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Running the engine, and printing what it did in dkms's words and exit codes. */
#include "cli/dkms/dkms-engine.h"

#include <string.h>

#include "cli/dkms/dkms-source.h"
#include "cli/dkms/dkms-arch.h"
#include "cli/find.h"

int ks_dkms_run_engine(struct ks_dkms *dkms, const char *command,
		       const struct ks_plan_request *request,
		       struct ks_dkms_speech *speech, struct ks_outcome **outcome)
{
	const struct ks_dkms_options *options = dkms->options;
	const struct ks_dkms_job job = ks_dkms_speech_job(speech);
	struct ks_run run = {
		.options =
			{
				.command = command,
				.request = *request,
				.no_record = dkms->in_script,
				.caller_records = dkms->is_private,
				.no_depmod = options->no_depmod,
				.modprobe = options->modprobe_on_install,
				.symlink_modules = options->symlink_modules,
				.no_weak_modules = options->no_weak_modules,
				.take_originals = true,
				.lock_timeout_ms = -1,
				/* else what they print would come before their line */
				.scripts_to_stdout = !ks_dkms_speech_is_kept(speech),
				.ignore_pre_install = job.force,
				.compare_with_kernel =
					job.module && !job.force && !job.force_version,
				.undo_unindexed = job.module && job.release,
				.observer = ks_dkms_speech_observe,
				.observer_data = speech,
			},
		.silent = true,
	};
	struct ks_system *system = dkms->cli.system;
	int code;

	if (!ks_goal_takes_away(request->goal)) {
		g_free(system->named_release);
		system->named_release = g_strdup(request->release);
	}
	run.options.request.no_initramfs =
		dkms->in_script || !dkms->cli.settings->initramfs;
	code = ks_run_engine(&dkms->cli, &run, outcome);
	ks_dkms_speech_end(speech);
	return code == KS_EXIT_PENDING && !*outcome ? KS_DKMS_NOT_ALLOWED : code;
}

bool ks_dkms_leave_to_end(const char *what)
{
	if (!ks_run_is_in_transaction())
		return false;
	printf("%s: left to the end of the transaction\n", what);
	return true;
}

bool ks_dkms_is_installed(const struct ks_verdict *verdict)
{
	return verdict->state == KS_TARGET_INSTALLED ||
	       verdict->state == KS_TARGET_RECORDED;
}

char *ks_dkms_arch(const struct ks_dkms *dkms, guint kernel_index)
{
	const GPtrArray *arches = dkms->options->arches;
	const GPtrArray *kernels = dkms->options->kernels;

	/* one is that of all kernels */
	if (arches->len)
		return g_strdup(
			g_ptr_array_index(arches, MIN(kernel_index, arches->len - 1)));
	return kernel_index < kernels->len
		       ? ks_dkms_kernel_arch(dkms->cli.system, &dkms->overrides,
					     kernels->pdata[kernel_index])
		       : ks_kernel_machine_arch(dkms->cli.system);
}

static int waiting_code(const struct ks_verdict *verdict)
{
	switch (verdict->reason) {
	case KS_REASON_HEADERS_MISSING:
		return KS_DKMS_HEADERS_MISSING;
	case KS_REASON_DEPENDS_MISSING:
		return KS_DKMS_DEPENDS_MISSING;
	default:
		return KS_DKMS_BUILD_FAILED; /* no compiler */
	}
}

/*
 * Another version is preferred, or none: that matters only for modules that
 * nobody asked for by name. A module that was asked for and done is no failure.
 */
static int excluded_code(bool install, const struct ks_dkms_done *done,
			 const struct ks_target *target)
{
	bool is_there = install ? (done && done->installed) ||
					  target->installed == KS_INSTALLED_OK
				: (done && done->built) || target->built;

	if (target->exclusion == KS_CONF_NOT_EXCLUDED && is_there)
		return KS_DKMS_OK;
	return KS_DKMS_EXCLUDED;
}

int ks_dkms_code(bool install, const struct ks_dkms_speech *speech,
		 const struct ks_verdict *verdict)
{
	const struct ks_target *target = verdict->target;
	const struct ks_dkms_done *done =
		ks_dkms_speech_done(speech, target->source->name, target->source->version,
				    target->kernel->release);

	if (done && done->code)
		return done->code;
	switch (verdict->state) {
	case KS_TARGET_INSTALLED:
	case KS_TARGET_RECORDED:
	case KS_TARGET_SATISFIED:
		return KS_DKMS_OK;
	case KS_TARGET_FAILED:
		if (verdict->reason == KS_REASON_OCCUPIED)
			return KS_DKMS_INSTALL_FAILED;
		return verdict->reason == KS_REASON_VERIFY_FAILED ? KS_DKMS_NOT_PRODUCED
								  : KS_DKMS_BUILD_FAILED;
	case KS_TARGET_WAITING:
		return waiting_code(verdict);
	case KS_TARGET_EXCLUDED:
		return excluded_code(install, done, target);
	case KS_TARGET_BROKEN:
		return KS_DKMS_BAD_CONF;
	case KS_TARGET_STALE:
		/*
		 * installed without a signature, which was reported, is success
		 * to dkms
		 */
		if (verdict->reason == KS_REASON_SIGNATURE_CHANGED &&
		    target->installed == KS_INSTALLED_OK)
			return KS_DKMS_OK;
		break;
	case KS_TARGET_BUILT:
	case KS_TARGET_ADDED:
		break;
	}
	return !install && target->built ? KS_DKMS_OK : KS_DKMS_INSTALL_FAILED;
}

int ks_dkms_fail_no_headers(const struct ks_dkms *dkms, const char *release)
{
	const char *tree = dkms->cli.system->install_tree;

	return ks_dkms_fail(KS_DKMS_HEADERS_MISSING,
			    "Your kernel headers for kernel %s cannot be found at "
			    "%s/%s/build or %s/%s/source.\n"
			    "Please install your distribution's kernel headers package "
			    "matching %s, or use the --kernelsourcedir option to tell "
			    "DKMS where it's located.",
			    release, tree, release, tree, release, release);
}

/* The complaints about a directory that was not taken for a source. */
static const char *find_problem(const struct ks_dkms *dkms, struct ks_dkms_job job,
				const struct ks_inventory *inventory)
{
	g_autofree char *source = ks_dkms_source_path(dkms, job);

	for (guint i = 0; i < inventory->problems->len; i++) {
		const char *problem = g_ptr_array_index(inventory->problems, i);

		if (strstr(problem, source))
			return problem;
	}
	return NULL;
}

static bool has_source(struct ks_dkms_job job, const struct ks_inventory *inventory)
{
	for (guint i = 0; i < inventory->sources->len; i++) {
		const struct ks_source *source = g_ptr_array_index(inventory->sources, i);

		if (g_str_equal(source->name, job.module) &&
		    g_str_equal(source->version, job.version))
			return true;
	}
	return false;
}

int ks_dkms_fail_no_target(const struct ks_dkms *dkms, struct ks_dkms_job job,
			   const struct ks_inventory *inventory)
{
	const char *problem = find_problem(dkms, job, inventory);
	g_autofree char *source = ks_dkms_source_path(dkms, job);

	if (problem)
		ks_dkms_complain(problem);
	if (problem || !has_source(job, inventory))
		return ks_dkms_fail(KS_DKMS_BAD_CONF,
				    "Bad conf file.\n"
				    "File: %s/dkms.conf does not represent a valid "
				    "dkms.conf file.",
				    source);
	return ks_dkms_fail_no_headers(dkms, job.release);
}

static int print_waiting(const struct ks_dkms *dkms, const struct ks_verdict *verdict)
{
	const struct ks_target *target = verdict->target;
	const struct ks_kernel *kernel = target->kernel;
	g_autofree char *missing = verdict->missing_depends
					   ? g_strjoinv(" ", verdict->missing_depends)
					   : NULL;

	if (verdict->reason == KS_REASON_HEADERS_MISSING && kernel->has_unprepared)
		return ks_dkms_fail(
			KS_DKMS_HEADERS_MISSING,
			"The kernel source at %s is not prepared for building "
			"modules.\n"
			"Run 'make modules_prepare' in it, or install your "
			"distribution's kernel headers package matching %s.",
			kernel->headers_dir, kernel->release);
	if (verdict->reason == KS_REASON_HEADERS_MISSING)
		return ks_dkms_fail_no_headers(dkms, kernel->release);
	if (verdict->reason == KS_REASON_DEPENDS_MISSING)
		return ks_dkms_fail(
			KS_DKMS_DEPENDS_MISSING,
			"Aborting build of module %s/%s for kernel %s (%s) due to "
			"missing BUILD_DEPENDS: %s.\n"
			"You may override by specifying --force.",
			target->source->name, target->source->version, kernel->release,
			kernel->arch, missing);
	return ks_dkms_fail(KS_DKMS_BUILD_FAILED, "%s",
			    verdict->detail ? verdict->detail
					    : ks_reason_words(verdict->reason));
}

static int print_excluded(const struct ks_dkms *dkms, const struct ks_verdict *verdict)
{
	const struct ks_target *target = verdict->target;
	g_autofree char *dir = ks_tree_artifact_path(
		dkms->cli.system, target->source->name, target->source->version,
		target->kernel->release, target->kernel->arch);

	if (target->exclusion == KS_CONF_NOT_EXCLUDED) {
		ks_dkms_warn("%s/%s on %s: %s%s%s", target->source->name,
			     target->source->version, target->kernel->release,
			     ks_reason_words(verdict->reason),
			     verdict->detail ? ": " : "",
			     verdict->detail ? verdict->detail : "");
		return KS_DKMS_EXCLUDED;
	}
	ks_dkms_warn("The %s/dkms.conf\n"
		     "for module %s/%s includes BUILD_EXCLUSIVE directives\n"
		     "which do not match this kernel/arch/config for any modules.\n"
		     "This indicates that it should not be built.",
		     dir, target->source->name, target->source->version);
	return KS_DKMS_EXCLUDED;
}

/* A failure of an earlier run that is not tried again: its log has the reason. */
static void print_known_failure(const struct ks_dkms *dkms,
				const struct ks_verdict *verdict)
{
	const struct ks_target *target = verdict->target;
	g_autofree char *log = ks_source_log_path(dkms->cli.system, target);

	ks_dkms_error_line("Bad return status for module build on kernel: %s (%s)%s%s%s",
			   target->kernel->release, target->kernel->arch,
			   log ? "\nConsult " : "", log ? log : "",
			   log ? " for more information." : "");
}

static void print_bad_conf(const struct ks_dkms *dkms, const struct ks_verdict *verdict)
{
	const struct ks_source *source = verdict->target->source;
	g_autofree char *entry =
		ks_tree_entry_path(dkms->cli.system, source->name, source->version);

	ks_dkms_complain(verdict->detail ? verdict->detail
					 : ks_reason_words(verdict->reason));
	ks_dkms_fail(
		0,
		"Bad conf file.\n"
		"File: %s/source/dkms.conf does not represent a valid dkms.conf file.",
		entry);
}

int ks_dkms_fail_no_kernel(const struct ks_dkms *dkms, const char *release)
{
	return ks_dkms_fail(KS_DKMS_INSTALL_FAILED,
			    "The directory %s/%s doesn't exist.\n"
			    "You cannot install a module onto a non-existant kernel.",
			    dkms->cli.system->install_tree, release);
}

static int print_other(const struct ks_dkms *dkms, bool install,
		       const struct ks_verdict *verdict, int code)
{
	const char *release = verdict->target->kernel->release;

	if (verdict->reason == KS_REASON_OCCUPIED)
		return ks_dkms_fail(code, "%s", verdict->detail);
	if (verdict->reason != KS_REASON_KERNEL_GONE)
		return ks_dkms_fail(code, "%s", ks_reason_words(verdict->reason));
	if (!install)
		return ks_dkms_fail_no_headers(dkms, release);
	return ks_dkms_fail_no_kernel(dkms, release);
}

int ks_dkms_print_result(const struct ks_dkms *dkms, bool install,
			 const struct ks_dkms_speech *speech,
			 const struct ks_verdict *verdict)
{
	const struct ks_target *target = verdict->target;
	int code = ks_dkms_speech_print_failure(speech, target->source->name,
						target->source->version,
						target->kernel->release);

	if (code)
		return code;
	code = ks_dkms_code(install, speech, verdict);
	if (!code)
		return KS_DKMS_OK;
	switch (verdict->state) {
	case KS_TARGET_FAILED:
		if (verdict->reason == KS_REASON_OCCUPIED)
			return print_other(dkms, install, verdict, code);
		print_known_failure(dkms, verdict);
		break;
	case KS_TARGET_WAITING:
		return print_waiting(dkms, verdict);
	case KS_TARGET_EXCLUDED:
		return print_excluded(dkms, verdict);
	case KS_TARGET_BROKEN:
		print_bad_conf(dkms, verdict);
		break;
	default:
		return print_other(dkms, install, verdict, code);
	}
	return code;
}
