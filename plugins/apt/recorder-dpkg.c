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
#include "plugins/apt/headers-name.h"
#include "plugins/apt/kernel-name.h"
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

/* The package other than ours that owns path; NULL when none does, or with an error. */
static char *find_owner(const struct ks_system *system, GPtrArray *packages,
			const char *path, GError **error)
{
	/* packages spell it as it was when they were built, before or after
	 * /usr's merge */
	g_autofree char *lib = ks_record_deb_spell(path, "/lib/modules");
	g_autofree char *usr = ks_record_deb_spell(path, "/usr/lib/modules");
	g_autoptr(GPtrArray) paths = g_ptr_array_new();
	g_autoptr(GHashTable) owners = NULL;
	GHashTableIter iter;
	gpointer names;

	g_ptr_array_add(paths, lib);
	g_ptr_array_add(paths, usr);
	owners = ks_dpkg_owners(system, paths, error);
	if (!owners)
		return NULL;
	g_hash_table_iter_init(&iter, owners);
	while (g_hash_table_iter_next(&iter, NULL, &names)) {
		char *foreign = find_foreign(packages, names);

		if (foreign)
			return foreign;
	}
	return NULL;
}

static bool do_owner(const struct ks_system *system, const char *argument, GError **error)
{
	g_autoptr(GPtrArray) packages = ks_dpkg_list(system, error);
	g_autoptr(GError) local = NULL;
	g_autofree char *owner =
		packages ? find_owner(system, packages, argument, &local) : NULL;
	g_autofree char *line = g_strconcat(owner, "\n", NULL);

	if (local)
		g_propagate_error(error, g_steal_pointer(&local));
	else if (packages)
		return !owner || ks_recorder_print(line, error);
	return false;
}

/* --- which package has a kernel's headers */

static bool has_candidate(struct ks_apt *apt, const char *package)
{
	struct ks_apt_state state = {0};

	return ks_apt_query(apt, package, &state) && state.has_candidate;
}

/* Those that own the kernel's directory, called as headers packages are. */
static void add_by_owners(const struct ks_system *system, const char *release,
			  GPtrArray *names)
{
	static const char *const files[] = {"modules.order", "modules.builtin", "kernel"};
	g_autoptr(GPtrArray) packages = ks_dpkg_list(system, NULL);

	for (size_t i = 0; packages && i < G_N_ELEMENTS(files); i++) {
		g_autofree char *path =
			g_build_filename("/lib/modules", release, files[i], NULL);
		g_autofree char *owner = find_owner(system, packages, path, NULL);
		char *name = owner ? ks_headers_name_of(owner) : NULL;

		if (name)
			g_ptr_array_add(names, name);
	}
}

static char *find_headers(const struct ks_system *system, struct ks_apt *apt,
			  const char *release)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);

	g_ptr_array_add(names, g_strconcat("linux-headers-", release, NULL));
	if (!has_candidate(apt, names->pdata[0]))
		add_by_owners(system, release, names);
	for (guint i = 0; i < names->len; i++)
		if (has_candidate(apt, names->pdata[i]))
			return g_strdup(names->pdata[i]);
	return NULL;
}

struct meta {
	struct ks_apt *apt;
	char *name;
};

/* It brings the headers, and the kernel's own meta-package is installed already. */
static bool is_no_meta(const char *name, void *data)
{
	struct meta *meta = data;
	g_auto(GStrv) kernels = ks_headers_kernel_names(name);
	struct ks_apt_state state;

	for (char **kernel = kernels; *kernel && !meta->name; kernel++)
		if (ks_apt_query(meta->apt, *kernel, &state) && state.installed)
			meta->name = g_strdup(name);
	return !meta->name;
}

static bool do_headers(const struct ks_system *system, const char *argument,
		       GError **error)
{
	g_autofree char *package = NULL;
	g_autofree char *line = NULL;
	struct meta meta = {0};
	char *message = NULL;

	meta.apt = ks_apt_open(ks_root_prefix(system->root), KS_APT_WITH_LISTS, &message);
	if (!meta.apt) {
		ks_error_set(error, KS_ERROR_FAILED, "%s", message);
		free(message);
		return false;
	}
	package = find_headers(system, meta.apt, argument);
	if (package)
		ks_apt_dependents(meta.apt, package, is_no_meta, &meta);
	ks_apt_close(meta.apt);
	if (!package)
		return true;
	line = meta.name ? g_strconcat(package, " ", meta.name, "\n", NULL)
			 : g_strconcat(package, "\n", NULL);
	g_free(meta.name);
	return ks_recorder_print(line, error);
}

/* --- which kernels come next */

static bool is_of_kernel(const char *name)
{
	g_autofree char *release = ks_kernel_name_release(name);

	return release || ks_kernel_name_is_headers(name);
}

/* Of an image only its kernel matters: nothing is built with it. */
static void add_incoming(const struct ks_apt_package *package, void *data)
{
	GString *answer = data;
	g_autofree char *release = ks_kernel_name_release(package->name);

	if (release)
		g_string_append_printf(answer, "kernel %s\n", release);
	else if (package->file)
		g_string_append_printf(answer, "file %s\n", package->file);
	else
		g_string_append_printf(answer, "missing %s=%s\n", package->name,
				       package->version);
}

static bool do_incoming(const struct ks_system *system, const char *argument,
			GError **error)
{
	g_autoptr(GString) answer = g_string_new("incoming\n");
	char *message = NULL;
	struct ks_apt *apt =
		ks_apt_open(ks_root_prefix(system->root), KS_APT_WITH_LISTS, &message);
	bool ok =
		apt && ks_apt_upgrade(apt, is_of_kernel, add_incoming, answer, &message);

	if (apt)
		ks_apt_close(apt);
	if (ok)
		return ks_recorder_print(answer->str, error);
	ks_error_set(error, KS_ERROR_FAILED, "%s", message);
	free(message);
	return false;
}

static bool do_busy(const struct ks_system *system, const char *argument, GError **error)
{
	return ks_dpkg_check_lock(system, error);
}

const ks_recorder_func ks_recorder_verbs[KS_RECORDER_N_VERBS] = {
	[KS_RECORDER_LIST] = do_list,	    [KS_RECORDER_APPLY] = do_apply,
	[KS_RECORDER_RECOVER] = do_recover, [KS_RECORDER_HEADERS] = do_headers,
	[KS_RECORDER_STAMP] = do_stamp,	    [KS_RECORDER_BUSY] = do_busy,
	[KS_RECORDER_OWNER] = do_owner,	    [KS_RECORDER_INCOMING] = do_incoming,
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
