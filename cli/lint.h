/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finding errors in a module source, before anything is built. */
#pragma once

#include "cli/command.h"

struct ks_lint_finding {
	bool is_error; /* it does not work; otherwise it is only unwise */
	char *text;    /* "FILE:LINE: ..." */
};

void ks_lint_finding_free(gpointer data);
void ks_lint_add(GPtrArray *findings, bool is_error, char *text);

/*
 * Look through dir (a path in the tree), whose conf was read for no kernel.
 * Appends struct ks_lint_finding.
 */
void ks_lint_source(const struct ks_cli *cli, const char *dir, const struct ks_conf *conf,
		    GPtrArray *findings);
