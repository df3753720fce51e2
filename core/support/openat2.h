/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * openat2(2), which glibc does not wrap, for walks that begin at a directory
 * that is already open. Paths in the tree are opened through root.h.
 *
 * RESOLVE_* say where the walk may lead; they hold for every component and
 * against whoever renames directories meanwhile, which no check by lstat does.
 */
#pragma once

#include <fcntl.h>
#include <glib.h>
#include <linux/openat2.h>
#include <sys/types.h>

/* Below a directory that somebody untrusted has filled: no links on the way or at its end. */
#define KS_RESOLVE_BENEATH (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS)

/* Inside one directory of a tree: no links, no other mount, nothing above. */
#define KS_RESOLVE_PLAIN (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV)

/*
 * Returns a descriptor or -1 with errno. O_CLOEXEC is added; mode is used only
 * with O_CREAT. EAGAIN, with which the kernel answers when a rename anywhere
 * raced with a walk through "..", is retried some times. Where the system refuses the
 * call itself, walk.h stands for it, with the same guarantees.
 */
int ks_openat2(int dir_fd, const char *path, int flags, mode_t mode, guint64 resolve);
