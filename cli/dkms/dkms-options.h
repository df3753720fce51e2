/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line. It is read and completed once, and constant from then on: what one
 * step of a command hands to the next is a struct ks_dkms_job.
 */
#pragma once

#include <stdio.h>

#include "core/settings/settings.h"

struct ks_dkms_action;

/* The parsed command line. Strings that it does not give are NULL or "". */
struct ks_dkms_options {
	char *action;
	char *module, *version;
	char *source_dir;      /* a directory with a dkms.conf, as a path of the caller */
	char *archive;	       /* --archive, or a file given as a word */
	GPtrArray *kernels;    /* char * */
	GPtrArray *arches;     /* char * */
	GPtrArray *directives; /* char *: "NAME=value" */
	char *template_kernel; /* match */
	char *conf_path;       /* -c */
	char *kernel_config;   /* --config */
	char *kernel_source_dir; /* --kernelsourcedir */
	char *root_path;	 /* --root, which dkms has not */
	char *dkms_tree, *source_tree, *install_tree;
	char *n_jobs; /* -j, as written */
	bool all, force, force_version_override, no_depmod;
	bool symlink_modules, modprobe_on_install, rpm_safe_upgrade;
	bool no_weak_modules; /* of the environment */
	bool binaries_only, source_only;
	bool verbose, debug;
	bool help, version_asked;
	bool wants_usage; /* an option is not known */
};

/*
 * KS_DKMS_OK, or the exit code after printing why not. Stops at --help and --version, as
 * dkms does. wants_usage is set when the usage belongs after what was printed.
 */
int ks_dkms_options_parse(struct ks_dkms_options *options, int argc, char **argv,
			  bool (*is_action)(const char *word));
void ks_dkms_options_clear(struct ks_dkms_options *options);
/*
 * Check that the options fit together, in the order in which dkms checks.
 * KS_DKMS_OK, or the exit code after printing the first problem.
 */
int ks_dkms_options_check(const struct ks_dkms_options *options,
			  const struct ks_dkms_action *action);
/* One line of help for each option. */
void ks_dkms_options_describe(FILE *to);

/* dkms-environment.c: complete both from framework.conf and the environment. */
void ks_dkms_take_environment(struct ks_dkms_options *options,
			      struct ks_settings *settings);
