/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of the probe memo; its texts are without effects: what a test can read. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "core/kernel/kernel.h"

/* What the fragments need to know besides the questions. */
struct ks_probe_scope {
	char *try_run;	    /* as the headers define it, in make's language */
	char *path;	    /* PATH of the builds */
	char **directories; /* where the kernel's makefiles run: headers, source */
};

/*
 * try-run's definition in a makefile of the headers, continued lines and all,
 * without "try-run = "; NULL when there is none or none of the known forms.
 */
char *ks_probe_text_find_try_run(const char *makefile);

/*
 * The fragment that records: each question and its answer is a line in log_path. What
 * is in known, such a log or NULL, is noted as it is there and not asked.
 */
char *ks_probe_text_recorder(const struct ks_probe_scope *scope, const char *log_path,
			     const char *known);

/*
 * From such a log, which a build wrote: lines that are not exactly so are left
 * out. NULL when no question is left.
 */
char *ks_probe_text_memo(const struct ks_probe_scope *scope, const char *log);

/*
 * A log of what a memo knows that holds for any kernel that the same programs compile;
 * maybe empty.
 */
char *ks_probe_text_carry(const char *memo);

/* False when the headers ask in a way that is not known. To be cleared all the same. */
bool ks_probe_scope_find(const struct ks_system *system, const struct ks_kernel *kernel,
			 struct ks_probe_scope *scope);
void ks_probe_scope_clear(struct ks_probe_scope *scope);

/* Can it stand in a makefile as it is? */
bool ks_probe_is_plain_path(const char *path);

/* Where memos are. */
char *ks_probe_dir(const struct ks_system *system);

/* The text of the memo that is valid now, or NULL. */
char *ks_probe_memo_read(const struct ks_system *system, struct ks_kernel *kernel,
			 struct ks_digest_cache *cache);

/* Keep a fragment for the kernel, under its key. */
bool ks_probe_memo_write(const struct ks_system *system, const struct ks_kernel *kernel,
			 const char *key, const char *fragment, GError **error);

/* Hex digest over everything that the answers depend on, or NULL without headers. */
char *ks_probe_key(const struct ks_system *system, struct ks_kernel *kernel,
		   struct ks_digest_cache *cache);

/* Only over the programs that compile, whatever kernel they compile for. */
char *ks_probe_toolchain_key(const struct ks_system *system,
			     const struct ks_kernel *kernel,
			     struct ks_digest_cache *cache);
