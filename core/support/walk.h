/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * openat2(2) where the system has none: Linux before 5.6, qemu-user, and containers
 * whose profile is older than the call and refuses it. One component after the other,
 * each opened by the directory that is already open and never through a link; what a
 * link says is walked in the same way. So the walk cannot leave where it may lead, also
 * against whoever renames directories meanwhile. Slower, and no more than that.
 *
 * No GLib: the plugin of rpm has it, too.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

/*
 * As openat2(2), with O_CLOEXEC. Of the RESOLVE_* flags it knows IN_ROOT, BENEATH,
 * NO_SYMLINKS, NO_XDEV and NO_MAGICLINKS (which is always so).
 */
int ks_walk_openat(int dir_fd, const char *path, int flags, mode_t mode,
		   uint64_t resolve);

/*
 * Is openat2(2) refused here, after it failed with this errno? It fails with EPERM for
 * reasons of the file, too.
 */
int ks_walk_is_needed(int err);
