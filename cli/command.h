/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line: a table of commands that describe themselves, and what
 * they share. Only this directory prints.
 *
 * A command is a struct ks_command in cmd-NAME.c: its options are a table of
 * GOptionEntry whose variables are static to that file, its run function gets
 * what remains of the arguments and returns the exit code. To add one: write
 * the file, name it in main.c's table and in Makemodule.am, describe it in
 * doc/kmodsmith.8 and in cli/completion/kmodsmith.
 */
#pragma once

#include <stdio.h>

#include "core/engine/engine.h"

/* The exit codes of kmodsmith; the same table is in kmodsmith(8) and core/README.md. */
enum ks_exit {
	KS_EXIT_OK = 0,
	KS_EXIT_ERROR = 1,     /* it could not be tried, or went wrong altogether */
	KS_EXIT_USAGE = 2,     /* the command line is wrong */
	KS_EXIT_FAILED = 3,    /* some target is failed or broken */
	KS_EXIT_WAITING = 4,   /* none failed, but a wanted target is not in place */
	KS_EXIT_NOT_FOUND = 5, /* no such module or kernel */
	KS_EXIT_LOCKED = 6,    /* another run holds the lock */
	KS_EXIT_PENDING = 8,   /* done, but for records or a read-only place */
	KS_EXIT_INTERRUPTED = 130,
};

/* The global options, and what follows from them. */
struct ks_cli {
	struct ks_system *system;
	struct ks_settings *settings;
	bool json;
	bool verbose;
	bool quiet;
};

struct ks_command {
	const char *name;
	const char *arguments;	     /* "[MODULE[/VERSION]]", for the usage line */
	const char *summary;	     /* one line, for the list of commands */
	const char *description;     /* some lines more, for --help */
	const GOptionEntry *options; /* NULL-terminated; NULL for none */
	int min_arguments, max_arguments;
	bool has_json; /* takes --json */
	bool changes;  /* changes the system: skipped when KMODSMITH=0; a failed write to
	                * stdout is then no error */
	/* Does nobody watch it? A wrong line of kmodsmith.conf stops it not then, and is a
	 * warning. NULL: somebody does. Its options are parsed. */
	bool (*is_unattended)(void);
	int (*run)(struct ks_cli *cli, int argc, char **argv);
};

extern const struct ks_command ks_command_sync, ks_command_plan, ks_command_status,
	ks_command_explain, ks_command_add, ks_command_remove, ks_command_build,
	ks_command_install, ks_command_uninstall, ks_command_log, ks_command_key,
	ks_command_export, ks_command_lint, ks_command_records, ks_command_verify,
	ks_command_cache, ks_command_preflight;

/* What is printed without a command; in no list. */
extern const struct ks_command ks_command_overview;

/* The personality "dkms"; settings and system are loaded by itself. */
int ks_dkms_main(int argc, char **argv);
