/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which package has the headers that a target waits for. */
#pragma once

#include "cli/verdict.h"

/*
 * Collect the kernels whose headers are missed; print a hint for each, once.
 * The package lists are slow to open, and are so only when something waits.
 */
struct ks_headers {
	GPtrArray *releases; /* char *, owned */
};

void ks_headers_init(struct ks_headers *headers);
void ks_headers_clear(struct ks_headers *headers);
void ks_headers_add(struct ks_headers *headers, const struct ks_verdict *verdict);
void ks_headers_print_hints(const struct ks_headers *headers,
			    const struct ks_system *system);
