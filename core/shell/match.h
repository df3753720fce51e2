/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The regular expressions of a conf. Bash hands them to regcomp(3), and so do
 * we; glibc's can be made to use any amount of memory, stack and time by
 * nesting, counted repetition and references back, so those are bounded.
 */
#pragma once

/* Longer than any release or architecture. */
#define KS_MATCH_MAX_TEXT 4096

/* Why the pattern is not compiled, or NULL. */
const char *ks_match_refuse(const char *pattern);
