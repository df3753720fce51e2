/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Does a module fit a kernel that is to come? From the verdict of a preparation. */
#pragma once

#include "cli/verdict.h"

enum ks_fit {
	KS_FIT_FITS, /* it is built, or the kernel has it */
	KS_FIT_DOES_NOT_BUILD,
	KS_FIT_UNKNOWN,	      /* it could not be checked: nothing is said of the module */
	KS_FIT_NOT_CONCERNED, /* it is not for this kernel, or nobody wants it */
};

/* "fits", "does-not-build", "cannot-be-checked", "not-concerned": stable ids. */
const char *ks_fit_id(enum ks_fit fit);
/* The same in words: "does not build". */
const char *ks_fit_words(enum ks_fit fit);

enum ks_fit ks_fit_of(const struct ks_verdict *verdict);
/*
 * Why, in words, or NULL. unsound: why nothing can be built for its kernel, or NULL. Free
 * with g_free.
 */
char *ks_fit_reason(const struct ks_verdict *verdict, const char *unsound);

/* Of all on that kernel the one that says most: does not build, unknown, fits. */
enum ks_fit ks_fit_of_kernel(const struct ks_plan *plan, const char *release);
int ks_fit_exit_code(enum ks_fit fit);
