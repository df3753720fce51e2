/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A whole text from a pipe: what programs of ours are given on standard input. */
#pragma once

#include <glib.h>

#include "core/support/contract.h"

/*
 * Read fd to its end, at most max_bytes; more is KS_ERROR_INVALID. label names it in
 * errors. NUL-terminated; *size_bytes without that. Free with g_free; fd stays open.
 */
KS_MUST_CHECK
char *ks_input_read(int fd, size_t max_bytes, const char *label, size_t *size_bytes,
		    GError **error);
