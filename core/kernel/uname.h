/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What uname(1) prints in a build and in a conf: the kernel that is built for, not the
 * one that runs. Makefiles and scripts use it to find their kernel's directory.
 */
#pragma once

#include "core/kernel/kernel.h"
#include "core/support/contract.h"

/* A shell variable, exported to builds: "MACHINE RELEASE VERSION". */
#define KS_UNAME_ENV "KMODSMITH_UNAME"

/*
 * The value for it. The version is that of the headers ("#1 SMP PREEMPT_DYNAMIC Debian
 * 6.1.176-1 (2026-07-02)"). Read once, and kernel's.
 */
KS_NONNULL(1)
const char *ks_kernel_uname(const struct ks_system *system, struct ks_kernel *kernel);
/* The version in it ("#1 SMP ..."). */
KS_NONNULL(1)
const char *ks_kernel_uname_version(const struct ks_system *system,
				    struct ks_kernel *kernel);

/* The line of /proc/version, with its newline. Free with g_free. */
KS_NONNULL(1)
char *ks_kernel_proc_version(const struct ks_system *system, struct ks_kernel *kernel);

/*
 * uname(1) in POSIX shell, by that variable, which must be set: what a script of that
 * name does, or the body of a function in a shell of its own. Ends in a newline.
 */
extern const char ks_uname_script[];
