/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The plan for people or as JSON; shared by "plan" and "sync --dry-run". */
#pragma once

#include "cli/verdict.h"

/* Look, plan, print; the exit code. Changes nothing, needs no root. */
int ks_plan_text_print(struct ks_cli *cli, const struct ks_run_options *run_options);
