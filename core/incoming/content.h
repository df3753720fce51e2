/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files of a package, as a tarball in the package's file. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "core/support/contract.h"

/*
 * Set the position of fd, a regular file, to where the tarball begins: in a Debian package
 * (deb(5), an ar(5) archive) to its member "data.tar" or "data.tar.*"; in any other file to
 * the beginning, as a package of pacman is a tarball itself. KS_ERROR_INVALID for an ar
 * archive that is damaged or has no such member.
 */
KS_MUST_CHECK
bool ks_incoming_seek_content(int fd, const char *label, GError **error);
