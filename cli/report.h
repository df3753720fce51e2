/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The report at the end of a run: one line per target that was changed, then
 * the waiting targets and what each waits for, then the failures, each with
 * the command to type next.
 *
 * A run with a trigger reports only news: run_dir/reported remembers which
 * failures and waits were reported at the end of a transaction, so that a
 * failure inside a kernel's postinst is named once more at the end of apt's
 * output, and not again by every later transaction. A run without a trigger
 * reports everything.
 */
#pragma once

#include "cli/verdict.h"

struct ks_report;

/* Reads the records in the package database now, to report later what was recorded. */
struct ks_report *ks_report_new(const struct ks_system *system);
void ks_report_free(struct ks_report *report);
KS_DEFINE_CLEANUP(ks_report, ks_report_free)

/* Collect from an event of the engine. */
void ks_report_observe(struct ks_report *report, const struct ks_event *event);

enum ks_report_what {
	KS_REPORT_ALL,
	KS_REPORT_ERRORS, /* --quiet, --json */
	/*
	 * The caller has reported the targets that were asked for: report only
	 * what is about none of them.
	 */
	KS_REPORT_OTHERS,
};

/*
 * Print it, write journal and motd. Failures are remembered as reported unless
 * no_record says that this is not yet the end of a transaction.
 */
void ks_report_print(struct ks_report *report, const struct ks_outcome *outcome,
		     const struct ks_run_options *options,
		     const struct ks_selection *selection, enum ks_report_what what);
