/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The JSON of --json. "schema" is 1; within a schema fields are only added.
 * The fields are described in kmodsmith(8).
 */
#pragma once

#include "cli/export.h"
#include "cli/lint.h"
#include "cli/verdict.h"

/* Targets of the selection, and the problems of sources that have no target. */
void ks_json_print_status(const struct ks_inventory *inventory,
			  const struct ks_plan *plan,
			  const struct ks_selection *selection);
void ks_json_print_plan(const struct ks_inventory *inventory, const struct ks_plan *plan);
/* Findings, and targets when there is a plan; conf may be NULL. */
void ks_json_print_lint(const struct ks_conf *conf, const GPtrArray *findings,
			const struct ks_plan *plan, const struct ks_inventory *inventory);
/*
 * Of a preparation: the kernels, NULL at the end, and the targets on them. Both NULL: no
 * kernel is to come.
 */
void ks_json_print_preflight(const struct ks_outcome *outcome, char **releases);
/* Package files: struct ks_exported. */
void ks_json_print_exported(const char *format, const GPtrArray *made);
