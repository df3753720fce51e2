/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kmodsmith without a command: a glance at the machine. */
#include "cli/message.h"
#include "cli/selection.h"
#include "cli/verdict.h"

struct counts {
	unsigned int sources, kernels;
	unsigned int wanted, in_place; /* targets: modules by kernels */
};

static bool is_in_place(const struct ks_verdict *verdict)
{
	return verdict->target->installed == KS_INSTALLED_OK ||
	       verdict->state == KS_TARGET_SATISFIED;
}

static struct counts count(const struct ks_inventory *inventory,
			   const struct ks_plan *plan)
{
	struct counts counts = {.sources = inventory->sources->len};

	for (guint i = 0; i < inventory->kernels->len; i++) {
		const struct ks_kernel *kernel = inventory->kernels->pdata[i];

		counts.kernels += kernel->alive;
	}
	for (guint i = 0; i < plan->verdicts->len; i++) {
		const struct ks_verdict *verdict = plan->verdicts->pdata[i];

		/* what is in place is used, whether it would be wanted today or not */
		if (!verdict->wanted && verdict->target->installed == KS_INSTALLED_NO)
			continue;
		counts.wanted++;
		counts.in_place += is_in_place(verdict);
	}
	return counts;
}

static void print_kernels(const struct ks_inventory *inventory)
{
	for (guint i = 0; i < inventory->kernels->len; i++) {
		const struct ks_kernel *kernel = inventory->kernels->pdata[i];

		if (kernel->alive && (kernel->running || kernel->is_default))
			printf("%s%s%s\n", kernel->release,
			       kernel->running ? ", which is running" : "",
			       kernel->is_default ? ", which boots next" : "");
	}
}

static void print_lost(const struct ks_plan *plan)
{
	for (guint i = 0; i < plan->verdicts->len; i++) {
		g_autofree char *lost = ks_verdict_lost(plan->verdicts->pdata[i]);

		if (lost)
			ks_message_warning("%s", lost);
	}
}

static int run(struct ks_cli *cli, int argc, char **argv)
{
	struct ks_selection everything = {0};
	ks_auto(ks_inventory) inventory = NULL;
	ks_auto(ks_plan) plan = NULL;
	struct counts counts;
	int code = ks_selection_look(cli, &everything, &inventory, &plan);

	if (code)
		return code;
	counts = count(inventory, plan);
	printf("%u module source%s, %u kernel%s\n", counts.sources,
	       counts.sources == 1 ? "" : "s", counts.kernels,
	       counts.kernels == 1 ? "" : "s");
	print_kernels(inventory);
	printf("%u of %u modules on these kernels are in place\n", counts.in_place,
	       counts.wanted);
	puts("'kmodsmith status' prints each, 'kmodsmith help' lists the commands");
	print_lost(plan);
	return ks_verdict_exit_code(plan, &everything);
}

const struct ks_command ks_command_overview = {
	.name = "kmodsmith",
	.summary = "print an overview",
	.run = run,
};
