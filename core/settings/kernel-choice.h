/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For which kernels modules are built: the setting "kernels", for all modules or for one.
 *
 *	all, newest, running, default	what the words say; all is what is not set
 *	*-pve, 6.1.0-5?-amd64		releases by a pattern of the shell
 *	!*-rt				not these, whatever else selects them
 */
#pragma once

#include "core/kernel/kernel.h"
#include "core/support/contract.h"

struct ks_kernel_choice {
	bool is_set;
	bool all; /* also of a list that only refuses */
	bool newest, running, is_default;
	char **patterns, **refused; /* NULL: none */
};

/* False, and nothing is changed, for a word that is none of these, or "all" beside others. */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_kernel_choice_parse(struct ks_kernel_choice *choice, const char *value);
void ks_kernel_choice_clear(struct ks_kernel_choice *choice);
/* One that is not set selects every kernel. */
KS_NONNULL(1)
bool ks_kernel_choice_has(const struct ks_kernel_choice *choice,
			  const struct ks_kernel *kernel);
