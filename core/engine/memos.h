/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The probe memos of a run (core/memo/memo.h): which kernels are worth one, and
 * recording it beside the first builds. Builds never wait for one: what starts
 * before it is there asks the compiler itself, and is the same.
 */
#pragma once

#include "core/jobs/jobserver.h"
#include "core/plan/plan.h"
#include "core/support/contract.h"

struct pollfd;
struct ks_memos;

KS_NONNULL(1)
struct ks_memos *ks_memos_new(const struct ks_system *system,
			      const struct ks_settings *settings,
			      struct ks_jobserver *jobserver,
			      struct ks_digest_cache *cache, const struct ks_plan *plan,
			      GPtrArray *kernels);
void ks_memos_free(struct ks_memos *memos);
KS_DEFINE_CLEANUP(ks_memos, ks_memos_free)

/* A build for kernel is to start: where a memo is worth recording and a job is free,
 * that begins, ahead of the build. */
KS_NONNULL(1)
void ks_memos_start(struct ks_memos *memos, struct ks_kernel *kernel);
/* The memo that a build for kernel may use now, or NULL. Free with g_free. */
KS_NONNULL(1)
char *ks_memos_find(const struct ks_memos *memos, struct ks_kernel *kernel);

/* Descriptors to poll, at most n_max; and when one of them was readable: go on. */
KS_NONNULL(1)
guint ks_memos_poll(const struct ks_memos *memos, struct pollfd *fds, guint n_max);
KS_NONNULL(1)
void ks_memos_advance(struct ks_memos *memos);
KS_NONNULL(1)
guint ks_memos_count(const struct ks_memos *memos);
