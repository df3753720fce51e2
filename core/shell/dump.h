/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An evaluated conf as bytes: what bash hands back, and what the cache keeps.
 *
 *	NAME NUL INDEX NUL VALUE NUL ...	known variables
 *	kept NUL NAME[INDEX] NUL NUL		not one word in the second evaluation
 *	note NUL TEXT NUL NUL			what bash said
 *	end NUL
 *
 * Bash wrote it under the eyes of a third-party conf: it is checked like any
 * other hostile input.
 */
#pragma once

#include "core/shell/vars.h"

/*
 * Read it. Returns NULL when it is not complete, not well formed or has a variable
 * that is not among the known (names, NULL at the end). kept and notes (char *, may be
 * NULL) are added to.
 */
struct ks_vars *ks_dump_parse(const char *data, size_t size_bytes,
			      const char *const *known, GPtrArray *kept,
			      GPtrArray *notes);

/* Append the known variables of vars, kept and notes. */
void ks_dump_append(GString *data, const struct ks_vars *vars, const char *const *known,
		    const GPtrArray *kept, const GPtrArray *notes);
