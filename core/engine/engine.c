/* SPDX-License-Identifier: GPL-2.0-or-later */
/* recover -> inventory -> plan -> run -> record -> look again. */
#include "core/engine/engine.h"

#include <string.h>

#include "core/compile/build.h"
#include "core/settings/framework.h"
#include "core/engine/adopt.h"
#include "core/engine/executor.h"
#include "core/engine/occupants.h"
#include "core/engine/prepare.h"
#include "core/engine/wanted-records.h"
#include "core/install/install.h"
#include "core/install/upkeep.h"
#include "core/record/record.h"
#include "core/sandbox/sandbox.h"
#include "core/support/error.h"
#include "core/platform/lock.h"

/* One run: its stages are the functions that take it. */
struct run {
	const struct ks_system *system;
	const struct ks_settings *settings;
	const struct ks_run_options *options;
	struct ks_digest_cache *cache;
	struct ks_inventory *inventory;
	struct ks_plan *plan;
	struct ks_outcome *outcome;
	bool is_busy; /* something is kept since a package manager is at work */
};

static const struct ks_inventory_options whole_picture = {
	.find_occupant = ks_occupants_find,
};

static void report(const struct run *run, enum ks_event_kind kind, const char *text,
		   const GError *error)
{
	struct ks_event event = {.kind = kind, .text = text, .error = error};

	if (kind == KS_EVENT_PLANNED)
		event.total = run->plan->actions->len;
	if (run->options->observer)
		run->options->observer(&event, run->options->observer_data);
}

static void on_lock_wait(const char *holder, void *data)
{
	report(data, KS_EVENT_WAITING_FOR_LOCK, holder, NULL);
}

static struct ks_lock *take_lock(struct run *run, GError **error)
{
	struct ks_lock *lock =
		ks_lock_acquire(run->system, run->options->command,
				run->options->lock_timeout_ms, on_lock_wait, run, error);

	if (!lock)
		g_prefix_error(error, "cannot take the lock: ");
	return lock;
}

/* Repair what a run that died left behind; failures are warnings only: the rest of the
 * run is still useful. */
static bool recover(struct run *run, GError **error)
{
	unsigned int n_recovered = 0, n_adopted = 0;
	g_autoptr(GError) record_error = NULL;

	if (!ks_install_recover(run->system, &n_recovered, error)) {
		g_prefix_error(error, "cannot repair what an interrupted run left: ");
		return false;
	}
	if (n_recovered) {
		g_autofree char *text = g_strdup_printf(
			"%u interrupted installation(s) repaired", n_recovered);

		report(run, KS_EVENT_RECOVERED, text, NULL);
	}
	if (!ks_build_sweep(run->system, error) ||
	    !ks_tree_settle_arches(run->system, error) ||
	    !ks_adopt_artifacts(run->system, run->cache, &n_adopted, error))
		return false;
	if (n_adopted) {
		g_autofree char *text = g_strdup_printf(
			"%u module(s) built by dkms taken over", n_adopted);

		report(run, KS_EVENT_RECOVERED, text, NULL);
	}
	if (!run->options->no_record && !run->options->caller_records &&
	    !ks_record_recover(run->system, &record_error) &&
	    !g_error_matches(record_error, KS_ERROR, KS_ERROR_PENDING))
		report(run, KS_EVENT_WARNING, record_error->message, record_error);
	return true;
}

static bool prepares(const struct run *run)
{
	return run->options->request.goal == KS_GOAL_PREPARE;
}

/* No record is about a kernel that is to come. */
static GPtrArray *list_records(const struct run *run)
{
	g_autoptr(GError) error = NULL;
	GPtrArray *records = prepares(run) ? NULL : ks_record_list(run->system, &error);

	if (error)
		report(run, KS_EVENT_WARNING, error->message, error);
	return records;
}

static bool has_kind(const struct ks_plan *plan, enum ks_action_kind kind)
{
	for (guint i = 0; i < plan->actions->len; i++) {
		const struct ks_action *action = g_ptr_array_index(plan->actions, i);

		if (action->kind == kind)
			return true;
	}
	return false;
}

static bool takes_away(const struct ks_plan *plan)
{
	return has_kind(plan, KS_ACTION_UNINSTALL) || has_kind(plan, KS_ACTION_UNBUILD) ||
	       has_kind(plan, KS_ACTION_REMOVE);
}

static struct ks_plan_request complete_request(const struct ks_run_options *options,
					       const struct ks_plan_request *wanted)
{
	struct ks_plan_request request = *wanted;

	request.no_depmod = options->no_depmod;
	request.no_record = options->no_record || options->caller_records;
	request.keep_all = options->no_record;
	/* at boot the file system of the sources may not be mounted yet */
	request.keep_gone = g_strcmp0(options->trigger, "boot") == 0;
	return request;
}

/*
 * What only the system can tell is asked when it matters, since that starts a process.
 * Without a mount namespace the kernels of one M/V all build in T/M/V/build. While a
 * package manager is at work, what looks gone may be between two versions: *is_busy is set
 * when something is kept for that reason.
 */
static struct ks_plan *plan_run(const struct ks_system *system,
				const struct ks_settings *settings,
				const struct ks_run_options *options,
				const struct ks_plan_request *wanted,
				const struct ks_inventory *inventory, bool *is_busy)
{
	struct ks_plan_request request = complete_request(options, wanted);
	struct ks_plan *plan = ks_plan_make(inventory, settings, &request);
	bool is_serial = plan->has_shared_build && !ks_sandbox_can_mount(system);
	bool takes = takes_away(plan);
	bool is_kept =
		(takes || has_kind(plan, KS_ACTION_PRUNE)) && ks_record_is_busy(system);

	*is_busy = is_kept && takes;
	if (!is_serial && !is_kept)
		return plan;
	request.no_shared_build = is_serial;
	request.keep_gone |= is_kept;
	ks_plan_free(plan);
	return ks_plan_make(inventory, settings, &request);
}

/* The records in the picture are narrowed later: the database is compared before that. */
static struct ks_inventory *take_picture(const struct ks_system *system,
					 const struct ks_settings *settings,
					 const struct ks_run_options *options,
					 struct ks_digest_cache *cache,
					 GPtrArray *records, GError **error)
{
	const struct ks_inventory_options narrow = {
		.find_occupant = ks_occupants_find,
		.release = options->request.release,
	};
	bool is_stale = !options->no_record && !options->caller_records &&
			ks_wanted_records_differ(system, records);
	struct ks_inventory *inventory =
		ks_inventory_take(system, settings, cache, records, &narrow, error);

	if (!inventory)
		return NULL;
	inventory->records_are_stale = is_stale;
	ks_install_look_at_upkeep(system, inventory);
	return inventory;
}

static bool look(struct run *run, const struct ks_plan_request *request, GError **error)
{
	run->inventory = take_picture(run->system, run->settings, run->options,
				      run->cache, list_records(run), error);
	if (!run->inventory)
		return false;
	if (prepares(run))
		ks_prepare_mark(run->system, run->outcome, run->inventory);
	run->plan = plan_run(run->system, run->settings, run->options, request,
			     run->inventory, &run->is_busy);
	return true;
}

static void forget(struct run *run)
{
	g_clear_pointer(&run->plan, ks_plan_free);
	g_clear_pointer(&run->inventory, ks_inventory_free);
}

/*
 * A package's prerm asked for the removal, and its source is there: it was an
 * upgrade or a reinstallation, and the package is back.
 */
static bool settle_marks(struct run *run, GError **error)
{
	if (run->options->no_record)
		return true;
	for (guint i = 0; i < run->inventory->sources->len; i++) {
		struct ks_source *source = g_ptr_array_index(run->inventory->sources, i);

		if (!source->removal_asked || !source->present)
			continue;
		if (!ks_tree_set_removal_asked(run->system, source->name, source->version,
					       false, error))
			return false;
		source->removal_asked = false;
	}
	return true;
}

/* Without this the next run that does not name them would take them for removed. */
static void remember_kernels(struct run *run)
{
	g_autoptr(GError) error = NULL;

	if (!ks_goal_takes_away(run->options->request.goal) &&
	    !ks_kernel_remember(run->system, run->inventory->kernels, &error))
		report(run, KS_EVENT_WARNING, error->message, error);
}

static bool execute(struct run *run, GError **error)
{
	ks_auto(ks_executor) executor = NULL;
	bool ok;

	report(run, KS_EVENT_PLANNED, NULL, NULL);
	if (run->is_busy)
		report(run, KS_EVENT_WARNING,
		       "a package manager is at work: what looks gone is kept until it "
		       "ends",
		       NULL);
	executor = ks_executor_new(run->system, run->settings, run->options,
				   run->inventory, run->plan, run->cache, run->outcome);
	ok = ks_executor_run(executor, error);
	ks_prepare_give_back(run->system, run->outcome);
	return ok;
}

/* Is a lower version, or another source's module, to be used for one that failed now? */
static bool has_second_choice(const struct ks_plan *plan)
{
	for (guint i = 0; i < plan->actions->len; i++) {
		const struct ks_action *action = g_ptr_array_index(plan->actions, i);

		if ((action->kind == KS_ACTION_BUILD ||
		     action->kind == KS_ACTION_INSTALL) &&
		    action->second_choice)
			return true;
	}
	return false;
}

/*
 * The failures are known now, and the plan is made again: no kernel is left
 * without a driver for which an older version would do. Failed builds are not
 * tried twice.
 */
static bool execute_second_choices(struct run *run, GError **error)
{
	struct ks_plan_request request = run->options->request;

	if (!run->outcome->n_failed_actions || request.version ||
	    request.goal == KS_GOAL_BUILD || ks_goal_takes_away(request.goal))
		return true;
	request.force = request.retry_failed = false;
	forget(run);
	if (!look(run, &request, error))
		return false;
	return !has_second_choice(run->plan) || execute(run, error);
}

/* Was any version of the module in place there before the run? */
static bool was_installed(const struct ks_inventory *inventory, const char *module,
			  const char *release)
{
	for (guint i = 0; i < inventory->targets->len; i++) {
		const struct ks_target *target = inventory->targets->pdata[i];

		if (target->installed != KS_INSTALLED_NO &&
		    g_str_equal(target->source->name, module) &&
		    g_str_equal(target->kernel->release, release))
			return true;
	}
	return false;
}

/* A module that nothing can load is no use; one that worked before is not taken away. */
static bool undo_unindexed(struct run *run, GError **error)
{
	GPtrArray *unindexed = run->outcome->unindexed;
	struct ks_plan_request request = run->options->request;

	if (!run->options->undo_unindexed || !unindexed ||
	    !g_ptr_array_find_with_equal_func(unindexed, request.release, g_str_equal,
					      NULL) ||
	    was_installed(run->inventory, request.module, request.release))
		return true;
	request.goal = KS_GOAL_UNINSTALL;
	forget(run);
	return look(run, &request, error) && execute(run, error);
}

/*
 * An interrupted run makes no image, but the index: inside a kernel's postinst the image
 * is made from it in the next moment.
 */
static void index_interrupted(struct run *run)
{
	for (guint i = 0; !run->options->no_depmod && i < run->inventory->kernels->len;
	     i++) {
		const struct ks_kernel *kernel =
			g_ptr_array_index(run->inventory->kernels, i);
		g_autoptr(GError) error = NULL;

		if (kernel->alive && ks_install_depmod_is_stale(run->system, kernel) &&
		    !ks_install_depmod(run->system, kernel, &error))
			report(run, KS_EVENT_WARNING, error->message, error);
	}
}

static void count_waiting(struct ks_outcome *outcome)
{
	for (guint i = 0; i < outcome->plan->verdicts->len; i++) {
		const struct ks_verdict *verdict =
			g_ptr_array_index(outcome->plan->verdicts, i);

		outcome->n_waiting += verdict->state == KS_TARGET_WAITING;
	}
}

/*
 * The picture of everything after the run: the report and the exit code are
 * made from it.
 */
static bool conclude(struct run *run, GError **error)
{
	static const struct ks_plan_request everything;
	struct ks_outcome *outcome = run->outcome;

	forget(run);
	run->inventory = ks_inventory_take(run->system, run->settings, run->cache,
					   list_records(run), &whole_picture, error);
	if (!run->inventory)
		return false;
	outcome->inventory = g_steal_pointer(&run->inventory);
	outcome->plan = ks_plan_make(outcome->inventory, run->settings, &everything);
	count_waiting(outcome);
	return true;
}

/* The index and the image of a kernel are not there, nor are devices. */
static bool needs_state(const struct ks_plan *plan)
{
	for (guint i = 0; i < plan->actions->len; i++) {
		const struct ks_action *action = g_ptr_array_index(plan->actions, i);

		if (action->kind != KS_ACTION_DEPMOD &&
		    action->kind != KS_ACTION_INITRAMFS &&
		    action->kind != KS_ACTION_DEVICES)
			return true;
	}
	return false;
}

/* Once, and not for each source and action that it stops. */
static bool check_writable(const struct run *run, GError **error)
{
	const struct ks_system *system = run->system;
	const char *const dirs[] = {system->dkms_tree, system->state_dir};

	for (size_t i = 0; needs_state(run->plan) && i < G_N_ELEMENTS(dirs); i++) {
		if (!ks_root_is_read_only(system->root, dirs[i]))
			continue;
		ks_error_set(
			error, KS_ERROR_PENDING, "cannot %s: '%s%s' is mounted read-only",
			run->options->command, ks_root_prefix(system->root), dirs[i]);
		ks_error_hint(error, "'kmodsmith sync' does it when it can be written "
				     "to");
		return false;
	}
	return true;
}

/*
 * For kernels that are to come. A package manager may be at work, so that nothing but the
 * store and the known failures is changed, and nothing repaired.
 */
static bool run_preparation(struct run *run, GError **error)
{
	const struct ks_plan_request *request = &run->options->request;
	const gint64 begun_us = g_get_real_time();

	if (!ks_build_sweep(run->system, error) || !look(run, request, error) ||
	    !check_writable(run, error) || !execute(run, error) ||
	    !execute_second_choices(run, error))
		return false;
	forget(run);
	if (!look(run, request, error) ||
	    !ks_prepare_try_failures(run->system, run->settings, run->inventory, begun_us,
				     run->options->cancelled, run->outcome, error))
		return false;
	ks_prepare_tidy(run->system, run->inventory);
	forget(run);
	if (!look(run, request, error))
		return false;
	run->outcome->inventory = g_steal_pointer(&run->inventory);
	run->outcome->plan = g_steal_pointer(&run->plan);
	count_waiting(run->outcome);
	return true;
}

static bool run_stages(struct run *run, GError **error)
{
	if (prepares(run))
		return run_preparation(run, error);
	if (!recover(run, error) || !look(run, &run->options->request, error) ||
	    !check_writable(run, error) || !settle_marks(run, error))
		return false;
	remember_kernels(run);
	if (!execute(run, error) || !undo_unindexed(run, error) ||
	    !execute_second_choices(run, error)) {
		index_interrupted(run);
		return false;
	}
	return conclude(run, error);
}

bool ks_engine_run(const struct ks_system *system, const struct ks_settings *settings,
		   const struct ks_run_options *options, struct ks_outcome **outcome,
		   GError **error)
{
	ks_auto(ks_outcome) result = g_new0(struct ks_outcome, 1);
	struct run run = {.system = system,
			  .settings = settings,
			  .options = options,
			  .outcome = result};
	gint64 started_us = g_get_monotonic_time();
	ks_auto(ks_lock) lock = NULL;
	bool ok;

	result->aliases = g_ptr_array_new_with_free_func(g_free);
	if (geteuid() != 0) {
		ks_error_set(error, KS_ERROR_DENIED, "cannot %s: not root",
			     options->command);
		ks_error_hint(error, "run it with sudo");
		return false;
	}
	lock = take_lock(&run, error);
	if (!lock)
		return false;
	run.cache = ks_digest_cache_open(system);
	ok = run_stages(&run, error);
	forget(&run);
	ks_digest_cache_close(run.cache);
	if (!ok)
		return false;
	result->duration_ms = (g_get_monotonic_time() - started_us) / 1000;
	*outcome = g_steal_pointer(&result);
	return true;
}

bool ks_engine_look(const struct ks_system *system, const struct ks_settings *settings,
		    const struct ks_plan_request *request,
		    struct ks_inventory **inventory, struct ks_plan **plan,
		    GError **error)
{
	ks_auto(ks_digest_cache) cache = ks_digest_cache_open(system);
	struct ks_inventory *taken;
	GPtrArray *records;

	records = ks_record_list(system, NULL);
	taken = ks_inventory_take(system, settings, cache, records, &whole_picture,
				  error);
	if (!taken)
		return false;
	*plan = ks_plan_make(taken, settings, request);
	*inventory = taken;
	return true;
}

bool ks_engine_foresee(const struct ks_system *system, const struct ks_settings *settings,
		       const struct ks_run_options *options,
		       struct ks_inventory **inventory, struct ks_plan **plan,
		       GError **error)
{
	ks_auto(ks_digest_cache) cache = ks_digest_cache_open(system);
	struct ks_inventory *taken = take_picture(system, settings, options, cache,
						  ks_record_list(system, NULL), error);
	bool is_busy;

	if (!taken)
		return false;
	*plan = plan_run(system, settings, options, &options->request, taken, &is_busy);
	*inventory = taken;
	return true;
}
