/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The planner's verdicts on targets, as people read them and as exit codes. */
#pragma once

#include "cli/command.h"

/* The targets that a command is about; NULL is all. */
struct ks_selection {
	char *module;
	char *version;
	char *release;
};

void ks_selection_clear(struct ks_selection *selection);

/*
 * From a MODULE[/VERSION] argument and a --kernel option, either may be NULL.
 * KS_ERROR_INVALID for a malformed name.
 */
bool ks_selection_init(struct ks_selection *selection, const char *module_argument,
		       const char *release, GError **error);
/*
 * The user has named its kernel, which then counts even with headers and no
 * image: see struct ks_system.
 */
void ks_selection_name_kernel(struct ks_cli *cli, const struct ks_selection *selection);
/*
 * Turn the two arguments into a selection and run command on it. Returns its
 * exit code, or KS_EXIT_USAGE after printing why a name is malformed.
 */
int ks_selection_run(struct ks_cli *cli, const char *module_argument, const char *release,
		     int (*command)(struct ks_cli *cli,
				    const struct ks_selection *selection));
bool ks_selection_has(const struct ks_selection *selection,
		      const struct ks_target *target);
bool ks_selection_has_source(const struct ks_selection *selection,
			     const struct ks_source *source);
/* KS_ERROR_NOT_FOUND when no such module, version or kernel is in the inventory. */
bool ks_selection_check(const struct ks_selection *selection,
			const struct ks_inventory *inventory, GError **error);

/* False for what only fills a list: nothing built there and no such kernel any more. */
bool ks_verdict_is_shown(const struct ks_verdict *verdict);

/* "NAME/VERSION on RELEASE" */
char *ks_verdict_name(const struct ks_verdict *verdict);
/* ks_manifest_unresolved() of its artifact */
char *ks_verdict_unresolved(const struct ks_verdict *verdict);
/* "NAME/VERSION on RELEASE: STATE (reason words; detail)" */
char *ks_verdict_line(const struct ks_verdict *verdict);

/* "build failed at make: FIRST ERROR"; for a broken target, its problem. */
char *ks_verdict_failure(const struct ks_verdict *verdict);

/* KS_EXIT_OK, KS_EXIT_FAILED or KS_EXIT_WAITING. */
int ks_verdict_exit_code(const struct ks_plan *plan,
			 const struct ks_selection *selection);
