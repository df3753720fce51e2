/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one lock: flock(2) on run_dir/lock, held by whoever changes anything,
 * freed by death. The file's text names the holder ("PID COMMAND").
 *
 * Order with others: the package manager's lock first, then this one. Readers
 * take no lock. A descendant of the holder must never wait for it: it is
 * recognised by its ancestry and by the environment mark KMODSMITH_LOCKED=PID.
 *
 * Whoever holds the lock and starts children that may call us again (scripts of
 * a module, initramfs and post-transaction hooks) puts the mark with its own
 * pid into the environment that it builds for them; this unit changes no
 * environment. Ancestry alone is enough, because such a hook may clean its
 * environment; the mark decides where /proc, and so the ancestry, cannot be read.
 */
#pragma once

#include "core/platform/system.h"
#include "core/support/contract.h"

#define KS_LOCK_ENV "KMODSMITH_LOCKED"

struct ks_lock;

/* Called once, before waiting: "holder" is the text in the lock file, maybe "". */
typedef void (*ks_lock_wait_func)(const char *holder, void *data);

/*
 * Take the lock. timeout_ms < 0 waits for ever, 0 only tries (and does not call
 * the function). KS_ERROR_LOCKED when it was not free in time, with the holder
 * in the message; KS_ERROR_CANCELLED when a signal handler ran during the wait.
 */
KS_MUST_CHECK
KS_NONNULL(1)
struct ks_lock *ks_lock_acquire(const struct ks_system *system, const char *command,
				int timeout_ms, ks_lock_wait_func wait_func, void *data,
				GError **error);
void ks_lock_release(struct ks_lock *lock);
KS_DEFINE_CLEANUP(ks_lock, ks_lock_release)

/* True when an ancestor of this process holds the lock. */
KS_NONNULL(1)
bool ks_lock_is_held_above(const struct ks_system *system);
