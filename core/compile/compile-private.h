/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts of one target's build. Directories:
 *
 *	state_dir/build/M-V-K-A.PID/		root's; the work directory
 *	state_dir/build/M-V-K-A.PID/make.log	the build uid's, in root's directory
 *	state_dir/build/M-V-K-A.PID/place/	the build uid's; bound at T/M/V
 *	state_dir/build/M-V-K-A.PID/tree/	the build uid's; bound at T/M/V/build
 *	T/M/V/build/				the build uid's, when nothing can be bound
 *	T/M/V/K/.tmp_A_PID/			root's; the artifact being staged
 */
#pragma once

#include "core/compile/build.h"
#include "core/kernel/toolchain.h"
#include "core/store/store.h"
#include "core/sandbox/sandbox.h"
#include "core/support/contract.h"
#include "core/support/copy.h"
#include "core/support/fork.h"
#include "core/support/openat2.h"
#include "core/support/ownership.h"
#include "core/support/treeop.h"

/* 1980-01-01 00:00 UTC: the value of __DATE__ and its relatives, so that equal inputs
 * give equal bytes. */
#define KS_BUILD_EPOCH		 "315532800"
#define KS_BUILD_EPOCH_TIMESTAMP "Tue Jan  1 00:00:00 UTC 1980"

/* A file that a build may write, its log included. */
#define KS_BUILD_FILE_MAX (2ULL << 30)

/* Builds at a time; this one and all further ones share a uid. */
#define KS_BUILD_SLOTS 64

/* Most processes and threads of one step, where a cgroup counts them. */
#define KS_BUILD_PROCESSES_MAX 4096

/* For uname.c: files in work_dir, and the places that they cover. */
#define KS_BUILD_UNAME_FILES  4
#define KS_BUILD_UNAME_COVERS 7

struct ks_build_step {
	const char *name;  /* "make": as in results; static */
	char *description; /* dkms's words, for the log */
	char *command;	   /* as the log shows it */
	char **argv;
	char *script; /* where it is now, of pre_build and post_build; else NULL */
	bool needs_token;
};

void ks_build_step_free(struct ks_build_step *step);

enum ks_build_state {
	KS_BUILD_WAITING, /* for a token, which the next step or the conclusion needs */
	KS_BUILD_STEP,	  /* a step runs: sandbox is valid */
	KS_BUILD_CONCLUDING, /* after the steps: conclusion is valid */
	KS_BUILD_OVER,	     /* there was a result, or it was cancelled */
};

struct ks_build {
	enum ks_build_state state;
	const struct ks_system *system;
	const struct ks_settings *settings;
	struct ks_jobserver *jobserver;
	const struct ks_build_request *request;

	unsigned int slot; /* no other build that runs now has it, except for the
	                    * last slot */
	uid_t uid;
	gid_t gid;
	bool is_root;

	char *work_dir;
	char *tree_path;  /* where the build tree really is */
	char *build_path; /* where it sees itself: T/M/V/build */
	char *log_path;
	char *staged_dir;
	struct ks_toolchain toolchain; /* what is taken of it, by this build's PATH */
	char *uname_files[KS_BUILD_UNAME_FILES]; /* NULL: nothing can be covered */
	char *entry_path;			 /* T/M/V */
	char *artifact_path;			 /* T/M/V/K/A */
	char *place_path;			 /* what the build sees as T/M/V */
	char *home_path;			 /* its HOME, T/M/V/.home */
	bool is_place_new;			 /* artifact_path was made for it */
	/*
	 * struct ks_sandbox_bind, freed with it: directories from elsewhere
	 * that the build sees
	 */
	GArray *shown;
	int tree_fd;
	int log_fd;

	char *memo; /* see the request */
	bool is_memo_sought;
	bool needs_clean; /* there was what a developer's own make had left, and no more */
	GPtrArray *steps; /* struct ks_build_step */
	guint step;	  /* index of the running or next one */
	const char
		*phase; /* after the steps: "finish"; in the copy "collect", "verify" */
	bool has_token;
	struct ks_fork *conclusion; /* the copy that concludes */
	GError *failure;	    /* of a step: why it failed; or NULL */
	int exit_status;	    /* of the last step that ended */
	bool is_outside;	    /* what failed is the machine, not the command */
	struct ks_sandbox sandbox;
	GError *stopped;       /* why we killed the running step, or NULL */
	bool was_stopped;      /* a step was: for what it wrote, or a full disk */
	gint64 measured_us;    /* when its tree was measured last; 0 = never */
	guint64 measured_free; /* bytes that were free then */
	gint64 step_started_us;
	gint64 used_us;	      /* by the steps that ended */
	off_t counted_offset; /* up to here the log was read for n_files */
	guint n_files;	      /* compiled and linked so far */
	off_t step_offset;    /* of the running step's output in the log */
	unsigned int layers;
	bool has_layers;

	struct ks_store_entry *reused;	 /* what an earlier build left, or NULL */
	struct ks_store_entry *to_store; /* prepared, or NULL */

	char *missing_output;	  /* see the result */
	GPtrArray *built_digests; /* char *: of the collected modules, in order */
	GPtrArray *warnings;	  /* GError *: see the result */
};

/* prepare.c: the directories, the copy of the source, the log's head. */
KS_NONNULL(1)
void ks_build_set_paths(struct ks_build *build);
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_build_prepare(struct ks_build *build, GError **error);
/* Remove what is left of work_dir, tree and staged_dir. */
KS_NONNULL(1)
void ks_build_clean_up(struct ks_build *build);

/* place.c: T/M/V, T/M/V/K and T/M/V/K/A as the build sees and fills them, and
 * its home. */
KS_NONNULL(1)
void ks_build_place_set_paths(struct ks_build *build);
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_build_place_make(struct ks_build *build, GError **error);
/* Which parts of it may be written: at most three and a NULL. */
KS_NONNULL(1)
void ks_build_place_writable(const struct ks_build *build, const char **writable);
/* Copy what was left there to staged_dir; warns of each thing that is not kept. */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_build_place_collect(struct ks_build *build, GError **error);
KS_NONNULL(1)
void ks_build_place_clean_up(struct ks_build *build);
/* T/M/V of a build without mounts that ended or died: root's alone again. */
void ks_build_place_close(const struct ks_system *system, const char *entry_path);

/* view.c: let the build see source at target; both are copied. */
KS_NONNULL(1)
void ks_build_show(struct ks_build *build, const char *source, const char *target);
void ks_build_shown_clear(gpointer data);
/* The kernel's headers, and what the administrator names. */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_build_show_all(struct ks_build *build, GError **error);

/* inputs.c: are the inputs still those of the fingerprint? */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_build_check_source(const struct ks_build *build, GError **error);
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_build_check_kernel(const struct ks_build *build, GError **error);

/* reuse.c: stage the artifact from the store, if all of it is there. */
KS_NONNULL(1)
bool ks_build_reuse(struct ks_build *build);
/* Copy what was collected, and store the copy when it has passed the checks. */
KS_NONNULL(1)
void ks_build_store_begin(struct ks_build *build);
KS_NONNULL(1)
void ks_build_store_end(struct ks_build *build, bool ok);
/*
 * Undo ks_build_store_begin() when the process that called it was killed
 * before ks_build_store_end().
 */
KS_NONNULL(1)
void ks_build_store_cancel(struct ks_build *build);

/* uname.c: write the files that are seen in place of the running kernel's; the covers. */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_build_write_uname(struct ks_build *build, GError **error);
KS_NONNULL(1)
size_t ks_build_cover_uname(const struct ks_build *build,
			    struct ks_sandbox_cover *covers);

/* steps.c: what to run, and its environment. */
KS_NONNULL(1)
GPtrArray *ks_build_make_steps(const struct ks_build *build);
KS_NONNULL(1)
char **ks_build_make_env(const struct ks_build *build);

/*
 * limits.c: is there hardly anything left on the file system of the tree, now that a step
 * has failed?
 */
KS_NONNULL(1)
bool ks_build_is_disk_full(const struct ks_build *build);
/* Bytes that all of a build's processes together may use. */
unsigned long long ks_build_get_memory_limit(const struct ks_settings *settings);

/* log.c: make.log in dkms's form. */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_build_log_open(struct ks_build *build, GError **error);
KS_NONNULL(1)
void ks_build_log_step(struct ks_build *build, const struct ks_build_step *step);
KS_NONNULL(1)
void ks_build_log_end(struct ks_build *build, int wait_status, gint64 elapsed_us);
G_GNUC_PRINTF(2, 3)
KS_NONNULL(1)
void ks_build_log_line(struct ks_build *build, const char *format, ...);
KS_NONNULL(1)
char *ks_build_log_first_error(const struct ks_build *build);
/* obstacle.c: of the last step, that the sandbox or its user was in its way, and what
 * helps; or NULL. */
KS_NONNULL(1)
char *ks_build_log_obstacle(const struct ks_build *build);
/* Likewise remedy.c: what is missing on the system. */
KS_NONNULL(1)
char *ks_build_log_remedy(const struct ks_build *build);
KS_NONNULL(1)
char *ks_build_find_obstacle(const struct ks_build *build, const char *log_text,
			     size_t size_bytes);
/* Rewind the log for copying; an endless one is cut down to its head and its tail. */
KS_NONNULL(1)
bool ks_build_log_rewind(struct ks_build *build);

/*
 * conclude.c: after the last step, or with build->failure: begin to conclude, in a
 * copy. True when it is done already, then *result is the caller's.
 */
KS_NONNULL(1)
bool ks_build_conclude(struct ks_build *build, struct ks_build_result **result);
/* The copy has ended. */
KS_NONNULL(1)
struct ks_build_result *ks_build_take_conclusion(struct ks_build *build);
KS_NONNULL(1)
void ks_build_cancel_conclusion(struct ks_build *build);

/* collect.c: copy the products of the build to staged_dir. */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_build_collect(struct ks_build *build, GError **error);

/* verify.c: check the staged modules, sign and compress them, write the manifest. */
KS_MUST_CHECK
KS_NONNULL(1)
struct ks_manifest *ks_build_verify(struct ks_build *build, enum ks_reason *reason,
				    GError **error);

/*
 * keep.c: after a failure leave the log at T/M/V/build, and the tree, if wanted; else it
 * is gone, before the log takes room. Returns the log's place.
 */
KS_NONNULL(1)
char *ks_build_keep(struct ks_build *build, bool with_tree);
/* Keep it also where ks_failure_clear() removes it; returns that place. */
KS_NONNULL(1)
char *ks_build_keep_log(struct ks_build *build);
/* After a success: forget this target's earlier failure there. */
KS_NONNULL(1)
void ks_build_forget_kept(struct ks_build *build);
