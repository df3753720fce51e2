/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of architectures. The engine speaks of them as uname(2) does, and so do the
 * directories of the state tree; people and packages also use the names of dpkg, of rpm
 * and of the kernel's makefiles.
 */
#pragma once

#include <stdbool.h>

/* Is word a name of the architecture arch (uname -m)? arch itself is one. */
bool ks_arch_is_named(const char *arch, const char *word);
