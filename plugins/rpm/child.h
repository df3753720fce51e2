/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Running the engine from inside a package manager: with a signal mask, dispositions,
 * descriptors and an environment of its own. rpm blocks signals during a transaction
 * and lets the descriptor of its lock be inherited; PackageKit has threads, so that
 * nothing but system calls runs between fork and exec.
 */
#pragma once

#include <stddef.h>

#include "core/support/why.h"

struct ks_child {
	const char *const *argv; /* argv[0] is an absolute path inside root */
	const char *const *env;
	const char *root; /* NULL, or a directory to change the root to first */
};

struct ks_child_output {
	char *out; /* standard output; to be freed, never NULL after success */
	size_t out_bytes;
	char *err;  /* standard error, of more than 64 KiB the last ones; to be freed */
	int status; /* as of waitpid(2) */
};

/*
 * Run it and wait. False when it could not be started or printed more than 64
 * MiB; the caller clears *output in either case.
 */
bool ks_child_run(const struct ks_child *child, struct ks_child_output *output,
		  struct ks_why *why);
void ks_child_clear(struct ks_child_output *output);

/* "exit status 1", "killed by signal 9"; into why. */
void ks_child_describe(int status, struct ks_why *why);
