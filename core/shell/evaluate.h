/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From files to variables: a dkms.conf and then its overrides, or framework.conf and
 * then the files that override it, each evaluated twice as dkms does, natively or by
 * bash, or taken from the cache of bash's earlier results.
 */
#pragma once

#include "core/shell/vars.h"
#include "core/shell/view.h"
#include "core/kernel/kernel.h"
#include "core/sandbox/sandbox.h"
#include "core/platform/system.h"
#include "core/support/contract.h"

#define KS_CONF_MAX_BYTES (1u << 20)

struct ks_conf_file {
	char *path;  /* inside the tree */
	char *label; /* FILE of messages: as the calling process sees it,
	              * made printable */
	char *text;
};

/* The caller sets and keeps the members above 'base'. */
struct ks_evaluation {
	const struct ks_system *system;
	const char *source_dir; /* where bash is while it reads */
	bool is_plain_dir;	/* source_dir is not a module's source: nobody but root
	                         * reads its files */
	const char *name, *version; /* "" when not known yet */
	struct ks_kernel *kernel;   /* may be NULL */
	const char *arch;
	const char *const *known; /* the variables that are wanted, NULL at the end */
	enum ks_sandbox_setting sandbox; /* that bash runs in */

	struct ks_vars *base; /* what the first file sees; the caller hands it over */
	GPtrArray *files;     /* struct ks_conf_file, in the order they are read */
	struct ks_vars *vars;
	GPtrArray *kept;	   /* "NAME[i]": not one word in the second evaluation */
	GPtrArray *notes;	   /* what bash complained of */
	struct ks_conf_view *view; /* what bash reads; NULL until it does */
	char *cache_key;    /* of the inputs, taken before bash reads them; or NULL */
	bool failure_lasts; /* the same inputs would fail the same way */
};

/* Add the file at path (in the tree); it is evaluated after those already added. */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_evaluation_add_file(struct ks_evaluation *evaluation, const char *path,
			    GError **error);

/*
 * Evaluate the files. On failure what was read so far stays for
 * ks_evaluation_clear(), and for ks_evaluation_locate() when there is a file.
 */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_evaluation_run(struct ks_evaluation *evaluation, GError **error);
void ks_evaluation_clear(struct ks_evaluation *evaluation);

/* The last place where NAME[index] is assigned, for "FILE:LINE"; line 1 of the first file
 * if none. */
KS_NONNULL(1)
void ks_evaluation_locate(const struct ks_evaluation *evaluation, const char *name,
			  guint index, const char **label, unsigned int *line);

/*
 * cache.c. What bash makes of a conf, by its inputs: the texts, the variables
 * it sees, the machine, and by identity (inode, size, times) the files of the
 * source directory and the kernel's configuration, which confs read. One file
 * for each source and kernel below state_dir/cache/conf; not being able to
 * write there is no error.
 *
 * A failure that comes of the inputs alone is kept like a result: a conf that
 * hangs costs its 20 seconds once, not at every "status". Its message says that it
 * is remembered.
 */
/* True when there is one: evaluation->vars is set, or *error. */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_conf_cache_load(struct ks_evaluation *evaluation, GError **error);
KS_NONNULL(1)
void ks_conf_cache_store(const struct ks_evaluation *evaluation);
/* failure is a KS_ERROR_INVALID; it is given the words that say so when it was kept. */
KS_NONNULL(1)
void ks_conf_cache_store_failure(const struct ks_evaluation *evaluation, GError *failure);
