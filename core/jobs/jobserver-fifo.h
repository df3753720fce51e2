/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The FIFO of a jobserver: whether the tree's make can use one, and the file itself.
 * Private to jobserver.c.
 */
#pragma once

#include <stdbool.h>

#include "core/platform/system.h"
#include "core/support/contract.h"

/*
 * Does /usr/bin/make of the tree name "jobserver-fifo" among its .FEATURES (GNU make
 * 4.4)? It runs in the sandbox, some milliseconds; the answer is kept as long as the
 * program is the same file. False also when it cannot be asked.
 */
KS_NONNULL(1)
bool ks_jobserver_fifo_is_known(const struct ks_system *system);

/*
 * Make one in state_dir/jobs that builds may open, and open both ends: non-blocking,
 * fds[0] to read. Its path inside the tree, free with g_free; NULL when it cannot be
 * made, or its path cannot stand in MAKEFLAGS.
 */
KS_NONNULL(1)
char *ks_jobserver_fifo_make(const struct ks_system *system, int fds[2]);
KS_NONNULL(1)
void ks_jobserver_fifo_remove(const struct ks_system *system, const char *path);

/* Remove the FIFOs that nobody has open to read: the engine that made them is gone. */
KS_NONNULL(1)
void ks_jobserver_fifo_sweep(const struct ks_system *system);
