/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The personality "dkms": the command line of dkms 3.4.3. Words, formats and
 * exit codes are dkms's where somebody parses them; dkms(8) says what differs.
 */
#pragma once

#include "cli/command.h"
#include "cli/dkms/dkms-options.h"
#include "cli/dkms/dkms-say.h"

struct ks_dkms {
	struct ks_cli cli;
	const struct ks_dkms_options *options;
	const struct ks_dkms_action *action;
	struct ks_conf_overrides overrides; /* what the options say over the confs */
	GHashTable *read; /* "NAME/VERSION" of the confs whose problems were printed */
	/* --dkmstree or --installtree: the package database is about other modules */
	bool is_private;
	bool in_script; /* of a package, of dpkg or rpm: the database is locked */
};

/*
 * One module, on one kernel where that matters, and how it is asked for: handed down by
 * value. Strings are the command line's, or live until the program ends.
 */
struct ks_dkms_job {
	const char *module, *version; /* NULL where the command line does not say */
	const char *release;
	bool force;
	bool force_version;   /* whatever version the kernel has itself */
	bool with_dependents; /* build again what was built upon another version of it */
};

/* The job of the command line, on no kernel in particular. */
struct ks_dkms_job ks_dkms_job(const struct ks_dkms *dkms);
