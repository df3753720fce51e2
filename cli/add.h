/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Registering a source, for both personalities. */
#pragma once

#include "cli/command.h"
#include "core/engine/script.h"

struct ks_add_options {
	bool asked;   /* an administrator wants it, also without AUTOINSTALL */
	bool replace; /* a source of that name and version at its place gives way */
	void (*added)(void *data); /* it is registered; its POST_ADD comes; may be NULL */
	void *data;
	struct ks_script_options script;
	int script_status; /* out: of a POST_ADD that failed; the source stays added */
};

/*
 * Copy dir (a path inside the tree) to source_tree/NAME-VERSION unless it is
 * that directory, or the same is there already, register it in T, run its POST_ADD.
 * *source_dir is where it ended up. Takes the lock, waiting for it.
 */
bool ks_add_source(const struct ks_cli *cli, const char *dir, const struct ks_conf *conf,
		   struct ks_add_options *options, char **source_dir, GError **error);
