/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dkms autoinstall, and build and install --all. */
#include "cli/dkms/dkms-actions.h"
#include "cli/dkms/dkms-engine.h"
#include "cli/headers-hint.h"
#include "core/support/version.h"

/* The summary of one kernel: names one after another, as dkms prints them. */
struct summary {
	GString *succeeded, *skipped, *failed, *deferred;
	GString *lines; /* about modules that wait for another one */
	bool any_failed;
};

static void summary_init(struct summary *summary)
{
	summary->succeeded = g_string_new(NULL);
	summary->skipped = g_string_new(NULL);
	summary->failed = g_string_new(NULL);
	summary->deferred = g_string_new(NULL);
	summary->lines = g_string_new(NULL);
}

static void summary_clear(struct summary *summary)
{
	g_string_free(summary->succeeded, TRUE);
	g_string_free(summary->skipped, TRUE);
	g_string_free(summary->failed, TRUE);
	g_string_free(summary->deferred, TRUE);
	g_string_free(summary->lines, TRUE);
}

static bool is_registered(const struct ks_plan *plan, const char *name)
{
	for (guint i = 0; i < plan->verdicts->len; i++) {
		const struct ks_verdict *verdict = g_ptr_array_index(plan->verdicts, i);

		if (g_str_equal(verdict->target->source->name, name))
			return true;
	}
	return false;
}

static bool is_provided(const struct ks_plan *plan, const char *name, const char *release)
{
	for (guint i = 0; i < plan->verdicts->len; i++) {
		const struct ks_verdict *verdict = g_ptr_array_index(plan->verdicts, i);

		if (g_str_equal(verdict->target->source->name, name) &&
		    g_str_equal(verdict->target->kernel->release, release) &&
		    ks_dkms_is_installed(verdict))
			return true;
	}
	return false;
}

/* A dependency that nobody has registered may come from elsewhere: that is no failure. */
static void collect_waiting(struct summary *summary, const struct ks_plan *plan,
			    const struct ks_verdict *verdict)
{
	const struct ks_target *target = verdict->target;
	g_autoptr(GString) missing = g_string_new(NULL);
	g_autoptr(GString) unknown = g_string_new(NULL);

	for (char **name = target->build_depends; name && *name; name++) {
		if (!is_registered(plan, *name))
			g_string_append_printf(unknown, "%s%s", unknown->len ? " " : "",
					       *name);
		else if (!is_provided(plan, *name, target->kernel->release))
			g_string_append_printf(missing, "%s%s", missing->len ? " " : "",
					       *name);
	}
	if (missing->len || !unknown->len) {
		summary->any_failed = true;
		g_string_append_printf(
			summary->lines,
			"%s/%s autoinstall failed due to missing dependencies: %s.\n",
			target->source->name, target->source->version, missing->str);
		return;
	}
	g_string_append_printf(summary->deferred, " %s/%s", target->source->name,
			       target->source->version);
	g_string_append_printf(summary->lines,
			       "%s/%s autoinstall deferred: BUILD_DEPENDS not registered "
			       "with DKMS: %s.\n",
			       target->source->name, target->source->version,
			       unknown->str);
}

/* Is another version of it used on the kernel, or would it be? */
static bool has_chosen(const struct ks_plan *plan, const struct ks_target *target)
{
	for (guint i = 0; i < plan->verdicts->len; i++) {
		const struct ks_verdict *verdict = g_ptr_array_index(plan->verdicts, i);

		if (verdict->wanted && verdict->target->kernel == target->kernel &&
		    g_str_equal(verdict->target->source->name, target->source->name))
			return true;
	}
	return false;
}

/* Its scripts call this for each kernel that comes: one that nobody boots is no failure. */
static bool is_foreign(const struct ks_verdict *verdict)
{
	return verdict->state == KS_TARGET_WAITING && verdict->wanted &&
	       verdict->target->kernel->is_foreign;
}

/* dkms tries it each time, and finds that its conf does not want the kernel. */
static bool is_skipped(const struct ks_plan *plan, const struct ks_verdict *verdict)
{
	const struct ks_target *target = verdict->target;

	if (is_foreign(verdict))
		return true;
	return verdict->state == KS_TARGET_EXCLUDED &&
	       target->exclusion != KS_CONF_NOT_EXCLUDED &&
	       (target->source->autoinstall || target->source->asked) &&
	       !has_chosen(plan, target);
}

/* Nothing was tried now, since it is known to fail. */
static bool is_hopeless(const struct ks_verdict *verdict)
{
	return verdict->state == KS_TARGET_FAILED || verdict->state == KS_TARGET_BROKEN ||
	       (verdict->state == KS_TARGET_WAITING && verdict->wanted &&
		verdict->reason != KS_REASON_DEPENDS_MISSING);
}

static void collect(struct summary *summary, const struct ks_dkms_speech *speech,
		    const struct ks_plan *plan, const struct ks_verdict *verdict)
{
	const struct ks_target *target = verdict->target;
	const char *name = target->source->name;
	const struct ks_dkms_done *done = ks_dkms_speech_done(
		speech, name, target->source->version, target->kernel->release);
	int code = ks_dkms_code(true, speech, verdict);

	if (done && done->code) {
		summary->any_failed = true;
		g_string_append_printf(summary->failed, " %s(%d)", name, done->code);
	} else if (ks_dkms_is_installed(verdict) || (done && done->built)) {
		g_string_append_printf(summary->succeeded, " %s", name);
	} else if (is_skipped(plan, verdict)) {
		g_string_append_printf(summary->skipped, " %s", name);
	} else if (verdict->state == KS_TARGET_WAITING && verdict->wanted &&
		   verdict->reason == KS_REASON_DEPENDS_MISSING) {
		collect_waiting(summary, plan, verdict);
	} else if (is_hopeless(verdict)) {
		summary->any_failed = true;
		g_string_append_printf(summary->failed, " %s(%d)", name, code);
	}
}

static int print_summary(const struct summary *summary, const char *release)
{
	if (summary->succeeded->len)
		printf("Autoinstall on %s succeeded for module(s)%s.\n", release,
		       summary->succeeded->str);
	if (summary->skipped->len)
		printf("Autoinstall on %s was skipped for module(s)%s.\n", release,
		       summary->skipped->str);
	if (summary->failed->len)
		printf("Autoinstall on %s failed for module(s)%s.\n", release,
		       summary->failed->str);
	fputs(summary->lines->str, stdout);
	if (summary->deferred->len)
		printf("Autoinstall on %s deferred module(s)%s due to BUILD_DEPENDS not "
		       "yet registered with DKMS.\n"
		       "These may be provided externally or by a package not yet "
		       "configured; autoinstall will retry on the next trigger.\n",
		       release, summary->deferred->str);
	if (!summary->any_failed)
		return KS_DKMS_OK;
	return ks_dkms_fail(KS_DKMS_AUTOINSTALL_FAILED,
			    "One or more modules failed to install during autoinstall.\n"
			    "Refer to previous errors for more information.");
}

static void print_block(const struct ks_dkms *dkms, const char *header,
			const struct ks_dkms_speech *speech, const struct ks_plan *plan,
			const struct ks_verdict *verdict)
{
	const struct ks_target *target = verdict->target;
	const struct ks_source *source = target->source;
	const struct ks_kernel *kernel = target->kernel;
	const bool is_done = ks_dkms_speech_done(speech, source->name, source->version,
						 kernel->release) != NULL;

	if (!is_done && !is_skipped(plan, verdict) && !is_hopeless(verdict))
		return;
	printf("%s module %s/%s for kernel %s (%s)\n", header, source->name,
	       source->version, kernel->release, kernel->arch);
	ks_dkms_speech_print(speech, source->name, source->version, kernel->release,
			     true);
	if (is_done)
		ks_dkms_speech_print_failure(speech, source->name, source->version,
					     kernel->release);
	else
		ks_dkms_print_result(dkms, true, speech, verdict);
	puts("");
	fflush(stdout);
}

/*
 * Print what was done to each module on a kernel, with a header ("Autoinstall
 * of"); returns 0 or 11.
 */
static int print_all(const struct ks_dkms *dkms, const char *header,
		     const struct ks_dkms_speech *speech, const struct ks_plan *plan,
		     const char *release)
{
	struct summary summary = {0};
	int code;

	summary_init(&summary);
	for (guint i = 0; i < plan->verdicts->len; i++) {
		const struct ks_verdict *verdict = g_ptr_array_index(plan->verdicts, i);

		if (!g_str_equal(verdict->target->kernel->release, release))
			continue;
		print_block(dkms, header, speech, plan, verdict);
		collect(&summary, speech, plan, verdict);
	}
	code = print_summary(&summary, release);
	if (!code && ks_dkms_speech_depmod_failed(speech, release))
		code = KS_DKMS_INSTALL_FAILED;
	summary_clear(&summary);
	return code;
}

/* All kernels that the run was about, newest first. */
static int print_kernels(const struct ks_dkms *dkms, const char *header,
			 const struct ks_dkms_speech *speech,
			 const struct ks_outcome *outcome, const char *release)
{
	const GPtrArray *kernels = outcome->inventory->kernels;
	int code = KS_DKMS_OK;

	for (guint i = 0; i < kernels->len; i++) {
		const struct ks_kernel *kernel = g_ptr_array_index(kernels, i);
		int one;

		if (!kernel->alive || (release && !g_str_equal(kernel->release, release)))
			continue;
		one = print_all(dkms, header, speech, outcome->plan, kernel->release);
		code = code ? code : one;
	}
	return code;
}

static bool has_kernel(const struct ks_inventory *inventory, const char *release)
{
	for (guint i = 0; i < inventory->kernels->len; i++) {
		const struct ks_kernel *kernel = g_ptr_array_index(inventory->kernels, i);

		if (kernel->alive && g_str_equal(kernel->release, release))
			return true;
	}
	return false;
}

static bool has_wanted(const struct ks_inventory *inventory)
{
	for (guint i = 0; i < inventory->sources->len; i++) {
		const struct ks_source *source = g_ptr_array_index(inventory->sources, i);

		if (source->present && (source->autoinstall || source->asked))
			return true;
	}
	return false;
}

static int run_all(struct ks_dkms *dkms, const char *command, const char *header,
		   struct ks_dkms_job job, const struct ks_plan_request *request)
{
	ks_auto(ks_dkms_speech) speech = ks_dkms_speech_new(dkms, job, true);
	ks_auto(ks_outcome) outcome = NULL;
	int code = ks_dkms_run_engine(dkms, command, request, speech, &outcome);

	if (!outcome)
		return code;
	ks_dkms_speech_print_prologue(speech);
	if (request->release && has_wanted(outcome->inventory) &&
	    !has_kernel(outcome->inventory, request->release))
		return ks_dkms_fail_no_headers(dkms, request->release);
	return print_kernels(dkms, header, speech, outcome, request->release);
}

int ks_dkms_autoinstall(struct ks_dkms *dkms)
{
	/* a failure that it prints is one that it has met */
	struct ks_plan_request request = {.retry_failed = true};

	if (dkms->cli.settings->no_autoinstall) {
		puts("Automatic installation of modules has been disabled.");
		return KS_DKMS_OK;
	}
	if (ks_dkms_leave_to_end("dkms autoinstall") ||
	    ks_run_queue_if_held_above(&dkms->cli, "dkms autoinstall"))
		return KS_DKMS_OK;
	if (!dkms->options->all)
		request.release = g_ptr_array_index(dkms->options->kernels, 0);
	return run_all(dkms, "dkms autoinstall", "Autoinstall of", ks_dkms_job(dkms),
		       &request);
}

int ks_dkms_build_all(struct ks_dkms *dkms, bool install)
{
	const struct ks_dkms_job job = ks_dkms_job(dkms);
	const struct ks_plan_request request = {
		.module = job.module,
		.version = job.version,
		.force = job.force,
		.ignore_depends = job.force,
		.retry_failed = true,
		.goal = install ? KS_GOAL_INSTALL : KS_GOAL_BUILD,
	};
	const char *command = install ? "dkms install" : "dkms build";

	if (ks_dkms_leave_to_end(command) ||
	    ks_run_queue_if_held_above(&dkms->cli, command))
		return KS_DKMS_OK;
	return run_all(dkms, command, install ? "Installing" : "Building", job, &request);
}
