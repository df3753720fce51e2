/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compression of module files, descriptor to descriptor; part of the inspect
 * worker. Formats are known by the file name's suffix: ".xz", ".zst", ".gz".
 * Same input, same library, same bytes: no name, no time, one thread.
 *
 * The kernel's own decompressor needs xz to have a CRC32 check and a
 * dictionary of at most 1 MiB (Documentation/staging/xz.rst; dkms uses
 * the same).
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "core/support/contract.h"

/* level: as xz, zstd and gzip count; 0 is the usual one, too high ones are
 * the highest. */
KS_MUST_CHECK
bool ks_compress(int in_fd, int out_fd, const char *suffix, unsigned int level,
		 GError **error);

/* The suffix for a file that begins with these bytes; NULL when it is not compressed. */
const char *ks_compress_sniff(const unsigned char *head, size_t size_bytes);

/* The reverse. KS_ERROR_INVALID for damage or for more than max_bytes. */
KS_MUST_CHECK
bool ks_decompress(int in_fd, int out_fd, const char *suffix, guint64 max_bytes,
		   GError **error);
