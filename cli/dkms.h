/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The personality "dkms": the command line of dkms 3.4.3 as far as Debian's
 * packages and their left-over hooks call it. Words, formats and exit codes
 * are dkms's where somebody parses them; dkms(8) says what differs.
 */
#pragma once

#include "cli/command.h"

enum ks_dkms_exit {
	KS_DKMS_OK = 0,
	KS_DKMS_NOT_ALLOWED = 1, /* not root, arguments missing, not in this version */
	KS_DKMS_NO_SOURCE = 2,	 /* also: unknown option, -k with --all */
	KS_DKMS_NOT_IN_TREE = 3, /* or already in it; -a with --all */
	KS_DKMS_SEVERAL_ACTIONS = 4,
	KS_DKMS_NO_ALL = 5, /* the action does not take --all */
	KS_DKMS_INSTALL_FAILED = 6,
	KS_DKMS_BAD_CONF = 8,
	KS_DKMS_NO_CONF = 9,
	KS_DKMS_BUILD_FAILED = 10,
	KS_DKMS_AUTOINSTALL_FAILED = 11,
	KS_DKMS_DEPENDS_MISSING = 13,
	KS_DKMS_HEADERS_MISSING = 21,
	KS_DKMS_EXCLUDED = 77,
};

struct ks_dkms_options {
	char *action;
	char *module, *version;
	char *source_dir;   /* a directory given to "add" */
	GPtrArray *kernels; /* char * */
	GPtrArray *arches;  /* char * */
	char *root_path;    /* --root, which dkms has not */
	char *dkms_tree, *source_tree, *install_tree;
	bool all, force, no_depmod;
	bool help, version_asked;
};

struct ks_dkms {
	struct ks_cli cli;
	struct ks_dkms_options options;
	bool in_script; /* below a dpkg maintainer script: the database is locked */
};

/* An empty line, "Error! TEXT", and further lines, on stderr. Returns code. */
int ks_dkms_die(int code, const char *format, ...) G_GNUC_PRINTF(2, 3);
void ks_dkms_warn(const char *format, ...) G_GNUC_PRINTF(1, 2);

/* dkms-options.c: KS_DKMS_OK, or the exit code after telling why. */
int ks_dkms_options_parse(struct ks_dkms_options *options, int argc, char **argv);
void ks_dkms_options_clear(struct ks_dkms_options *options);

/* dkms-status.c */
int ks_dkms_status(struct ks_dkms *dkms);

/* dkms-action.c */
int ks_dkms_add(struct ks_dkms *dkms);
int ks_dkms_build(struct ks_dkms *dkms);
int ks_dkms_install(struct ks_dkms *dkms);
int ks_dkms_uninstall(struct ks_dkms *dkms);
int ks_dkms_remove(struct ks_dkms *dkms);
int ks_dkms_autoinstall(struct ks_dkms *dkms);
