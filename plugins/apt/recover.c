/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See recover.h. */
#include "plugins/apt/recover.h"

#include <string.h>

#include "core/support/error.h"
#include "plugins/apt/checked.h"
#include "plugins/apt/dpkg-database.h"
#include "plugins/apt/dpkgrun.h"
#include "plugins/apt/auto-marks.h"
#include "plugins/apt/setaside.h"
#include "plugins/apt/spool.h"

struct recovery {
	const struct ks_system *system;
	struct ks_spool *spool;
	GPtrArray *debs;     /* char *: package names spooled */
	GPtrArray *database; /* struct ks_dpkg_package */
};

static void recovery_clear(struct recovery *recovery)
{
	g_clear_pointer(&recovery->debs, g_ptr_array_unref);
	g_clear_pointer(&recovery->database, g_ptr_array_unref);
	g_clear_pointer(&recovery->spool, ks_spool_close);
}

static bool is_spooled(const struct recovery *recovery, const char *package)
{
	return g_ptr_array_find_with_equal_func(recovery->debs, package, g_str_equal,
						NULL);
}

static bool needs_reinstallation(const struct ks_dpkg_package *package)
{
	return package->reinstreq || strcmp(package->status, "half-installed") == 0;
}

static bool read_database(struct recovery *recovery, GError **error)
{
	g_clear_pointer(&recovery->database, g_ptr_array_unref);
	recovery->database = ks_dpkg_list(recovery->system, error);
	return recovery->database != NULL;
}

/* Chooses the packages of a step; dpkg's arguments are the step's options and these. */
typedef bool (*choose_func)(const struct recovery *recovery,
			    const struct ks_dpkg_package *package);

static bool is_replayable(const struct recovery *recovery,
			  const struct ks_dpkg_package *package)
{
	return !ks_dpkg_is_complete(package) && is_spooled(recovery, package->name);
}

/* There is nothing to install it from, or that did not help. */
static bool is_beyond_repair(const struct recovery *recovery,
			     const struct ks_dpkg_package *package)
{
	return needs_reinstallation(package) &&
	       (ks_dpkg_is_ours(package) || is_spooled(recovery, package->name));
}

static bool is_unconfigured(const struct recovery *recovery,
			    const struct ks_dpkg_package *package)
{
	return ks_dpkg_is_ours(package) && !ks_dpkg_is_complete(package);
}

static const struct step {
	const char *options[3];
	choose_func choose;
	bool from_spool;  /* the arguments are the spooled files */
	bool keeps_files; /* what dpkg deletes is put back, for the next record */
} steps[] = {
	{{"-i"}, is_replayable, .from_spool = true},
	{{"--force-remove-reinstreq", "-P"}, is_beyond_repair, .keeps_files = true},
	{{"--configure"}, is_unconfigured},
};

static bool run_step(struct recovery *recovery, const struct step *step, GError **error)
{
	ks_auto(ks_setaside) aside = ks_setaside_new(recovery->system);
	g_autoptr(GPtrArray) arguments = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GError) inner = NULL;
	guint n_options;

	for (const char *const *option = step->options; *option; option++)
		g_ptr_array_add(arguments, g_strdup(*option));
	n_options = arguments->len;
	for (guint i = 0; i < recovery->database->len; i++) {
		const struct ks_dpkg_package *package =
			g_ptr_array_index(recovery->database, i);

		if (!step->choose(recovery, package))
			continue;
		g_ptr_array_add(arguments, step->from_spool
						   ? ks_spool_deb_path(recovery->spool,
								       package->name)
						   : g_strdup(package->name));
		if (step->keeps_files)
			ks_setaside_add(aside, package->name);
	}
	if (arguments->len == n_options)
		return true;
	/* a failure shows in the database; the next step, or the next run, deals
	 * with it */
	if (!ks_dpkg_run(recovery->system, arguments, &inner) &&
	    g_error_matches(inner, KS_ERROR, KS_ERROR_PENDING)) {
		g_propagate_error(error, g_steal_pointer(&inner));
		return false;
	}
	return read_database(recovery, error);
}

/* Entries that were begun and are now done leave the spool. */
static bool drop_done(struct recovery *recovery, GPtrArray *begun, GError **error)
{
	g_autoptr(GPtrArray) purges = ks_spool_purges(recovery->spool, error);

	if (!purges)
		return false;
	for (guint i = 0; i < begun->len; i++) {
		const char *name = g_ptr_array_index(begun, i);
		const struct ks_dpkg_package *package =
			ks_dpkg_find(recovery->database, name);

		if ((!package || ks_dpkg_is_complete(package)) &&
		    !ks_spool_drop(recovery->spool, name, error))
			return false;
	}
	for (guint i = 0; i < purges->len; i++) {
		const char *name = g_ptr_array_index(purges, i);

		if (!ks_dpkg_find(recovery->database, name) &&
		    !ks_spool_drop(recovery->spool, name, error))
			return false;
	}
	return true;
}

static bool heal(struct recovery *recovery, GError **error)
{
	g_autoptr(GPtrArray) begun = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < recovery->database->len; i++) {
		const struct ks_dpkg_package *package =
			g_ptr_array_index(recovery->database, i);

		if (is_replayable(recovery, package))
			g_ptr_array_add(begun, g_strdup(package->name));
	}
	for (size_t i = 0; i < G_N_ELEMENTS(steps); i++)
		if (!run_step(recovery, &steps[i], error))
			return false;
	/* somebody else's interrupted dpkg is his own affair */
	if (!ks_spool_is_empty(recovery->system) &&
	    ks_dpkg_is_interrupted(recovery->system) &&
	    !ks_dpkg_merge_journal(recovery->system, error))
		return false;
	return drop_done(recovery, begun, error);
}

static bool run(struct recovery *recovery, GError **error)
{
	g_autoptr(GError) inner = NULL;

	recovery->spool = ks_spool_open(recovery->system, &inner);
	if (!recovery->spool && g_error_matches(inner, KS_ERROR, KS_ERROR_LOCKED))
		return true;
	if (!recovery->spool) {
		g_propagate_error(error, g_steal_pointer(&inner));
		return false;
	}
	if (!ks_dpkg_check_lock(recovery->system, error))
		return false;
	recovery->debs = ks_spool_debs(recovery->spool, error);
	if (!recovery->debs || !read_database(recovery, error) ||
	    !heal(recovery, error) ||
	    !ks_marks_update(recovery->system, recovery->database, error))
		return false;
	ks_checked_store(recovery->system);
	return true;
}

bool ks_recover(const struct ks_system *system, GError **error)
{
	struct recovery recovery = {.system = system};
	bool ok;

	if (ks_spool_is_empty(system) && ks_checked_is_current(system))
		return true;
	ok = run(&recovery, error);
	recovery_clear(&recovery);
	return ok;
}
