/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Module.symvers: which symbols a kernel, or a set of modules, exports and
 * with which CRC. One line per symbol (Documentation/kbuild/modules.rst,
 * "Module Versioning"):
 *
 *	CRC <tab> symbol <tab> module <tab> export type [<tab> namespace]
 *
 * Read are the first two fields, and whether the export type ends in "_GPL". The text
 * may be hostile: it takes at most KS_SYMVERS_MAX_BYTES, and every line must be well
 * formed.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "core/support/cleanup.h"
#include "core/support/contract.h"

#define KS_SYMVERS_MAX_BYTES	  (64 * 1024 * 1024)
#define KS_SYMVERS_MAX_NAME_BYTES 512 /* KSYM_NAME_LEN of kernels with Rust */

struct ks_symvers;

/*
 * Read text; it is copied. label names it in messages. KS_ERROR_INVALID, with
 * the line, for a line that is not of the form above, a NUL byte or an
 * overlong text. An empty text is an empty table.
 */
KS_MUST_CHECK
struct ks_symvers *ks_symvers_parse(const char *text, size_t size_bytes,
				    const char *label, GError **error);
void ks_symvers_free(struct ks_symvers *symvers);
KS_DEFINE_CLEANUP(ks_symvers, ks_symvers_free)

/*
 * Is symbol exported? *crc is set when it is; 0 means that it has none, as
 * for all symbols of a kernel without CONFIG_MODVERSIONS.
 */
KS_NONNULL(1)
bool ks_symvers_find(const struct ks_symvers *symvers, const char *symbol, guint32 *crc);

/* Is it exported to modules of a licence compatible with the GPL only? */
KS_NONNULL(1)
bool ks_symvers_is_gpl_only(const struct ks_symvers *symvers, const char *symbol);

KS_NONNULL(1)
size_t ks_symvers_get_size(const struct ks_symvers *symvers);
