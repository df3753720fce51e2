/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GNU make jobserver, pipe form (understood by every make in use). One for a
 * whole run: a token is taken before each top-level make starts and given
 * back when it has ended.
 *
 * A killed make loses the tokens it held: ks_jobserver_refill() makes the
 * pool whole again while nothing is running.
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
/* Nothing runs: bring the pool back to n_jobs tokens. Returns how many were lost. */
unsigned int ks_jobserver_refill(struct ks_jobserver *jobserver);
