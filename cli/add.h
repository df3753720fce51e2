/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Registering a source, for both personalities. */
#pragma once

#include "cli/command.h"

/*
 * Copy dir (a path inside the tree) to source_tree/NAME-VERSION unless it is
 * that directory, register it in T, run its POST_ADD. asked: an administrator
 * wants it, also without AUTOINSTALL. *source_dir is where it ended up. Takes
 * the lock, waiting for it.
 */
bool ks_add_source(const struct ks_cli *cli, const char *dir, const struct ks_conf *conf,
		   bool asked, char **source_dir, GError **error);
