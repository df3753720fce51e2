/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sources, kernels, then each source on each kernel. */
#include "core/inventory/inventory.h"

#include "core/inventory/inventory-private.h"

static void source_free(gpointer data)
{
	struct ks_source *source = data;

	g_free(source->name);
	g_free(source->version);
	g_free(source->path);
	g_free(source->problem);
	g_free(source);
}

static void target_free(gpointer data)
{
	struct ks_target *target = data;

	g_free(target->exclusion_text);
	g_free(target->conf_problem);
	g_free(target->fingerprint);
	g_free(target->source_digest);
	g_free(target->override_digest);
	g_free(target->kernel_fingerprint);
	g_free(target->toolchain_problem);
	g_strfreev(target->build_depends);
	g_strfreev(target->depends_installed);
	g_strfreev(target->built_upon);
	g_strfreev(target->makes);
	g_free(target->occupied);
	g_free(target->unresolved);
	ks_conf_free(target->conf);
	g_free(target->built_fingerprint);
	ks_failure_free(target->failure);
	g_free(target->in_tree);
	g_free(target);
}

void ks_inventory_free(struct ks_inventory *inventory)
{
	if (!inventory)
		return;
	g_clear_pointer(&inventory->targets, g_ptr_array_unref);
	g_clear_pointer(&inventory->sources, g_ptr_array_unref);
	g_clear_pointer(&inventory->upkeep, g_ptr_array_unref);
	g_clear_pointer(&inventory->kernels, g_ptr_array_unref);
	g_clear_pointer(&inventory->entries, g_ptr_array_unref);
	g_clear_pointer(&inventory->problems, g_ptr_array_unref);
	g_clear_pointer(&inventory->records, g_ptr_array_unref);
	g_free(inventory);
}

static struct ks_inventory *inventory_new(const struct ks_system *system,
					  GPtrArray *records)
{
	struct ks_inventory *inventory = g_new0(struct ks_inventory, 1);
	struct stat st;

	inventory->sources = g_ptr_array_new_with_free_func(source_free);
	inventory->targets = g_ptr_array_new_with_free_func(target_free);
	inventory->problems = g_ptr_array_new_with_free_func(g_free);
	inventory->records = records;
	inventory->has_recorder = records != NULL;
	inventory->source_tree_present =
		ks_root_stat(system->root, system->source_tree, &st) &&
		S_ISDIR(st.st_mode);
	return inventory;
}

/* A narrowed picture has no use for other kernels' and modules' records. */
static void narrow_records(struct ks_inventory_taking *taking)
{
	const struct ks_inventory_options *options = taking->options;
	GPtrArray *records = taking->inventory->records;

	for (guint i = records ? records->len : 0; i-- > 0;) {
		const struct ks_record_entry *entry = records->pdata[i];

		if ((options->release && g_strcmp0(entry->release, options->release)) ||
		    (options->module && g_strcmp0(entry->module, options->module)))
			g_ptr_array_remove_index(records, i);
	}
}

struct ks_inventory *ks_inventory_take(const struct ks_system *system,
				       const struct ks_settings *settings,
				       struct ks_digest_cache *cache, GPtrArray *records,
				       const struct ks_inventory_options *options,
				       GError **error)
{
	static const struct ks_inventory_options everything;
	ks_auto(ks_inventory) inventory = inventory_new(system, records);
	g_autoptr(GHashTable) certificates =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_autoptr(GHashTable) digests =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	struct ks_inventory_taking taking = {
		.system = system,
		.settings = settings,
		.cache = cache,
		.options = options ? options : &everything,
		.inventory = inventory,
		.certificates = certificates,
		.digests = digests,
	};

	inventory->entries = ks_tree_scan(system, error);
	if (!inventory->entries || !ks_inventory_find_kernels(&taking, error) ||
	    !ks_inventory_find_sources(&taking, error))
		return NULL;
	narrow_records(&taking);
	ks_inventory_fill_targets(&taking);
	return g_steal_pointer(&inventory);
}

struct ks_target *ks_inventory_find_target(const struct ks_inventory *inventory,
					   const char *name, const char *version,
					   const char *release)
{
	for (guint i = 0; i < inventory->targets->len; i++) {
		struct ks_target *target = inventory->targets->pdata[i];

		if (g_str_equal(target->source->name, name) &&
		    g_str_equal(target->source->version, version) &&
		    g_str_equal(target->kernel->release, release))
			return target;
	}
	return NULL;
}

void ks_upkeep_free(gpointer data)
{
	struct ks_upkeep *upkeep = data;

	g_free(upkeep->unrenewed);
	g_free(upkeep);
}

const struct ks_upkeep *ks_inventory_get_upkeep(const struct ks_inventory *inventory,
						const struct ks_kernel *kernel)
{
	static const struct ks_upkeep unknown = {.has_image = true};

	for (guint i = 0; inventory->upkeep && i < inventory->upkeep->len; i++) {
		const struct ks_upkeep *upkeep = g_ptr_array_index(inventory->upkeep, i);

		if (upkeep->kernel == kernel)
			return upkeep;
	}
	return &unknown;
}
