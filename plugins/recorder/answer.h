/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How recorders with GLib run a verb, read the desired set, and answer. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "core/platform/system.h"
#include "core/support/contract.h"
#include "plugins/recorder/recorder.h"

/* The function of a verb in a tree; false with an error. argument may be NULL. */
typedef bool (*ks_recorder_func)(const struct ks_system *system, const char *argument,
				 GError **error);

/* Defined by the recorder. */
extern const ks_recorder_func ks_recorder_verbs[KS_RECORDER_N_VERBS];

/* For ks_recorder.run: call the verb's function in the tree at root. */
int ks_recorder_run(const char *root, enum ks_recorder_verb verb, const char *argument);

/* The records (core/record/protocol.h) on standard input; NULL with an error. */
KS_MUST_CHECK
GPtrArray *ks_recorder_read_set(GError **error);

/* Print to standard output, and flush. */
KS_MUST_CHECK
bool ks_recorder_print(const char *text, GError **error);
