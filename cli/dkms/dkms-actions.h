/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of actions: with that of options (dkms-options.c) it is what the parser, the
 * checks before an action, the help and, by a test, completions and man page follow from.
 * To add an action: write cli/dkms/dkms-NAME.c, name its function in the table, describe it
 * in doc/dkms.8 and cli/completion.
 */
#pragma once

#include "cli/dkms/dkms.h"

/* The checks before an action, in dkms's order (3.4.3, its last lines). */
enum ks_dkms_check {
	KS_DKMS_CHECK_END,
	KS_DKMS_CHECK_MODULE,	  /* M/V is given: 1 */
	KS_DKMS_CHECK_NOT_BROKEN, /* its source is there: 4 */
	KS_DKMS_CHECK_ADDED,	  /* it is in the tree: 3 */
	KS_DKMS_CHECK_NO_ALL,	  /* 5 */
	KS_DKMS_CHECK_ONE_KERNEL, /* no --all: 5; one kernel: 4 */
	KS_DKMS_CHECK_TREE,	  /* can write to T: 1 */
	KS_DKMS_CHECK_ROOT,	  /* 1 */
};

#define KS_DKMS_MAX_CHECKS 5

struct ks_dkms_action {
	const char *name;
	int (*run)(struct ks_dkms *dkms);
	const char *arguments; /* for the help */
	const char *summary;
	enum ks_dkms_check checks[KS_DKMS_MAX_CHECKS];
	bool takes_all;		/* --all is for all kernels, and modules */
	bool no_default_kernel; /* without -k it is not about the running one */
	bool needs_kernel;	/* -k is required: 4, before anything else */
	bool filters;		/* M, V, K and A are patterns, or a path: not names */
	bool changes;		/* does nothing with KMODSMITH=0 */
};

extern const struct ks_dkms_action ks_dkms_actions[]; /* ends with a NULL name */
const struct ks_dkms_action *ks_dkms_find_action(const char *name);
/* Usage, and lists of the actions and options, from the two tables. */
void ks_dkms_print_usage(FILE *to);

/* dkms-checks.c: KS_DKMS_OK, or the exit code after printing why the action cannot begin. */
int ks_dkms_check(const struct ks_dkms *dkms, const struct ks_dkms_action *action);
/* KS_DKMS_OK, or 1 after printing that the caller cannot write to T. */
int ks_dkms_check_tree(const struct ks_dkms *dkms);

/* The actions, each in the file of its name. */
int ks_dkms_status(struct ks_dkms *dkms);
int ks_dkms_add(struct ks_dkms *dkms);
int ks_dkms_build(struct ks_dkms *dkms);
int ks_dkms_install(struct ks_dkms *dkms);
int ks_dkms_uninstall(struct ks_dkms *dkms);
int ks_dkms_remove(struct ks_dkms *dkms);
int ks_dkms_autoinstall(struct ks_dkms *dkms);
int ks_dkms_mktarball(struct ks_dkms *dkms);
int ks_dkms_ldtarball(struct ks_dkms *dkms);
int ks_dkms_mkdeb(struct ks_dkms *dkms);
int ks_dkms_mkbmdeb(struct ks_dkms *dkms);
int ks_dkms_mkrpm(struct ks_dkms *dkms);
int ks_dkms_generate_mok(struct ks_dkms *dkms);
int ks_dkms_ltdk(struct ks_dkms *dkms);
int ks_dkms_mktree(struct ks_dkms *dkms);
int ks_dkms_unmktree(struct ks_dkms *dkms);
int ks_dkms_unbuild(struct ks_dkms *dkms);
int ks_dkms_match(struct ks_dkms *dkms);
int ks_dkms_kernel_preinst(struct ks_dkms *dkms);
int ks_dkms_kernel_prerm(struct ks_dkms *dkms);
