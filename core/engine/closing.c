/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/engine/closing.h"

#include <string.h>

#include "core/engine/post-transaction.h"
#include "core/engine/wanted-records.h"
#include "core/install/install.h"
#include "core/install/modprobe.h"
#include "core/install/udev.h"
#include "core/record/record.h"
#include "core/settings/framework.h"
#include "core/support/durable.h"
#include "core/support/error.h"

#define MAX_KEPT_BYTES 4096

static void notify(const struct ks_action_context *context, enum ks_event_kind kind,
		   const char *text, const GError *error)
{
	const struct ks_event event = {.kind = kind, .text = text, .error = error};

	if (context->options->observer)
		context->options->observer(&event, context->options->observer_data);
}

enum ks_action_status ks_closing_serve_devices(const struct ks_action_context *context)
{
	const struct ks_framework *framework = context->settings->framework;
	struct ks_outcome *outcome = context->outcome;
	g_autoptr(GPtrArray) devices = NULL;

	if (!outcome->has_installed_for_running)
		return KS_STATUS_SKIPPED;
	if (context->options->modprobe || (framework && framework->modprobe_on_install))
		ks_modprobe_devices(context->system);
	if (outcome->aliases->len) {
		devices = ks_udev_find_devices(context->system, outcome->aliases);
		outcome->n_devices = ks_udev_announce(context->system, devices);
	}
	return KS_STATUS_DONE;
}

/*
 * Report the records that the recorder keeps: those of working files that the
 * state does not know any more. Each is reported once, not at each run.
 */
static void report_kept_records(const struct ks_action_context *context, const char *text)
{
	const struct ks_system *system = context->system;
	g_autofree char *path = g_build_filename(system->state_dir, "records-told", NULL);
	g_autofree char *before =
		ks_root_read_file(system->root, path, MAX_KEPT_BYTES, NULL, NULL);

	if (g_strcmp0(text, before) == 0)
		return;
	if (!text) {
		ks_ignore(ks_durable_unlink(system->root, path, NULL));
		return;
	}
	notify(context, KS_EVENT_WARNING, text, NULL);
	ks_ignore(ks_durable_write(system->root, path, text, strlen(text), 0644, NULL));
}

static enum ks_action_status apply_records(const struct ks_action_context *context,
					   GPtrArray *records)
{
	struct ks_outcome *outcome = context->outcome;
	g_autofree char *kept = NULL;
	g_autoptr(GError) error = NULL;

	if (ks_record_apply(context->system, records, &kept, &error)) {
		report_kept_records(context, kept);
		outcome->n_recorded = records->len;
		return KS_STATUS_DONE;
	}
	outcome->record_pending = true;
	if (g_error_matches(error, KS_ERROR, KS_ERROR_PENDING))
		outcome->record_busy = g_strdup(error->message);
	else
		notify(context, KS_EVENT_WARNING, error->message, error);
	return KS_STATUS_SKIPPED;
}

/* Made from the state on disk: an action of this run may have failed. */
enum ks_action_status ks_closing_record(const struct ks_action_context *context,
					GError **error)
{
	const struct ks_system *system = context->system;
	g_autoptr(GPtrArray) kernels = ks_kernel_list(system, error);
	g_autoptr(GPtrArray) records = NULL;
	g_autoptr(GPtrArray) entries = NULL;

	if (!kernels)
		return KS_STATUS_FAILED;
	if (!ks_wanted_records_are_known(kernels))
		return KS_STATUS_SKIPPED;
	entries = ks_record_list(system, NULL);
	records = ks_wanted_records_list(system, kernels, entries, error);
	if (!records)
		return KS_STATUS_FAILED;
	if (entries && ks_wanted_records_are_there(entries, records))
		return KS_STATUS_SKIPPED;
	return apply_records(context, records);
}

static void on_post_transaction(const char *command, void *data)
{
	notify(data, KS_EVENT_POST_TRANSACTION, command, NULL);
}

/* Its failure is no module's, and is only a warning. */
enum ks_action_status ks_closing_post_transaction(const struct ks_action_context *context,
						  GError **error)
{
	g_autoptr(GError) local = NULL;

	if (!context->outcome->changed)
		return KS_STATUS_SKIPPED;
	if (!ks_post_transaction_run(context->system, context->settings,
				     context->inventory->kernels,
				     context->outcome->changed, on_post_transaction,
				     (void *)context, &local))
		notify(context, KS_EVENT_WARNING, local->message, local);
	return KS_STATUS_DONE;
}

enum ks_action_status ks_closing_prune(const struct ks_action_context *context,
				       const struct ks_kernel *kernel, GError **error)
{
	/* an action that was to empty it has failed, or a package has come back to it */
	if (!ks_install_can_prune_kernel(context->system, kernel, NULL))
		return KS_STATUS_SKIPPED;
	return ks_install_prune_kernel(context->system, kernel, error) ? KS_STATUS_DONE
								       : KS_STATUS_FAILED;
}
