/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names and versions as dpkg and Debian policy allow them (deb-version(7),
 * Debian policy 5.6.1), made from what a module source calls itself. The maps
 * are not one to one: the caller looks for collisions.
 */
#pragma once

#include <glib.h>

/*
 * A package name: lower case; '_' becomes '-', '~' becomes '.', anything else
 * that dpkg refuses becomes '-'. "kmod-tp_smapi-6.1.0-56-amd64" gives
 * "kmod-tp-smapi-6.1.0-56-amd64".
 */
char *ks_deb_package_name(const char *name);

/*
 * An upstream version that dpkg accepts: '_' and other refused characters
 * become '.', and "0~" is put before what does not start with a digit, so
 * that it sorts below every later numeric version.
 */
char *ks_deb_upstream_version(const char *version);

/*
 * The package's version: the upstream version, "+k" and the first 8 characters
 * of the record's digest. The same module recorded with other files so
 * always has another version, and the same files always the same one; the
 * order of two builds of one upstream version means nothing.
 */
char *ks_deb_version(const char *version, const char *digest);
