/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Resolving what is meant, and locking for small changes. */
#include "cli/marks.h"

#include <unistd.h>

#include "cli/message.h"
#include "cli/run.h"
#include "cli/source.h"
#include "core/support/error.h"
#include "core/support/lock.h"

bool ks_marks_require_root(const char *command, GError **error)
{
	if (geteuid() == 0)
		return true;
	ks_error_set(error, KS_ERROR_DENIED, "cannot %s: not root", command);
	ks_error_hint(error, "run it with sudo");
	return false;
}

static void on_wait(const char *holder, void *data)
{
	const struct ks_cli *cli = data;

	if (!cli->quiet)
		ks_message_info("waiting for another run: %s",
				*holder ? holder : "unknown");
}

struct ks_lock *ks_marks_lock(const struct ks_cli *cli, const char *command,
			      GError **error)
{
	return ks_lock_acquire(cli->system, command, -1, on_wait, (void *)cli, error);
}

int ks_marks_resolve(struct ks_cli *cli, struct ks_selection *selection)
{
	static const struct ks_plan_request everything;
	ks_auto(ks_inventory) inventory = NULL;
	ks_auto(ks_plan) plan = NULL;
	const struct ks_source *source;
	g_autoptr(GError) error = NULL;

	if (!ks_engine_look(cli->system, cli->settings, &everything, &inventory, &plan,
			    &error))
		return ks_run_fail(error);
	if (!ks_selection_check(selection, inventory, &error)) {
		ks_message_gerror(error);
		return KS_EXIT_NOT_FOUND;
	}
	source = ks_source_pick(inventory, selection);
	if (!selection->version)
		selection->version = g_strdup(source->version);
	return KS_EXIT_OK;
}
