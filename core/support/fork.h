/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Running a function beside the engine, in a copy of the process: fork(2)
 * without exec(2).
 *
 * It is for work that takes long and must not stop the poll loop: copying, and
 * waiting for one program after another. A thread could do that, but then
 * every fork of the engine would happen between threads, after which nothing
 * may allocate, and stopping the work in its middle would need a flag that all
 * of it looks at. The process has one thread, so its copy may do whatever the
 * process may; and SIGKILL stops it anywhere, which its changes on disk must
 * survive in any case.
 *
 * - The copy has all of the memory as it was; what it changes there is lost. It has all
 *   descriptors, which share their offsets: those that it works on are left alone
 *   meanwhile.
 * - It must not print, call an observer, take or give tokens, reap others' children. What
 *   it leaves are files, and its answer.
 * - Signals that end the engine are ignored: the engine decides. It is killed when the
 *   engine dies, and its own children are when it dies if they asked for that
 *   (die_with_parent, the sandbox's launcher).
 *
 * Costs a millisecond or less.
 */
#pragma once

#include <glib.h>

#include "core/support/cleanup.h"
#include "core/support/contract.h"

struct ks_fork;

/* Runs in the copy. The answer is floating or owned; text in it as bytestring: "^ay". */
typedef GVariant *(*ks_fork_func)(void *data);

KS_MUST_CHECK
struct ks_fork *ks_fork_start(ks_fork_func func, void *data, GError **error);

/* Readable when it has ended: for poll(2). */
KS_NONNULL(1)
int ks_fork_fd(const struct ks_fork *fork);

/*
 * Wait for its end, and free it. The answer, of that type; NULL with KS_ERROR_FAILED
 * when it died before it gave one.
 */
KS_MUST_CHECK
GVariant *ks_fork_finish(struct ks_fork *fork, const GVariantType *type, GError **error);

/* Kill it, and free it. When this returns it does nothing any more. */
KS_NONNULL(1)
void ks_fork_kill(struct ks_fork *fork);
KS_DEFINE_CLEANUP(ks_fork, ks_fork_kill)
