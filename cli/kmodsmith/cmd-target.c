/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kmodsmith build, install, uninstall: one module, because somebody says so. */
#include "cli/add.h"
#include "cli/change.h"
#include "cli/selection.h"
#include "cli/message.h"
#include "cli/run.h"
#include "core/support/error.h"
#include "core/platform/lock.h"

static char *kernel_option;
static gboolean force, no_initramfs;

static const GOptionEntry build_options[] = {
	{"kernel", 'k', 0, G_OPTION_ARG_STRING, &kernel_option, "only for this kernel",
	 "RELEASE"},
	{"force", 0, 0, G_OPTION_ARG_NONE, &force,
	 "also when it is up to date, or what it depends on is not there", NULL},
	{"no-initramfs", 0, 0, G_OPTION_ARG_NONE, &no_initramfs,
	 "leave the initramfs to somebody else", NULL},
	{NULL},
};

static const GOptionEntry uninstall_options[] = {
	{"kernel", 'k', 0, G_OPTION_ARG_STRING, &kernel_option, "only from this kernel",
	 "RELEASE"},
	{"no-initramfs", 0, 0, G_OPTION_ARG_NONE, &no_initramfs,
	 "leave the initramfs to somebody else", NULL},
	{NULL},
};

static const char *const verbs[] = {
	[KS_GOAL_BUILD] = "build",
	[KS_GOAL_INSTALL] = "install",
	[KS_GOAL_UNINSTALL] = "uninstall",
};

/* The wish outlives the run, or the next sync would take it back. */
static bool mark(const struct ks_cli *cli, enum ks_goal goal,
		 const struct ks_selection *selection, GError **error)
{
	bool wanted = ks_goal_asks_for(goal);

	if (!wanted && selection->release)
		return true;
	return ks_tree_set_asked(cli->system, selection->module, selection->version,
				 wanted, error) &&
	       (!wanted || ks_tree_set_dismissed(cli->system, selection->module,
						 selection->version, false, error));
}

static int run_engine(struct ks_cli *cli, enum ks_goal goal,
		      const struct ks_selection *selection)
{
	struct ks_run run = {
		.options =
			{
				.command = verbs[goal],
				.request = {.module = selection->module,
					    .version = selection->version,
					    .release = selection->release,
					    .force = force,
					    .ignore_depends = force,
					    .retry_failed = ks_goal_asks_for(goal),
					    .goal = goal,
					    .no_initramfs = no_initramfs ||
							    !cli->settings->initramfs},
				.lock_timeout_ms = -1,
			},
	};

	return ks_run_engine(cli, &run, NULL);
}

static int run_selected(struct ks_cli *cli, enum ks_goal goal,
			struct ks_selection *selection)
{
	g_autofree char *what = NULL;
	g_autoptr(GError) error = NULL;
	int code;

	if (ks_goal_asks_for(goal) && !ks_lock_is_held_above(cli->system) &&
	    !ks_add_named(cli, selection->module, selection->version, &error))
		return ks_message_fail(error);
	code = ks_selection_resolve(cli, selection);
	if (code != KS_EXIT_OK)
		return code;
	if (!mark(cli, goal, selection, &error))
		return ks_message_fail(error);
	what = g_strdup_printf("%s %s/%s", verbs[goal], selection->module,
			       selection->version);
	if (ks_goal_asks_for(goal) && ks_run_is_in_transaction()) {
		if (!cli->quiet)
			ks_message_note("%s: left to the end of the transaction", what);
		return KS_EXIT_OK;
	}
	if (ks_run_queue_if_held_above(cli, what))
		return KS_EXIT_OK;
	code = run_engine(cli, goal, selection);
	if (goal == KS_GOAL_UNINSTALL && code != KS_EXIT_ERROR && !cli->quiet)
		ks_message_hint("with AUTOINSTALL the next sync installs it again; "
				"'kmodsmith remove %s/%s' keeps it away",
				selection->module, selection->version);
	return code;
}

static int run_verb(struct ks_cli *cli, enum ks_goal goal, const char *argument)
{
	struct ks_selection selection = {0};
	g_autoptr(GError) error = NULL;
	int code;

	if (ks_run_is_disabled(cli))
		return KS_EXIT_OK;
	if (!ks_selection_init(&selection, argument, kernel_option, &error)) {
		ks_message_gerror(error);
		return KS_EXIT_USAGE;
	}
	if (ks_goal_asks_for(goal))
		ks_selection_name_kernel(cli, &selection);
	if (ks_change_require_root(verbs[goal], &error))
		code = run_selected(cli, goal, &selection);
	else
		code = ks_message_fail(error);
	ks_selection_clear(&selection);
	return code;
}

static int build(struct ks_cli *cli, int argc, char **argv)
{
	return run_verb(cli, KS_GOAL_BUILD, argv[1]);
}

static int install(struct ks_cli *cli, int argc, char **argv)
{
	return run_verb(cli, KS_GOAL_INSTALL, argv[1]);
}

static int uninstall(struct ks_cli *cli, int argc, char **argv)
{
	return run_verb(cli, KS_GOAL_UNINSTALL, argv[1]);
}

const struct ks_command ks_command_build = {
	.name = "build",
	.arguments = "MODULE[/VERSION]",
	.summary = "build a module, and stop before installing it",
	.description =
		"Builds the module for every selected kernel, or for one. From then on "
		"the module is\nwanted: a later sync installs it.",
	.options = build_options,
	.min_arguments = 1,
	.max_arguments = 1,
	.has_json = true,
	.changes = true,
	.run = build,
};

const struct ks_command ks_command_install = {
	.name = "install",
	.arguments = "MODULE[/VERSION]",
	.summary = "build a module and install it",
	.description =
		"Builds the module for every selected kernel, or for one, installs and "
		"records it.\nFrom then on it is wanted, also without AUTOINSTALL.",
	.options = build_options,
	.min_arguments = 1,
	.max_arguments = 1,
	.has_json = true,
	.changes = true,
	.run = install,
};

const struct ks_command ks_command_uninstall = {
	.name = "uninstall",
	.arguments = "MODULE[/VERSION]",
	.summary = "take an installed module away, keep its build",
	.description =
		"Takes the module's files off every kernel, or off one. A module with "
		"AUTOINSTALL\ncomes back with the next sync; 'remove' keeps it away.",
	.options = uninstall_options,
	.min_arguments = 1,
	.max_arguments = 1,
	.has_json = true,
	.changes = true,
	.run = uninstall,
};
