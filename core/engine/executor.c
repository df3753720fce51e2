/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One poll loop over the builds; the other actions run between its turns. */
#include "core/engine/executor.h"

#include <errno.h>
#include <poll.h>

#include "core/build/build.h"
#include "core/build/memory.h"
#include "core/build/store.h"
#include "core/build/wrapper.h"
#include "core/engine/action.h"
#include "core/engine/dep-marks.h"
#include "core/engine/estimate.h"
#include "core/engine/indexing.h"
#include "core/engine/memos.h"
#include "core/engine/symvers.h"
#include "core/install/install.h"
#include "core/sandbox/sandbox.h"
#include "core/support/error.h"

#define TICK_MS 1000

struct running {
	guint index; /* of the action */
	struct ks_build *build;
	struct ks_build_request request;
	char *dest_dir;
	char **extra_symvers;
	struct ks_memos *memos;
	guint files_known;
	const char *step; /* description, or name */
};

struct ks_executor {
	struct ks_action_context context;
	const struct ks_plan *plan;
	enum ks_action_status *status; /* one per action */
	gint64 *weight_ms; /* of builds: what is known to depend on its end, itself
			      included */
	struct ks_jobserver *jobserver;
	struct ks_digest_cache *cache;
	struct ks_memos *memos;
	struct ks_indexing *indexing;
	struct ks_system *host; /* its store serves other roots; NULL when it is ours */
	GPtrArray *running;	/* struct running */
	unsigned int max_builds;
	unsigned int n_ended;
	bool can_mount;
	bool keep_all; /* take nothing away that only looks gone */
	bool is_sandbox_told;
	gint64 limits_checked_us;
};

static void running_free(gpointer data)
{
	struct running *running = data;

	if (running->build)
		ks_build_free(running->build);
	g_free(running->dest_dir);
	g_strfreev(running->extra_symvers);
	g_free(running);
}

struct ks_executor *ks_executor_new(const struct ks_system *system,
				    const struct ks_settings *settings,
				    const struct ks_run_options *options,
				    const struct ks_inventory *inventory,
				    const struct ks_plan *plan,
				    struct ks_digest_cache *cache,
				    struct ks_outcome *outcome)
{
	struct ks_executor *executor = g_new0(struct ks_executor, 1);

	executor->context =
		(struct ks_action_context){.system = system,
					   .settings = settings,
					   .options = options,
					   .inventory = inventory,
					   .outcome = outcome,
					   .signings = ks_signings_new(system, settings)};
	executor->plan = plan;
	executor->cache = cache;
	/* the file system of the sources may not be mounted yet */
	executor->keep_all = g_strcmp0(options->trigger, "boot") == 0;
	executor->status = g_new0(enum ks_action_status, plan->actions->len);
	executor->running = g_ptr_array_new_with_free_func(running_free);
	executor->indexing = ks_indexing_new(system);
	return executor;
}

void ks_executor_keep_all(struct ks_executor *executor)
{
	executor->keep_all = true;
}

void ks_executor_free(struct ks_executor *executor)
{
	g_ptr_array_unref(executor->running);
	ks_indexing_free(executor->indexing);
	if (executor->host)
		ks_system_free(executor->host);
	if (executor->memos)
		ks_memos_free(executor->memos);
	if (executor->jobserver)
		ks_jobserver_free(executor->jobserver);
	ks_signings_free(executor->context.signings);
	g_free(executor->status);
	g_free(executor->weight_ms);
	g_free(executor);
}

static const struct ks_action *get_action(const struct ks_executor *executor, guint index)
{
	return g_ptr_array_index(executor->plan->actions, index);
}

static void notify(const struct ks_executor *executor, struct ks_event event)
{
	const struct ks_run_options *options = executor->context.options;

	event.done = executor->n_ended;
	event.total = executor->plan->actions->len;
	if (options->observer)
		options->observer(&event, options->observer_data);
}

static void end_action(struct ks_executor *executor, guint index,
		       enum ks_action_status status, const GError *error,
		       const struct ks_build_result *result)
{
	executor->status[index] = status;
	executor->n_ended++;
	if (status == KS_STATUS_SKIPPED)
		return;
	if (status == KS_STATUS_FAILED)
		executor->context.outcome->n_failed_actions++;
	notify(executor,
	       (struct ks_event){.kind = status == KS_STATUS_DONE
						 ? KS_EVENT_ACTION_DONE
						 : KS_EVENT_ACTION_FAILED,
				 .action = get_action(executor, index),
				 .error = error,
				 .first_error = result ? result->first_error : NULL,
				 .result = result});
}

static bool has_ended(enum ks_action_status status)
{
	return status != KS_STATUS_PENDING && status != KS_STATUS_RUNNING;
}

enum readiness { READY, NOT_YET, NEVER };

static enum readiness get_readiness(const struct ks_executor *executor,
				    const struct ks_action *action)
{
	for (guint i = 0; action->needs && i < action->needs->len; i++) {
		guint needed = g_array_index(action->needs, guint, i);

		if (!has_ended(executor->status[needed]))
			return NOT_YET;
		if (executor->status[needed] != KS_STATUS_DONE)
			return NEVER;
	}
	for (guint i = 0; action->after && i < action->after->len; i++)
		if (!has_ended(executor->status[g_array_index(action->after, guint, i)]))
			return NOT_YET;
	return READY;
}

/*
 * While a package manager runs, the other packages of the transaction may be half
 * unpacked: what looks gone may be back at its end.
 */
static bool is_left_to_later(const struct ks_executor *executor,
			     const struct ks_action *action)
{
	switch (action->kind) {
	case KS_ACTION_UNINSTALL:
	case KS_ACTION_UNBUILD:
	case KS_ACTION_REMOVE:
		/* what was asked for by name does not only look gone */
		return executor->context.options->no_record ||
		       (executor->keep_all && action->reason != KS_REASON_REQUESTED);
	case KS_ACTION_RECORD:
		return true; /* the engine's, after everything */
	default:
		return false;
	}
}

static char *find_memo(void *data)
{
	const struct running *running = data;

	return ks_memos_find(running->memos, running->request.kernel);
}

static struct running *make_request(const struct ks_executor *executor, guint index)
{
	const struct ks_target *target = get_action(executor, index)->target;
	const struct ks_system *system = executor->context.system;
	const char *override = ks_install_dest_override(system);
	struct running *running = g_new0(struct running, 1);

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
		.dest_dir = running->dest_dir,
		.extra_symvers = (const char *const *)running->extra_symvers,
		.private_build = executor->can_mount,
		.find_memo = find_memo,
		.find_memo_data = running,
		.use_store = executor->context.settings->cache_size_mib &&
			     !executor->context.options->request.force,
		.keep_in_store = executor->context.settings->cache_size_mib != 0,
		.other_store = executor->host,
	};
	return running;
}

/* A build has come to another step: two patches are two. */
static void notify_step(struct ks_executor *executor, struct running *running)
{
	const char *name = ks_build_step(running->build);
	const char *description = ks_build_step_description(running->build);
	const char *step = description ? description : name;
	const struct ks_action *action = get_action(executor, running->index);
	bool is_executable;

	if (running->step == step)
		return;
	running->step = step;
	is_executable = ks_build_step_is_executable(running->build);
	notify(executor,
	       (struct ks_event){.kind = KS_EVENT_ACTION_STEP,
				 .action = action,
				 .text = name,
				 .description = is_executable ? description : NULL,
				 .command = ks_build_step_command(running->build)});
	if (!is_executable)
		notify(executor, (struct ks_event){.kind = KS_EVENT_NO_SCRIPT,
						   .action = action,
						   .text = name});
}

static bool start_build(struct ks_executor *executor, guint index, GError **error)
{
	const struct ks_action *action = get_action(executor, index);
	bool first;
	const struct ks_signing *signing = ks_signings_get(
		executor->context.signings, action->target->kernel, &first);
	struct running *running;

	notify(executor, (struct ks_event){.kind = KS_EVENT_SIGNING,
					   .action = action,
					   .signing = signing,
					   .first = first});
	/* before all the compiling, which would be in vain */
	if (ks_signing_is_fatal(signing, error)) {
		executor->context.outcome->n_failed++;
		return false;
	}
	ks_memos_start(executor->memos, action->target->kernel);
	running = make_request(executor, index);
	running->request.signing = signing;

	running->build =
		ks_build_start(executor->context.system, executor->context.settings,
			       executor->jobserver, &running->request, error);
	if (!running->build) {
		running_free(running);
		return false;
	}
	executor->status[index] = KS_STATUS_RUNNING;
	g_ptr_array_add(executor->running, running);
	notify(executor, (struct ks_event){.kind = KS_EVENT_ACTION_START,
					   .action = get_action(executor, index),
					   .text = ks_build_step(running->build)});
	notify_step(executor, running);
	return true;
}

/* True when its end is to be waited for. */
static bool start_depmod(struct ks_executor *executor, guint index, bool *ok,
			 GError **error)
{
	bool runs = false;

	*ok = executor->context.options->no_depmod ||
	      ks_indexing_start(executor->indexing, index, get_action(executor, index),
				&runs, error);
	if (runs)
		executor->status[index] = KS_STATUS_RUNNING;
	return runs;
}

static void finish_depmods(struct ks_executor *executor, bool wait)
{
	GError *failure = NULL;
	guint index;

	while (ks_indexing_take(executor->indexing, wait, &index, &failure)) {
		end_action(executor, index, failure ? KS_STATUS_FAILED : KS_STATUS_DONE,
			   failure, NULL);
		g_clear_error(&failure);
	}
}

static void run_now(struct ks_executor *executor, guint index)
{
	const struct ks_action *action = get_action(executor, index);
	g_autoptr(GError) error = NULL;
	bool ok;

	if (action->kind == KS_ACTION_BUILD) {
		if (!start_build(executor, index, &error))
			end_action(executor, index, KS_STATUS_FAILED, error, NULL);
		return;
	}
	notify(executor,
	       (struct ks_event){.kind = KS_EVENT_ACTION_START, .action = action});
	if (action->kind != KS_ACTION_DEPMOD)
		ok = ks_action_run(&executor->context, action, &error);
	else if (start_depmod(executor, index, &ok, &error))
		return;
	end_action(executor, index, ok ? KS_STATUS_DONE : KS_STATUS_FAILED, error, NULL);
}

/* --- which build comes next */

static gint64 get_weight(const struct ks_executor *executor, guint index)
{
	return executor->weight_ms[index];
}

/*
 * From the end of the plan: an action needs only earlier ones. The longest chain
 * that begins with a build is what the whole run cannot be shorter than.
 */
static void weigh(struct ks_executor *executor)
{
	const guint n = executor->plan->actions->len;

	executor->weight_ms = g_new0(gint64, n);
	for (guint i = n; i-- > 0;) {
		const struct ks_action *action = get_action(executor, i);

		if (action->kind == KS_ACTION_BUILD)
			executor->weight_ms[i] += ks_estimate_duration_ms(
				executor->context.inventory, action->target);
		for (guint j = 0; action->needs && j < action->needs->len; j++) {
			guint needed = g_array_index(action->needs, guint, j);

			executor->weight_ms[needed] =
				MAX(executor->weight_ms[needed], executor->weight_ms[i]);
		}
	}
}

static bool is_startable(const struct ks_executor *executor, guint index)
{
	return executor->status[index] == KS_STATUS_PENDING &&
	       get_action(executor, index)->kind == KS_ACTION_BUILD &&
	       get_readiness(executor, get_action(executor, index)) == READY;
}

/*
 * The kernel that will boot comes first in the plan, and its modules before those of
 * others; of one kernel's the longest chain first, so that it is not what everything
 * waits for in the end.
 */
static guint choose_build(const struct ks_executor *executor, guint first)
{
	const struct ks_kernel *kernel = get_action(executor, first)->kernel;
	guint best = first;

	for (guint i = first + 1; i < executor->plan->actions->len; i++)
		if (get_action(executor, i)->kernel == kernel &&
		    is_startable(executor, i) &&
		    get_weight(executor, i) > get_weight(executor, best))
			best = i;
	return best;
}

/* Start or run the first action that can. False when none can now. */
static bool schedule_one(struct ks_executor *executor)
{
	for (guint i = 0; i < executor->plan->actions->len; i++) {
		const struct ks_action *action = get_action(executor, i);

		if (executor->status[i] != KS_STATUS_PENDING)
			continue;
		if (is_left_to_later(executor, action)) {
			end_action(executor, i, KS_STATUS_SKIPPED, NULL, NULL);
			return true;
		}
		switch (get_readiness(executor, action)) {
		case NEVER:
			end_action(executor, i, KS_STATUS_SKIPPED, NULL, NULL);
			return true;
		case READY:
			if (action->kind == KS_ACTION_BUILD &&
			    executor->running->len >= executor->max_builds)
				break;
			if (action->kind == KS_ACTION_BUILD)
				i = choose_build(executor, i);
			run_now(executor, i);
			return true;
		case NOT_YET:
			break;
		}
	}
	return false;
}

static bool store_failure(struct ks_executor *executor, const struct ks_target *target,
			  const struct ks_build_result *result, GError **error)
{
	struct ks_quarantine quarantine = {.fingerprint = target->fingerprint,
					   .reason = result->reason,
					   .step = result->step,
					   .first_error = result->first_error
								  ? result->first_error
								  : result->message,
					   .log_path = result->log_path,
					   .failed_at_us = g_get_real_time()};

	executor->context.outcome->n_failed++;
	if (result->outside) {
		g_propagate_error(error, g_error_copy(result->outside));
		return false;
	}
	if (!ks_quarantine_store(executor->context.system, &quarantine,
				 target->source->name, target->source->version,
				 target->kernel->release, target->kernel->arch, error))
		return false;
	ks_error_set(error,
		     result->reason == KS_REASON_VERIFY_FAILED ? KS_ERROR_VERIFY_FAILED
							       : KS_ERROR_BUILD_FAILED,
		     "build failed: %s", result->message);
	return false;
}

static bool store_success(struct ks_executor *executor, const struct ks_target *target,
			  const struct ks_build_result *result, GError **error)
{
	const struct ks_system *system = executor->context.system;
	const struct ks_source *source = target->source;
	const struct ks_kernel *kernel = target->kernel;

	executor->context.outcome->n_built++;
	executor->context.outcome->n_reused += result->reused;
	return ks_tree_publish(system, source->name, source->version, kernel->release,
			       kernel->arch, result->staged_dir, error) &&
	       ks_dep_marks_write(system, target, error) &&
	       ks_quarantine_clear(system, source->name, source->version, kernel->release,
				   kernel->arch, error);
}

/* Once a run: it is the machine's, and the same for all builds. */
static void tell_layers(struct ks_executor *executor, unsigned int layers)
{
	g_autofree char *active = ks_sandbox_layers_to_string(layers);
	g_autofree char *missing = ks_sandbox_layers_to_string(
		KS_SANDBOX_LAYERS_ALL & ~KS_SANDBOX_LAYERS_OPTIONAL & ~layers);
	g_autofree char *text = NULL;

	/* 0: no step came so far as to have any */
	if (!layers || executor->is_sandbox_told)
		return;
	executor->is_sandbox_told = true;
	notify(executor, (struct ks_event){.kind = KS_EVENT_SANDBOX, .text = active});
	if (!*missing)
		return;
	text = g_strdup_printf("sandbox: not available here: %s; building without",
			       missing);
	notify(executor, (struct ks_event){.kind = KS_EVENT_WARNING, .text = text});
}

static void tell_signed(const struct ks_executor *executor,
			const struct ks_action *action, const struct ks_signing *signing,
			const struct ks_build_result *result)
{
	if (!result->ok)
		return;
	notify(executor, (struct ks_event){.kind = KS_EVENT_SIGNED,
					   .action = action,
					   .signing = signing,
					   .manifest = result->manifest});
	for (guint i = 0; i < result->warnings->len; i++) {
		const GError *warning = result->warnings->pdata[i];

		notify(executor, (struct ks_event){.kind = KS_EVENT_SIGN_FAILED,
						   .action = action,
						   .signing = signing,
						   .text = warning->message,
						   .error = warning});
	}
}

static void tell_unresolved(const struct ks_executor *executor,
			    const struct ks_action *action,
			    const struct ks_build_result *result)
{
	const struct ks_target *target = action->target;
	g_autofree char *unresolved = ks_manifest_unresolved(result->manifest);
	g_autofree char *text = NULL;

	if (!unresolved)
		return;
	text = g_strdup_printf("%s/%s on %s: not every module of it can be loaded: %s",
			       target->source->name, target->source->version,
			       target->kernel->release, unresolved);
	notify(executor, (struct ks_event){.kind = KS_EVENT_WARNING, .text = text});
}

static void finish_build(struct ks_executor *executor, struct running *running,
			 struct ks_build_result *build_result)
{
	ks_auto(ks_build_result) result = build_result;
	const struct ks_action *action = get_action(executor, running->index);
	guint index = running->index;
	g_autoptr(GError) error = NULL;
	bool ok;

	if (ks_settings_get_sandbox(executor->context.settings,
				    action->target->source->name) != KS_SANDBOX_OFF)
		tell_layers(executor, result->layers);
	tell_signed(executor, action, running->request.signing, result);
	tell_unresolved(executor, action, result);
	g_ptr_array_remove_fast(executor->running, running);
	/* nothing while other builds or memos have one */
	ks_jobserver_refill(executor->jobserver);
	ok = result->ok ? store_success(executor, action->target, result, &error)
			: store_failure(executor, action->target, result, &error);
	end_action(executor, index, ok ? KS_STATUS_DONE : KS_STATUS_FAILED, error,
		   result);
}

static void advance(struct ks_executor *executor, struct running *running)
{
	struct ks_build_result *result = NULL;

	if (ks_build_advance(running->build, &result))
		finish_build(executor, running, result);
	else
		notify_step(executor, running);
}

static void tell_progress(const struct ks_executor *executor,
			  const struct running *running)
{
	const struct ks_action *action = get_action(executor, running->index);

	notify(executor, (struct ks_event){
				 .kind = KS_EVENT_ACTION_PROGRESS,
				 .action = action,
				 .files_done = ks_build_files_done(running->build),
				 .files_known = running->files_known,
				 .estimate_ms = ks_estimate_duration_ms(
					 executor->context.inventory, action->target),
			 });
}

/* Once a tick, however busy the loop is. */
static void check_limits(struct ks_executor *executor)
{
	const gint64 now_us = g_get_monotonic_time();

	if (now_us - executor->limits_checked_us < TICK_MS * 1000)
		return;
	executor->limits_checked_us = now_us;
	for (guint i = 0; i < executor->running->len; i++) {
		struct running *running = g_ptr_array_index(executor->running, i);

		ks_build_check_limits(running->build);
		tell_progress(executor, running);
	}
}

/* Wait for a build's step or a depmod to end, at most a tick; go on with what did. */
static bool wait_for_builds(struct ks_executor *executor, GError **error)
{
	const guint n = executor->running->len;
	const guint n_memos = executor->memos ? ks_memos_count(executor->memos) : 0;
	const guint n_fds = n + n_memos + ks_indexing_count(executor->indexing);
	g_autofree struct pollfd *fds = g_new0(struct pollfd, n_fds);
	g_autofree struct running **running = g_new0(struct running *, n);
	int n_ready;

	for (guint i = 0; i < n; i++) {
		running[i] = g_ptr_array_index(executor->running, i);
		fds[i].fd = ks_build_poll_fd(running[i]->build);
		fds[i].events = POLLIN;
	}
	if (n_memos)
		ks_memos_poll(executor->memos, fds + n, n_memos);
	ks_indexing_poll(executor->indexing, fds + n + n_memos);
	n_ready = poll(fds, n_fds, TICK_MS);
	if (n_ready < 0 && errno != EINTR) {
		ks_error_set_errno(error, errno, "cannot wait for the builds");
		return false;
	}
	if (n_ready == 0)
		notify(executor, (struct ks_event){.kind = KS_EVENT_TICK});
	check_limits(executor);
	if (n_ready > 0 && n_memos)
		ks_memos_advance(executor->memos);
	if (n_ready > 0)
		finish_depmods(executor, false);
	for (guint i = 0; n_ready > 0 && i < n; i++)
		if (fds[i].revents)
			advance(executor, running[i]);
	return true;
}

static void cancel_all(struct ks_executor *executor)
{
	for (guint i = 0; i < executor->running->len; i++) {
		struct running *running = g_ptr_array_index(executor->running, i);

		ks_build_cancel(running->build);
	}
	g_ptr_array_set_size(executor->running, 0);
	/* it is a matter of a second, and half an index is none */
	finish_depmods(executor, true);
}

static bool is_cancelled(const struct ks_executor *executor)
{
	const bool *cancelled = executor->context.options->cancelled;

	return cancelled && *(const volatile bool *)cancelled;
}

static bool prepare_builds(struct ks_executor *executor, GError **error)
{
	unsigned int n_jobs = executor->context.settings->n_jobs;
	bool any = false;

	for (guint i = 0; i < executor->plan->actions->len && !any; i++)
		any = get_action(executor, i)->kind == KS_ACTION_BUILD;
	if (!any)
		return true;
	if (!n_jobs)
		n_jobs = g_get_num_processors();
	n_jobs = ks_memory_limit_jobs(n_jobs,
				      executor->context.settings->memory_per_job_mib);
	weigh(executor);
	executor->max_builds = n_jobs + 1; /* one prepares while the others compile */
	executor->can_mount = ks_sandbox_can_mount(executor->context.system);
	executor->jobserver = ks_jobserver_new(n_jobs, error);
	if (!executor->jobserver || !ks_wrapper_place(executor->context.system, error))
		return false;
	if (!ks_root_is_host(executor->context.system->root))
		executor->host = ks_system_new("/", NULL);
	executor->memos = ks_memos_new(
		executor->context.system, executor->context.settings, executor->jobserver,
		executor->cache, executor->plan, executor->context.inventory->kernels);
	return true;
}

/* The store is trimmed once a run; an entry too many for a while does no harm. */
static void end_builds(const struct ks_executor *executor)
{
	if (executor->jobserver)
		ks_store_trim(executor->context.system,
			      (guint64)executor->context.settings->cache_size_mib << 20,
			      NULL, NULL);
}

bool ks_executor_run(struct ks_executor *executor, GError **error)
{
	if (!prepare_builds(executor, error))
		return false;
	for (;;) {
		while (!is_cancelled(executor) && schedule_one(executor))
			;
		if (is_cancelled(executor)) {
			cancel_all(executor);
			ks_error_set(error, KS_ERROR_CANCELLED,
				     "interrupted; the next run does the rest");
			return false;
		}
		if (!executor->running->len && !ks_indexing_count(executor->indexing)) {
			end_builds(executor);
			return true;
		}
		if (!wait_for_builds(executor, error)) {
			cancel_all(executor);
			return false;
		}
	}
}
