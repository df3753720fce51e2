/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The jobserver of a make that has called us (with '+' or $(MAKE) in its recipe):
 * tokens are borrowed from it, one byte each, and those very bytes are given back.
 * One job is ours without a token, as every make's.
 *
 * Third-party code never gets at it: what builds share is a pool of our own
 * (jobserver.h), filled with what was borrowed. So only what was taken is
 * given back, and a build that is killed loses none of the caller's tokens.
 *
 * GNU make's manual, "POSIX Jobserver Interaction".
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "core/support/cleanup.h"
#include "core/support/contract.h"

struct ks_caller_pool;

/*
 * makeflags: the value of MAKEFLAGS, or NULL. The last --jobserver-auth=R,W,
 * =fifo:PATH or --jobserver-fds=R,W counts. NULL when there is none, or it is
 * not in use: closed descriptors, ones that are not the two ends of one pipe
 * (MAKEFLAGS is inherited by more programs than the descriptors are), a FIFO
 * that nobody reads or that is another user's.
 */
struct ks_caller_pool *ks_caller_pool_open(const char *makeflags);
/* Gives back all that is borrowed. */
void ks_caller_pool_free(struct ks_caller_pool *pool);
KS_DEFINE_CLEANUP(ks_caller_pool, ks_caller_pool_free)

/*
 * Both without waiting; false when no token is available, or the token cannot
 * be given back.
 */
KS_NONNULL(1)
bool ks_caller_pool_borrow(struct ks_caller_pool *pool);
KS_NONNULL(1)
bool ks_caller_pool_return(struct ks_caller_pool *pool);

/* Tokens that are borrowed now. */
KS_NONNULL(1)
unsigned int ks_caller_pool_count(const struct ks_caller_pool *pool);
/* Readable when there may be one: for poll(2) and epoll(7). */
KS_NONNULL(1)
int ks_caller_pool_fd(const struct ks_caller_pool *pool);
