/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The steps of taking the picture. Private to core/inventory. */
#pragma once

#include "core/inventory/inventory.h"
#include "core/support/contract.h"

struct ks_inventory_taking {
	const struct ks_system *system;
	const struct ks_settings *settings;
	struct ks_digest_cache *cache;
	const struct ks_inventory_options *options;
	struct ks_inventory *inventory;
	GHashTable *certificates; /* release -> digest of the one to sign with, or "" */
	GHashTable *digests;	  /* "source PATH", "kernel RELEASE" -> hex, or "" when it
				     failed */
};

/*
 * sources.c: sources in T and in source_tree; problems of entries that are
 * passed over.
 */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_inventory_find_sources(struct ks_inventory_taking *taking, GError **error);

/* kernels.c: the directories of install_tree, and those that T remembers. */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_inventory_find_kernels(struct ks_inventory_taking *taking, GError **error);

/* depends.c: which BUILD_DEPENDS a module file answers to, whoever has put it there. */
KS_NONNULL(1)
void ks_inventory_find_depends(const struct ks_inventory_taking *taking,
			       struct ks_target *target);

/* targets.c: every source on every kernel. */
KS_NONNULL(1)
void ks_inventory_fill_targets(struct ks_inventory_taking *taking);

/* installed.c: are the artifact's files where they should be? */
KS_NONNULL(1)
enum ks_installed ks_inventory_check_installed(const struct ks_inventory_taking *taking,
					       const struct ks_target *target);

/*
 * unresolved.c: which symbols that were missing when it was built are still, whoever has
 * brought the others.
 */
KS_NONNULL(1)
void ks_inventory_fill_unresolved(struct ks_inventory_taking *taking,
				  struct ks_target *target);

/* signed.c: could and should it be signed with another key? */
KS_NONNULL(1)
bool ks_inventory_is_signature_stale(struct ks_inventory_taking *taking,
				     const struct ks_target *target);

/* recorded.c: what the package database has for it. */
KS_NONNULL(1)
enum ks_recorded ks_inventory_check_recorded(const struct ks_inventory_taking *taking,
					     const struct ks_target *target);
