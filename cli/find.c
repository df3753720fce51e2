/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finding things in an inventory and in a plan. */
#include "cli/find.h"

#include "core/support/version.h"

const struct ks_source *ks_source_of_action(const struct ks_action *action)
{
	return action->target ? action->target->source : action->source;
}

const struct ks_kernel *ks_source_kernel_of_action(const struct ks_action *action)
{
	return action->target ? action->target->kernel : action->kernel;
}

char *ks_source_name_action(const struct ks_action *action)
{
	const struct ks_source *source = ks_source_of_action(action);
	const struct ks_kernel *kernel = ks_source_kernel_of_action(action);

	if (source && kernel)
		return g_strdup_printf("%s/%s on %s", source->name, source->version,
				       kernel->release);
	if (source)
		return g_strdup_printf("%s/%s", source->name, source->version);
	if (action->kind == KS_ACTION_POST_TRANSACTION)
		return g_strdup("framework.conf's command");
	return g_strdup(kernel ? kernel->release : "the package database");
}

const struct ks_record_entry *ks_source_find_record(const struct ks_inventory *inventory,
						    const struct ks_target *target)
{
	for (guint i = 0; inventory->records && i < inventory->records->len; i++) {
		const struct ks_record_entry *entry =
			g_ptr_array_index(inventory->records, i);

		if (entry->ours &&
		    g_strcmp0(entry->release, target->kernel->release) == 0 &&
		    g_strcmp0(entry->module, target->source->name) == 0 &&
		    g_strcmp0(entry->version, target->source->version) == 0)
			return entry;
	}
	return NULL;
}

const struct ks_verdict *ks_source_find_verdict(const struct ks_plan *plan,
						const char *module, const char *version,
						const char *release)
{
	for (guint i = 0; i < plan->verdicts->len; i++) {
		const struct ks_verdict *verdict = g_ptr_array_index(plan->verdicts, i);
		const struct ks_target *target = verdict->target;

		if (g_str_equal(target->source->name, module) &&
		    g_str_equal(target->source->version, version) &&
		    g_str_equal(target->kernel->release, release))
			return verdict;
	}
	return NULL;
}

char *ks_source_log_path(const struct ks_system *system, const struct ks_target *target)
{
	const struct ks_failure *failure = target->failure;
	g_autofree char *artifact = ks_tree_artifact_path(
		system, target->source->name, target->source->version,
		target->kernel->release, target->kernel->arch);
	g_autofree char *log = g_build_filename(artifact, "log", "make.log", NULL);

	if (failure && failure->log_path &&
	    ks_root_exists(system->root, failure->log_path))
		return g_strdup(failure->log_path);
	return ks_root_exists(system->root, log) ? g_steal_pointer(&log) : NULL;
}
