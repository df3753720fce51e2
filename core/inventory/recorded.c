/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Does the package database have a target's record? */
#include "core/inventory/inventory-private.h"

/* Databases allow different characters: compare what all of them leave alone. */
static char *fold(const char *name)
{
	char *folded = g_ascii_strdown(name, -1);

	return g_strdelimit(folded, "_", '-');
}

static bool has_name_of(const struct ks_record_entry *entry,
			const struct ks_target *target)
{
	g_autofree char *name =
		ks_record_name(target->source->name, target->kernel->release);
	g_autofree char *wanted = fold(name);
	g_autofree char *given = entry->package ? fold(entry->package) : NULL;

	return given && g_str_equal(given, wanted);
}

static bool is_of(const struct ks_record_entry *entry, const struct ks_target *target)
{
	if (!entry->ours)
		return has_name_of(entry, target);
	return g_strcmp0(entry->module, target->source->name) == 0 &&
	       g_strcmp0(entry->release, target->kernel->release) == 0;
}

static const struct ks_record_entry *find_entry(const struct ks_inventory *inventory,
						const struct ks_target *target)
{
	for (guint i = 0; i < inventory->records->len; i++) {
		const struct ks_record_entry *entry = inventory->records->pdata[i];

		if (is_of(entry, target))
			return entry;
	}
	return NULL;
}

static bool is_right(const struct ks_target *target, const struct ks_record_entry *entry)
{
	g_autofree char *digest = NULL;

	if (!entry->complete || !target->artifact || !target->artifact->manifest)
		return false;
	digest = ks_record_digest(target->artifact->manifest);
	return g_strcmp0(digest, entry->digest) == 0;
}

enum ks_recorded ks_inventory_check_recorded(const struct ks_inventory_taking *taking,
					     const struct ks_target *target)
{
	const struct ks_inventory *inventory = taking->inventory;
	const struct ks_record_entry *entry;

	if (!inventory->has_recorder)
		return KS_RECORDED_UNKNOWN;
	entry = find_entry(inventory, target);
	if (!entry)
		return KS_RECORDED_NO;
	if (!entry->ours)
		return KS_RECORDED_FOREIGN;
	if (g_strcmp0(entry->version, target->source->version) != 0)
		return target->installed == KS_INSTALLED_NO ? KS_RECORDED_NO
							    : KS_RECORDED_STALE;
	if (target->installed == KS_INSTALLED_NO)
		return KS_RECORDED_STALE;
	return is_right(target, entry) ? KS_RECORDED_OK : KS_RECORDED_STALE;
}
