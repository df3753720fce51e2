/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * recorder-alpm: makes pacman's local database equal to the desired set of records.
 * The commands and the exit codes are those of doc/record-protocol.md.
 */
#include <stdlib.h>
#include <string.h>

#include "core/record/record.h"
#include "plugins/alpm/alpm-apply.h"
#include "plugins/alpm/alpm-contents.h"
#include "plugins/alpm/entry.h"
#include "plugins/alpm/alpm-lock.h"
#include "plugins/alpm/owners.h"
#include "plugins/alpm/alpm-store.h"
#include "plugins/recorder/answer.h"

#define MAX_PKGBASE_BYTES 256

/* The entry borrows its texts. */
static struct ks_record_entry *describe(const struct ks_alpm_entry *from)
{
	struct ks_record_entry *entry = g_new0(struct ks_record_entry, 1);

	if (from->said)
		*entry = *from->said;
	entry->package = from->name;
	entry->complete = from->complete;
	entry->ours = from->said != NULL;
	return entry;
}

static GPtrArray *find_entries(const struct ks_alpm *alpm, GError **error)
{
	return alpm && ks_alpm_check_version(alpm, error) ? ks_alpm_entries(alpm, error)
							  : NULL;
}

static bool do_list(const struct ks_system *system, const char *argument, GError **error)
{
	ks_auto(ks_alpm) alpm = ks_alpm_open(system, error);
	g_autoptr(GPtrArray) found = find_entries(alpm, error);
	g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *text = NULL;

	for (guint i = 0; found && i < found->len; i++)
		g_ptr_array_add(entries, describe(g_ptr_array_index(found, i)));
	text = found ? ks_record_format_list(entries) : NULL;
	return text && ks_recorder_print(text, error);
}

static bool do_apply(const struct ks_system *system, const char *argument, GError **error)
{
	ks_auto(ks_alpm) alpm = ks_alpm_open(system, error);
	g_autoptr(GPtrArray) records = alpm ? ks_recorder_read_set(error) : NULL;

	return records && ks_alpm_apply(alpm, records, error);
}

static bool do_recover(const struct ks_system *system, const char *argument,
		       GError **error)
{
	ks_auto(ks_alpm) alpm = ks_alpm_open(system, error);

	return alpm && ks_alpm_lock_heal(alpm, error) && ks_alpm_store_sweep(alpm, error);
}

/* Arch names the headers' package after the kernel's, which left its name in the tree. */
static bool do_headers(const struct ks_system *system, const char *argument,
		       GError **error)
{
	g_autofree char *path =
		g_build_filename(system->install_tree, argument, "pkgbase", NULL);
	g_autofree char *name =
		ks_root_read_file(system->root, path, MAX_PKGBASE_BYTES, NULL, NULL);
	g_autofree char *line = NULL;

	if (!name || strchr(argument, '/') || !*g_strstrip(name) || strpbrk(name, " \n"))
		return true;
	line = g_strconcat(name, "-headers\n", NULL);
	return ks_recorder_print(line, error);
}

/*
 * The owner of a path, spelled as the kernel's files are; a record of ours is
 * no answer.
 */
static bool do_owner(const struct ks_system *system, const char *argument, GError **error)
{
	ks_auto(ks_alpm) alpm = ks_alpm_open(system, error);
	g_autoptr(GPtrArray) entries = find_entries(alpm, error);
	g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GHashTable) ours = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GHashTable) owners = NULL;
	g_autofree char *line = NULL;

	for (guint i = 0; entries && i < entries->len; i++) {
		const struct ks_alpm_entry *entry = g_ptr_array_index(entries, i);

		if (entry->said)
			g_hash_table_add(ours, entry->name);
	}
	g_ptr_array_add(paths, ks_alpm_contents_path(system, argument));
	owners = entries ? ks_alpm_owners(alpm, paths, ours, error) : NULL;
	if (!owners)
		return false;
	if (!g_hash_table_size(owners))
		return true;
	line = g_strconcat(g_hash_table_lookup(owners, g_ptr_array_index(paths, 0)), "\n",
			   NULL);
	return ks_recorder_print(line, error);
}

static bool do_stamp(const struct ks_system *system, const char *argument, GError **error)
{
	ks_auto(ks_alpm) alpm = ks_alpm_open(system, error);
	g_autofree char *line =
		alpm ? g_strconcat(alpm->path, KS_ALPM_LOCAL "\n", NULL) : NULL;

	return line && ks_recorder_print(line, error);
}

static bool do_busy(const struct ks_system *system, const char *argument, GError **error)
{
	ks_auto(ks_alpm) alpm = ks_alpm_open(system, error);

	return alpm && ks_alpm_lock_check(alpm, error);
}

const ks_recorder_func ks_recorder_verbs[KS_RECORDER_N_VERBS] = {
	[KS_RECORDER_LIST] = do_list,	    [KS_RECORDER_APPLY] = do_apply,
	[KS_RECORDER_RECOVER] = do_recover, [KS_RECORDER_HEADERS] = do_headers,
	[KS_RECORDER_STAMP] = do_stamp,	    [KS_RECORDER_BUSY] = do_busy,
	[KS_RECORDER_OWNER] = do_owner,
};

const struct ks_recorder ks_recorder = {
	.program = "recorder-alpm",
	.ignores_sigterm = true,
	.run = ks_recorder_run,
};
