/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What architecture a gcc compiles for, without running it. Its -dumpmachine would say it,
 * but not to somebody who may not execute what lies in the tree, and listing the kernels
 * executes nothing. (clang compiles for any.)
 */
#pragma once

#include "core/kernel/kernel.h"
#include "core/support/contract.h"

/* NULL when nothing says it: a script, or a program of an unknown kind. */
KS_NONNULL(1)
const struct ks_arch *ks_compiler_arch(const struct ks_system *system, const char *path);

/*
 * Can the gcc at path compile for that architecture? One whose own architecture is not
 * known is taken to. A gcc also has the other half of its family (-m32, -m64, -mbig-endian),
 * except for that of i686, which may have been configured without, and for parisc.
 */
KS_NONNULL(1)
bool ks_compiler_serves(const struct ks_system *system, const char *path,
			const char *arch);

/*
 * The names under which cross compilers for that architecture have their programs:
 * "aarch64-linux-gnu-" and the like, the usual one first. Free with g_strfreev.
 */
char **ks_compiler_list_prefixes(const char *arch);

/* "aarch64-linux-gnu-" of "/usr/bin/aarch64-linux-gnu-gcc-12"; NULL when there is none. */
char *ks_compiler_prefix(const char *name);
