/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Taking over what dkms built: an artifact without a manifest gets one that
 * describes the files as they are, so that it can be recorded, verified and
 * removed. Nothing is rebuilt: the manifest has no build fingerprint. One whose
 * manifest cannot be read gets a new one too, with a fingerprint that nothing has:
 * it is built again, and kept until then.
 */
#pragma once

#include "core/inventory/inventory.h"
#include "core/support/contract.h"

/*
 * Write manifests for all artifacts of T that have none, or none that can be read.
 * *n_adopted counts the former. An artifact whose files cannot be read is left alone.
 */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_adopt_artifacts(const struct ks_system *system, struct ks_digest_cache *cache,
			unsigned int *n_adopted, GError **error);
