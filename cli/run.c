/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Running the engine for a command. */
#include "cli/run.h"

#include <signal.h>
#include <unistd.h>

#include "cli/json.h"
#include "cli/message.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/signing-text.h"
#include "core/support/durable.h"
#include "core/support/error.h"
#include "core/platform/lock.h"

/* Set by the handler; the engine polls it. */
static volatile sig_atomic_t cancelled;
/* Nothing was changed yet: the engine is waiting for the lock. */
static volatile sig_atomic_t may_end_at_once;

static void on_signal(int signal_number)
{
	if (may_end_at_once)
		_exit(KS_EXIT_INTERRUPTED);
	cancelled = 1;
}

static void catch_signals(void)
{
	/* without SA_RESTART: a poll(2) that waits for builds must return */
	struct sigaction interrupt = {.sa_handler = on_signal};
	struct sigaction ignore = {.sa_handler = SIG_IGN};

	sigaction(SIGINT, &interrupt, NULL);
	sigaction(SIGTERM, &interrupt, NULL);
	sigaction(SIGHUP, &ignore, NULL);
}

struct watching {
	struct ks_cli *cli;
	const struct ks_run *run;
	struct ks_progress *progress;
	struct ks_report *report;
};

/* A remark of the engine that is no result; false: it is none. */
static bool print_remark(const struct ks_cli *cli, const struct ks_event *event)
{
	may_end_at_once = event->kind == KS_EVENT_WAITING_FOR_LOCK;
	if (event->kind == KS_EVENT_WARNING)
		ks_message_warning("%s", event->text);
	else if (event->kind != KS_EVENT_WAITING_FOR_LOCK)
		return false;
	else if (!cli->quiet)
		ks_message_note("waiting for another run: %s",
				event->text && *event->text ? event->text : "unknown");
	return true;
}

static void on_event(const struct ks_event *event, void *data)
{
	struct watching *watching = data;
	const struct ks_cli *cli = watching->cli;
	const struct ks_run_options *options = &watching->run->options;

	ks_report_observe(watching->report, event);
	ks_progress_observe(watching->progress, event);
	if (options->observer)
		options->observer(event, options->observer_data);
	if (print_remark(cli, event))
		return;
	if (event->kind == KS_EVENT_RECOVERED && !cli->quiet && !watching->run->silent)
		ks_message_note("%s", event->text);
	else if (event->kind == KS_EVENT_POST_TRANSACTION && !cli->quiet &&
		 !watching->run->silent)
		ks_message_note("post_transaction: %s", event->text);
	/* what is missing is a warning; that all is there is the ordinary case */
	else if (event->kind == KS_EVENT_SANDBOX && cli->verbose &&
		 !watching->run->silent)
		ks_message_note("sandbox: %s", event->text);
	else if (!watching->run->silent)
		ks_signing_text_print(event, cli->quiet);
}

bool ks_run_is_disabled(const struct ks_cli *cli)
{
	if (cli->settings->disabled && !cli->quiet)
		ks_message_note("disabled by KMODSMITH=0 in the environment");
	return cli->settings->disabled;
}

/* --- requests made below a run that holds the lock */

static char *queue_path(const struct ks_system *system)
{
	return g_build_filename(system->run_dir, "queued", NULL);
}

bool ks_run_queue_if_held_above(const struct ks_cli *cli, const char *what)
{
	g_autofree char *path = queue_path(cli->system);

	if (!ks_lock_is_held_above(cli->system))
		return false;
	ks_ignore(ks_durable_write(cli->system->root, path, "", 0, 0644, NULL));
	if (!cli->quiet)
		ks_message_note("%s: queued, the run that this was called from does it",
				what);
	return true;
}

bool ks_run_is_in_transaction(void)
{
	const char *value = g_getenv(KS_RUN_TRANSACTION_ENV);

	return value && *value;
}

static bool take_queued(const struct ks_system *system)
{
	g_autofree char *path = queue_path(system);

	return ks_root_exists(system->root, path) &&
	       ks_durable_unlink(system->root, path, NULL);
}

/* --- */

static int exit_code(const struct ks_cli *cli, const struct ks_run *run,
		     const struct ks_selection *selection,
		     const struct ks_outcome *outcome)
{
	const enum ks_goal goal = run->options.request.goal;
	int code = goal == KS_GOAL_BUILD || ks_goal_takes_away(goal)
			   ? ks_verdict_exit_code_out_of_place(outcome->plan, selection)
			   : ks_verdict_exit_code(outcome->plan, selection);

	if (outcome->n_failed_actions ||
	    (!selection->module && outcome->inventory->problems->len))
		code = KS_EXIT_FAILED;
	else if (outcome->record_pending)
		code = ks_verdict_worse_code(code, KS_EXIT_PENDING);
	if (!run->options.trigger)
		return code;
	/* the package manager must not fail for it, unless the administrator wants so */
	return code == KS_EXIT_FAILED && cli->settings->on_failure == KS_ON_FAILURE_FAIL
		       ? KS_EXIT_FAILED
		       : KS_EXIT_OK;
}

static struct ks_outcome *run_once(struct ks_cli *cli, const struct ks_run *run,
				   const struct ks_selection *selection, GError **error)
{
	ks_auto(ks_report) report = ks_report_new(cli->system);
	ks_auto(ks_progress) progress =
		ks_progress_new(cli->quiet || run->silent, cli->verbose);
	struct watching watching = {
		.cli = cli, .run = run, .progress = progress, .report = report};
	struct ks_run_options options = run->options;
	struct ks_outcome *outcome = NULL;

	options.observer = on_event;
	options.observer_data = &watching;
	options.cancelled = &cancelled;
	if (!ks_engine_run(cli->system, cli->settings, &options, &outcome, error))
		return NULL;
	if (!options.no_record)
		ks_ignore(ks_tree_forget_dismissed(cli->system, NULL));
	ks_report_print(report, outcome, &options, selection,
			run->silent		  ? KS_REPORT_OTHERS
			: cli->quiet || cli->json ? KS_REPORT_ERRORS
						  : KS_REPORT_ALL);
	return outcome;
}

/*
 * The requests that others have queued meanwhile: everything, with the options
 * of this run.
 */
static struct ks_run make_queued(const struct ks_run *run)
{
	const struct ks_run_options *options = &run->options;

	return (struct ks_run){
		.options = {.command = options->command,
			    .trigger = options->trigger,
			    /* in a maintainer script the image is a later hook's */
			    .request.no_initramfs = options->request.no_initramfs,
			    .no_record = options->no_record,
			    .caller_records = options->caller_records,
			    .no_depmod = options->no_depmod,
			    .modprobe = options->modprobe,
			    .lock_timeout_ms = options->lock_timeout_ms},
		.silent = run->silent};
}

int ks_run_engine(struct ks_cli *cli, const struct ks_run *run,
		  struct ks_outcome **outcome)
{
	struct ks_selection selection = {.module = (char *)run->options.request.module,
					 .version = (char *)run->options.request.version,
					 .release = (char *)run->options.request.release};
	ks_auto(ks_outcome) result = NULL;
	g_autoptr(GError) error = NULL;
	int code;

	catch_signals();
	result = run_once(cli, run, &selection, &error);
	if (result && take_queued(cli->system)) {
		const struct ks_run queued = make_queued(run);

		ks_outcome_free(result);
		result = run_once(cli, &queued, &selection, &error);
	}
	if (!result) {
		code = ks_message_fail(error);
		return run->options.trigger && code == KS_EXIT_PENDING ? KS_EXIT_OK
								       : code;
	}
	code = exit_code(cli, run, &selection, result);
	if (cli->json)
		ks_json_print_status(result->inventory, result->plan, &selection);
	if (outcome)
		*outcome = g_steal_pointer(&result);
	return code;
}

static void on_preparation(const struct ks_event *event, void *data)
{
	const struct watching *watching = data;

	ks_progress_observe(watching->progress, event);
	print_remark(watching->cli, event);
}

struct ks_outcome *ks_run_prepare(struct ks_cli *cli, GError **error)
{
	ks_auto(ks_progress) progress = ks_progress_new(cli->quiet, cli->verbose);
	struct watching watching = {.cli = cli, .progress = progress};
	const struct ks_run_options options = {
		.command = "preflight",
		.request = {.goal = KS_GOAL_PREPARE},
		.no_record = true,
		.lock_timeout_ms = -1,
		.observer = on_preparation,
		.observer_data = &watching,
		.cancelled = &cancelled,
	};
	struct ks_outcome *outcome = NULL;

	catch_signals();
	return ks_engine_run(cli->system, cli->settings, &options, &outcome, error)
		       ? outcome
		       : NULL;
}
