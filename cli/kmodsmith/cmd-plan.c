/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kmodsmith plan: what a sync would do, and why. */
#include "cli/json.h"
#include "cli/message.h"
#include "cli/plan-text.h"
#include "cli/run.h"
#include "cli/find.h"
#include "core/support/error.h"

static char *module_option, *kernel_option;
static gboolean force, retry_failed, no_initramfs;

static const GOptionEntry options[] = {
	{"module", 'm', 0, G_OPTION_ARG_STRING, &module_option, "only this module",
	 "MODULE[/VERSION]"},
	{"kernel", 'k', 0, G_OPTION_ARG_STRING, &kernel_option, "only for this kernel",
	 "RELEASE"},
	{"force", 0, 0, G_OPTION_ARG_NONE, &force, "as of 'sync --force'", NULL},
	{"retry-failed", 0, 0, G_OPTION_ARG_NONE, &retry_failed,
	 "accepted; 'sync' does so when somebody calls it", NULL},
	{"no-initramfs", 0, 0, G_OPTION_ARG_NONE, &no_initramfs,
	 "as of 'sync --no-initramfs'", NULL},
	{NULL},
};

static void print_action(const struct ks_action *action)
{
	g_autofree char *name = ks_source_name_action(action);
	g_autofree char *detail =
		action->detail ? g_strdup_printf("; %s", action->detail) : g_strdup("");
	g_autofree char *line =
		g_strdup_printf("%s %s (%s%s)", ks_action_kind_id(action->kind), name,
				ks_reason_words(action->reason), detail);
	g_autofree char *clean = ks_message_clean(line);

	puts(clean);
}

static void print_text(const struct ks_cli *cli, const struct ks_inventory *inventory,
		       const struct ks_plan *plan)
{
	for (guint i = 0; i < inventory->problems->len; i++)
		ks_message_warning("%s",
				   (char *)g_ptr_array_index(inventory->problems, i));
	for (guint i = 0; i < plan->actions->len; i++)
		print_action(g_ptr_array_index(plan->actions, i));
	if (!plan->actions->len && !cli->quiet)
		puts("nothing to do");
}

int ks_plan_text_print(struct ks_cli *cli, const struct ks_run_options *run_options)
{
	const struct ks_plan_request *request = &run_options->request;
	struct ks_selection selection = {.module = (char *)request->module,
					 .version = (char *)request->version,
					 .release = (char *)request->release};
	ks_auto(ks_inventory) inventory = NULL;
	ks_auto(ks_plan) plan = NULL;
	g_autoptr(GError) error = NULL;

	if (!ks_engine_foresee(cli->system, cli->settings, run_options, &inventory, &plan,
			       &error))
		return ks_message_fail(error);
	if (!ks_selection_check(&selection, inventory, &error)) {
		ks_message_gerror(error);
		return KS_EXIT_NOT_FOUND;
	}
	if (cli->json)
		ks_json_print_plan(inventory, plan);
	else
		print_text(cli, inventory, plan);
	return KS_EXIT_OK;
}

static int run(struct ks_cli *cli, int argc, char **argv)
{
	struct ks_selection selection = {0};
	struct ks_run_options run_options = {0};
	g_autoptr(GError) error = NULL;
	int code = KS_EXIT_OK;

	if (!ks_selection_init(&selection, module_option, kernel_option, &error)) {
		ks_message_gerror(error);
		return KS_EXIT_USAGE;
	}
	ks_selection_name_kernel(cli, &selection);
	if (selection.module)
		code = ks_selection_check_there(cli, &selection);
	run_options.request = (struct ks_plan_request){
		.module = selection.module,
		.version = selection.version,
		.release = selection.release,
		.force = force,
		.retry_failed = true,
		.no_initramfs = no_initramfs || !cli->settings->initramfs,
	};
	if (!code)
		code = ks_plan_text_print(cli, &run_options);
	ks_selection_clear(&selection);
	return code;
}

const struct ks_command ks_command_plan = {
	.name = "plan",
	.summary = "print what sync would do, and why",
	.description =
		"Prints the actions of a sync in their order, each with its reason. "
		"Changes\nnothing and needs no privilege.",
	.options = options,
	.has_json = true,
	.run = run,
};
