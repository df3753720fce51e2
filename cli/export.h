/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making package files, for both personalities. */
#pragma once

#include "cli/command.h"
#include "core/package/contents.h"
#include "core/support/contract.h"

struct ks_export {
	const char *format;	/* "deb"; not NULL */
	const char *output_dir; /* as the user wrote it; made when it is not there */
	struct ks_package_options options;
};

/* The package that was made. */
struct ks_exported {
	char *module, *version;
	char *release, *arch; /* NULL for a source package */
	char *path;
};
void ks_exported_free(gpointer data);

/*
 * The built modules of an artifact or target, and the source of a module, as a package.
 * Appends a struct ks_exported to made. KS_ERROR_NOT_FOUND when nothing is built
 * there, or dkms built it and no run has taken it over yet.
 */
KS_MUST_CHECK
bool ks_export_artifact(const struct ks_cli *cli, const struct ks_export *export,
			struct ks_digest_cache *cache, const char *module,
			const char *version, const struct ks_artifact *artifact,
			const char *source_dir, GPtrArray *made, GError **error);
KS_MUST_CHECK
bool ks_export_target(const struct ks_cli *cli, const struct ks_export *export,
		      struct ks_digest_cache *cache, const struct ks_target *target,
		      GPtrArray *made, GError **error);
KS_MUST_CHECK
bool ks_export_source(const struct ks_cli *cli, const struct ks_export *export,
		      struct ks_digest_cache *cache, const char *module,
		      const char *version, const char *source_dir, GPtrArray *made,
		      GError **error);
