/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One poll loop over the builds; the other actions run between its turns. */
#include <errno.h>
#include <poll.h>
#include <sys/resource.h>

#include "core/jobs/memory.h"
#include "core/store/store.h"
#include "core/jobs/wrapper.h"
#include "core/engine/executor-private.h"
#include "core/sandbox/sandbox.h"
#include "core/support/error.h"

#define TICK_MS 1000

/* The descriptors of this process: reserved for everything but builds; and for each build
 * its log, its tree, its process and its answer. */
#define RESERVED_FDS  128
#define FDS_PER_BUILD 8

static unsigned int count_targets(const struct ks_plan *plan)
{
	g_autoptr(GHashTable) targets = g_hash_table_new(NULL, NULL);

	for (guint i = 0; i < plan->actions->len; i++) {
		const struct ks_action *action = plan->actions->pdata[i];

		if (action->target)
			g_hash_table_add(targets, action->target);
	}
	return g_hash_table_size(targets);
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
					   .signings = ks_signings_new(system, settings),
					   .scripted = g_hash_table_new(NULL, NULL)};
	executor->plan = plan;
	executor->cache = cache;
	executor->ready = ks_ready_new(plan);
	executor->numbers = g_hash_table_new(NULL, NULL);
	executor->n_targets = count_targets(plan);
	executor->running = g_ptr_array_new_with_free_func(ks_running_free);
	executor->background = ks_background_new(&executor->context);
	return executor;
}

void ks_executor_free(struct ks_executor *executor)
{
	if (!executor)
		return;
	g_ptr_array_unref(executor->running);
	ks_background_free(executor->background);
	ks_system_free(executor->host);
	ks_memos_free(executor->memos);
	if (executor->jobserver) {
		ks_jobserver_free(executor->jobserver);
		ks_build_drop_views(executor->context.system);
	}
	ks_signings_free(executor->context.signings);
	g_hash_table_unref(executor->context.scripted);
	ks_ready_free(executor->ready);
	g_hash_table_unref(executor->numbers);
	g_free(executor->weight_ms);
	g_free(executor);
}

/* What was left as it is, and is not tried again, is a warning. */
static enum ks_action_status judge_aside(const struct ks_executor *executor, guint index,
					 const GError *failure)
{
	if (!failure)
		return KS_STATUS_DONE;
	if (!g_error_matches(failure, KS_ERROR, KS_ERROR_PENDING))
		return KS_STATUS_FAILED;
	ks_executor_notify(
		executor, (struct ks_event){.kind = KS_EVENT_WARNING,
					    .action = ks_executor_action(executor, index),
					    .text = failure->message,
					    .error = failure});
	return KS_STATUS_SKIPPED;
}

static void finish_asides(struct ks_executor *executor, bool wait)
{
	GError *failure = NULL;
	guint index;

	while (ks_background_take(executor->background, wait, &index, &failure)) {
		if (ks_executor_action(executor, index)->kind == KS_ACTION_SIGN)
			ks_jobserver_give(executor->jobserver);
		ks_executor_end_action(executor, index,
				       judge_aside(executor, index, failure), failure,
				       NULL);
		g_clear_error(&failure);
	}
}

/* Wait for a build's step or an aside to end, at most a tick; go on with what did. */
static bool wait_for_builds(struct ks_executor *executor, GError **error)
{
	const guint n = executor->running->len;
	const guint n_memos = executor->memos ? ks_memos_count(executor->memos) : 0;
	const guint n_asides = ks_background_count(executor->background);
	const guint n_fds = n + n_memos + n_asides + executor->wants_token;
	g_autofree struct pollfd *fds = g_new0(struct pollfd, n_fds);
	g_autofree struct ks_running **running = g_new0(struct ks_running *, n);
	int n_ready;

	for (guint i = 0; i < n; i++) {
		running[i] = g_ptr_array_index(executor->running, i);
		fds[i].fd = ks_build_poll_fd(running[i]->build);
		fds[i].events = POLLIN;
	}
	if (n_memos)
		ks_memos_poll(executor->memos, fds + n, n_memos);
	ks_background_poll(executor->background, fds + n + n_memos);
	if (executor->wants_token)
		fds[n_fds - 1] =
			(struct pollfd){.fd = ks_jobserver_poll_fd(executor->jobserver),
					.events = POLLIN};
	n_ready = poll(fds, n_fds, TICK_MS);
	if (n_ready < 0 && errno != EINTR) {
		ks_error_set_errno(error, errno, "cannot wait for the builds");
		return false;
	}
	if (n_ready == 0)
		ks_executor_notify(executor, (struct ks_event){.kind = KS_EVENT_TICK});
	ks_executor_check_limits(executor);
	if (n_ready > 0 && n_memos)
		ks_memos_advance(executor->memos);
	if (n_ready > 0)
		finish_asides(executor, false);
	for (guint i = 0; n_ready > 0 && i < n; i++)
		if (fds[i].revents)
			ks_executor_advance_build(executor, running[i]);
	return true;
}

static void cancel_all(struct ks_executor *executor)
{
	for (guint i = 0; i < executor->running->len; i++) {
		struct ks_running *running = g_ptr_array_index(executor->running, i);

		ks_build_cancel(running->build);
	}
	g_ptr_array_set_size(executor->running, 0);
	ks_background_cancel(executor->background);
	finish_asides(executor, true);
}

static bool is_cancelled(const struct ks_executor *executor)
{
	const volatile sig_atomic_t *cancelled = executor->context.options->cancelled;

	return cancelled && *cancelled;
}

static bool has_any(const struct ks_executor *executor, enum ks_action_kind kind)
{
	for (guint i = 0; i < executor->plan->actions->len; i++)
		if (ks_executor_action(executor, i)->kind == kind)
			return true;
	return false;
}

/*
 * With more at a time there would be no descriptors left, on machines with some
 * hundred processors. The limit is not raised: programs started here would
 * inherit it, and may not be made for it (select(2)).
 */
static unsigned int count_places(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
		return G_MAXUINT;
	if (limit.rlim_cur < RESERVED_FDS + FDS_PER_BUILD)
		return 1;
	return MIN((limit.rlim_cur - RESERVED_FDS) / FDS_PER_BUILD, G_MAXUINT);
}

/* The job pool, for what compiles or signs. */
static bool prepare_jobs(struct ks_executor *executor, GError **error)
{
	const struct ks_system *system = executor->context.system;
	const bool builds = has_any(executor, KS_ACTION_BUILD);
	unsigned int n_jobs = executor->context.settings->n_jobs;

	if (!builds && !has_any(executor, KS_ACTION_SIGN))
		return true;
	if (!n_jobs)
		n_jobs = g_get_num_processors();
	n_jobs = ks_memory_limit_jobs(n_jobs,
				      executor->context.settings->memory_per_job_mib);
	executor->max_builds = n_jobs + 1; /* one prepares while the others compile */
	executor->max_at_once = count_places();
	executor->jobserver = ks_jobserver_open(builds ? system : NULL, n_jobs,
						g_getenv("MAKEFLAGS"), error);
	return executor->jobserver != NULL;
}

static bool prepare_builds(struct ks_executor *executor, GError **error)
{
	if (!has_any(executor, KS_ACTION_BUILD))
		return true;
	ks_executor_weigh(executor);
	executor->can_mount = ks_sandbox_can_mount(executor->context.system);
	if (!ks_wrapper_place(executor->context.system, error))
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
	if (executor->memos)
		ks_ignore(ks_store_trim(
			executor->context.system,
			(guint64)executor->context.settings->cache_size_mib << 20, NULL,
			NULL));
}

bool ks_executor_run(struct ks_executor *executor, GError **error)
{
	if (!prepare_jobs(executor, error) || !prepare_builds(executor, error))
		return false;
	for (;;) {
		executor->wants_token = false;
		while (!is_cancelled(executor) && ks_executor_schedule_one(executor))
			;
		if (is_cancelled(executor)) {
			cancel_all(executor);
			ks_error_set(error, KS_ERROR_CANCELLED,
				     "interrupted; the next run does the rest");
			return false;
		}
		if (!executor->running->len && !executor->wants_token &&
		    !ks_background_count(executor->background)) {
			end_builds(executor);
			return true;
		}
		if (!wait_for_builds(executor, error)) {
			cancel_all(executor);
			return false;
		}
	}
}
