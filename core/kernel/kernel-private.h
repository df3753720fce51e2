/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Declarations that the files of core/kernel share; private to it. */
#pragma once

#include "core/kernel/kernel.h"

/* Larger ones are not what they claim to be. */
#define KS_KERNEL_MAX_CONFIG_BYTES (8u << 20)

/*
 * The value in one line of a configuration: *line moves on to the next line.
 * Returns the symbol and *value, both inside the line, which is changed; a
 * string has lost its quotes. NULL for a line that sets nothing.
 */
char *ks_kernel_config_parse_line(char **line, char **value);

/* "PATH-WITHOUT-LINKS SIZE MTIME" of a program; NULL when it is not there. g_free. */
char *ks_kernel_program_identity(const struct ks_system *system, const char *path);

/* Set compiler, clang and toolchain_problem; config_path and has_headers are set. */
void ks_kernel_probe_toolchain(const struct ks_system *system, struct ks_kernel *kernel);

/* Whether ks_kernel_set_asked() remembers it. */
bool ks_kernel_is_asked(const struct ks_system *system, const char *release);

/* Set module_suffix. */
void ks_kernel_probe_suffix(const struct ks_system *system, struct ks_kernel *kernel);
