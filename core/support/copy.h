/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copying the bytes of one open file into another. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "core/support/contract.h"

/*
 * Copy at most max_bytes from one descriptor to another, which gets mode 0644
 * and is synced. label names the file in messages. *sha256 (may be NULL)
 * becomes the hex digest of what was copied; free with g_free.
 * KS_ERROR_INVALID when there is more; the bytes written by then stay.
 */
KS_MUST_CHECK
bool ks_copy_fd(int from, int to, guint64 max_bytes, char **sha256, const char *label,
		GError **error);
