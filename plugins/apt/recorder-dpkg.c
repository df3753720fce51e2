/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * recorder-dpkg: makes dpkg's database equal to the desired set of records.
 * The commands and the exit codes are those of doc/record-protocol.md.
 */
#include <stdlib.h>

#include "core/record/record.h"
#include "core/support/error.h"
#include "core/support/process.h"
#include "plugins/apt/dpkg-apply.h"
#include "plugins/apt/aptshim.h"
#include "plugins/apt/checked.h"
#include "plugins/apt/dpkg-database.h"
#include "plugins/apt/dpkgrun.h"
#include "plugins/apt/recorddeb.h"
#include "plugins/apt/recover.h"
#include "plugins/recorder/answer.h"
#include "plugins/recorder/enter.h"

static void entry_free(gpointer data)
{
	g_free(data);
}

/* The entries borrow their texts from the packages. */
static GPtrArray *entries_of(GPtrArray *packages)
{
	GPtrArray *entries = g_ptr_array_new_with_free_func(entry_free);

	for (guint i = 0; i < packages->len; i++) {
		const struct ks_dpkg_package *package = g_ptr_array_index(packages, i);
		struct ks_record_entry *entry = g_new0(struct ks_record_entry, 1);

		entry->package = package->name;
		entry->module = package->module;
		entry->version = package->module_version;
		entry->release = package->release;
		entry->digest = package->digest;
		entry->complete = ks_dpkg_is_complete(package);
		entry->ours = ks_dpkg_is_ours(package);
		g_ptr_array_add(entries, entry);
	}
	return entries;
}

static bool do_list(const struct ks_system *system, const char *argument, GError **error)
{
	g_autoptr(GPtrArray) packages = ks_dpkg_list(system, error);
	g_autoptr(GPtrArray) entries = packages ? entries_of(packages) : NULL;
	g_autofree char *text = entries ? ks_record_format_list(entries) : NULL;

	return text && ks_recorder_print(text, error);
}

static bool do_apply(const struct ks_system *system, const char *argument, GError **error)
{
	g_autoptr(GPtrArray) records = ks_recorder_read_set(error);

	return records && ks_apply(system, records, error);
}

static bool do_recover(const struct ks_system *system, const char *argument,
		       GError **error)
{
	return ks_recover(system, error);
}

static bool do_headers(const struct ks_system *system, const char *argument,
		       GError **error)
{
	g_autofree char *package = g_strconcat("linux-headers-", argument, NULL);
	g_autofree char *line = g_strconcat(package, "\n", NULL);
	struct ks_apt_state state = {0};
	char *message = NULL;
	struct ks_apt *apt;

	apt = ks_apt_open(ks_root_prefix(system->root), KS_APT_WITH_LISTS, &message);
	if (!apt) {
		ks_error_set(error, KS_ERROR_FAILED, "%s", message);
		free(message);
		return false;
	}
	if (!ks_apt_query(apt, package, &state))
		state.has_candidate = false;
	ks_apt_close(apt);
	return !state.has_candidate || ks_recorder_print(line, error);
}

static bool do_stamp(const struct ks_system *system, const char *argument, GError **error)
{
	for (const char *const *path = ks_checked_files; *path; path++) {
		g_autofree char *line = g_strconcat(*path, "\n", NULL);

		if (!ks_recorder_print(line, error))
			return false;
	}
	return true;
}

/* Packages of other makers than us among the names, comma-separated; the first. */
static char *find_foreign(GPtrArray *packages, const char *names)
{
	g_auto(GStrv) split = g_strsplit(names, ",", -1);

	for (char **name = split; *name; name++) {
		const struct ks_dpkg_package *package = ks_dpkg_find(packages, *name);

		if (!package || !ks_dpkg_is_ours(package))
			return g_strdup(*name);
	}
	return NULL;
}

static bool do_owner(const struct ks_system *system, const char *argument, GError **error)
{
	/* packages spell it as it was when they were built, before or after
	 * /usr's merge */
	g_autofree char *lib = ks_record_deb_spell(argument, "/lib/modules");
	g_autofree char *usr = ks_record_deb_spell(argument, "/usr/lib/modules");
	g_autoptr(GPtrArray) paths = g_ptr_array_new();
	g_autoptr(GPtrArray) packages = ks_dpkg_list(system, error);
	g_autoptr(GHashTable) owners = NULL;
	GHashTableIter iter;
	gpointer names;

	g_ptr_array_add(paths, lib);
	g_ptr_array_add(paths, usr);
	owners = packages ? ks_dpkg_owners(system, paths, error) : NULL;
	if (!owners)
		return false;
	g_hash_table_iter_init(&iter, owners);
	while (g_hash_table_iter_next(&iter, NULL, &names)) {
		g_autofree char *foreign = find_foreign(packages, names);
		g_autofree char *line = g_strconcat(foreign, "\n", NULL);

		if (foreign)
			return ks_recorder_print(line, error);
	}
	return true;
}

static bool do_busy(const struct ks_system *system, const char *argument, GError **error)
{
	return ks_dpkg_check_lock(system, error);
}

const ks_recorder_func ks_recorder_verbs[KS_RECORDER_N_VERBS] = {
	[KS_RECORDER_LIST] = do_list,	    [KS_RECORDER_APPLY] = do_apply,
	[KS_RECORDER_RECOVER] = do_recover, [KS_RECORDER_HEADERS] = do_headers,
	[KS_RECORDER_STAMP] = do_stamp,	    [KS_RECORDER_BUSY] = do_busy,
	[KS_RECORDER_OWNER] = do_owner,
};

/* dpkg and libapt-pkg go where links lead, and know no other "/" than that of theirs. */
static int run(const char *root, enum ks_recorder_verb verb, const char *argument)
{
	const char *entered;

	ks_process_keep_null();
	entered = ks_recorder_enter(root, "/usr/bin/dpkg", verb);

	return entered ? ks_recorder_run(entered, verb, argument) : EXIT_FAILURE;
}

const struct ks_recorder ks_recorder = {.program = "recorder-dpkg", .run = run};
