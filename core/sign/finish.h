/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The steps after a checked .ko was built and stripped, and their reverse:
 * sign, compress as the kernel's own modules are, digest.
 */
#pragma once

#include "core/sign/sign.h"
#include "core/state/manifest.h"
#include "core/support/contract.h"

/*
 * Finish the .ko at path (in the tree): afterwards it is at path + the
 * compression of the kernel's module_suffix, and file's sha256 and size_bytes are
 * of that. signing may be NULL: then, and with another verdict than YES, it is not
 * signed. A failure of the signing alone goes to *sign_error, and the file is
 * finished unsigned.
 */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_finish_file(const struct ks_system *system, const struct ks_kernel *kernel,
		    const struct ks_signing *signing, const char *path,
		    struct ks_manifest_file *file, GError **sign_error, GError **error);

/*
 * The reverse: restore the .ko that was built, proved by its built_sha256, from
 * the manifest's file in module_dir; returns its path, and removes the
 * compressed one. Any former signature is gone, whoever's it was.
 */
KS_MUST_CHECK
KS_NONNULL(1)
char *ks_finish_undo(const struct ks_system *system, const char *module_dir,
		     const struct ks_manifest_file *file, GError **error);

/* Note in the manifest how it was signed; failed: the signing went wrong. */
KS_NONNULL(1)
void ks_finish_describe(struct ks_manifest *manifest, const struct ks_signing *signing,
			bool failed);

/*
 * Hex: the build fingerprint and everything that this unit does. The certificate
 * and the hash are in it, not the key: another key has another certificate.
 */
KS_NONNULL(1)
char *ks_finish_fingerprint(const struct ks_manifest *manifest,
			    const struct ks_kernel *kernel);
