/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GNU make jobserver: one pool of tokens for a whole run. A token is taken before
 * each top-level make starts and given back when it has ended.
 *
 * Two forms. A pipe, whose ends makes inherit, is understood by every make in use. A
 * FIFO, opened by path, since make 4.4: makes that were not handed the descriptors (a
 * recipe without '+', a script that closes them) share the pool, too, and what one of
 * them does to its open file description does not concern the others.
 *
 *	state_dir/jobs/		root's, 0711
 *	state_dir/jobs/NAME	root's, 0660, of the builds' group; gone with the run
 *
 * When kmodsmith is called by a make that serves a jobserver itself, the pool
 * begins with the one job that is ours and borrows the others (caller-pool.h)
 * as they are used.
 *
 * A killed make loses the tokens it held. Their number cannot be known while
 * other makes run: every make gives back '+', whatever it took (make 4.3 and
 * 4.4, posixos.c). ks_jobserver_refill() makes the pool whole at the first
 * moment when nobody has taken one, though builds may be waiting for theirs;
 * the more tokens were lost, the sooner that moment comes.
 */
#pragma once

#include <stdbool.h>

#include "core/platform/system.h"
#include "core/support/contract.h"

struct ks_jobserver;

/* A pipe with n_jobs tokens. */
KS_MUST_CHECK
struct ks_jobserver *ks_jobserver_new(unsigned int n_jobs, GError **error);
/*
 * The form that the tree's make has, asked from it (system NULL: a pipe, no make will
 * use it); n_jobs tokens, or fewer when they come from a caller: makeflags is our own
 * MAKEFLAGS, may be NULL. Keeps system.
 */
KS_MUST_CHECK
struct ks_jobserver *ks_jobserver_open(const struct ks_system *system,
				       unsigned int n_jobs, const char *makeflags,
				       GError **error);
/* Gives back what was borrowed, even what a build still holds; removes the FIFO. */
void ks_jobserver_free(struct ks_jobserver *jobserver);
KS_DEFINE_CLEANUP(ks_jobserver, ks_jobserver_free)

/* Take a token without waiting. */
KS_NONNULL(1)
bool ks_jobserver_try_take(struct ks_jobserver *jobserver);
KS_NONNULL(1)
void ks_jobserver_give(struct ks_jobserver *jobserver);
/* Readable when a token may be there: for poll(2). */
KS_NONNULL(1)
int ks_jobserver_poll_fd(const struct ks_jobserver *jobserver);

/*
 * The descriptors that makes inherit under these numbers: 2, or 0 of a FIFO, which
 * leaves fds alone.
 */
KS_NONNULL(1)
size_t ks_jobserver_fds(const struct ks_jobserver *jobserver, int fds[2]);
/* The path of the FIFO inside the tree, or NULL of a pipe. Owned by jobserver. */
KS_NONNULL(1)
const char *ks_jobserver_fifo(const struct ks_jobserver *jobserver);
/* "R,W" or "fifo:PATH". Owned by jobserver. */
KS_NONNULL(1)
const char *ks_jobserver_auth(const struct ks_jobserver *jobserver);
/* " -jN --jobserver-auth=AUTH": the value for MAKEFLAGS. Owned by jobserver. */
KS_NONNULL(1)
const char *ks_jobserver_makeflags(const struct ks_jobserver *jobserver);

/*
 * Adjust what is borrowed from the caller's pool: when no borrowed token is
 * idle, borrow as many again; when some are, give back all but one. Called when
 * a token is taken; call it about once a second as well. It costs an ioctl(2).
 * No effect on a pool of our own.
 */
KS_NONNULL(1)
void ks_jobserver_balance(struct ks_jobserver *jobserver);
/*
 * When every token that was taken was given back: fill the pool to the tokens
 * that it should have, give back what is borrowed, and return how many were
 * lost. Otherwise do nothing and return 0.
 */
KS_NONNULL(1)
unsigned int ks_jobserver_refill(struct ks_jobserver *jobserver);

/* Remove the FIFOs of runs that died. */
KS_NONNULL(1)
void ks_jobserver_sweep(const struct ks_system *system);
