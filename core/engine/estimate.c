/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/engine/estimate.h"

#include <string.h>

#include "core/compile/build.h"

#define MAX_LOG_BYTES (8u << 20)

gint64 ks_estimate_duration_ms(const struct ks_inventory *inventory,
			       const struct ks_target *target)
{
	gint64 longest = 0;

	for (guint i = 0; i < inventory->entries->len; i++) {
		const struct ks_tree_entry *entry = inventory->entries->pdata[i];

		if (!g_str_equal(entry->name, target->source->name))
			continue;
		for (guint j = 0; j < entry->artifacts->len; j++) {
			const struct ks_artifact *artifact = entry->artifacts->pdata[j];

			if (artifact->manifest)
				longest = MAX(longest,
					      artifact->manifest->build_duration_ms);
		}
	}
	return longest;
}

static const struct ks_artifact *find_latest(const struct ks_inventory *inventory,
					     const char *name)
{
	const struct ks_artifact *latest = NULL;

	for (guint i = 0; i < inventory->entries->len; i++) {
		const struct ks_tree_entry *entry = inventory->entries->pdata[i];

		for (guint j = 0;
		     g_str_equal(entry->name, name) && j < entry->artifacts->len; j++) {
			const struct ks_artifact *artifact = entry->artifacts->pdata[j];

			if (artifact->manifest &&
			    (!latest || artifact->manifest->built_at_us >
						latest->manifest->built_at_us))
				latest = artifact;
		}
	}
	return latest;
}

guint ks_estimate_files(const struct ks_system *system,
			const struct ks_inventory *inventory,
			const struct ks_target *target)
{
	const struct ks_artifact *latest = find_latest(inventory, target->source->name);
	g_autofree char *path =
		latest ? g_build_filename(latest->dir, "log", "make.log", NULL) : NULL;
	g_autofree char *text =
		path ? ks_root_read_file(system->root, path, MAX_LOG_BYTES, NULL, NULL)
		     : NULL;

	return text ? ks_build_count_files(text, strlen(text)) : 0;
}
