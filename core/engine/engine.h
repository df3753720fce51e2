/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A run: its stages one after another, and what it reports of them to an observer. It
 * prints nothing itself.
 */
#pragma once

#include <signal.h>

#include "core/compile/build.h"
#include "core/plan/plan.h"
#include "core/sign/sign.h"
#include "core/support/contract.h"

enum ks_event_kind {
	KS_EVENT_WAITING_FOR_LOCK, /* text: the holder */
	KS_EVENT_RECOVERED,	   /* text: what a killed run had left and is repaired */
	KS_EVENT_PLANNED,	   /* plan is there; total is the number of its actions */
	KS_EVENT_ACTION_START,	   /* action; text: step */
	KS_EVENT_ACTION_STEP,	   /* a build goes on to another step: text */
	KS_EVENT_ACTION_DONE,	   /* action ended well */
	KS_EVENT_ACTION_FAILED,	   /* action; error */
	KS_EVENT_ORIGINAL,     /* text: the path of a file put aside or, by UNINSTALL, put
				  back */
	KS_EVENT_PLACED,       /* by INSTALL: manifest lists the files */
	KS_EVENT_TAKEN,	       /* by UNINSTALL, before: manifest lists the files */
	KS_EVENT_REFUSED,      /* by INSTALL, before: refusal says which file and why */
	KS_EVENT_WEAK_MODULES, /* action's files are linked to other kernels, or were */
	KS_EVENT_SCRIPT,       /* text: "post_add": such a script is run now */
	KS_EVENT_NO_SCRIPT, /* text: "post_add": there is one that cannot be executed */
	KS_EVENT_ACTION_PROGRESS,  /* of a build, about once a second: files, estimate */
	KS_EVENT_TICK,		   /* about once a second while something runs */
	KS_EVENT_WARNING,	   /* text */
	KS_EVENT_SANDBOX,	   /* text: the layers builds have; once a run */
	KS_EVENT_POST_TRANSACTION, /* text: the command of framework.conf, about to run */
	/* action's modules are about to be built or signed again: signing says how;
	 * first: nothing was signed on that kernel in this run */
	KS_EVENT_SIGNING,
	KS_EVENT_SIGNED,      /* they are finished: signing; manifest says with
	                       * what result */
	KS_EVENT_SIGN_FAILED, /* text, error: one of them is not signed; a warning */
};

struct ks_refusal;

struct ks_event {
	enum ks_event_kind kind;
	const struct ks_action *action;
	const char *text;
	const GError *error;
	const char *first_error; /* of a failed build */
	const struct ks_signing *signing;
	bool first;
	/* Of a build's step: its description in dkms's words (NULL: not reported,
	 * KS_EVENT_NO_SCRIPT follows), and its command. */
	const char *description;
	const char *command;
	const struct ks_build_result *result; /* of a build that ended; or NULL */
	const struct ks_manifest *manifest;
	const struct ks_refusal *refusal; /* see refusal.h */
	/*
	 * Of the targets that something is done to: which this action is about, counted in
	 * the order in which they begin (0: none, or it has not begun), and how many there
	 * are. KS_EVENT_PLANNED: total is the number of actions.
	 */
	unsigned int number, total;
	unsigned int files_done, files_known; /* of a build; known 0: not known */
	gint64 estimate_ms;		      /* of a build, in all; 0: not known */
};

typedef void (*ks_observer)(const struct ks_event *event, void *data);

struct ks_run_options {
	struct ks_plan_request request;
	const char *command; /* for the lock file and the log: "sync" */
	const char
		*trigger; /* "command", "apt", "kernel-postinst", "boot": for the log */
	bool no_record;	  /* inside a maintainer script: the database is locked */
	/*
	 * For the end of the caller's own transaction: everything is done
	 * except the recording, which the caller does itself, from what
	 * "kmodsmith records" prints.
	 */
	bool caller_records;
	bool no_depmod;
	bool modprobe; /* as framework.conf's modprobe_on_install, for this run */
	/* of the kernel's own modules that stand in the way also those a package owns */
	bool take_originals;
	bool no_weak_modules;	/* as a conf's NO_WEAK_MODULES, for all of this run */
	bool symlink_modules;	/* as framework.conf's, for this run */
	bool scripts_to_stdout; /* what root's scripts print; else it goes to the log */
	/*
	 * Files of request.module are not installed beside the same or newer ones that
	 * the kernel's directory has (refusal.h), and not until it is asked for by name
	 * again.
	 */
	bool compare_with_kernel;
	/* When depmod fails on request.release, where no version of request.module was
	 * installed before, that is taken off again. */
	bool undo_unindexed;
	bool ignore_pre_install; /* its failure is only reported */
	int lock_timeout_ms;	 /* see ks_lock_acquire */
	ks_observer observer;
	void *observer_data;
	/* set by the caller's signal handler; polled; may be NULL */
	const volatile sig_atomic_t *cancelled;
};

struct ks_outcome {
	struct ks_inventory *inventory; /* as it is after the run */
	struct ks_plan *plan;		/* verdicts after the run */
	unsigned int n_built, n_installed, n_removed, n_failed, n_waiting, n_recorded;
	unsigned int n_reused; /* how many of those built were taken from the store */
	unsigned int n_failed_actions;
	bool record_pending; /* the package database has not all records */
	char *record_busy;   /* why it could not be written now; NULL: otherwise */
	bool has_installed_for_running; /* something, for the running kernel */
	GPtrArray *aliases;		/* char *: aliases of what was installed for the
	                         * running kernel */
	unsigned int n_devices;		/* announced to udev for it */
	GPtrArray *changed;   /* char *: kernels that a module was put in place or taken
				   away for; NULL: none */
	GPtrArray *unindexed; /* char *: kernels whose depmod failed; NULL: none */
	/* Of KS_GOAL_PREPARE: fingerprints (char *) of what was built; NULL: nothing. */
	GHashTable *prepared;
	/*
	 * Likewise targets whose artifacts are in T while others are built upon them; NULL:
	 * none.
	 */
	GPtrArray *lent;
	/*
	 * Likewise releases on which nothing can be built now, whatever the module, with
	 * the reason in words; NULL: none.
	 */
	GHashTable *unsound;
	gint64 duration_ms;
};

/* Was a module put in place or taken away for that kernel? */
KS_NONNULL(1)
bool ks_outcome_has_changed(const struct ks_outcome *outcome, const char *release);

void ks_outcome_free(struct ks_outcome *outcome);
KS_DEFINE_CLEANUP(ks_outcome, ks_outcome_free)

/*
 * Reconcile: recover, inventory, plan, run, record; of KS_GOAL_PREPARE only inventory, plan
 * and run, without a look at the package database. False only when it could
 * not be tried (no lock, not root); a failed target is in the outcome, which is the
 * caller's and holds the inventory and the plan as they are after the run. Pointers that an
 * event has are good until the observer returns.
 */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_engine_run(const struct ks_system *system, const struct ks_settings *settings,
		   const struct ks_run_options *options, struct ks_outcome **outcome,
		   GError **error);

/*
 * Inventory and plan without a lock and without effect: status, explain. Both are the
 * caller's; the plan points into the inventory and is freed first.
 */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_engine_look(const struct ks_system *system, const struct ks_settings *settings,
		    const struct ks_plan_request *request,
		    struct ks_inventory **inventory, struct ks_plan **plan,
		    GError **error);

/*
 * The plan that ks_engine_run() with these options would carry out now, and what it is made
 * of; only what a run repairs first, left by one that died, is not in it. Without a lock
 * and without effect. May start a process when something would be taken away. The plan
 * points into the inventory; both are the caller's.
 */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_engine_foresee(const struct ks_system *system, const struct ks_settings *settings,
		       const struct ks_run_options *options,
		       struct ks_inventory **inventory, struct ks_plan **plan,
		       GError **error);
