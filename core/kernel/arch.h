/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of architectures. The engine and the directories of the state tree use
 * those of uname(2); people and packages also use the names of dpkg, of rpm and
 * of the kernel's makefiles.
 */
#pragma once

#include <stdbool.h>

/* Is word a name of the architecture arch (uname -m)? arch itself is one. */
bool ks_arch_is_named(const char *arch, const char *word);
