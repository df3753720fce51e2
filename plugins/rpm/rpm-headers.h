/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which package has the headers of a kernel? */
#pragma once

#include <rpm/rpmts.h>

/*
 * By the name and version of the package that owns the kernel, without asking
 * any repository: "kernel-devel-6.5.6-300.fc39.x86_64" for kernel-core of that
 * version, "kernel-default-devel = ..." as
 * "kernel-default-devel-6.4.0-150600.21" for SUSE's kernel-default. NULL when
 * no package owns the kernel or its name has no such form. The caller
 * frees it.
 */
char *ks_headers_package(rpmts ts, const char *release);
