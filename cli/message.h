/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines for people, in the grammar of the house: "kmodsmith: error: ..." with
 * the hint on a line of its own. Everything but results goes to stderr. What
 * comes from builds and confs is cleaned of control characters, so that a log
 * cannot drive the terminal. A dead stdout or stderr is not an error.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdio.h>

void ks_message_error(const char *format, ...) G_GNUC_PRINTF(1, 2);
void ks_message_warning(const char *format, ...) G_GNUC_PRINTF(1, 2);
void ks_message_hint(const char *format, ...) G_GNUC_PRINTF(1, 2);
/* "kmodsmith: ..." on stderr: what goes on, never mixed with results. */
void ks_message_note(const char *format, ...) G_GNUC_PRINTF(1, 2);
/* "kmodsmith: ..." on stdout: something was done. */
void ks_message_info(const char *format, ...) G_GNUC_PRINTF(1, 2);
/* The error and its hint. */
void ks_message_gerror(const GError *error);

/* A copy without control characters and invalid UTF-8. NULL gives NULL. */
char *ks_message_clean(const char *text);

enum ks_color { KS_COLOR_AUTO, KS_COLOR_ALWAYS, KS_COLOR_NEVER };
/*
 * Whether "error:", "warning:" and "hint:" are coloured. AUTO, the default: on a terminal
 * that is not dumb, unless NO_COLOR is set (no-color.org).
 */
void ks_message_set_color(enum ks_color color);
/* "auto", "always", "never"; false for anything else. */
bool ks_color_from_text(const char *text, enum ks_color *color);

/* Called before a line is printed: takes a progress line off the terminal. */
void ks_message_set_prepare(void (*prepare)(void));

/* Print an error and give the exit code for it. */
int ks_message_fail(const GError *error);
