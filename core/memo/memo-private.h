/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of the probe memo; its texts are without effects: what a test can read. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "core/kernel/kernel.h"
#include "core/support/contract.h"

/* What the fragments need besides the questions. */
struct ks_memo_scope {
	char *try_run;	    /* as the headers define it, in make's language */
	char *path;	    /* PATH of the builds */
	char **directories; /* where the kernel's makefiles run: headers, source */
};

/*
 * The definition of try-run in a makefile of the headers, with its continued
 * lines, without "try-run = "; NULL when there is none or it has none of the
 * known forms.
 */
char *ks_memo_text_find_try_run(const char *makefile);

/*
 * The fragment that records: each question and its answer becomes a line in
 * log_path. Answers in known (such a log, or NULL) are copied, and their
 * questions are not asked.
 */
KS_NONNULL(1)
char *ks_memo_text_recorder(const struct ks_memo_scope *scope, const char *log_path,
			    const char *known);

/*
 * The memo made from such a log, which a build wrote: lines of any other form
 * are left out. NULL when no question is left.
 */
KS_NONNULL(1)
char *ks_memo_text_make(const struct ks_memo_scope *scope, const char *log);

/*
 * A log of those answers of a memo that hold for any kernel compiled by the
 * same programs; may be empty.
 */
char *ks_memo_text_carry(const char *memo);

/* False when the headers ask in a way that is not known. To be cleared all the same. */
KS_NONNULL(1)
bool ks_memo_scope_find(const struct ks_system *system, const struct ks_kernel *kernel,
			struct ks_memo_scope *scope);
void ks_memo_scope_clear(struct ks_memo_scope *scope);

/* Can it stand in a makefile as it is? */
bool ks_memo_is_plain_path(const char *path);

/* The directory of the memos. */
KS_NONNULL(1)
char *ks_memo_dir(const struct ks_system *system);

/* The text of the memo that is valid now, or NULL. */
KS_NONNULL(1)
char *ks_memo_read(const struct ks_system *system, struct ks_kernel *kernel,
		   struct ks_digest_cache *cache);

/* Keep a fragment for the kernel, under its key. */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_memo_write(const struct ks_system *system, const struct ks_kernel *kernel,
		   const char *key, const char *fragment, GError **error);

/* Hex digest over everything that the answers depend on, or NULL without headers. */
KS_NONNULL(1)
char *ks_memo_key(const struct ks_system *system, struct ks_kernel *kernel,
		  struct ks_digest_cache *cache);

/* The key over the programs that compile alone, whatever kernel they compile for. */
KS_NONNULL(1)
char *ks_memo_toolchain_key(const struct ks_system *system,
			    const struct ks_kernel *kernel,
			    struct ks_digest_cache *cache);
