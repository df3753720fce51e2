/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How recorders with GLib read the desired set, answer, and end. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* The records (core/record/protocol.h) on standard input; NULL with an error. */
GPtrArray *ks_recorder_read_set(GError **error);

/* To standard output, and out. */
bool ks_recorder_print(const char *text, GError **error);

/*
 * Tell what went wrong, on stderr. Returns the exit code: EX_TEMPFAIL when it is that
 * the database cannot be written now.
 */
int ks_recorder_fail(const GError *error);
