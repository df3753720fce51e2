/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small questions to inventory and plan that several commands ask. */
#pragma once

#include "cli/verdict.h"

/* The source or kernel that an action is about; NULL when it is about none. */
const struct ks_source *ks_source_of_action(const struct ks_action *action);
const struct ks_kernel *ks_source_kernel_of_action(const struct ks_action *action);
/* "NAME/VERSION on RELEASE", "NAME/VERSION", "RELEASE" or "the package database". */
char *ks_source_name_action(const struct ks_action *action);

/* Our record of the target's module and version on its kernel, or NULL. */
const struct ks_record_entry *ks_source_find_record(const struct ks_inventory *inventory,
						    const struct ks_target *target);

const struct ks_verdict *ks_source_find_verdict(const struct ks_plan *plan,
						const char *module, const char *version,
						const char *release);

/* The path in the tree of the log of the target's last failure or build, or NULL. */
char *ks_source_log_path(const struct ks_system *system, const struct ks_target *target);
