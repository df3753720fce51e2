/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why a build may have failed besides its inputs: missing packages, programs
 * and libraries, damaged or unreadable headers. None of them belongs to the
 * fingerprint (an additional package makes no module stale), but a known
 * failure is worth another try when any of them changed.
 */
#pragma once

#include "core/kernel/kernel.h"
#include "core/support/contract.h"

/*
 * Hex digest of the identity (mode, size, times) of everything in the kernel's headers,
 * of the directories that programs, headers and libraries are in, and of the list of
 * installed packages, without the packages that own modules (kmod-*): those are made by
 * the run itself. No file is read; some 20000 lstat, a tenth of a second, so that it is
 * asked for only when there is a failure.
 */
KS_NONNULL(1)
char *ks_kernel_surroundings(const struct ks_system *system,
			     const struct ks_kernel *kernel);
