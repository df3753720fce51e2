/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scope cleanup for structs without a typedef (g_autoptr() wants one) and for
 * file descriptors (g_autofd needs a newer GLib than the floor of 2.68).
 *
 *	ks_auto(ks_root) root = ks_root_open("/", &error);
 *	ks_autofd int fd = open(...);
 *	return ks_steal_fd(&fd);
 */
#pragma once

#include <unistd.h>

#define KS_DEFINE_CLEANUP(tag, func)                                                     \
	static inline void tag##_cleanup_(struct tag **p)                                \
	{                                                                                \
		if (*p)                                                                  \
			func(*p);                                                        \
	}

#define ks_auto(tag) __attribute__((cleanup(tag##_cleanup_))) struct tag *

static inline void ks_fd_cleanup_(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

#define ks_autofd __attribute__((cleanup(ks_fd_cleanup_)))

static inline int ks_steal_fd(int *fd)
{
	int stolen = *fd;

	*fd = -1;
	return stolen;
}
