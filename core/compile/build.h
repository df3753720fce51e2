/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One target's build: a sequence of named steps, each a process in the
 * sandbox, driven by the caller's poll loop:
 *
 *	prepare -> patch* -> pre_build -> make -> post_build -> strip -> collect -> verify
 *		-> finish (sign, compress)
 *
 * The source is copied to a private directory that belongs to the build uid
 * and that the build sees as T/M/V/build (bound there in a mount namespace;
 * without one the real T/M/V/build is used, and only one kernel of an M/V
 * builds at a time). Output goes to make.log in dkms's form.
 *
 * What follows the steps ("finish" while it runs; "collect" and "verify" are
 * where it failed), and what is done after a failure, runs in a copy of the
 * engine: the caller's loop does not wait for it. It holds a token of the
 * jobserver, as a step that compiles does.
 *
 * After success the artifact is staged on T's file system, complete with
 * compressed modules, Module.symvers, log and manifest, ready for
 * ks_tree_publish(). After a failure the build directory is left at
 * T/M/V/build with its make.log, as dkms does; the next failure of that M/V,
 * on whatever kernel, takes its place there. A build that was stopped because
 * it wrote too much, or that failed for no fault of the module's, leaves only
 * its log.
 */
#pragma once

#include "core/jobs/jobserver.h"
#include "core/conf/conf.h"
#include "core/settings/settings.h"
#include "core/kernel/kernel.h"
#include "core/sign/sign.h"
#include "core/state/manifest.h"
#include "core/state/target.h"
#include "core/support/contract.h"

struct ks_build_request {
	const char *module, *version;
	const char *source_dir;
	struct ks_kernel *kernel;
	const struct ks_conf *conf; /* evaluated for that kernel */
	const char *fingerprint;
	/*
	 * Digests of what the fingerprint was made of, checked again with the
	 * cache digests: a change since then is an error from outside.
	 * override_digest may be NULL. source_digest NULL: no check.
	 */
	const char *source_digest, *override_digest;
	const char *kernel_fingerprint;
	const char *dest_dir; /* /lib/modules/K/updates/dkms, or NULL: as conf says */
	const char *const
		*extra_symvers; /* of BUILD_DEPENDS on this kernel; may be NULL */
	bool private_build;	/* this machine has mount namespaces */
	/*
	 * Prepared; NULL: not signed. Where signatures are enforced, failing to sign is
	 * the failure of the build, and no doing of the module's; else it is a warning.
	 */
	const struct ks_signing *signing;
	bool is_trial;	    /* leaves nothing at T/M/V/build, however it ends */
	bool keeps_log;	    /* of a trial: its failure is remembered, with its log */
	bool use_store;	    /* take what the store has for this fingerprint */
	bool keep_in_store; /* and store what is built */
	struct ks_digest_cache *digests;
	const struct ks_system *other_store; /* looked into as well; may be NULL */
	/*
	 * The file of ks_memo_find() for the kernel, the caller's to free, or NULL.
	 * Called once, when the first step that has a token starts: it may have been
	 * recorded while the build waited. May itself be NULL.
	 */
	char *(*find_memo)(void *data);
	void *find_memo_data;
};

struct ks_build_result {
	bool ok;
	enum ks_reason reason; /* build-failed or verify-failed when not ok */
	char *step;	       /* the step that failed */
	char *message;	       /* "make: exit status 2" */
	char *missing_output;  /* "sub/foo.ko": what it did not produce; or NULL */
	char *hint;	       /* what to do about it; may be NULL */
	int exit_status;       /* of the step's command, 128 + signal; 0: none failed */
	char *first_error;     /* first compiler error of the log; may be NULL */
	GError *outside; /* not the module's doing (no sandbox, disk full); or NULL */
	char *log_path;	 /* make.log where it ended up */
	/*
	 * After a failure of the module's: a copy of the log, beside the known
	 * failure, since log_path may soon be another kernel's. NULL: it could
	 * not be written.
	 */
	char *failure_log_path;
	char *staged_dir;	      /* when ok */
	struct ks_manifest *manifest; /* when ok */
	GPtrArray *warnings; /* GError *: modules that could not be signed; or NULL */
	gint64 duration_ms;
	bool reused;	     /* nothing was compiled: the store had it */
	unsigned int layers; /* enum ks_sandbox_layer that were active */
};

void ks_build_result_free(struct ks_build_result *result);
KS_DEFINE_CLEANUP(ks_build_result, ks_build_result_free)

struct ks_build;

/*
 * Prepare and start the first step. Holds on to the arguments, and request's
 * pointers, until freed. Takes a token of the jobserver for each step that
 * compiles and gives it back after.
 */
KS_MUST_CHECK
KS_NONNULL(1)
struct ks_build *ks_build_start(const struct ks_system *system,
				const struct ks_settings *settings,
				struct ks_jobserver *jobserver,
				const struct ks_build_request *request, GError **error);

/*
 * Readable when the running step or the conclusion has ended, or, while the build waits
 * for a token of the jobserver, when there may be one: then call ks_build_advance().
 * Another descriptor after each ks_build_advance().
 */
KS_NONNULL(1)
int ks_build_poll_fd(const struct ks_build *build);

/* Name of the running step, for the progress line. */
KS_NONNULL(1)
const char *ks_build_step(const struct ks_build *build);
/*
 * dkms's words for it ("Building module(s)") and its command; NULL after the
 * last step.
 */
KS_NONNULL(1)
const char *ks_build_step_description(const struct ks_build *build);
KS_NONNULL(1)
const char *ks_build_step_command(const struct ks_build *build);

/*
 * False when the step's script exists and cannot be executed: the build passes
 * it over, as dkms does. True for every other step. For reports only: the step
 * itself looks again.
 */
KS_NONNULL(1)
bool ks_build_step_is_executable(const struct ks_build *build);

/* How many files it has compiled and linked so far, by its log. */
KS_NONNULL(1)
guint ks_build_files_done(struct ks_build *build);
/* The same for a whole log. */
guint ks_build_count_files(const char *log_text, size_t size_bytes);

/* Go on. True when the build is over; then *result is the caller's. */
KS_NONNULL(1)
bool ks_build_advance(struct ks_build *build, struct ks_build_result **result);

/*
 * Check what the running step has written: when it is more than the setting build-size,
 * or the disk is nearly full, the step is killed and ks_build_advance() reports it.
 * Call it about once a second; it costs a statvfs(2).
 */
KS_NONNULL(1)
void ks_build_check_limits(struct ks_build *build);

/* Kill what runs and forget; the build directory is removed. */
KS_NONNULL(1)
void ks_build_cancel(struct ks_build *build);
void ks_build_free(struct ks_build *build);
KS_DEFINE_CLEANUP(ks_build, ks_build_free)

/*
 * After the last build of a run: remove the copies that were made for all of
 * them to see.
 */
KS_NONNULL(1)
void ks_build_drop_views(const struct ks_system *system);

/*
 * Remove what builds of a run that died left: private build directories and
 * staged artifacts (T/M/V/K/.tmp_*). Only under the lock, before any build.
 */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_build_sweep(const struct ks_system *system, GError **error);

/* The first line of a make.log that looks like the cause ("error:", "***"), cleaned; or
 * NULL. */
char *ks_build_first_error(const char *log_text, size_t size_bytes);

/*
 * What helps, where the log says that a program or a library is not installed, or a file
 * of the kernel's headers is missing, and the package is known; or NULL. header_dirs are
 * where the headers are (NULL at the end), release is the kernel's.
 */
KS_NONNULL(1)
char *ks_build_find_remedy(const struct ks_system *system, const char *const *header_dirs,
			   const char *release, const char *log_text, size_t size_bytes);
