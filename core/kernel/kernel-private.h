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

/*
 * The path inside the tree of an executable, looked up where builds look
 * ("/usr/bin" and so on) unless the name is an absolute path; NULL when there
 * is none.
 */
char *ks_kernel_find_program(const struct ks_system *system, const char *name);

/* Set compiler, clang and toolchain_problem; config_path and has_headers are set. */
void ks_kernel_probe_toolchain(const struct ks_system *system, struct ks_kernel *kernel);

/* Whether ks_kernel_set_asked() remembers it. */
bool ks_kernel_is_asked(const struct ks_system *system, const char *release);

/* Set module_suffix. */
void ks_kernel_probe_suffix(const struct ks_system *system, struct ks_kernel *kernel);

/*
 * The compiler that will be used: what the headers demand (Debian's
 * .kernelvariables; then no other will do and *exact is true), else the
 * kernel's own, or the plain one of its kind. NULL when none is there.
 */
char *ks_kernel_find_compiler(const struct ks_system *system,
			      const struct ks_kernel *kernel, char **wanted, bool *exact);
