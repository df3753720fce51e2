/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The running builds: the request of each, its steps, and what is remembered of
 * its end.
 */
#include "core/engine/dep-marks.h"
#include "core/engine/estimate.h"
#include "core/engine/executor-private.h"
#include "core/engine/depends-symvers.h"
#include "core/install/install.h"
#include "core/kernel/surroundings.h"
#include "core/support/error.h"
#include "core/support/treeop.h"

#define TICK_US G_USEC_PER_SEC

void ks_running_free(gpointer data)
{
	struct ks_running *running = data;

	ks_build_free(running->build);
	g_free(running->dest_dir);
	g_free(running->source_digest);
	g_strfreev(running->extra_symvers);
	g_free(running);
}

static char *find_memo(void *data)
{
	const struct ks_running *running = data;

	return ks_memos_find(running->memos, running->request.kernel);
}

/*
 * A script of the module itself (POST_ADD, POST_INSTALL) may have changed its source
 * since the run began. It is built as it is now; the fingerprint is not of that, so the
 * store is not concerned, and the next run builds it again.
 */
static void look_at_source_again(const struct ks_executor *executor,
				 const struct ks_target *target,
				 struct ks_running *running)
{
	struct ks_build_request *request = &running->request;

	if (!g_hash_table_contains(executor->context.scripted, target->source))
		return;
	running->source_digest =
		ks_digest_tree(executor->cache, target->source->path, NULL);
	if (g_strcmp0(running->source_digest, target->source_digest) == 0)
		return;
	request->source_digest = running->source_digest;
	request->use_store = request->keep_in_store = false;
}

static bool prepares(const struct ks_executor *executor)
{
	return executor->context.options->request.goal == KS_GOAL_PREPARE;
}

static struct ks_running *make_request(const struct ks_executor *executor, guint index)
{
	const struct ks_target *target = ks_executor_action(executor, index)->target;
	const struct ks_system *system = executor->context.system;
	const char *override = ks_install_dest_override(system);
	struct ks_running *running = g_new0(struct ks_running, 1);

	running->index = index;
	running->files_known =
		ks_estimate_files(system, executor->context.inventory, target);
	running->extra_symvers =
		ks_symvers_find(system, executor->context.inventory, target);
	running->memos = executor->memos;
	if (override)
		running->dest_dir =
			g_strdup_printf("%s%s", target->kernel->modules_dir, override);
	running->request = (struct ks_build_request){
		.module = target->source->name,
		.version = target->source->version,
		.source_dir = target->source->path,
		.kernel = target->kernel,
		.conf = target->conf,
		.fingerprint = target->fingerprint,
		.source_digest = target->source_digest,
		.override_digest = target->override_digest,
		.kernel_fingerprint = target->kernel_fingerprint,
		.dest_dir = running->dest_dir,
		.extra_symvers = (const char *const *)running->extra_symvers,
		.private_build = executor->can_mount,
		.find_memo = find_memo,
		.find_memo_data = running,
		.use_store = executor->context.settings->cache_size_mib &&
			     !executor->context.options->request.force,
		/* others may be built upon it in this run */
		.keep_in_store = executor->context.settings->cache_size_mib != 0 ||
				 prepares(executor),
		.is_trial = prepares(executor),
		.keeps_log = true,
		.digests = executor->cache,
		.other_store = executor->host,
	};
	look_at_source_again(executor, target, running);
	return running;
}

/* A build has reached another step: two patches are two. */
static void notify_step(struct ks_executor *executor, struct ks_running *running)
{
	const char *name = ks_build_step(running->build);
	const char *description = ks_build_step_description(running->build);
	const char *step = description ? description : name;
	const struct ks_action *action = ks_executor_action(executor, running->index);
	bool is_executable;

	if (running->step == step)
		return;
	running->step = step;
	is_executable = ks_build_step_is_executable(running->build);
	ks_executor_notify(
		executor,
		(struct ks_event){.kind = KS_EVENT_ACTION_STEP,
				  .action = action,
				  .text = name,
				  .description = is_executable ? description : NULL,
				  .command = ks_build_step_command(running->build)});
	if (!is_executable)
		ks_executor_notify(executor, (struct ks_event){.kind = KS_EVENT_NO_SCRIPT,
							       .action = action,
							       .text = name});
}

/* Before all the compiling, which would be in vain where signing fails. */
static bool find_signing(struct ks_executor *executor, const struct ks_action *action,
			 const struct ks_signing **signing, GError **error)
{
	bool first;

	*signing = ks_signings_get(executor->context.signings, action->target->kernel,
				   &first);
	ks_executor_notify(executor, (struct ks_event){.kind = KS_EVENT_SIGNING,
						       .action = action,
						       .signing = *signing,
						       .first = first});
	if (!ks_signing_is_fatal(*signing, error))
		return true;
	executor->context.outcome->n_failed++;
	return false;
}

bool ks_executor_start_build(struct ks_executor *executor, guint index, GError **error)
{
	const struct ks_action *action = ks_executor_action(executor, index);
	const struct ks_signing *signing = NULL;
	struct ks_running *running;

	if (!prepares(executor) && !find_signing(executor, action, &signing, error))
		return false;
	ks_memos_start(executor->memos, action->target->kernel);
	running = make_request(executor, index);
	running->request.signing = signing;

	running->build =
		ks_build_start(executor->context.system, executor->context.settings,
			       executor->jobserver, &running->request, error);
	if (!running->build) {
		ks_running_free(running);
		return false;
	}
	g_ptr_array_add(executor->running, running);
	ks_executor_notify(
		executor, (struct ks_event){.kind = KS_EVENT_ACTION_START,
					    .action = ks_executor_action(executor, index),
					    .text = ks_build_step(running->build)});
	notify_step(executor, running);
	return true;
}

static bool is_without_sandbox(const struct ks_executor *executor,
			       const struct ks_target *target)
{
	return ks_settings_get_sandbox(executor->context.settings,
				       target->source->name) == KS_SANDBOX_OFF;
}

static bool store_failure(struct ks_executor *executor, const struct ks_target *target,
			  const struct ks_build_result *result, GError **error)
{
	const struct ks_plan_request *request = &executor->context.options->request;
	const bool is_asked = request->retry_failed || request->force;
	g_autofree char *surroundings =
		ks_kernel_surroundings(executor->context.system, target->kernel);
	struct ks_failure failure = {
		.fingerprint = target->fingerprint,
		.reason = result->reason,
		.step = result->step,
		.first_error =
			result->first_error ? result->first_error : result->message,
		.log_path = result->failure_log_path,
		.hint = result->hint,
		.without_sandbox = is_without_sandbox(executor, target),
		.failed_at_us = g_get_real_time(),
		.surroundings = surroundings};

	ks_failure_continue(&failure, is_asked ? NULL : target->failure,
			    result->duration_ms);
	executor->context.outcome->n_failed++;
	if (result->outside) {
		g_propagate_error(error, g_error_copy(result->outside));
		return false;
	}
	if (!ks_failure_store(executor->context.system, &failure, target->source->name,
			      target->source->version, target->kernel->release,
			      target->kernel->arch, error))
		return false;
	ks_error_set(error,
		     result->reason == KS_REASON_VERIFY_FAILED ? KS_ERROR_VERIFY_FAILED
							       : KS_ERROR_BUILD_FAILED,
		     "build failed: %s", result->message);
	if (result->hint)
		ks_error_hint(error, "%s", result->hint);
	return false;
}

/* Is another target of the plan built upon it? */
static bool has_dependants(const struct ks_executor *executor,
			   const struct ks_target *target)
{
	for (guint i = 0; i < executor->plan->actions->len; i++) {
		const struct ks_action *action = ks_executor_action(executor, i);

		for (guint j = 0; j < action->needs->len; j++)
			if (ks_executor_action(executor,
					       g_array_index(action->needs, guint, j))
				    ->target == target)
				return true;
	}
	return false;
}

/* Makefiles look for it where it will be; it is there for as long as they are built. */
static bool lend_artifact(struct ks_executor *executor, struct ks_target *target,
			  const struct ks_build_result *result, GError **error)
{
	struct ks_outcome *outcome = executor->context.outcome;
	const struct ks_source *source = target->source;
	const struct ks_kernel *kernel = target->kernel;

	if (!outcome->lent)
		outcome->lent = g_ptr_array_new();
	g_ptr_array_add(outcome->lent, target);
	return ks_tree_publish(executor->context.system, source->name, source->version,
			       kernel->release, kernel->arch, result->staged_dir, error);
}

/* The store has the modules: the artifact itself is made again when the kernel is there. */
static bool drop_artifact(struct ks_executor *executor, struct ks_target *target,
			  const struct ks_build_result *result, GError **error)
{
	const struct ks_system *system = executor->context.system;
	struct ks_outcome *outcome = executor->context.outcome;
	g_autofree char *release_dir = g_path_get_dirname(result->staged_dir);
	g_autofree char *entry = g_path_get_dirname(release_dir);

	if (!outcome->prepared)
		outcome->prepared =
			g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_hash_table_add(outcome->prepared, g_strdup(target->fingerprint));
	if (has_dependants(executor, target) && !target->artifact)
		return lend_artifact(executor, target, result, error);
	return ks_treeop_remove(system->root, result->staged_dir, error) &&
	       ks_treeop_prune_empty(system->root, release_dir, entry, error);
}

static bool store_success(struct ks_executor *executor, struct ks_target *target,
			  const struct ks_build_result *result, GError **error)
{
	const struct ks_system *system = executor->context.system;
	const struct ks_source *source = target->source;
	const struct ks_kernel *kernel = target->kernel;

	executor->context.outcome->n_built++;
	executor->context.outcome->n_reused += result->reused;
	if (prepares(executor))
		return drop_artifact(executor, target, result, error) &&
		       ks_failure_clear(system, source->name, source->version,
					kernel->release, kernel->arch, error);
	return ks_tree_publish(system, source->name, source->version, kernel->release,
			       kernel->arch, result->staged_dir, error) &&
	       ks_dep_marks_write(system, target, error) &&
	       ks_failure_clear(system, source->name, source->version, kernel->release,
				kernel->arch, error);
}

static void finish_build(struct ks_executor *executor, struct ks_running *running,
			 struct ks_build_result *build_result)
{
	ks_auto(ks_build_result) result = build_result;
	const struct ks_action *action = ks_executor_action(executor, running->index);
	guint index = running->index;
	g_autoptr(GError) error = NULL;
	bool ok;

	ks_executor_report_ended(executor, running, result);
	g_ptr_array_remove_fast(executor->running, running);
	/* nothing while other builds or memos have one */
	ks_jobserver_refill(executor->jobserver);
	ok = result->ok ? store_success(executor, action->target, result, &error)
			: store_failure(executor, action->target, result, &error);
	ks_executor_end_action(executor, index, ok ? KS_STATUS_DONE : KS_STATUS_FAILED,
			       error, result);
}

void ks_executor_advance_build(struct ks_executor *executor, struct ks_running *running)
{
	struct ks_build_result *result = NULL;

	if (ks_build_advance(running->build, &result))
		finish_build(executor, running, result);
	else
		notify_step(executor, running);
}

/* Once a tick, however busy the loop is. */
void ks_executor_check_limits(struct ks_executor *executor)
{
	const gint64 now_us = g_get_monotonic_time();

	if (now_us - executor->limits_checked_us < TICK_US)
		return;
	executor->limits_checked_us = now_us;
	if (executor->jobserver)
		ks_jobserver_balance(executor->jobserver);
	for (guint i = 0; i < executor->running->len; i++) {
		struct ks_running *running = g_ptr_array_index(executor->running, i);

		ks_build_check_limits(running->build);
		ks_executor_report_progress(executor, running);
	}
}
