/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A table by kernel release. */
#include "core/engine/signings.h"

struct ks_signings {
	const struct ks_system *system;
	const struct ks_settings *settings;
	GHashTable *table; /* release -> struct ks_signing */
};

struct ks_signings *ks_signings_new(const struct ks_system *system,
				    const struct ks_settings *settings)
{
	struct ks_signings *signings = g_new0(struct ks_signings, 1);

	signings->system = system;
	signings->settings = settings;
	signings->table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
						(GDestroyNotify)ks_signing_free);
	return signings;
}

void ks_signings_free(struct ks_signings *signings)
{
	if (!signings)
		return;
	g_hash_table_unref(signings->table);
	g_free(signings);
}

const struct ks_signing *ks_signings_get(struct ks_signings *signings,
					 struct ks_kernel *kernel, bool *first)
{
	struct ks_signing *signing =
		g_hash_table_lookup(signings->table, kernel->release);

	if (first)
		*first = !signing;
	if (signing)
		return signing;
	signing = ks_signing_decide(signings->system, signings->settings, kernel);
	ks_signing_prepare(signings->system, signing);
	g_hash_table_insert(signings->table, g_strdup(kernel->release), signing);
	return signing;
}
