/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One poll loop over the builds; the other actions run between its turns. */
#include <errno.h>
#include <poll.h>

#include "core/build/memory.h"
#include "core/build/store.h"
#include "core/build/wrapper.h"
#include "core/engine/executor-private.h"
#include "core/sandbox/sandbox.h"
#include "core/support/error.h"

#define TICK_MS 1000

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
	executor->running = g_ptr_array_new_with_free_func(ks_running_free);
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

static void finish_depmods(struct ks_executor *executor, bool wait)
{
	GError *failure = NULL;
	guint index;

	while (ks_indexing_take(executor->indexing, wait, &index, &failure)) {
		ks_executor_end_action(executor, index,
				       failure ? KS_STATUS_FAILED : KS_STATUS_DONE,
				       failure, NULL);
		g_clear_error(&failure);
	}
}

/* Wait for a build's step or a depmod to end, at most a tick; go on with what did. */
static bool wait_for_builds(struct ks_executor *executor, GError **error)
{
	const guint n = executor->running->len;
	const guint n_memos = executor->memos ? ks_memos_count(executor->memos) : 0;
	const guint n_fds = n + n_memos + ks_indexing_count(executor->indexing);
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
	ks_indexing_poll(executor->indexing, fds + n + n_memos);
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
		finish_depmods(executor, false);
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
		any = ks_executor_action(executor, i)->kind == KS_ACTION_BUILD;
	if (!any)
		return true;
	if (!n_jobs)
		n_jobs = g_get_num_processors();
	n_jobs = ks_memory_limit_jobs(n_jobs,
				      executor->context.settings->memory_per_job_mib);
	ks_executor_weigh(executor);
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
		while (!is_cancelled(executor) && ks_executor_schedule_one(executor))
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
