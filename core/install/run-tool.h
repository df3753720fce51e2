/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs of the tree itself: depmod and the initramfs tools, run inside it. */
#pragma once

#include "core/platform/system.h"
#include "core/support/contract.h"

/* The path of a program in the tree's usual directories, or NULL. Free with g_free. */
KS_NONNULL(1)
char *ks_run_tool_find(const struct ks_system *system, const char *name);

/*
 * Run argv (argv[0] a path inside the tree), chrooted unless the tree is the
 * host's own, with a clean environment: DPKG_MAINTSCRIPT_PACKAGE in it would
 * make update-initramfs wait for a trigger. log_fd takes its output; with -1
 * the first line of its stderr becomes part of the error. Anything but exit
 * status 0 is KS_ERROR_FAILED.
 */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_run_tool(const struct ks_system *system, const char *const *argv, int log_fd,
		 GError **error);

/*
 * The same in two parts. Every tool that was started must be finished: that
 * waits for its end, frees it, and returns what ks_run_tool() returns.
 */
struct ks_tool;

KS_MUST_CHECK
KS_NONNULL(1)
struct ks_tool *ks_run_tool_start(const struct ks_system *system, const char *const *argv,
				  int log_fd, GError **error);
/* Readable when it has ended: for poll(2). */
KS_NONNULL(1)
int ks_run_tool_fd(const struct ks_tool *tool);
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_run_tool_finish(struct ks_tool *tool, GError **error);
