/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Settings of a command line that override the confs, for its run alone: dkms's
 * options -c, --directive, --config and --kernelsourcedir. ks_settings carries
 * them to where confs and kernels are read. Lasting overrides belong into a
 * file of /etc/dkms: the next run, that of a package manager for example, does
 * not have these.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "core/support/contract.h"

struct ks_conf_overrides {
	/* The confs that the first two are for; NULL: all */
	const char *module;
	const char *version;
	/* -c: a path in the tree, read in the place of the source's dkms.conf */
	const char *conf_path;
	/*
	 * --directive: "NAME=value", NULL at the end. A directive of dkms.conf gets the
	 * value as it is (at index 0) after all files were read; any other name is in the
	 * environment of the build, as in dkms.
	 */
	const char *const *directives;
	/* --config, --kernelsourcedir: paths in the tree, for all kernels of the run */
	const char *kernel_config;
	const char *kernel_source_dir;
	/* BUILD_EXCLUSIVE_*[0] binds all modules, as to dkms (the personality dkms) */
	bool first_exclusive_for_all;
};

/* Do conf_path and directives concern this one? overrides may be NULL. */
bool ks_conf_overrides_match(const struct ks_conf_overrides *overrides, const char *name,
			     const char *version);
