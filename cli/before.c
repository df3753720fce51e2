/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Resolving what is meant, and locking for small changes. */
#include "cli/before.h"

#include <unistd.h>

#include "cli/message.h"
#include "cli/run.h"
#include "cli/find.h"
#include "core/support/error.h"
#include "core/platform/lock.h"

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
		ks_message_note("waiting for another run: %s",
				*holder ? holder : "unknown");
}

struct ks_lock *ks_marks_lock(const struct ks_cli *cli, const char *command,
			      GError **error)
{
	return ks_lock_acquire(cli->system, command, -1, on_wait, (void *)cli, error);
}

/* *inventory is the caller's, also after a failure when it is not NULL. */
static int look(struct ks_cli *cli, const struct ks_selection *selection,
		struct ks_inventory **inventory)
{
	static const struct ks_plan_request everything;
	ks_auto(ks_plan) plan = NULL;
	g_autoptr(GError) error = NULL;

	if (!ks_engine_look(cli->system, cli->settings, &everything, inventory, &plan,
			    &error))
		return ks_run_fail(error);
	if (!ks_selection_check(selection, *inventory, &error)) {
		ks_message_gerror(error);
		return KS_EXIT_NOT_FOUND;
	}
	return KS_EXIT_OK;
}

int ks_marks_check(struct ks_cli *cli, const struct ks_selection *selection)
{
	ks_auto(ks_inventory) inventory = NULL;

	return look(cli, selection, &inventory);
}

int ks_marks_resolve(struct ks_cli *cli, struct ks_selection *selection)
{
	ks_auto(ks_inventory) inventory = NULL;
	int code = look(cli, selection, &inventory);

	if (code == KS_EXIT_OK && !selection->version)
		selection->version =
			g_strdup(ks_source_pick(inventory, selection)->version);
	return code;
}
