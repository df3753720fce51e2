/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a person probably meant who mistyped a name. */
#pragma once

#include <stddef.h>

/*
 * The name among n that is nearest to the typed one: at most a third of its letters added,
 * left out, replaced or exchanged with their neighbour, of names that are equally near the
 * first. NULL when none is near. Case counts; '-' and '_' are the same.
 */
const char *ks_suggest(const char *typed, const char *const *names, size_t n);
