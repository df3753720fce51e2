/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A pure function: inventory and settings in, plan out. No file, clock or
 * process is touched; tests/spec/plan shows what it decides.
 *
 * For each module name and each kernel it picks the highest version that is
 * present, wanted and not excluded there, and gives every target a state and a
 * reason; from these follow the actions that turn what is into what is wanted.
 * A module that works is not removed before its replacement is in place.
 */
#pragma once

#include "core/inventory/inventory.h"
#include "core/support/contract.h"

enum ks_action_kind {
	KS_ACTION_ADD,	     /* register source in T */
	KS_ACTION_BUILD,     /* build target, publish the artifact */
	KS_ACTION_SIGN,	     /* sign target's artifact again: nothing is compiled */
	KS_ACTION_INSTALL,   /* put the artifact's files in place, activate */
	KS_ACTION_UNINSTALL, /* take the files away, deactivate */
	KS_ACTION_UNBUILD,   /* drop the artifact from T */
	KS_ACTION_REMOVE,    /* drop the source from T */
	KS_ACTION_DEPMOD,    /* of kernel, once, after its installs and uninstalls */
	KS_ACTION_INITRAMFS, /* refresh kernel's image, once, after its DEPMOD */
	KS_ACTION_UNRENEWED, /* report which image of kernel nobody renews, once, after that */
	KS_ACTION_DEVICES, /* serve devices of this machine that waited for a module */
	KS_ACTION_RECORD,  /* make the package database equal, once */
	KS_ACTION_POST_TRANSACTION, /* framework.conf's command, after the records */
	KS_ACTION_PRUNE, /* remove what is left of the directory of a kernel that is gone */
};

struct ks_action {
	enum ks_action_kind kind;
	struct ks_target *target; /* BUILD, SIGN, INSTALL, UNINSTALL, UNBUILD */
	struct ks_source *source; /* ADD, REMOVE */
	struct ks_kernel *kernel; /* DEPMOD, INITRAMFS, UNRENEWED, PRUNE; target's kernel
			    otherwise */
	enum ks_reason reason;
	char *detail;	    /* more than the reason's words; may be NULL */
	bool second_choice; /* of BUILD, INSTALL: for one that is known to fail */
	GArray *needs; /* guint: indices of earlier actions that must have succeeded */
	GArray *after; /* guint: indices that must have ended, either way */
};

struct ks_verdict {
	struct ks_target *target;
	enum ks_target_state state;
	enum ks_reason reason;
	char *detail;		/* "needs CONFIG_USB, ...", first compiler error, ...; may
	               * be NULL */
	char **missing_depends; /* with DEPENDS_MISSING: what is not provided; else NULL */
	bool wanted;		/* chosen for this kernel */
	/*
	 * The running kernel has the module, and this one, which boots next, has neither
	 * that nor one of its own, whatever the reason is; or NULL.
	 */
	const struct ks_kernel *lost_from;
};

struct ks_plan {
	GPtrArray *verdicts;   /* struct ks_verdict, one per target, in the inventory's
				  order */
	GPtrArray *actions;    /* struct ks_action, in an order that satisfies needs and
				  after */
	bool has_shared_build; /* of one M/V there are builds for several kernels */
};

/* What a request wants. All except the first concern only the targets that it names. */
enum ks_goal {
	KS_GOAL_KEEP_UP, /* everything is as the confs and marks want it */
	KS_GOAL_BUILD,	 /* it is built, and not installed */
	/*
	 * What incoming kernels will need is in the store when they are installed. It
	 * concerns their targets alone: nothing is registered, installed or removed.
	 */
	KS_GOAL_PREPARE,
	KS_GOAL_INSTALL,   /* it is there: as if AUTOINSTALL, and this very version */
	KS_GOAL_REINSTALL, /* likewise, and put in place again, as it was built */
	KS_GOAL_UNINSTALL, /* it is taken off the selected kernels */
	KS_GOAL_UNBUILD,   /* likewise, and what was built is forgotten */
};

static inline bool ks_goal_asks_for(enum ks_goal goal)
{
	return goal == KS_GOAL_BUILD || goal == KS_GOAL_INSTALL ||
	       goal == KS_GOAL_REINSTALL;
}

/* Nothing is put in place or taken away. */
static inline bool ks_goal_only_builds(enum ks_goal goal)
{
	return goal == KS_GOAL_BUILD || goal == KS_GOAL_PREPARE;
}

static inline bool ks_goal_takes_away(enum ks_goal goal)
{
	return goal == KS_GOAL_UNINSTALL || goal == KS_GOAL_UNBUILD;
}

struct ks_plan_request {
	/* Narrow to these; NULL for all. */
	const char *module;
	const char *version;
	const char *release;
	enum ks_goal goal;
	bool force;	     /* rebuild although up to date; try known failures again */
	bool retry_failed;   /* try known failures again */
	bool keep_signature; /* install it as it was built: nothing is signed again */
	bool ignore_depends; /* build also without what BUILD_DEPENDS names */
	bool rebuild_dependents; /* with what is installed, what was built upon another
				  version of it */
	bool no_shared_build;	 /* targets of one M/V cannot build at the same time */
	bool no_initramfs;	 /* a later hook makes it */
	bool no_depmod; /* the caller runs it: DEPMOD says where, and does nothing */
	bool no_record; /* the package database is not written by this run */
	/* Inside a maintainer script: a package may be between two versions. */
	bool keep_all;	/* nothing is taken away */
	bool keep_gone; /* nothing is taken away but what was asked for by name */
};

/*
 * Decide. The plan is the caller's. Its verdicts and actions point to the inventory's
 * targets, sources and kernels: the inventory outlives it, unchanged. settings and request
 * are not kept. Never NULL.
 */
KS_NONNULL(1)
struct ks_plan *ks_plan_make(const struct ks_inventory *inventory,
			     const struct ks_settings *settings,
			     const struct ks_plan_request *request);
/* NULL is allowed; before the inventory is freed. */
void ks_plan_free(struct ks_plan *plan);
KS_DEFINE_CLEANUP(ks_plan, ks_plan_free)

/* "build", "install": stable ids. */
const char *ks_action_kind_id(enum ks_action_kind kind);
