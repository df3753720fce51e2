/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kmodsmith remove: take a module away and keep it away. */
#include "cli/change.h"
#include "cli/selection.h"
#include "cli/message.h"
#include "cli/run.h"
#include "core/support/error.h"

static char *kernel_option;
static gboolean no_initramfs;

static const GOptionEntry options[] = {
	{"kernel", 'k', 0, G_OPTION_ARG_STRING, &kernel_option,
	 "only from this kernel, and until the next sync", "RELEASE"},
	{"no-initramfs", 0, 0, G_OPTION_ARG_NONE, &no_initramfs,
	 "leave the initramfs to somebody else", NULL},
	{NULL},
};

/*
 * With the mark the planner treats the source as gone: the actions follow from
 * it, and if this run dies the next one does them.
 */
static bool mark(const struct ks_cli *cli, const struct ks_selection *selection,
		 GError **error)
{
	if (selection->release)
		return true;
	return ks_tree_set_dismissed(cli->system, selection->module, selection->version,
				     true, error) &&
	       ks_tree_set_asked(cli->system, selection->module, selection->version,
				 false, error);
}

static void print_hint(const struct ks_cli *cli, const struct ks_selection *selection)
{
	g_autofree char *dir = g_strdup_printf("%s/%s-%s", cli->system->source_tree,
					       selection->module, selection->version);

	if (cli->quiet || selection->release || !ks_root_exists(cli->system->root, dir))
		return;
	ks_message_hint("its source stays in '%s'; 'kmodsmith add %s/%s' takes it back",
			dir, selection->module, selection->version);
}

static int remove_selected(struct ks_cli *cli, struct ks_selection *selection)
{
	struct ks_run run = {.options = {.command = "remove", .lock_timeout_ms = -1}};
	g_autofree char *what = NULL;
	g_autoptr(GError) error = NULL;
	int code = ks_selection_resolve(cli, selection);

	if (code != KS_EXIT_OK)
		return code;
	if (!mark(cli, selection, &error))
		return ks_message_fail(error);
	what = g_strdup_printf("remove %s/%s", selection->module, selection->version);
	if (ks_run_queue_if_held_above(cli, what))
		return KS_EXIT_OK;
	run.options.request = (struct ks_plan_request){
		.module = selection->module,
		/* another version may take its place: the removal includes that */
		.version = selection->release ? selection->version : NULL,
		.release = selection->release,
		.goal = selection->release ? KS_GOAL_UNINSTALL : KS_GOAL_KEEP_UP,
		.no_initramfs = no_initramfs || !cli->settings->initramfs,
	};
	code = ks_run_engine(cli, &run, NULL);
	print_hint(cli, selection);
	return code;
}

static int run(struct ks_cli *cli, int argc, char **argv)
{
	struct ks_selection selection = {0};
	g_autoptr(GError) error = NULL;
	int code;

	if (ks_run_is_disabled(cli))
		return KS_EXIT_OK;
	if (!ks_selection_init(&selection, argv[1], kernel_option, &error)) {
		ks_message_gerror(error);
		return KS_EXIT_USAGE;
	}
	if (!selection.version) {
		ks_message_error("'remove' needs MODULE/VERSION");
		code = KS_EXIT_USAGE;
	} else if (!ks_change_require_root("remove", &error)) {
		code = ks_message_fail(error);
	} else {
		code = remove_selected(cli, &selection);
	}
	ks_selection_clear(&selection);
	return code;
}

const struct ks_command ks_command_remove = {
	.name = "remove",
	.arguments = "MODULE/VERSION",
	.summary = "take a module away, and keep it away",
	.description =
		"Removes the module from every kernel and from the state tree, and "
		"remembers that it\nis not wanted although its source may stay. 'add', "
		"'build' and 'install' forget that.",
	.options = options,
	.min_arguments = 1,
	.max_arguments = 1,
	.has_json = true,
	.changes = true,
	.run = run,
};
