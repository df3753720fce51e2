/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kmodsmith records: what the package database should hold, for who writes it. */
#include "cli/message.h"
#include "cli/run.h"
#include "core/engine/wanted-records.h"
#include "core/support/error.h"

/* A package manager's plugin calls it. */
static bool is_unattended(void)
{
	return true;
}

static int run(struct ks_cli *cli, int argc, char **argv)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) kernels = ks_kernel_list(cli->system, &error);
	g_autoptr(GPtrArray) entries = NULL;
	g_autoptr(GPtrArray) records = NULL;
	g_autofree char *text = NULL;

	if (!kernels)
		return ks_message_fail(error);
	if (!ks_wanted_records_are_known(kernels)) {
		ks_message_error("cannot know what is to be recorded: no kernel's "
				 "modules are there");
		return KS_EXIT_PENDING;
	}
	entries = ks_record_list(cli->system, NULL);
	records = ks_wanted_records_list(cli->system, kernels, entries, &error);
	if (!records)
		return ks_message_fail(error);
	text = ks_record_format(records);
	fputs(text, stdout);
	return KS_EXIT_OK;
}

const struct ks_command ks_command_records = {
	.name = "records",
	.summary = "print what the package database should hold",
	.description =
		"Prints one record for each module that is installed now, as text that "
		"a package\nmanager's plugin makes its database equal to. Changes "
		"nothing, needs no root.",
	.is_unattended = is_unattended,
	.run = run,
};
