/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See prepare.h. */
#include "core/engine/prepare.h"

#include <string.h>

#include "core/engine/canary.h"
#include "core/store/store.h"
#include "core/support/error.h"
#include "core/support/treeop.h"

static bool is_stored(const struct ks_system *system, const struct ks_system *host,
		      const char *fingerprint)
{
	return ks_store_has(system, fingerprint) ||
	       (host && ks_store_has(host, fingerprint));
}

void ks_prepare_mark(const struct ks_system *system, const struct ks_outcome *outcome,
		     struct ks_inventory *inventory)
{
	ks_auto(ks_system) host =
		ks_root_is_host(system->root) ? NULL : ks_system_new("/", NULL);

	for (guint i = 0; i < inventory->targets->len; i++) {
		struct ks_target *target = inventory->targets->pdata[i];

		if (!target->kernel->incoming || !target->fingerprint)
			continue;
		target->in_store =
			(outcome->prepared &&
			 g_hash_table_contains(outcome->prepared, target->fingerprint)) ||
			is_stored(system, host, target->fingerprint);
	}
}

static bool has_failed_since(const struct ks_target *target, gint64 since_us)
{
	return target->kernel->incoming && target->failure &&
	       target->failure->failed_at_us >= since_us;
}

static bool is_in_doubt(const struct ks_inventory *inventory,
			const struct ks_kernel *kernel, gint64 since_us)
{
	for (guint i = 0; i < inventory->targets->len; i++) {
		const struct ks_target *target = inventory->targets->pdata[i];

		if (target->kernel == kernel && has_failed_since(target, since_us))
			return true;
	}
	return false;
}

static void forget_failures(const struct ks_system *system,
			    const struct ks_inventory *inventory,
			    const struct ks_kernel *kernel, gint64 since_us)
{
	for (guint i = 0; i < inventory->targets->len; i++) {
		const struct ks_target *target = inventory->targets->pdata[i];
		const struct ks_source *source = target->source;

		if (target->kernel == kernel && has_failed_since(target, since_us))
			ks_ignore(ks_failure_clear(system, source->name, source->version,
						   kernel->release, kernel->arch, NULL));
	}
}

static void note_unsound(struct ks_outcome *outcome, const struct ks_kernel *kernel,
			 const GError *error)
{
	if (!outcome->unsound)
		outcome->unsound =
			g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_hash_table_insert(outcome->unsound, g_strdup(kernel->release),
			    g_strdup(error->message));
}

bool ks_prepare_try_failures(const struct ks_system *system,
			     const struct ks_settings *settings,
			     const struct ks_inventory *inventory, gint64 since_us,
			     const volatile sig_atomic_t *cancelled,
			     struct ks_outcome *outcome, GError **error)
{
	for (guint i = 0; i < inventory->kernels->len; i++) {
		struct ks_kernel *kernel = inventory->kernels->pdata[i];
		g_autoptr(GError) why = NULL;

		if (!is_in_doubt(inventory, kernel, since_us) ||
		    ks_canary_build(system, settings, kernel, cancelled, &why))
			continue;
		forget_failures(system, inventory, kernel, since_us);
		if (g_error_matches(why, KS_ERROR, KS_ERROR_CANCELLED)) {
			g_propagate_error(error, g_steal_pointer(&why));
			return false;
		}
		note_unsound(outcome, kernel, why);
	}
	return true;
}

void ks_prepare_give_back(const struct ks_system *system, struct ks_outcome *outcome)
{
	for (guint i = 0; outcome->lent && i < outcome->lent->len; i++) {
		const struct ks_target *target = outcome->lent->pdata[i];
		const struct ks_source *source = target->source;
		const struct ks_kernel *kernel = target->kernel;

		ks_ignore(ks_tree_unbuild(system, source->name, source->version,
					  kernel->release, kernel->arch, NULL));
	}
	g_clear_pointer(&outcome->lent, g_ptr_array_unref);
}

void ks_prepare_tidy(const struct ks_system *system, const struct ks_inventory *inventory)
{
	for (guint i = 0; i < inventory->sources->len; i++) {
		const struct ks_source *source = inventory->sources->pdata[i];
		g_autofree char *entry =
			ks_tree_entry_path(system, source->name, source->version);
		g_autofree char *build = g_build_filename(entry, "build", NULL);

		if (!source->added)
			ks_ignore(ks_treeop_prune_empty(system->root, build,
							system->dkms_tree, NULL));
	}
}
