/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Known failures: state_dir/failed/M/V/K/A, a key file. A failed target is not
 * retried until its fingerprint changes or the user asks. Beside it A.log, the
 * log of that build: what is at T/M/V/build may be another kernel's.
 */
#pragma once

#include "core/state/target.h"
#include "core/support/system.h"

struct ks_quarantine {
	char *fingerprint;
	enum ks_reason reason; /* build-failed or verify-failed */
	char *step; /* "patch", "pre_build", "make", "post_build", "strip", "verify" */
	char *first_error;   /* first error line of the log, cleaned of control characters
			      */
	char *log_path;	     /* in the tree; NULL: it could not be kept */
	gint64 failed_at_us; /* real time */
};

void ks_quarantine_free(struct ks_quarantine *quarantine);
KS_DEFINE_CLEANUP(ks_quarantine, ks_quarantine_free)

/* NULL without error when the target is not quarantined (or the file is unreadable). */
struct ks_quarantine *ks_quarantine_load(const struct ks_system *system,
					 const char *module, const char *version,
					 const char *release, const char *arch);
bool ks_quarantine_store(const struct ks_system *system,
			 const struct ks_quarantine *quarantine, const char *module,
			 const char *version, const char *release, const char *arch,
			 GError **error);
/* Where the log is to be put before ks_quarantine_store(), by whoever has it. */
char *ks_quarantine_log_path(const struct ks_system *system, const char *module,
			     const char *version, const char *release, const char *arch);
/* The log too. release NULL: of all kernels. */
bool ks_quarantine_clear(const struct ks_system *system, const char *module,
			 const char *version, const char *release, const char *arch,
			 GError **error);
