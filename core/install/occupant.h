/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which file already lies where a module belongs, and whose it is. Each
 * function looks at the file system as it is now; links are not followed.
 */
#pragma once

#include "core/state/tree.h"
#include "core/support/contract.h"

/* Is a link with that text at path? False when text is NULL. */
KS_NONNULL(1)
bool ks_occupant_is_link(const struct ks_system *system, const char *path,
			 const char *text);

/*
 * Is the manifest's file in its place, as a copy or as a link into the tree? Also when
 * the manifest says the other of the two: dkms may have installed it since.
 */
KS_NONNULL(1)
bool ks_occupant_is_placed(const struct ks_system *system,
			   const struct ks_manifest *manifest,
			   const struct ks_manifest_file *file);

/*
 * The same, or only the beginning of it: from a dkms that was killed, or met a
 * full disk, while it copied. artifact_dir may be NULL.
 */
KS_NONNULL(1)
bool ks_occupant_is_ours(const struct ks_system *system, const char *artifact_dir,
			 const struct ks_manifest *manifest,
			 const struct ks_manifest_file *file);

/* "NAME/VERSION" of a module other than that one that has installed path, or NULL. */
KS_NONNULL(1)
char *ks_occupant_find_claim(const struct ks_system *system, const char *module,
			     const char *path);

/*
 * May the file of manifest take its place: is nothing there, or what old (may be NULL)
 * put there, or what ks_original_put_aside() has a copy of? base is the kernel's
 * directory. KS_ERROR_DENIED, saying whose it is.
 */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_occupant_may_go(const struct ks_system *system, const char *artifact_dir,
			const struct ks_manifest *manifest, const struct ks_manifest *old,
			const struct ks_manifest_file *file, const char *base,
			GError **error);
