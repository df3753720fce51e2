/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The planner's verdicts on targets, as people read them and as exit codes. */
#pragma once

#include "cli/selection.h"

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
/* "foo/1.0 is on K1 (running), and will not be on K2 (booted next): why"; NULL: it is. */
char *ks_verdict_lost(const struct ks_verdict *verdict);

/* Of two of the codes 0, 3, 4 and 8 the one that says more: 3, 4, 8, 0. */
int ks_verdict_worse_code(int a, int b);
int ks_verdict_exit_code(const struct ks_plan *plan,
			 const struct ks_selection *selection);
/* The same of a command that was not to put anything in place: built is enough. */
int ks_verdict_exit_code_out_of_place(const struct ks_plan *plan,
				      const struct ks_selection *selection);
