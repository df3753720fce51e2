/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See answer.h. */
#include "plugins/recorder/answer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "core/record/record.h"
#include "core/support/error.h"
#include "core/support/input.h"

#define MAX_SET_BYTES (64 * 1024 * 1024)

GPtrArray *ks_recorder_read_set(GError **error)
{
	size_t size_bytes = 0;
	g_autofree char *text = ks_input_read(STDIN_FILENO, MAX_SET_BYTES,
					      "the desired set", &size_bytes, error);

	return text ? ks_record_parse(text, size_bytes, "standard input", error) : NULL;
}

bool ks_recorder_print(const char *text, GError **error)
{
	if (fputs(text, stdout) >= 0 && fflush(stdout) == 0)
		return true;
	ks_error_set_errno(error, errno, "cannot write the answer");
	return false;
}

/* The exit code: EX_TEMPFAIL when it is that the database cannot be written now. */
static int fail(const GError *error)
{
	fprintf(stderr, "%s\n", error->message);
	return g_error_matches(error, KS_ERROR, KS_ERROR_PENDING) ||
			       g_error_matches(error, KS_ERROR, KS_ERROR_LOCKED)
		       ? EX_TEMPFAIL
		       : EXIT_FAILURE;
}

int ks_recorder_run(const char *root, enum ks_recorder_verb verb, const char *argument)
{
	g_autoptr(GError) error = NULL;
	ks_auto(ks_system) system = ks_system_new(root, &error);

	if (!ks_recorder_verbs[verb])
		return EX_USAGE;
	if (system && ks_recorder_verbs[verb](system, argument, &error))
		return EXIT_SUCCESS;
	return fail(error);
}
