/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all recorders (doc/record-protocol.md) share: main() reads the command line,
 * keeps signals from stopping it between two steps, sets the umask and runs the verb.
 * A recorder is this and one ks_recorder. Plain C: recorder-rpm has no GLib.
 */
#pragma once

#include <stdbool.h>

enum ks_recorder_verb {
	KS_RECORDER_LIST,
	KS_RECORDER_APPLY,
	KS_RECORDER_RECOVER,
	KS_RECORDER_HEADERS, /* argument: a kernel's release */
	KS_RECORDER_STAMP,
	KS_RECORDER_BUSY,
	KS_RECORDER_OWNER, /* argument: a path */
	KS_RECORDER_INCOMING,
	KS_RECORDER_N_VERBS,
};

struct ks_recorder {
	const char *program; /* "recorder-dpkg" */
	bool ignores_sigterm;
	/* Returns the exit code, after printing errors on stderr. argument may
	 * be NULL. */
	int (*run)(const char *root, enum ks_recorder_verb verb, const char *argument);
};

/* Defined by the recorder. */
extern const struct ks_recorder ks_recorder;
