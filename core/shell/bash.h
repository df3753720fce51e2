/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading with real bash what the native reader cannot: in the sandbox, as an
 * unprivileged user, without a writable directory and without network, for at
 * most 20 seconds, with at most 1 GiB of memory. The environment is PATH and LC_ALL; what
 * a conf sees of dkms are shell variables that are not exported. Bash writes the
 * variables to a descriptor, quoted, so that no value is ever split or matched with file
 * names (as dkms's own way of printing them does).
 *
 * Costs a few milliseconds, some tens for a conf that sources the kernel's
 * .config.
 */
#pragma once

#include "core/shell/vars.h"
#include "core/shell/view.h"
#include "core/platform/system.h"
#include "core/support/contract.h"

/*
 * The command line for the one and the other evaluation; its answer (see
 * dump.h) comes on descriptor fd. Free with g_strfreev. For tests, which run it
 * without the sandbox, and for ks_bash_run().
 */
char **ks_bash_source_argv(const char *file, const struct ks_vars *before,
			   const char *const *known, int fd);
KS_NONNULL(1)
char **ks_bash_again_argv(const struct ks_vars *first, const struct ks_vars *before,
			  const char *const *known, int fd);

/* Likewise: its output is the environment, as env -0 prints it. */
char **ks_bash_environment_argv(const char *file, const struct ks_vars *before, int fd);

/* The input of an evaluation. All pointers are the caller's. */
struct ks_bash_input {
	const char *label; /* FILE of messages */
	/*
	 * of the source: where bash is, and the copies it sees of files that
	 * its user cannot read
	 */
	struct ks_conf_view *view;
	const char
		*file; /* inside the tree, as bash sees it; NULL: the second evaluation */
	const struct ks_vars *first; /* of the second evaluation */
	const struct ks_vars *before;
	const char *const *known; /* the variables that are wanted, NULL at the end */
	enum ks_sandbox_setting sandbox;
};

/*
 * Run it. Returns before together with what was assigned, or NULL:
 * KS_ERROR_INVALID naming label, when the conf ended bash, took too long or
 * wrote too much. kept as in ks_native_again(); notes gets bash's first line
 * of complaint.
 *
 * *failure_lasts: it failed, and will fail again as long as the inputs are the
 * same; false when the file's mode or somebody's signal was the reason.
 */
KS_MUST_CHECK
KS_NONNULL(1)
struct ks_vars *ks_bash_run(const struct ks_system *system,
			    const struct ks_bash_input *input, GPtrArray *kept,
			    GPtrArray *notes, bool *failure_lasts, GError **error);

/*
 * The variables that input->file exports when it is sourced in a shell that has
 * input->before: "NAME=value" sorted by name, without those that a shell has
 * anyway and without MAKEFLAGS, which is the jobserver's. Free with g_strfreev.
 * NULL as above.
 */
KS_MUST_CHECK
KS_NONNULL(1)
char **ks_bash_environment(const struct ks_system *system,
			   const struct ks_bash_input *input, GPtrArray *notes,
			   GError **error);
