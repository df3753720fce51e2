/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Proving that what is installed comes from its source: each module is built
 * once more, in a private directory, with nothing taken from the store, and
 * compared, before signing and compression, with what its manifest says was
 * built. The second build is not kept and not installed.
 */
#pragma once

#include "core/engine/engine.h"
#include "core/support/contract.h"

enum ks_rebuild_verdict {
	KS_REBUILD_SAME,
	KS_REBUILD_DIFFERS, /* other bytes from the same inputs: detail names the files */
	KS_REBUILD_FAILED,  /* it could not be built again: detail says why */
	KS_REBUILD_IMPOSSIBLE, /* inputs changed, or not built by us: detail says what */
};

struct ks_rebuild {
	const struct ks_target *target; /* the inventory's */
	enum ks_rebuild_verdict verdict;
	char *detail; /* NULL when it is the same */
	gint64 duration_ms;
};

void ks_rebuild_free(struct ks_rebuild *rebuild);
KS_DEFINE_CLEANUP(ks_rebuild, ks_rebuild_free)

/* "same", "differs", "failed", "impossible": stable ids. */
const char *ks_rebuild_verdict_id(enum ks_rebuild_verdict verdict);

/*
 * Build target again and compare. Needs the lock. NULL with an error only when
 * cancelled, or when its machinery could not be made.
 */
KS_MUST_CHECK
KS_NONNULL(1)
struct ks_rebuild *ks_rebuild_target(const struct ks_system *system,
				     const struct ks_settings *settings,
				     const struct ks_inventory *inventory,
				     const struct ks_target *target,
				     const volatile sig_atomic_t *cancelled,
				     GError **error);
