/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why something failed, for code that has no GError because it also runs where GLib is
 * not loaded: a text of bounded length that the caller keeps, one line, lower case.
 */
#pragma once

#include <stdbool.h>

#include "core/support/contract.h"

struct ks_why {
	char text[512];
};

/* Set the text; always returns false, so that a function can end with it. */
KS_NONNULL(1)
bool ks_why_set(struct ks_why *why, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

KS_NONNULL(1)
bool ks_why_no_memory(struct ks_why *why);
