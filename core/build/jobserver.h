/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GNU make jobserver, pipe form (understood by every make in use). One for a
 * whole run: a token is taken before each top-level make starts and given
 * back when it has ended.
 *
 * A killed make loses the tokens it held. How many it were cannot be known while
 * other makes run: every make gives back '+', whatever it took (make 4.3 and 4.4,
 * posixos.c). ks_jobserver_refill() makes the pool whole at the first moment when
 * nobody has taken one, though builds may be waiting for theirs; the more were
 * lost, the sooner that is.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "core/support/cleanup.h"

struct ks_jobserver;

struct ks_jobserver *ks_jobserver_new(unsigned int n_jobs, GError **error);
void ks_jobserver_free(struct ks_jobserver *jobserver);
KS_DEFINE_CLEANUP(ks_jobserver, ks_jobserver_free)

/* Take a token without waiting. */
bool ks_jobserver_try_take(struct ks_jobserver *jobserver);
void ks_jobserver_give(struct ks_jobserver *jobserver);
/* Readable when a token may be there: for poll(2). */
int ks_jobserver_poll_fd(const struct ks_jobserver *jobserver);
/* The two descriptors that makes inherit under these numbers. */
void ks_jobserver_fds(const struct ks_jobserver *jobserver, int fds[2]);
/* " -jN --jobserver-auth=R,W": the value for MAKEFLAGS. Owned by jobserver. */
const char *ks_jobserver_makeflags(const struct ks_jobserver *jobserver);
/*
 * When all that was taken was given back: bring the pool to n_jobs tokens, and return
 * how many were lost. Else nothing, 0.
 */
unsigned int ks_jobserver_refill(struct ks_jobserver *jobserver);
