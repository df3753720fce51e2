/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names and versions as rpm allows them (doc/record-protocol.md, "On rpm"). The
 * caller frees all results; NULL only when memory runs out.
 */
#pragma once

#include <stdbool.h>

/* "kmod-foo-6.5.6-300.fc39.x86_64"; "~" becomes ".", other refused characters "_". */
char *ks_rpm_name(const char *name);

/* The module's version; "-" and other refused characters become ".". */
char *ks_rpm_version(const char *version);

/* "k" and 8 characters of the record's digest: other files, another release. */
char *ks_rpm_release(const char *digest);

/*
 * Can "kernel-uname-r = RELEASE" be said? rpm splits what follows "=" at the last
 * dash, and refuses more than one.
 */
bool ks_rpm_is_evr(const char *release);
