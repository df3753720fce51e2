/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events of the actions, for the observer and the outcome. */
#include "core/engine/estimate.h"
#include "core/engine/executor-private.h"
#include "core/sandbox/sandbox.h"

/* A target that is new here begins now. */
static unsigned int number_of(const struct ks_executor *executor,
			      const struct ks_action *action)
{
	GHashTable *numbers = executor->numbers;
	guint number;

	if (!action->target)
		return 0;
	number = GPOINTER_TO_UINT(g_hash_table_lookup(numbers, action->target));
	if (number)
		return number;
	number = g_hash_table_size(numbers) + 1;
	g_hash_table_insert(numbers, action->target, GUINT_TO_POINTER(number));
	return number;
}

void ks_executor_notify(const struct ks_executor *executor, struct ks_event event)
{
	const struct ks_run_options *options = executor->context.options;

	event.number = event.action ? number_of(executor, event.action) : 0;
	event.total = executor->n_targets;
	if (options->observer)
		options->observer(&event, options->observer_data);
}

static void note_failure(struct ks_outcome *outcome, const struct ks_action *action)
{
	outcome->n_failed_actions++;
	if (action->kind == KS_ACTION_INSTALL)
		outcome->n_failed++;
	if (action->kind != KS_ACTION_DEPMOD)
		return;
	if (!outcome->unindexed)
		outcome->unindexed = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(outcome->unindexed, g_strdup(action->kernel->release));
}

void ks_executor_end_action(struct ks_executor *executor, guint index,
			    enum ks_action_status status, const GError *error,
			    const struct ks_build_result *result)
{
	ks_ready_end(executor->ready, index, status == KS_STATUS_DONE);
	if (status == KS_STATUS_SKIPPED)
		return;
	if (status == KS_STATUS_FAILED)
		note_failure(executor->context.outcome,
			     ks_executor_action(executor, index));
	ks_executor_notify(
		executor,
		(struct ks_event){.kind = status == KS_STATUS_DONE
						  ? KS_EVENT_ACTION_DONE
						  : KS_EVENT_ACTION_FAILED,
				  .action = ks_executor_action(executor, index),
				  .error = error,
				  .first_error = result ? result->first_error : NULL,
				  .result = result});
}

/* Once a run: it is the machine's, and the same for all builds. */
static void report_layers(struct ks_executor *executor, unsigned int layers)
{
	g_autofree char *active = ks_sandbox_layers_to_string(layers);
	g_autofree char *missing = ks_sandbox_layers_to_string(
		KS_SANDBOX_LAYERS_ALL & ~KS_SANDBOX_LAYERS_OPTIONAL & ~layers);
	g_autofree char *text = NULL;

	/* 0: no step came so far as to have any */
	if (!layers || executor->is_sandbox_told)
		return;
	executor->is_sandbox_told = true;
	ks_executor_notify(executor,
			   (struct ks_event){.kind = KS_EVENT_SANDBOX, .text = active});
	if (!*missing)
		return;
	text = g_strdup_printf("sandbox: not available here: %s; building without",
			       missing);
	ks_executor_notify(executor,
			   (struct ks_event){.kind = KS_EVENT_WARNING, .text = text});
}

static void report_signed(const struct ks_executor *executor,
			  const struct ks_action *action,
			  const struct ks_signing *signing,
			  const struct ks_build_result *result)
{
	if (!result->ok || !signing)
		return;
	ks_executor_notify(executor, (struct ks_event){.kind = KS_EVENT_SIGNED,
						       .action = action,
						       .signing = signing,
						       .manifest = result->manifest});
	for (guint i = 0; i < result->warnings->len; i++) {
		const GError *warning = result->warnings->pdata[i];

		ks_executor_notify(executor,
				   (struct ks_event){.kind = KS_EVENT_SIGN_FAILED,
						     .action = action,
						     .signing = signing,
						     .text = warning->message,
						     .error = warning});
	}
}

void ks_executor_report_ended(struct ks_executor *executor,
			      const struct ks_running *running,
			      const struct ks_build_result *result)
{
	const struct ks_action *action = ks_executor_action(executor, running->index);

	if (ks_settings_get_sandbox(executor->context.settings,
				    action->target->source->name) != KS_SANDBOX_OFF)
		report_layers(executor, result->layers);
	report_signed(executor, action, running->request.signing, result);
}

void ks_executor_report_progress(const struct ks_executor *executor,
				 const struct ks_running *running)
{
	const struct ks_action *action = ks_executor_action(executor, running->index);

	ks_executor_notify(executor,
			   (struct ks_event){
				   .kind = KS_EVENT_ACTION_PROGRESS,
				   .action = action,
				   .files_done = ks_build_files_done(running->build),
				   .files_known = running->files_known,
				   .estimate_ms = ks_estimate_duration_ms(
					   executor->context.inventory, action->target),
			   });
}
