/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parsing the command line of the personality kmodsmith from the tables:
 * global options may stand before and after the command.
 */
#pragma once

#include "cli/command.h"
#include "core/support/contract.h"

struct ks_options {
	char *root_path; /* --root; NULL for "/" */
	char *color;	 /* --color; NULL: not given */
	gboolean json, verbose, quiet, help, version;
};

/* The options before the command; argv[1] is the command afterwards, if any. */
KS_MUST_CHECK
bool ks_options_parse_global(struct ks_options *options, int *argc, char ***argv,
			     GError **error);
/* What follows the command; argv[0] is the command's name. */
KS_MUST_CHECK
bool ks_options_parse_command(struct ks_options *options,
			      const struct ks_command *command, int *argc, char ***argv,
			      GError **error);

/* Text of --help; free with g_free. command NULL: of kmodsmith itself. */
char *ks_options_help(const struct ks_command *const *commands,
		      const struct ks_command *command);

/* "MODULE[/VERSION]" split at the first slash; false when a part is no name. */
bool ks_options_split_module(const char *text, char **module, char **version);
