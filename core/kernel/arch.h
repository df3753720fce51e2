/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Architectures and their names. The engine and the directories of the state tree use
 * those of uname(2); people and packages also use the names of dpkg, of rpm and of the
 * kernel's makefiles.
 */
#pragma once

#include <stdbool.h>

#include "core/support/contract.h"

struct ks_arch_elf {
	unsigned int machine, class, data; /* class and data 0: either */
};

struct ks_arch {
	const char *names[16];	/* that of uname -m first; NULL at the end */
	const char *family;	/* its directory below arch/ of the kernel's source */
	const char *kbuild;	/* what kbuild takes as ARCH= */
	const char *triplet;	/* of the compiler that Debian packages for it */
	struct ks_arch_elf elf; /* of its modules and programs */
};

/* The one that has this name first, else the first that has it at all; or NULL. */
const struct ks_arch *ks_arch_find(const char *name);
KS_NONNULL(1)
const struct ks_arch *ks_arch_find_elf(const struct ks_arch_elf *elf);

/* Is word a name of the architecture arch (uname -m)? arch itself is one. */
bool ks_arch_is_named(const char *arch, const char *word);
/* Are both names of one architecture ("armv6l" and "armv7l"), or of one family ("i686"
 * and "x86_64")? */
bool ks_arch_is_same(const char *a, const char *b);
bool ks_arch_is_family(const char *a, const char *b);

/*
 * Does a kernel of arch run such programs: those of its own, and for one of 64 bits those
 * of its family's 32 bits? (A distribution may have left that out of its kernel.)
 */
bool ks_arch_can_run(const char *arch, const char *programs);
