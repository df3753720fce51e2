/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dpkg's database, read by dpkg-query. That also reads the journal of a dpkg
 * that was killed, which libapt-pkg does not, needs no lock and works inside
 * maintainer scripts. One question costs 6 ms, one about owners 30 to 50.
 */
#pragma once

#include "core/platform/system.h"
#include "core/support/contract.h"

struct ks_dpkg_package {
	char *name;
	char *version;
	char *depends;	/* as in the control file */
	char *status;	/* "installed", "half-installed", "unpacked", ... */
	bool reinstreq; /* dpkg and apt refuse to do anything else before it is cured */
	/* From our fields; "" in a package that is not ours, or half installed */
	char *module, *module_version, *release, *digest;
};

void ks_dpkg_package_free(struct ks_dpkg_package *package);

/*
 * All packages named kmod-*, in whatever state but not-installed: struct
 * ks_dpkg_package by name.
 */
KS_MUST_CHECK
GPtrArray *ks_dpkg_list(const struct ks_system *system, GError **error);

struct ks_dpkg_package *ks_dpkg_find(GPtrArray *packages, const char *name);

/* Fully installed and in order. */
bool ks_dpkg_is_complete(const struct ks_dpkg_package *package);

/*
 * Was it made by this recorder? A half-installed package has lost its fields;
 * then its version decides (ks_deb_version()).
 */
bool ks_dpkg_is_ours(const struct ks_dpkg_package *package);

/*
 * The owners of paths: path -> comma-separated package names without
 * architectures. Paths that nobody owns are not in the result.
 */
KS_MUST_CHECK
GHashTable *ks_dpkg_owners(const struct ks_system *system, GPtrArray *paths,
			   GError **error);

/* The paths that a package owns, directories too. */
KS_MUST_CHECK
GPtrArray *ks_dpkg_files(const struct ks_system *system, const char *package,
			 GError **error);

/* The architecture of an installed package, or dpkg's own for NULL. */
KS_MUST_CHECK
char *ks_dpkg_architecture(const struct ks_system *system, const char *package,
			   GError **error);
