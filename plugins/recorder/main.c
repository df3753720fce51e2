/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See recorder.h. */
#include "plugins/recorder/recorder.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "core/support/inherited.h"

static const struct {
	const char *name;
	int n_arguments;
} verbs[KS_RECORDER_N_VERBS] = {
	[KS_RECORDER_LIST] = {"list", 0},	[KS_RECORDER_APPLY] = {"apply", 0},
	[KS_RECORDER_RECOVER] = {"recover", 0}, [KS_RECORDER_HEADERS] = {"headers", 1},
	[KS_RECORDER_STAMP] = {"stamp", 0},	[KS_RECORDER_BUSY] = {"busy", 0},
	[KS_RECORDER_OWNER] = {"owner", 1},	[KS_RECORDER_INCOMING] = {"incoming", 0},
};

/* KS_RECORDER_N_VERBS: none. */
static enum ks_recorder_verb find_verb(int argc, char **argv)
{
	int verb = 0;

	while (verb < KS_RECORDER_N_VERBS && !(argc == 1 + verbs[verb].n_arguments &&
					       strcmp(argv[0], verbs[verb].name) == 0))
		verb++;
	return (enum ks_recorder_verb)verb;
}

/* ^C, a closed terminal or a closed pipe must not stop it between two steps. */
static void ignore_signals(void)
{
	static const int signals[] = {SIGINT, SIGHUP, SIGQUIT, SIGPIPE};

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], SIG_IGN);
	if (ks_recorder.ignores_sigterm)
		signal(SIGTERM, SIG_IGN);
}

int main(int argc, char **argv)
{
	const char *root = "/";
	enum ks_recorder_verb verb;

	if (!ks_inherited_reset())
		return EX_OSERR;
	argc--;
	argv++;
	if (argc >= 2 && strcmp(argv[0], "--root") == 0) {
		root = argv[1];
		argc -= 2;
		argv += 2;
	}
	verb = find_verb(argc, argv);
	if (verb == KS_RECORDER_N_VERBS) {
		fprintf(stderr,
			"usage: %s [--root DIR] list|apply|recover|headers "
			"RELEASE|stamp|busy|owner PATH|incoming\n",
			ks_recorder.program);
		return EX_USAGE;
	}
	ignore_signals();
	return ks_recorder.run(root, verb, argc > 1 ? argv[1] : NULL);
}
