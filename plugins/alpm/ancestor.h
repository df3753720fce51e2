/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files that the ancestors of this process have open, through /proc/PID/fd.
 * Works across chroot(2), because a file is recognised by device and inode; the
 * path is the kernel's, seen from this process's root, and only a clue.
 */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

struct ks_ancestor_file {
	const char *path; /* readlink of /proc/PID/fd/N */
	struct stat st;
};

/*
 * Ask about every descriptor of every ancestor with our user id, the parent first, until
 * one is the right one. False when none is, or /proc cannot be read. Costs about 0.2 ms.
 */
bool ks_ancestor_find_file(bool (*is_it)(const struct ks_ancestor_file *file, void *data),
			   void *data);

/* Is /proc mounted, so that not finding means something? */
bool ks_ancestors_can_be_seen(void);
