/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One run of the engine from the command line: signals, progress, log, report
 * and exit code, the same for every command that changes something.
 *
 * SIGINT and SIGTERM ask the engine to clean up and stop; while it only waits
 * for the lock they end the program at once. SIGHUP and SIGPIPE are ignored: a
 * terminal that goes away must not stop what a package manager relies on.
 */
#pragma once

#include "cli/verdict.h"

struct ks_run {
	/* its observer may be NULL, and sees every event; cancelled is this unit's own */
	struct ks_run_options options;
	bool silent; /* the caller prints (the personality dkms has its own words) */
};

/* Run, report, and give the exit code. *outcome may be NULL; it is NULL after
 * a failure. */
int ks_run_engine(struct ks_cli *cli, const struct ks_run *run,
		  struct ks_outcome **outcome);

/*
 * Build for system's incoming kernels, into the store, with progress and messages but no
 * report. The outcome's verdicts are about them; it is the caller's.
 */
KS_MUST_CHECK
struct ks_outcome *ks_run_prepare(struct ks_cli *cli, GError **error);

/*
 * When KMODSMITH=0 is in the environment: print that nothing is changed and
 * return true.
 */
bool ks_run_is_disabled(const struct ks_cli *cli);

/*
 * When an ancestor of this process holds the lock: leave the request to it (it
 * runs once more before it ends), print that and return true.
 */
bool ks_run_queue_if_held_above(const struct ks_cli *cli, const char *what);

/*
 * Set (by the plugin of rpm) in a scriptlet of a transaction at whose end the
 * engine runs: a build now would be a second one.
 */
#define KS_RUN_TRANSACTION_ENV "KMODSMITH_TRANSACTION"
bool ks_run_is_in_transaction(void);
