/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sandbox's seccomp filter, compiled by the engine once a process: the
 * launcher only loads it and links no more than libc. Private to this
 * directory.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "core/support/contract.h"

/*
 * A descriptor of a file of struct sock_filter, in the order of seccomp(2). It
 * belongs to this module and stays open; -1 on error. network: sockets are
 * allowed; without it only socketpair(2) of AF_UNIX is.
 */
KS_MUST_CHECK
int ks_sandbox_filter(bool network, GError **error);

/*
 * The highest system call number that libseccomp has a name for on an
 * architecture (SCMP_ARCH_*), except the few of 32-bit ARM that stand apart:
 * libseccomp knows the calls up to that number.
 */
unsigned int ks_sandbox_filter_last_known(unsigned int arch);
