/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a build may have failed for beside its inputs: packages that are not there,
 * programs and libraries, damaged or unreadable headers. None of it belongs to the
 * fingerprint (a package more makes no module stale), but a known failure is worth
 * another try when any of it changed.
 */
#pragma once

#include "core/kernel/kernel.h"

/*
 * Hex digest of the identity (mode, size, times) of everything in the kernel's headers,
 * of the directories that programs, headers and libraries are in, and of the list of
 * installed packages, without the packages that own modules (kmod-*): those are made by
 * the run itself. No file is read; some 20000 lstat, a tenth of a second, so that it is
 * asked for only when there is a failure.
 */
char *ks_kernel_surroundings(const struct ks_system *system,
			     const struct ks_kernel *kernel);
