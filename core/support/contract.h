/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a declaration promises, in words that the compiler checks.
 *
 * KS_MUST_CHECK stands on a line of its own before everything that can fail: who does not
 * look at the result is told so by the compiler. Where a failure really makes no
 * difference, the caller says so: ks_ignore(ks_durable_unlink(root, path, NULL)).
 *
 * A pointer that a function takes is not NULL unless its comment says "may be NULL". A
 * GError ** always may be, and every ks_X_free() of a struct takes NULL.
 */
#pragma once

#define KS_MUST_CHECK __attribute__((warn_unused_result))

/* gcc takes no cast to void for an answer */
#define ks_ignore(result) ((void)!(result))
