/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an ELF file is for, from its first bytes (elf(5)). The file is input: nothing in
 * it is trusted, and only its head is read.
 */
#pragma once

#include "core/kernel/arch.h"
#include "core/platform/system.h"
#include "core/support/contract.h"

/* NULL for what is no ELF file, or for an architecture that is not in the table. */
KS_NONNULL(1)
const struct ks_arch *ks_elf_arch(const struct ks_system *system, const char *path);

/* The loader that a program asks for ("/lib64/ld-linux-x86-64.so.2"), or NULL: it needs
 * none, or cannot be read. Free with g_free. */
KS_NONNULL(1)
char *ks_elf_interpreter(const struct ks_system *system, const char *path);
