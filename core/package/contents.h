/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What belongs into a module's package: the built modules of one artifact, or
 * a module's source. Reads the tree only; nothing is written.
 */
#pragma once

#include "core/package/package.h"
#include "core/state/manifest.h"
#include "core/platform/digest.h"
#include "core/support/contract.h"

struct ks_package_options {
	const char *revision;	/* NULL: "1" */
	const char *maintainer; /* NULL: "kmodsmith <root@localhost>" */
	const char *licence;	/* NULL: "unspecified" */
	gint64 mtime;		/* seconds since 1970; < 0: the newest in the source */
};

/*
 * kmod-MODULE-KERNEL with the modules of T/M/V/K/A, which go where they are
 * installed here. source_dir (may be NULL) gives the time. KS_ERROR_INVALID when
 * a file in T is not what the manifest says: it was altered.
 */
KS_MUST_CHECK
KS_NONNULL(1)
struct ks_package *ks_package_of_artifact(const struct ks_system *system,
					  struct ks_digest_cache *cache,
					  const struct ks_manifest *manifest,
					  const char *source_dir,
					  const struct ks_package_options *options,
					  GError **error);

/*
 * MODULE-dkms with source_dir as /usr/src/MODULE-VERSION, whatever it is called
 * here. Modes become 644 and 755. Anything but files, directories and links is
 * KS_ERROR_INVALID, as are more than 200000 entries or 100 levels.
 */
KS_MUST_CHECK
KS_NONNULL(1)
struct ks_package *ks_package_of_source(const struct ks_system *system,
					struct ks_digest_cache *cache, const char *module,
					const char *version, const char *source_dir,
					const struct ks_package_options *options,
					GError **error);

/* The mtime of SOURCE_DATE_EPOCH's text (NULL: none), or -1. */
gint64 ks_package_parse_epoch(const char *text);
