/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a declaration promises, in words that the compiler checks.
 *
 * KS_MUST_CHECK stands on a line of its own before everything that can fail: who does not
 * look at the result is told so by the compiler. Where a failure really makes no
 * difference, the caller says so: ks_ignore(ks_durable_unlink(root, path, NULL)).
 *
 * A pointer that a function takes is not NULL unless its comment says "may be NULL", also
 * where KS_NONNULL does not say so. A GError ** always may be, and every ks_X_free() of a struct takes NULL.
 */
#pragma once

#define KS_MUST_CHECK __attribute__((warn_unused_result))

/*
 * The parameters at these places, from 1, are not NULL: the objects that a function works
 * on. The compiler warns of a NULL that it sees; configure keeps it from dropping checks for
 * that reason (-fno-delete-null-pointer-checks).
 */
#define KS_NONNULL(...) __attribute__((nonnull(__VA_ARGS__)))

/* gcc takes no cast to void for an answer */
#define ks_ignore(result) ((void)!(result))
