/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Root, and the lock. */
#include "cli/change.h"

#include <unistd.h>

#include "cli/message.h"
#include "core/support/error.h"
#include "core/platform/lock.h"

bool ks_change_require_root(const char *command, GError **error)
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

struct ks_lock *ks_change_lock(const struct ks_cli *cli, const char *command,
			       GError **error)
{
	return ks_lock_acquire(cli->system, command, -1, on_wait, (void *)cli, error);
}
