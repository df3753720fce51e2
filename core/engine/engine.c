/* SPDX-License-Identifier: GPL-2.0-or-later */
/* recover -> inventory -> plan -> run -> record -> look again. */
#include "core/engine/engine.h"

#include <string.h>

#include "core/compile/build.h"
#include "core/settings/framework.h"
#include "core/engine/adopt.h"
#include "core/engine/wanted-records.h"
#include "core/engine/executor.h"
#include "core/engine/occupants.h"
#include "core/engine/post-transaction.h"
#include "core/install/install.h"
#include "core/install/modprobe.h"
#include "core/install/udev.h"
#include "core/record/record.h"
#include "core/sandbox/sandbox.h"
#include "core/support/durable.h"
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
};

static const struct ks_inventory_options whole_picture = {
	.find_occupant = ks_occupants_find,
};

void ks_outcome_free(struct ks_outcome *outcome)
{
	/* the plan points into the inventory */
	if (outcome->plan)
		ks_plan_free(outcome->plan);
	if (outcome->inventory)
		ks_inventory_free(outcome->inventory);
	g_clear_pointer(&outcome->changed, g_ptr_array_unref);
	g_ptr_array_unref(outcome->aliases);
	g_free(outcome->record_busy);
	g_free(outcome);
}

static void tell(const struct run *run, enum ks_event_kind kind, const char *text,
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
	tell(data, KS_EVENT_WAITING_FOR_LOCK, holder, NULL);
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

		tell(run, KS_EVENT_RECOVERED, text, NULL);
	}
	if (!ks_build_sweep(run->system, error) ||
	    !ks_tree_settle_arches(run->system, error) ||
	    !ks_adopt_artifacts(run->system, run->cache, &n_adopted, error))
		return false;
	if (n_adopted) {
		g_autofree char *text = g_strdup_printf(
			"%u module(s) built by dkms taken over", n_adopted);

		tell(run, KS_EVENT_RECOVERED, text, NULL);
	}
	if (!run->options->no_record && !run->options->caller_records &&
	    !ks_record_recover(run->system, &record_error) &&
	    !g_error_matches(record_error, KS_ERROR, KS_ERROR_PENDING))
		tell(run, KS_EVENT_WARNING, record_error->message, record_error);
	return true;
}

static GPtrArray *list_records(const struct run *run)
{
	g_autoptr(GError) error = NULL;
	GPtrArray *records = ks_record_list(run->system, &error);

	if (error)
		tell(run, KS_EVENT_WARNING, error->message, error);
	return records;
}

/*
 * Without a mount namespace the kernels of one M/V all build in T/M/V/build.
 * The sandbox is asked only when it matters: that starts a process.
 */
static struct ks_plan *make_plan(const struct run *run,
				 const struct ks_plan_request *wanted)
{
	struct ks_plan_request request = *wanted;
	struct ks_plan *plan = ks_plan_make(run->inventory, run->settings, &request);

	if (!plan->has_shared_build || ks_sandbox_can_mount(run->system))
		return plan;
	ks_plan_free(plan);
	request.no_shared_build = true;
	return ks_plan_make(run->inventory, run->settings, &request);
}

static bool look(struct run *run, const struct ks_inventory_options *narrow,
		 const struct ks_plan_request *request, GError **error)
{
	run->inventory = ks_inventory_take(run->system, run->settings, run->cache,
					   list_records(run), narrow, error);
	if (!run->inventory)
		return false;
	run->plan = make_plan(run, request);
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
		tell(run, KS_EVENT_WARNING, error->message, error);
}

static bool takes_away(const struct ks_plan *plan)
{
	for (guint i = 0; i < plan->actions->len; i++) {
		const struct ks_action *action = g_ptr_array_index(plan->actions, i);

		if (action->kind == KS_ACTION_UNINSTALL ||
		    action->kind == KS_ACTION_UNBUILD || action->kind == KS_ACTION_REMOVE)
			return true;
	}
	return false;
}

static bool execute(struct run *run, GError **error)
{
	ks_auto(ks_executor) executor = NULL;

	tell(run, KS_EVENT_PLANNED, NULL, NULL);
	executor = ks_executor_new(run->system, run->settings, run->options,
				   run->inventory, run->plan, run->cache, run->outcome);
	if (takes_away(run->plan) && !run->options->no_record &&
	    ks_record_is_busy(run->system)) {
		tell(run, KS_EVENT_WARNING,
		     "a package manager is at work: what looks gone is kept until it "
		     "ends",
		     NULL);
		ks_executor_keep_all(executor);
	}
	return ks_executor_run(executor, error);
}

/* A lower version, or another source's module, is to be used for one that failed now. */
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
 * What has failed is known now, and the plan is made again: no kernel is left without a
 * driver for which an older version would do. What failed is not tried twice.
 */
static bool execute_second_choices(struct run *run, GError **error)
{
	const struct ks_inventory_options narrow = {
		.find_occupant = ks_occupants_find,
		.release = run->options->request.release,
	};
	struct ks_plan_request request = run->options->request;

	if (!run->outcome->n_failed_actions || request.version ||
	    request.goal == KS_GOAL_BUILD || ks_goal_takes_away(request.goal))
		return true;
	request.force = request.retry_failed = false;
	forget(run);
	if (!look(run, &narrow, &request, error))
		return false;
	return !has_second_choice(run->plan) || execute(run, error);
}

static bool settle_index(struct run *run, const struct ks_kernel *kernel, GError **error)
{
	return run->options->no_depmod ||
	       !ks_install_depmod_is_stale(run->system, kernel) ||
	       ks_install_depmod(run->system, kernel, error);
}

static bool settle_image(struct run *run, const struct ks_kernel *kernel, GError **error)
{
	g_autofree char *text = NULL;

	if (run->options->request.no_initramfs || run->options->no_record ||
	    !run->settings->initramfs ||
	    !ks_install_initramfs_is_stale(run->system, kernel))
		return true;
	text = g_strdup_printf("%s: initramfs older than its modules, made anew",
			       kernel->release);
	tell(run, KS_EVENT_RECOVERED, text, NULL);
	return ks_install_initramfs_update(run->system, kernel, -1, error);
}

/*
 * Finish depmod and initramfs for kernels where a run that died did not get
 * that far. After an interruption only depmod runs: in a kernel's postinst the
 * image is made from it right after us.
 */
static void settle_kernels(struct run *run, bool interrupted)
{
	for (guint i = 0; i < run->inventory->kernels->len; i++) {
		const struct ks_kernel *kernel =
			g_ptr_array_index(run->inventory->kernels, i);
		g_autoptr(GError) error = NULL;

		if (kernel->alive &&
		    (!settle_index(run, kernel, &error) ||
		     (!interrupted && !settle_image(run, kernel, &error))))
			tell(run, KS_EVENT_WARNING, error->message, error);
	}
}

#define MAX_TOLD_BYTES 4096

/*
 * What the recorder leaves as it is, and says: records of files that work and that
 * nothing tells of any more. The same thing is told once, not at each run.
 */
static void tell_of_records(struct run *run, const char *told)
{
	const struct ks_system *system = run->system;
	g_autofree char *path = g_build_filename(system->state_dir, "records-told", NULL);
	g_autofree char *before =
		ks_root_read_file(system->root, path, MAX_TOLD_BYTES, NULL, NULL);

	if (g_strcmp0(told, before) == 0)
		return;
	if (!told) {
		ks_durable_unlink(system->root, path, NULL);
		return;
	}
	tell(run, KS_EVENT_WARNING, told, NULL);
	ks_durable_write(system->root, path, told, strlen(told), 0644, NULL);
}

/* Make the package database equal to the installed files. Pending is no error of
 * the run. */
static bool record(struct run *run, GError **error)
{
	g_autoptr(GPtrArray) kernels = NULL;
	g_autoptr(GPtrArray) records = NULL;
	g_autoptr(GPtrArray) entries = NULL;
	g_autofree char *told = NULL;
	g_autoptr(GError) apply_error = NULL;

	if (run->options->no_record || run->options->caller_records ||
	    !run->inventory->has_recorder)
		return true;
	kernels = ks_kernel_list(run->system, error);
	if (!kernels)
		return false;
	if (!ks_desired_can_be_told(kernels))
		return true;
	records = ks_desired_records(run->system, kernels, error);
	if (!records)
		return false;
	entries = list_records(run);
	if (entries && ks_desired_is_recorded(entries, records))
		return true;
	if (ks_record_apply(run->system, records, &told, &apply_error)) {
		tell_of_records(run, told);
		run->outcome->n_recorded = records->len;
		return true;
	}
	run->outcome->record_pending = true;
	if (g_error_matches(apply_error, KS_ERROR, KS_ERROR_PENDING))
		run->outcome->record_busy = g_strdup(apply_error->message);
	else
		tell(run, KS_EVENT_WARNING, apply_error->message, apply_error);
	return true;
}

static void on_post_transaction(const char *command, void *data)
{
	tell(data, KS_EVENT_POST_TRANSACTION, command, NULL);
}

/* After the records: it may take minutes. Its failure is no module's. */
static void post_transaction(struct run *run)
{
	g_autoptr(GError) error = NULL;

	if (run->outcome->changed &&
	    !ks_post_transaction_run(run->system, run->settings, run->inventory->kernels,
				     run->outcome->changed, on_post_transaction, run,
				     &error))
		tell(run, KS_EVENT_WARNING, error->message, error);
}

static void prune_kernels(struct run *run)
{
	for (guint i = 0; !run->options->no_record && i < run->inventory->kernels->len;
	     i++) {
		const struct ks_kernel *kernel =
			g_ptr_array_index(run->inventory->kernels, i);
		g_autoptr(GError) error = NULL;

		/* a directory that is being unpacked has only a link at first */
		if (!kernel->alive &&
		    ks_root_exists(run->system->root, kernel->modules_dir) &&
		    !ks_record_is_busy(run->system) &&
		    !ks_install_prune_kernel(run->system, kernel, &error))
			tell(run, KS_EVENT_WARNING, error->message, error);
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

/*
 * Tell udev about devices that were waiting for a module of this run. Failures
 * are ignored.
 */
static void announce_devices(struct run *run)
{
	g_autoptr(GPtrArray) devices = NULL;

	if (!run->outcome->aliases->len)
		return;
	devices = ks_udev_find_devices(run->system, run->outcome->aliases);
	run->outcome->n_devices = ks_udev_announce(run->system, devices);
}

/*
 * The machine's devices, when something was installed for its kernel; never where
 * another kernel than this machine's may be meant. modprobe first: a device that has
 * its driver then is not announced.
 */
static void serve_devices(struct run *run)
{
	const struct ks_framework *framework = run->settings->framework;

	if (!run->outcome->has_installed_for_running || run->options->no_depmod ||
	    ks_system_is_chroot(run->system))
		return;
	if (run->options->modprobe || (framework && framework->modprobe_on_install))
		ks_modprobe_devices(run->system);
	announce_devices(run);
}

static bool run_stages(struct run *run, GError **error)
{
	const struct ks_inventory_options narrow = {
		.find_occupant = ks_occupants_find,
		.release = run->options->request.release,
	};
	bool done;

	if (!recover(run, error) || !look(run, &narrow, &run->options->request, error) ||
	    !settle_marks(run, error))
		return false;
	remember_kernels(run);
	done = execute(run, error) && execute_second_choices(run, error);
	settle_kernels(run, !done);
	serve_devices(run);
	if (!done || !record(run, error))
		return false;
	post_transaction(run);
	prune_kernels(run);
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
