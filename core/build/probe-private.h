/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The texts of the probe memo, without effects: what a test can read. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "core/kernel/kernel.h"

/* What the fragments need to know besides the questions. */
struct ks_probe_scope {
	const char *try_run; /* as the headers define it, in make's language */
	const char *path;    /* PATH of the builds */
	char **directories;  /* where the kernel's makefiles run: headers, source */
};

/*
 * try-run's definition in a makefile of the headers, continued lines and all,
 * without "try-run = "; NULL when there is none or none of the known forms.
 */
char *ks_probe_text_find_try_run(const char *makefile);

/* The fragment that records: each question and its answer is a line in log_path. */
char *ks_probe_text_recorder(const struct ks_probe_scope *scope, const char *log_path);

/*
 * From such a log, which a build wrote: lines that are not exactly so are left
 * out. NULL when no question is left.
 */
char *ks_probe_text_memo(const struct ks_probe_scope *scope, const char *log);

/* Hex digest over everything that the answers depend on, or NULL without headers. */
char *ks_probe_key(const struct ks_system *system, struct ks_kernel *kernel,
		   struct ks_digest_cache *cache);

/* Only over the programs that compile, whatever kernel they compile for. */
char *ks_probe_toolchain_key(const struct ks_system *system,
			     const struct ks_kernel *kernel,
			     struct ks_digest_cache *cache);
