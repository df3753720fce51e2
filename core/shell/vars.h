/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shell variables: a name leads to values at indices, with holes between them.
 * A scalar is the value at index 0, as in bash.
 *
 * Bounded: at most KS_VARS_MAX_ELEMENTS values for a name, KS_VARS_MAX_BYTES
 * in all values. A value beyond that is not stored, and ks_vars_is_full()
 * becomes true.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "core/support/cleanup.h"
#include "core/support/contract.h"

#define KS_VARS_MAX_ELEMENTS 4096
#define KS_VARS_MAX_BYTES    (16u << 20)
#define KS_VARS_MAX_INDEX    999999999u

struct ks_vars;

struct ks_vars_element {
	guint index;
	char *value;
};

struct ks_vars *ks_vars_new(void);
KS_NONNULL(1)
struct ks_vars *ks_vars_copy(const struct ks_vars *vars);
void ks_vars_free(struct ks_vars *vars);
KS_DEFINE_CLEANUP(ks_vars, ks_vars_free)

/* Is anything set under this name? */
KS_NONNULL(1)
bool ks_vars_has(const struct ks_vars *vars, const char *name);

/* The value, or NULL. */
KS_NONNULL(1)
const char *ks_vars_get(const struct ks_vars *vars, const char *name, guint index);

/* Its values by rising index; *n_elements is 0 when it is unset. Owned by vars. */
KS_NONNULL(1)
const struct ks_vars_element *ks_vars_elements(const struct ks_vars *vars,
					       const char *name, guint *n_elements);

/* The highest index plus one; 0 when it is unset. */
KS_NONNULL(1)
guint ks_vars_end(const struct ks_vars *vars, const char *name);

/* All names that are set, sorted; they belong to vars, the array to the caller. */
KS_NONNULL(1)
GPtrArray *ks_vars_names(const struct ks_vars *vars);

KS_NONNULL(1)
void ks_vars_set(struct ks_vars *vars, const char *name, guint index, const char *value);
KS_NONNULL(1)
void ks_vars_append(struct ks_vars *vars, const char *name, guint index,
		    const char *value);
KS_NONNULL(1)
void ks_vars_unset(struct ks_vars *vars, const char *name);

/* Something was too much, and was not stored. */
KS_NONNULL(1)
bool ks_vars_is_full(const struct ks_vars *vars);

/*
 * The variables that dkms takes from a conf, in the order in which it reads
 * them back (dkms 3.4.3, dkms_conf_variables); NULL at the end.
 */
extern const char *const ks_vars_known[];

/* Is text NAME=value, NAME being one that a variable may have? */
bool ks_vars_is_assignment(const char *text);
