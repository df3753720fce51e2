/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Registering a source, for both personalities. */
#pragma once

#include "cli/command.h"
#include "core/engine/script.h"
#include "core/support/contract.h"

struct ks_add_options {
	bool asked;   /* an administrator wants it, also without AUTOINSTALL */
	bool replace; /* a source of that name and version at its place gives way */
	void (*added)(void *data); /* it is registered; its POST_ADD comes; may be NULL */
	/* others can change it, for that reason: root's own copy is used; may be NULL */
	void (*copied)(const char *reason, void *data);
	void *data;
	struct ks_script_options script;
	int script_status; /* out: of a POST_ADD that failed; the source stays added */
};

/*
 * Copy dir (a path inside the tree) to source_tree/NAME-VERSION unless it is
 * that directory, or the same is there already, register it in T, run its POST_ADD.
 * *source_dir is where it ended up. Takes the lock, waiting for it.
 */
KS_MUST_CHECK
bool ks_add_source(const struct ks_cli *cli, const char *dir, const struct ks_conf *conf,
		   struct ks_add_options *options, char **source_dir, GError **error);

/*
 * Root asks by name for NAME/VERSION, which is in T: when others can change its
 * source, which is in source_tree, it is used as it is now
 * (core/state/snapshot.h). *reason says why, NULL when nobody else can. Takes
 * the lock, waiting for it.
 */
KS_MUST_CHECK
bool ks_add_snapshot(const struct ks_cli *cli, const char *name, const char *version,
		     char **reason, GError **error);

/*
 * Root names a module as kmodsmith does, "NAME" or "NAME/VERSION": register
 * those of its sources in source_tree that are used only when somebody asks for
 * them, because others can change them or their confs have another name. A
 * message says so.
 */
KS_MUST_CHECK
bool ks_add_named(const struct ks_cli *cli, const char *name, const char *version,
		  GError **error);
/* The line that says so, for kmodsmith. */
void ks_add_print_copied(const char *reason, void *unused);
