/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's own modules that stand where ours belong: T/M/original_module/K/A/NAME,
 * with the path in the first line of NAME.origin (dkms 3.4.3, do_install). dkms moves
 * what it finds in the kernel away. Here that is only done where a module is installed
 * below /lib/modules/K/kernel itself, on distributions that take the conf's
 * DEST_MODULE_LOCATION as written: elsewhere depmod prefers ours. Whoever takes the
 * last version off a kernel has to put back what either has moved.
 *
 * A copy is in the store, synced, before anything happens to the original, and is
 * dropped after it is back: dying between leaves one of the two at every path.
 */
#pragma once

#include "core/state/tree.h"
#include "core/support/contract.h"

struct ks_original_options {
	/* May the file at path be taken? NULL: each. */
	bool (*may_take)(const char *path, void *data);
	/* Called with each path that is taken, or put back. May be NULL. */
	void (*report)(const char *path, void *data);
	void *data;
};

/*
 * Copy into the store the files that the manifest's files would replace or
 * hide: for each one that goes below the kernel's own modules, the file at its
 * very path, else the only file of that name there; the latter's path is added
 * to others (char *), which the caller removes with ks_original_remove() when
 * the new files are in place. Files that old (may be NULL), a killed run or
 * another module has put there are not copied. Among several files in other
 * places nobody knows which one counts: they stay. Costs a walk through the
 * kernel's modules where a file goes there, else nothing.
 */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_original_put_aside(const struct ks_system *system, const char *artifact_dir,
			   const struct ks_manifest *manifest,
			   const struct ks_manifest *old,
			   const struct ks_original_options *options, GPtrArray *others,
			   GError **error);

/* Remove those of the paths that are in the store as they are. */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_original_remove(const struct ks_system *system,
			const struct ks_manifest *manifest, GPtrArray *others,
			GError **error);

/* Does the store have what is at path now? */
KS_NONNULL(1)
bool ks_original_is_put_aside(const struct ks_system *system,
			      const struct ks_manifest *manifest, const char *path);

/*
 * Put back the files that belong below /lib/modules/RELEASE/kernel and are
 * missing there, or replaced by our own by the manifest (may be NULL), then
 * drop the store for that kernel. Other files (those that dkms took for the
 * kernel's own in updates/, for example) stay in the store. Without a store
 * this does nothing.
 */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_original_restore(const struct ks_system *system,
			 const struct ks_manifest *manifest, const char *module,
			 const char *release, const char *arch,
			 const struct ks_original_options *options, GError **error);
