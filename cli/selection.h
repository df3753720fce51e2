/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which sources and kernels a command is about. */
#pragma once

#include "cli/command.h"
#include "core/support/contract.h"

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
KS_MUST_CHECK
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
		     int (*command)(struct ks_cli *cli, struct ks_selection *selection));
bool ks_selection_has(const struct ks_selection *selection,
		      const struct ks_target *target);
bool ks_selection_has_source(const struct ks_selection *selection,
			     const struct ks_source *source);
/* KS_ERROR_NOT_FOUND when no such module, version or kernel is in the inventory. */
KS_MUST_CHECK
bool ks_selection_check(const struct ks_selection *selection,
			const struct ks_inventory *inventory, GError **error);

/*
 * Take the inventory and make the plan, which are the caller's, and check that module and
 * kernel are there. The module may be called as its .ko, or with '-' for '_'; it has its
 * own name afterwards. KS_EXIT_OK, or the exit code after printing the error; then there
 * are neither inventory nor plan.
 */
int ks_selection_look(struct ks_cli *cli, struct ks_selection *selection,
		      struct ks_inventory **inventory, struct ks_plan **plan);
/* Do module and kernel exist? KS_EXIT_OK, or the exit code after printing the error. */
int ks_selection_check_there(struct ks_cli *cli, struct ks_selection *selection);
/*
 * The same, and complete the selection from the inventory: the version, when it names
 * none, is the highest present one.
 */
int ks_selection_resolve(struct ks_cli *cli, struct ks_selection *selection);

/* The selection's source; its highest present version when the selection names none. */
const struct ks_source *ks_selection_pick(const struct ks_inventory *inventory,
					  const struct ks_selection *selection);
