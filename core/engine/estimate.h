/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long the next build takes, and how many files it compiles, judged by
 * earlier ones: by the manifests and logs of the module's artifacts, of this or
 * another version, on whatever kernel. Nothing is known of a module that was
 * never built.
 */
#pragma once

#include "core/inventory/inventory.h"
#include "core/support/contract.h"

/* The longest of its builds; 0 when not known. */
KS_NONNULL(1)
gint64 ks_estimate_duration_ms(const struct ks_inventory *inventory,
			       const struct ks_target *target);

/* How many files its latest build has compiled and linked; 0 when not known. */
KS_NONNULL(1)
guint ks_estimate_files(const struct ks_system *system,
			const struct ks_inventory *inventory,
			const struct ks_target *target);
