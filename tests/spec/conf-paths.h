/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ways of evaluating a conf, side by side: natively, with bash (outside the
 * sandbox), and as dkms does (tests/spec/conf/oracle). All see the same variables.
 */
#pragma once

#include <glib.h>

#include "core/shell/vars.h"

/* The variables of dkms that a conf sees. */
struct ks_vars *conf_paths_base(void);

/* The programs that a conf finds, unless another directory is given. */
#define CONF_PATHS_TOOLS "/usr/sbin:/usr/bin:/sbin:/bin"

/* Run a program of core/shell/bash.h that answers on descriptor 3, in cwd, with the
 * programs that tools, a value for PATH, has. NULL when the conf made it end without a
 * whole answer. */
struct ks_vars *conf_paths_run(const char *cwd, const char *tools, char **argv,
			       GPtrArray *kept);

/* The known variables as lines, for a message and to compare. */
char *conf_paths_show(const struct ks_vars *vars);
