/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of shell assignments that no shell is needed for: os-release(5), Gentoo's
 * make.conf(5).
 */
#pragma once

#include <glib.h>

/*
 * The value of the last line KEY=VALUE of the text, without its quotes and what
 * follows it on the line; NULL when there is none, or it is malformed. Variables in
 * it are not expanded. Free with g_free.
 */
char *ks_assignment_find(const char *text, const char *key);
