/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Declarations that the files of core/kernel share; private to it. */
#pragma once

#include "core/kernel/kernel.h"
#include "core/support/contract.h"

/* Larger ones are not what they claim to be. */
#define KS_KERNEL_MAX_CONFIG_BYTES (8u << 20)

/*
 * The value in one line of a configuration: *line moves on to the next line.
 * Returns the symbol and *value, both inside the line, which is changed; a
 * string has lost its quotes. NULL for a line that sets nothing.
 */
char *ks_kernel_config_parse_line(char **line, char **value);

/* The text of its configuration, or NULL. */
KS_NONNULL(1)
char *ks_kernel_config_read(const struct ks_system *system,
			    const struct ks_kernel *kernel);

/*
 * A newly allocated value in such a text, or NULL. A search, because parsing ten thousand
 * lines for each kernel would be most of what listing the kernels costs; over the whole
 * text, because auto.conf is in no order.
 */
char *ks_kernel_config_search(const char *text, const char *symbol);
bool ks_kernel_config_is_set(const char *text, const char *symbol);

/* "PATH-WITHOUT-LINKS SIZE MTIME" of a program; NULL when it is not there. g_free. */
KS_NONNULL(1)
char *ks_kernel_program_identity(const struct ks_system *system, const char *path);

/* Set arch and is_foreign; headers_dir and config_path are set. */
KS_NONNULL(1)
void ks_kernel_probe_arch(const struct ks_system *system, struct ks_kernel *kernel);

/* That of the system's programs, by uname -m's name: "i686" of an i386 root. g_free. */
KS_NONNULL(1)
char *ks_kernel_programs_arch(const struct ks_system *system);

/* Of #define NAME "TEXT" in a generated header of the kernel the text, or NULL. g_free. */
KS_NONNULL(1)
char *ks_kernel_read_define(const struct ks_system *system,
			    const struct ks_kernel *kernel, const char *header,
			    const char *name);

/* The first file of modules.order that is there, whatever its suffix, or NULL. g_free. */
KS_NONNULL(1)
char *ks_kernel_find_module(const struct ks_system *system,
			    const struct ks_kernel *kernel);

/* Set compiler, clang and toolchain_problem; config_path and has_headers are set. */
KS_NONNULL(1)
void ks_kernel_probe_toolchain(const struct ks_system *system, struct ks_kernel *kernel);

/* Whether ks_kernel_set_asked() remembers it. */
KS_NONNULL(1)
bool ks_kernel_is_asked(const struct ks_system *system, const char *release);

/* Set module_suffix. */
KS_NONNULL(1)
void ks_kernel_probe_suffix(const struct ks_system *system, struct ks_kernel *kernel);
