/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Weak modules: on distributions with a stable kernel ABI a program of the distribution
 * links the modules of one kernel to others that they fit. It compares the symbols'
 * CRCs itself (which is checked afterwards), and depmod takes what it has linked. Where
 * the program does not exist, nothing is linked.
 */
#pragma once

#include "core/install/install.h"
#include "core/platform/distro.h"
#include "core/support/contract.h"

/* The program of the tree's distribution, or NULL when there is none. */
KS_NONNULL(1)
const struct ks_distro_weak *ks_install_weak_tool(const struct ks_system *system);

/*
 * The link to the file in another kernel's weak-updates, or NULL: RHEL's program puts
 * it right there, SUSE's below the names of the directories that the file is in.
 */
KS_NONNULL(1)
char *ks_install_find_weak_link(const struct ks_system *system, const char *release,
				const struct ks_manifest *manifest,
				const struct ks_manifest_file *file);

/*
 * Check what the program has linked: each import of the files must have the CRC
 * that the other kernel has for it (in its Module.symvers, or in the symvers.gz
 * that RHEL and SUSE have for kernels without headers), whatever release was
 * built for. Where a link does not fit, all links to the manifest's files for
 * that kernel are removed and reported, with gone set; then that kernel needs a
 * depmod. Files that cannot be checked stay, and are reported. Costs a look
 * into each kernel's weak-updates when there are none.
 */
typedef void (*ks_weak_report)(const struct ks_kernel *kernel, bool gone,
			       const GError *problem, void *data);
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_install_check_weak(const struct ks_system *system,
			   const struct ks_manifest *manifest, ks_weak_report report,
			   void *data, GError **error);

/*
 * Pass the manifest's files to it on its standard input: that they are there or (before
 * they are removed) that they go. Does nothing where there is no such program.
 */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_install_weak_modules(const struct ks_system *system,
			     const struct ks_manifest *manifest, bool add,
			     GError **error);
