/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/engine/engine.h"

bool ks_outcome_has_changed(const struct ks_outcome *outcome, const char *release)
{
	return outcome->changed && g_ptr_array_find_with_equal_func(
					   outcome->changed, release, g_str_equal, NULL);
}

void ks_outcome_free(struct ks_outcome *outcome)
{
	if (!outcome)
		return;
	/* the plan points into the inventory */
	ks_plan_free(outcome->plan);
	ks_inventory_free(outcome->inventory);
	g_clear_pointer(&outcome->changed, g_ptr_array_unref);
	g_clear_pointer(&outcome->unindexed, g_ptr_array_unref);
	g_clear_pointer(&outcome->prepared, g_hash_table_unref);
	g_clear_pointer(&outcome->lent, g_ptr_array_unref);
	g_clear_pointer(&outcome->unsound, g_hash_table_unref);
	g_ptr_array_unref(outcome->aliases);
	g_free(outcome->record_busy);
	g_free(outcome);
}
