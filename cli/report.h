/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is told at the end of a run: one line per target on which something was
 * done, then what waits and for what, then the failures, each with the command
 * to type next.
 *
 * A run with a trigger says only what is new: run_dir/reported remembers which
 * failures and waits were told at the end of a transaction, so that one that
 * fails inside a kernel's postinst is named once more at the end of apt's
 * output, and not again by every later transaction. A run without a trigger
 * tells everything.
 */
#pragma once

#include "cli/verdict.h"

struct ks_report;

/* Takes what the package database holds now, to tell later what was recorded. */
struct ks_report *ks_report_new(const struct ks_system *system);
void ks_report_free(struct ks_report *report);
KS_DEFINE_CLEANUP(ks_report, ks_report_free)

/* Collect from an event of the engine. */
void ks_report_observe(struct ks_report *report, const struct ks_event *event);

enum ks_report_what {
	KS_REPORT_ALL,
	KS_REPORT_ERRORS, /* --quiet, --json */
	/* The caller has told of the targets asked for: what is about none of them. */
	KS_REPORT_OTHERS,
};

/*
 * Print it, write journal and motd. Failures are remembered as told unless
 * no_record says that this is not yet the end of a transaction.
 */
void ks_report_print(struct ks_report *report, const struct ks_outcome *outcome,
		     const struct ks_run_options *options,
		     const struct ks_selection *selection, enum ks_report_what what);
