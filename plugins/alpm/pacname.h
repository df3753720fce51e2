/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names and versions as pacman allows them (PKGBUILD(5); makepkg's lint_pkgbuild),
 * made from what a module source calls itself. The maps are not one to one: the caller
 * looks for collisions.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/*
 * A package name: ASCII letters, digits and "@._+-"; '~' becomes '.', anything else '-'.
 * "kmod-foo bar-6.1.2-arch1-1" gives "kmod-foo-bar-6.1.2-arch1-1".
 */
char *ks_alpm_package_name(const char *name);

/* Its part before the release: pkgver. */
char *ks_alpm_upstream_version(const char *version);

/*
 * The version of a package, with release 1: '-' becomes '_' as Arch writes it, other
 * refused characters '.'. "1.2-rc1" gives "1.2_rc1-1". An empty one gives "0-1".
 */
char *ks_alpm_package_version(const char *version);

/*
 * Split the name of a directory of the local database, "NAME-VERSION-RELEASE", as libalpm
 * does: at the second hyphen from the end. False for anything else.
 */
bool ks_alpm_split_entry(const char *entry, char **name, char **version);
