/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kmodsmith status: the state of every module on every kernel. */
#include "cli/headers-hint.h"
#include "cli/json.h"
#include "cli/message.h"
#include "cli/run.h"
#include "core/support/error.h"

static char *kernel_option;

static const GOptionEntry options[] = {
	{"kernel", 'k', 0, G_OPTION_ARG_STRING, &kernel_option, "only on this kernel",
	 "RELEASE"},
	{NULL},
};

static guint print_targets(const struct ks_plan *plan,
			   const struct ks_selection *selection,
			   struct ks_headers *headers)
{
	guint n = 0;

	for (guint i = 0; i < plan->verdicts->len; i++) {
		const struct ks_verdict *verdict = g_ptr_array_index(plan->verdicts, i);
		g_autofree char *line = NULL;
		g_autofree char *clean = NULL;

		if (!ks_verdict_is_shown(verdict) ||
		    !ks_selection_has(selection, verdict->target))
			continue;
		line = ks_verdict_line(verdict);
		clean = ks_message_clean(line);
		puts(clean);
		ks_headers_add(headers, verdict);
		n++;
	}
	return n;
}

static void print_lost(const struct ks_plan *plan, const struct ks_selection *selection)
{
	for (guint i = 0; i < plan->verdicts->len; i++) {
		const struct ks_verdict *verdict = g_ptr_array_index(plan->verdicts, i);
		g_autofree char *lost = ks_verdict_lost(verdict);

		if (lost && ks_selection_has(selection, verdict->target))
			ks_message_warning("%s", lost);
	}
}

static void print_problems(const struct ks_inventory *inventory,
			   const struct ks_selection *selection)
{
	for (guint i = 0; !selection->module && i < inventory->problems->len; i++)
		ks_message_error("%s", (char *)g_ptr_array_index(inventory->problems, i));
	for (guint i = 0; i < inventory->sources->len; i++) {
		const struct ks_source *source = g_ptr_array_index(inventory->sources, i);

		if (source->problem && ks_selection_has_source(selection, source))
			ks_message_error("%s/%s: %s", source->name, source->version,
					 source->problem);
	}
}

static bool any_problem(const struct ks_inventory *inventory,
			const struct ks_selection *selection)
{
	if (!selection->module && inventory->problems->len)
		return true;
	for (guint i = 0; i < inventory->sources->len; i++) {
		const struct ks_source *source = g_ptr_array_index(inventory->sources, i);

		if (source->problem && ks_selection_has_source(selection, source))
			return true;
	}
	return false;
}

static void print_text(const struct ks_cli *cli, const struct ks_inventory *inventory,
		       const struct ks_plan *plan, const struct ks_selection *selection)
{
	struct ks_headers headers;
	guint n;

	ks_headers_init(&headers);
	n = print_targets(plan, selection, &headers);
	print_problems(inventory, selection);
	print_lost(plan, selection);
	if (!cli->quiet) {
		ks_headers_print_hints(&headers, cli->system);
		if (!n && !any_problem(inventory, selection))
			ks_message_info("no modules");
	}
	ks_headers_clear(&headers);
}

static int print_status(struct ks_cli *cli, struct ks_selection *selection)
{
	ks_auto(ks_inventory) inventory = NULL;
	ks_auto(ks_plan) plan = NULL;
	int code;

	code = ks_selection_look(cli, selection, &inventory, &plan);
	if (code)
		return code;
	if (cli->json)
		ks_json_print_status(inventory, plan, selection);
	else
		print_text(cli, inventory, plan, selection);
	/* a source that cannot be used is broken also where there is no kernel */
	if (any_problem(inventory, selection))
		return KS_EXIT_FAILED;
	return ks_verdict_exit_code(plan, selection);
}

static int run(struct ks_cli *cli, int argc, char **argv)
{
	return ks_selection_run(cli, argc > 1 ? argv[1] : NULL, kernel_option,
				print_status);
}

const struct ks_command ks_command_status = {
	.name = "status",
	.arguments = "[MODULE[/VERSION]]",
	.summary = "print the state of every module on every kernel",
	.description =
		"Prints a line for each module on each kernel. Exits with 3 when one is "
		"failed or\nbroken, with 4 when a wanted one is not in place or will be "
		"lost at the next boot,\nand with 8 when one has no record yet or "
		"cannot be put in place now.",
	.options = options,
	.max_arguments = 1,
	.has_json = true,
	.run = run,
};
