/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A descriptor that poll(2) finds readable when a child has ended: a pidfd, or where the
 * system has none (Linux before 5.3, qemu-user, old profiles of containers) what a
 * thread of ours says that does nothing but wait for it.
 */
#pragma once

#include <glib.h>
#include <sys/types.h>

/*
 * pid is a child of the caller that nobody has waited for; its status is still there
 * for waitpid(2) afterwards. A descriptor (O_CLOEXEC) to be closed by the caller, or -1
 * with errno.
 */
int ks_watch_child(pid_t pid);
