/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How people see a failure when nobody looks at the terminal: a line in
 * log_dir/kmodsmith.log for each event, an entry in the journal with a
 * MESSAGE_ID, and a fragment in /run/motd.d while a target is failed
 * or broken.
 *
 * None of them makes a run fail: one that cannot be written is left out. All
 * of them need root, and the journal is only the machine's own.
 */
#pragma once

#include "cli/verdict.h"

/* MESSAGE_IDs, documented in kmodsmith(8); never changed. */
#define KS_NOTIFY_ID_FAILED "809248ec562a442a90635861a36dbdab"
#define KS_NOTIFY_ID_DONE   "d5b6ea31616a4992b1ca1d33bd569084"

/* One line, with the time and the process, to kmodsmith.log. */
void ks_notify_log(const struct ks_system *system, const char *format, ...)
	G_GNUC_PRINTF(2, 3);

/* text is what the terminal showed: "NAME/VERSION on RELEASE: ...". */
void ks_notify_journal_failed(const struct ks_system *system,
			      const struct ks_verdict *verdict, const char *text);
void ks_notify_journal_done(const struct ks_system *system, const char *text);

/* Write the fragment, or remove it when nothing is failed. */
void ks_notify_motd(const struct ks_system *system, const struct ks_plan *plan);
