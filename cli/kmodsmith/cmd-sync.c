/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kmodsmith sync: make the system what it should be. */
#include "cli/selection.h"
#include "cli/message.h"
#include "cli/plan-text.h"
#include "cli/run.h"
#include "core/support/error.h"

static char *module_option, *kernel_option, *trigger_option;
static gboolean force, retry_failed, no_record, caller_records, no_initramfs, no_depmod;
static gboolean no_wait, dry_run;
static int wait_s = -1;

static const GOptionEntry options[] = {
	{"module", 'm', 0, G_OPTION_ARG_STRING, &module_option, "only this module",
	 "MODULE[/VERSION]"},
	{"kernel", 'k', 0, G_OPTION_ARG_STRING, &kernel_option, "only for this kernel",
	 "RELEASE"},
	{"force", 0, 0, G_OPTION_ARG_NONE, &force,
	 "build also what is up to date or has failed", NULL},
	{"retry-failed", 0, 0, G_OPTION_ARG_NONE, &retry_failed,
	 "with --trigger: try again what has failed", NULL},
	{"no-record", 0, 0, G_OPTION_ARG_NONE, &no_record,
	 "leave the package database alone, and take nothing away", NULL},
	{"caller-records", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &caller_records,
	 "the caller records itself, from what 'records' prints", NULL},
	{"no-initramfs", 0, 0, G_OPTION_ARG_NONE, &no_initramfs,
	 "leave the initramfs to somebody else", NULL},
	{"no-depmod", 0, 0, G_OPTION_ARG_NONE, &no_depmod,
	 "leave depmod to somebody else", NULL},
	{"wait", 0, 0, G_OPTION_ARG_INT, &wait_s, "wait at most so long for another run",
	 "SECONDS"},
	{"no-wait", 0, 0, G_OPTION_ARG_NONE, &no_wait, "do not wait for another run",
	 NULL},
	{"trigger", 0, 0, G_OPTION_ARG_STRING, &trigger_option,
	 "called by a hook of that name: report only what is new", "NAME"},
	{"dry-run", 'n', 0, G_OPTION_ARG_NONE, &dry_run, "the same as 'plan'", NULL},
	{NULL},
};

static int lock_timeout_ms(void)
{
	if (no_wait)
		return 0;
	return wait_s < 0 ? -1 : MIN(wait_s, G_MAXINT / 1000) * 1000;
}

/* A hook may come before or after its kernel or source exists. */
static int check(struct ks_cli *cli, struct ks_selection *selection)
{
	if (trigger_option || (!selection->module && !selection->release) ||
	    (ks_run_is_in_transaction() && !caller_records))
		return KS_EXIT_OK;
	return ks_selection_check_there(cli, selection);
}

static int run_selected(struct ks_cli *cli, const struct ks_selection *selection)
{
	struct ks_run run = {
		.options =
			{
				.command = "sync",
				.trigger = trigger_option,
				.request =
					{.module = selection->module,
					 .version = selection->version,
					 .release = selection->release,
					 .force = force,
					 /* without a trigger it is somebody who asks */
					 .retry_failed = retry_failed || !trigger_option,
					 .no_initramfs = no_initramfs ||
							 !cli->settings->initramfs},
				.no_record = no_record,
				.caller_records = caller_records,
				.no_depmod = no_depmod,
				.lock_timeout_ms = lock_timeout_ms(),
			},
	};

	if (dry_run)
		return ks_plan_text_print(cli, &run.options);
	if (ks_run_is_in_transaction() && !caller_records) {
		if (!trigger_option && !cli->quiet)
			ks_message_note("sync: left to the end of the transaction");
		return KS_EXIT_OK;
	}
	if (ks_run_queue_if_held_above(cli, "sync"))
		return KS_EXIT_OK;
	return ks_run_engine(cli, &run, NULL);
}

static bool is_unattended(void)
{
	return trigger_option != NULL;
}

static int run(struct ks_cli *cli, int argc, char **argv)
{
	struct ks_selection selection = {0};
	g_autoptr(GError) error = NULL;
	int code;

	if (cli->settings->disabled && !dry_run) {
		if (!trigger_option && !cli->quiet)
			ks_message_note("disabled by KMODSMITH=0 in the environment");
		return KS_EXIT_OK;
	}
	if (!ks_selection_init(&selection, module_option, kernel_option, &error)) {
		ks_message_gerror(error);
		return KS_EXIT_USAGE;
	}
	/* a hook may come for a kernel that is on its way out */
	if (!trigger_option)
		ks_selection_name_kernel(cli, &selection);
	code = check(cli, &selection);
	if (!code)
		code = run_selected(cli, &selection);
	ks_selection_clear(&selection);
	return code;
}

const struct ks_command ks_command_sync = {
	.name = "sync",
	.summary = "build, install and record what is wanted, remove what is not",
	.description =
		"Makes installed modules and package database equal to what is wanted: "
		"for each\nmodule and kernel the highest version that is not excluded "
		"there. Can be repeated\nat any time; heals what an interrupted run "
		"left.",
	.options = options,
	.has_json = true,
	.changes = true,
	.is_unattended = is_unattended,
	.run = run,
};
