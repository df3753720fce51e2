/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A descriptor that poll(2) finds readable when a child has ended: a pidfd, or
 * where the system has none (Linux before 5.3, qemu-user, old profiles of
 * containers) a pipe from a thread of ours that only waits for the child.
 */
#pragma once

#include <glib.h>
#include <sys/types.h>

/*
 * pid is a child of the caller that nobody has waited for; its status stays for
 * waitpid(2) afterwards. Returns a descriptor (O_CLOEXEC) that the caller
 * closes, or -1 with errno.
 */
int ks_watch_child(pid_t pid);
