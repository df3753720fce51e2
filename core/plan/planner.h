/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The planner's working picture: the inventory's targets arranged in groups,
 * one per module name and kernel, because a module has at most one version
 * installed on a kernel. Private to core/plan.
 *
 *	facts.c	  what is known of a cell before anything is decided
 *	choose.c  which version of a group is to be installed
 *	rivals.c  which source, of those that bring a module of the same name
 *	depends.c what a target is built upon: is it there, or will it be?
 *	judge.c	  the verdict of each target, and what is to be done about it
 *	lost.c	  which drivers the next boot costs, as things are
 *	emit.c	  the actions, their order and their edges; emit-closing.c those that
 *		  follow from all that was changed
 */
#pragma once

#include "core/plan/plan.h"
#include "core/support/contract.h"

struct ks_plan_group;

/* One target and what was decided about it. */
struct ks_plan_cell {
	struct ks_target *target;
	struct ks_plan_group *group;
	struct ks_verdict *verdict; /* owned by the plan */
	bool matched;		    /* the request is about this one */
	bool in_scope;		    /* matched, or needed by one that is */
	bool second_choice;	    /* used, since another is known to fail */
	bool passed_over; /* a lower version is used, since this cannot be provided */
	/* to be done; the reason is that of the verdict unless said otherwise */
	bool build, sign, install, uninstall, unbuild;
	enum ks_reason removal_reason;
	/* indices of the actions, -1 when there is none */
	int build_index, sign_index, install_index, uninstall_index, unbuild_index;
};

enum ks_plan_progress { KS_PLAN_UNJUDGED, KS_PLAN_JUDGING, KS_PLAN_JUDGED };

/* All versions of one module on one kernel. */
struct ks_plan_group {
	const char *name;
	struct ks_kernel *kernel;
	GPtrArray *cells;		/* struct ks_plan_cell */
	struct ks_plan_cell *chosen;	/* to be installed here, or NULL */
	struct ks_plan_cell *incumbent; /* installed here now, or NULL */
	struct ks_plan_cell *rival; /* nothing is chosen because of this one, or NULL */
	bool blocked;		    /* nothing is chosen because of block */
	enum ks_reason block;
	enum ks_plan_progress progress;
};

struct ks_planner {
	const struct ks_inventory *inventory;
	const struct ks_settings *settings;
	const struct ks_plan_request *request;
	struct ks_plan *plan;
	GPtrArray *cells;    /* in the inventory's order */
	GPtrArray *groups;   /* kernels that matter most first */
	GHashTable *by_name; /* "NAME KERNEL" -> group */
	GPtrArray *judged;   /* groups, dependencies before their dependants */
	bool any_alive;	     /* there is a live kernel at all */
};

/* --- facts about a cell */

KS_NONNULL(1)
bool ks_planner_matches(const struct ks_planner *planner, const struct ks_target *target);
/* The command line asked for exactly this one. */
KS_NONNULL(1)
bool ks_planner_is_requested(const struct ks_planner *planner,
			     const struct ks_plan_cell *cell);
/* Its source was removed (it is not merely unreadable). */
KS_NONNULL(1)
bool ks_planner_is_gone(const struct ks_source *source);
/* Its source was removed for certain, so that what it left may be removed. */
KS_NONNULL(1)
bool ks_planner_is_removable(const struct ks_planner *planner,
			     const struct ks_source *source);
/* Its source wants to be installed on every kernel, or somebody wants it. */
KS_NONNULL(1)
bool ks_planner_is_wanted(const struct ks_planner *planner,
			  const struct ks_plan_cell *cell);
/* What is built is what would be built now. Unknown inputs are no reason to doubt it. */
KS_NONNULL(1)
bool ks_planner_is_fresh(const struct ks_target *target);
/* It failed with these inputs, and is not tried again now. */
KS_NONNULL(1)
bool ks_planner_is_known_failure(const struct ks_planner *planner,
				 const struct ks_plan_cell *cell);
/* Asked for is what is in the store, and it is there. */
KS_NONNULL(1)
bool ks_planner_is_prepared(const struct ks_planner *planner,
			    const struct ks_plan_cell *cell);
/* Its source is gone, and what is installed of it stays all the same. */
KS_NONNULL(1)
bool ks_planner_stays_gone(const struct ks_planner *planner,
			   const struct ks_plan_cell *cell);
/* Both make a kernel module of the same name, on the same kernel. */
KS_NONNULL(1)
bool ks_planner_are_rivals(const struct ks_plan_cell *a, const struct ks_plan_cell *b);
KS_NONNULL(1)
struct ks_plan_group *ks_planner_find_group(const struct ks_planner *planner,
					    const char *name,
					    const struct ks_kernel *kernel);

/*
 * Who is to provide what BUILD_DEPENDS of the cell names: the module of that name on its
 * kernel, else another one that makes a module file of that name. NULL: none.
 */
KS_NONNULL(1)
struct ks_plan_group *ks_planner_find_depend(const struct ks_planner *planner,
					     const struct ks_plan_cell *cell,
					     const char *name);

/* What BUILD_DEPENDS of the cell names and nobody provides; NULL: nothing is missing. Free with
 * g_strfreev. Groups that it depends on are judged. */
KS_NONNULL(1)
char **ks_planner_find_missing_depends(const struct ks_planner *planner,
				       const struct ks_plan_cell *cell);

/*
 * Is another version of a module that the cell was built upon about to be installed, so that
 * it is to be built again with it? In words, or NULL; free with g_free. Groups that it
 * depends on are judged.
 */
KS_NONNULL(1)
char *ks_planner_find_changed_depend(const struct ks_planner *planner,
				     const struct ks_plan_cell *cell);

/*
 * Are its modules recorded? Without an image a kernel has no package that a record could
 * depend on and go with: that is made when the image comes.
 */
KS_NONNULL(1)
bool ks_planner_has_records(const struct ks_planner *planner,
			    const struct ks_kernel *kernel);

/*
 * While a package manager runs, the other packages of the transaction may be half
 * unpacked: what looks gone may be back at its end. What was asked for by name does not
 * only look gone.
 *
 * Is what would go for this reason kept by the request?
 */
KS_NONNULL(1)
bool ks_planner_keeps(const struct ks_planner *planner, enum ks_reason reason);

/* The key of a group in by_name; free with g_free. */
char *ks_planner_group_key(const char *name, const struct ks_kernel *kernel);

/* --- the steps */

KS_NONNULL(1)
void ks_planner_choose(struct ks_planner *planner, struct ks_plan_group *group);
/* The next lower version than that which could be used instead, or NULL. */
KS_NONNULL(1)
struct ks_plan_cell *ks_planner_find_lower(const struct ks_planner *planner,
					   const struct ks_plan_group *group,
					   const struct ks_plan_cell *than);
KS_NONNULL(1)
void ks_planner_settle_rivals(struct ks_planner *planner);
KS_NONNULL(1)
void ks_planner_mark_scope(struct ks_planner *planner);
KS_NONNULL(1)
void ks_planner_judge(struct ks_planner *planner, struct ks_plan_group *group);
/* Which drivers are there now, and will not be after the next boot. */
KS_NONNULL(1)
void ks_planner_mark_lost(struct ks_planner *planner);
KS_NONNULL(1)
void ks_planner_emit(struct ks_planner *planner);
/* emit-closing.c: after all others. */
KS_NONNULL(1)
void ks_planner_emit_closing(struct ks_planner *planner);
/* Add an action to the plan, whose it is. */
KS_NONNULL(1)
struct ks_action *ks_planner_append(struct ks_planner *planner, enum ks_action_kind kind,
				    enum ks_reason reason, const char *detail);
