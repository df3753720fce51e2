/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether two files have the same bytes.
 *
 * Where the digest cache remembers both, nothing is read: then the answer is as old as
 * their last change of (device, inode, size, mtime, ctime). Whoever gives a changed file
 * its old size and mtime back still moves its ctime. Otherwise both are read and
 * compared, and the one whose digest was not remembered gets the other's when they are
 * equal.
 */
#pragma once

#include "core/platform/digest.h"
#include "core/support/contract.h"

/* The same for two open files, whose offsets stay. False when one cannot be read. */
KS_NONNULL(1)
bool ks_same_bytes(struct ks_digest_cache *cache, int a, int b);
