/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Known failures: state_dir/failed/M/V/K/A, a key file. A failed target is not
 * retried until its fingerprint changes or the user asks. Beside it lies
 * A.log, the log of that build: the one at T/M/V/build may be
 * another kernel's.
 *
 * It is also retried when its surroundings changed
 * (core/kernel/surroundings.h), as long as that costs little:
 * see ks_failure_may_retry().
 */
#pragma once

#include "core/state/target.h"
#include "core/platform/system.h"
#include "core/support/contract.h"

struct ks_failure {
	char *fingerprint;
	enum ks_reason reason; /* build-failed or verify-failed */
	char *step; /* "patch", "pre_build", "make", "post_build", "strip", "verify" */
	char *first_error;    /* first error line of the log, cleaned of
	                      * control characters */
	char *log_path;	      /* in the tree; NULL: it could not be kept */
	gint64 failed_at_us;  /* real time */
	char *hint;	      /* what to do about it, or NULL */
	bool without_sandbox; /* it was built with sandbox = off */
	char *surroundings;   /* as they were; NULL: recorded before they were kept */
	/* Tries with the same inputs, each with other surroundings: how often it was
	 * tried again without anybody asking, how long all tries took, and when the first
	 * one failed. */
	guint n_retries;
	gint64 spent_ms, first_failed_at_us;
};

void ks_failure_free(struct ks_failure *failure);
KS_DEFINE_CLEANUP(ks_failure, ks_failure_free)

/*
 * Its surroundings changed: may a run that nobody asked for try it again? A
 * build that fails fast always may, and every build may once. A build that
 * fails slowly costs each package transaction its time: it may each time the
 * time since it first failed has doubled, begun with a hundred times what its
 * tries took. Whoever does not want to wait asks.
 */
KS_NONNULL(1)
bool ks_failure_may_retry(const struct ks_failure *failure, gint64 now_us);

/* former (NULL: none) was this failure before: it counts on from there. */
KS_NONNULL(1)
void ks_failure_continue(struct ks_failure *failure, const struct ks_failure *former,
			 gint64 duration_ms);

/* NULL without error when the target is not failed (or the file is unreadable). */
KS_NONNULL(1)
struct ks_failure *ks_failure_load(const struct ks_system *system, const char *module,
				   const char *version, const char *release,
				   const char *arch);
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_failure_store(const struct ks_system *system, const struct ks_failure *failure,
		      const char *module, const char *version, const char *release,
		      const char *arch, GError **error);
/* The path at which the caller has to put the log before ks_failure_store(). */
KS_NONNULL(1)
char *ks_failure_log_path(const struct ks_system *system, const char *module,
			  const char *version, const char *release, const char *arch);
/* The log too. release NULL: of all kernels. */
KS_MUST_CHECK
bool ks_failure_clear(const struct ks_system *system, const char *module,
		      const char *version, const char *release, const char *arch,
		      GError **error);
