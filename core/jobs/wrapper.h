/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * state_dir/make: what stands between a build and the tree's make, so that all
 * builds of a run share one pool of jobs.
 *
 *	state_dir/make/make, gmake	first in the build's PATH: drop -jN, which would
 *					leave the pool, while a jobserver is served
 *	state_dir/make/base.mk		a MAKEFILES fragment: $(MAKE) leads to the
 *					wrapper; -jN in MAKEFLAGS of a makefile is
 *					dropped, too
 *
 * Both know the pool by KS_WRAPPER_JOBS_ENV: the value of --jobserver-auth= in
 * the MAKEFLAGS that builds begin with. A -j among other letters ("MAKEFLAGS
 * += -kj8") gets through up to make 4.3, as does a make that is called with an
 * environment of its own. Where the wrapper cannot be executed (a file system
 * mounted noexec) the next make of PATH is: the tree's own.
 *
 *	state_dir/make/uname, arch	print what core/kernel/uname.h describes: the kernel that is built for
 */
#pragma once

#include "core/platform/system.h"
#include "core/support/contract.h"

/* The compiler that a kernel's makefiles use although they name another; see base.mk. */
#define KS_WRAPPER_CC_ENV "KMODSMITH_CC"

/* "fifo:PATH" or "R,W". */
#define KS_WRAPPER_JOBS_ENV "KMODSMITH_JOBS"

/*
 * Write the files that are missing or different. Needs the lock; once before
 * the builds.
 */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_wrapper_place(const struct ks_system *system, GError **error);

/*
 * The PATH of builds, the wrapper first, then what toolchain.h says of environment (may
 * be NULL); the fragment's path. Free with g_free.
 */
KS_NONNULL(1)
char *ks_wrapper_path(const struct ks_system *system, const char *const *environment);
KS_NONNULL(1)
char *ks_wrapper_fragment(const struct ks_system *system);
