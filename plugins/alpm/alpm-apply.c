/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See apply.h. */
#include "plugins/alpm/alpm-apply.h"

#include <stdio.h>
#include <string.h>

#include "core/support/error.h"
#include "plugins/alpm/alpm-contents.h"
#include "plugins/alpm/entry.h"
#include "plugins/alpm/leftover.h"
#include "plugins/alpm/alpm-lock.h"
#include "plugins/alpm/owners.h"
#include "plugins/alpm/alpm-store.h"

struct wanted {
	const struct ks_record *record;
	char *package;
	const struct ks_alpm_entry *entry; /* the database's of that name, or NULL */
	bool right;			   /* the database holds it already */
	bool failed;			   /* said so on stderr */
};

struct apply {
	const struct ks_alpm *alpm;
	GPtrArray *wanted;  /* struct wanted */
	GPtrArray *entries; /* struct ks_alpm_entry */
	GHashTable *paths;  /* set of all wanted files, as pacman spells them */
	GPtrArray *written; /* struct ks_alpm_contents */
};

static void wanted_free(gpointer data)
{
	struct wanted *wanted = data;

	g_free(wanted->package);
	g_free(wanted);
}

static void contents_free(gpointer data)
{
	ks_alpm_contents_free(data);
}

static void apply_clear(struct apply *apply)
{
	g_clear_pointer(&apply->wanted, g_ptr_array_unref);
	g_clear_pointer(&apply->entries, g_ptr_array_unref);
	g_clear_pointer(&apply->paths, g_hash_table_unref);
	g_clear_pointer(&apply->written, g_ptr_array_unref);
}

static void complain(struct wanted *wanted, const char *why)
{
	const struct ks_record *record = wanted->record;

	wanted->failed = true;
	fprintf(stderr, "cannot record %s/%s on %s: %s\n", record->module,
		record->version, record->release, why);
}

/* --- what is wanted, and what is there */

static void note_paths(struct apply *apply, struct wanted *wanted)
{
	for (size_t i = 0; i < wanted->record->n_files; i++) {
		const struct ks_record_file *file = &wanted->record->files[i];
		char *path = ks_alpm_contents_path(apply->alpm->system, file->path);

		if (!g_hash_table_add(apply->paths, path) && !wanted->failed)
			complain(wanted, "another module's record has the same file");
	}
}

static void compare_with_entry(struct apply *apply, struct wanted *wanted)
{
	const struct ks_alpm_entry *entry =
		ks_alpm_entry_find(apply->entries, wanted->package);

	wanted->entry = entry;
	if (!entry || wanted->failed)
		return;
	if (!entry->said)
		complain(wanted, "a package of another maker has its name");
	else
		wanted->right = entry->complete &&
				strcmp(entry->said->digest, wanted->record->digest) == 0;
}

static void name_wanted(struct apply *apply, GPtrArray *records)
{
	g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);

	apply->wanted = g_ptr_array_new_with_free_func(wanted_free);
	apply->paths = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (guint i = 0; i < records->len; i++) {
		struct wanted *wanted = g_new0(struct wanted, 1);

		wanted->record = g_ptr_array_index(records, i);
		wanted->package = ks_alpm_contents_name(wanted->record);
		g_ptr_array_add(apply->wanted, wanted);
		if (!g_hash_table_add(names, wanted->package))
			complain(wanted,
				 "another module's record has the same package name");
		note_paths(apply, wanted);
		compare_with_entry(apply, wanted);
	}
}

static bool is_to_do(const struct wanted *wanted)
{
	return !wanted->right && !wanted->failed;
}

/* Ours, and neither wanted nor what will be written over. */
static bool is_stale(const struct apply *apply, const struct ks_alpm_entry *entry)
{
	for (guint i = 0; i < apply->wanted->len; i++) {
		const struct wanted *wanted = g_ptr_array_index(apply->wanted, i);

		if (wanted->entry == entry)
			return false;
	}
	return entry->said != NULL;
}

static bool is_nothing_to_do(const struct apply *apply)
{
	for (guint i = 0; i < apply->wanted->len; i++)
		if (is_to_do(g_ptr_array_index(apply->wanted, i)))
			return false;
	for (guint i = 0; i < apply->entries->len; i++)
		if (is_stale(apply, g_ptr_array_index(apply->entries, i)))
			return false;
	return true;
}

/* --- owners */

static GPtrArray *paths_of(const struct apply *apply, const struct wanted *wanted)
{
	GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);

	for (size_t i = 0; i < wanted->record->n_files; i++) {
		const struct ks_record_file *file = &wanted->record->files[i];

		g_ptr_array_add(paths,
				ks_alpm_contents_path(apply->alpm->system, file->path));
	}
	return paths;
}

static GPtrArray *paths_to_ask(const struct apply *apply)
{
	GPtrArray *all = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < apply->wanted->len; i++) {
		const struct wanted *wanted = g_ptr_array_index(apply->wanted, i);

		if (is_to_do(wanted))
			g_ptr_array_extend_and_steal(all, paths_of(apply, wanted));
	}
	return all;
}

static void judge_owners(struct apply *apply, struct wanted *wanted, GHashTable *owners)
{
	g_autoptr(GPtrArray) paths = paths_of(apply, wanted);

	for (guint i = 0; i < paths->len && !wanted->failed; i++) {
		const char *path = g_ptr_array_index(paths, i);
		const char *owner = g_hash_table_lookup(owners, path);
		g_autofree char *why =
			owner ? g_strdup_printf("'/%s' belongs to package '%s'", path,
						owner)
			      : NULL;

		if (why)
			complain(wanted, why);
	}
}

/* Other records of ours give the path up; any other owner keeps it. */
static bool look_up_owners(struct apply *apply, GError **error)
{
	g_autoptr(GHashTable) ours = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GPtrArray) paths = paths_to_ask(apply);
	g_autoptr(GHashTable) owners = NULL;

	if (!paths->len)
		return true;
	for (guint i = 0; i < apply->entries->len; i++) {
		const struct ks_alpm_entry *entry = g_ptr_array_index(apply->entries, i);

		if (entry->said)
			g_hash_table_add(ours, entry->name);
	}
	owners = ks_alpm_owners(apply->alpm, paths, ours, error);
	for (guint i = 0; owners && i < apply->wanted->len; i++) {
		struct wanted *wanted = g_ptr_array_index(apply->wanted, i);

		if (is_to_do(wanted))
			judge_owners(apply, wanted, owners);
	}
	return owners != NULL;
}

/* --- changing it */

static bool drop_stale(struct apply *apply, GError **error)
{
	for (guint i = 0; i < apply->entries->len; i++) {
		const struct ks_alpm_entry *entry = g_ptr_array_index(apply->entries, i);
		g_autofree char *in_use = NULL;

		if (!is_stale(apply, entry))
			continue;
		in_use = ks_leftover_find_in_use(apply->alpm, entry, apply->paths);
		if (in_use) {
			fprintf(stderr,
				"'%s' is kept with its record: nothing in the state "
				"mentions it; 'pacman -R %s' removes both\n",
				in_use, entry->name);
		} else if (!ks_leftover_remove(apply->alpm, entry, apply->paths, error) ||
			   !ks_alpm_store_drop(apply->alpm, entry->dir, error)) {
			return false;
		}
	}
	return true;
}

static bool write_wanted(struct apply *apply, GError **error)
{
	for (guint i = 0; i < apply->wanted->len; i++) {
		struct wanted *wanted = g_ptr_array_index(apply->wanted, i);
		ks_auto(ks_alpm_contents) contents = NULL;
		g_autoptr(GError) inner = NULL;

		if (!is_to_do(wanted))
			continue;
		contents =
			ks_alpm_contents_new(apply->alpm->system, wanted->record, &inner);
		if (!contents) {
			complain(wanted, inner->message);
			continue;
		}
		if (!ks_alpm_store_put(apply->alpm,
				       wanted->entry ? wanted->entry->dir : NULL,
				       contents, error))
			return false;
		g_ptr_array_add(apply->written, g_steal_pointer(&contents));
	}
	return true;
}

static bool read_back(struct apply *apply, GError **error)
{
	g_autoptr(GPtrArray) bad = g_ptr_array_new();

	if (apply->written->len)
		ks_alpm_read_back(apply->alpm, apply->written, bad);
	for (guint i = 0; i < apply->wanted->len; i++) {
		struct wanted *wanted = g_ptr_array_index(apply->wanted, i);

		if (!is_to_do(wanted))
			continue;
		if (g_ptr_array_find_with_equal_func(bad, wanted->package, g_str_equal,
						     NULL))
			complain(wanted, "pacman cannot read what was recorded");
		wanted->right = !wanted->failed;
	}
	return true;
}

static bool report(const struct apply *apply, GError **error)
{
	guint n_failed = 0;

	for (guint i = 0; i < apply->wanted->len; i++)
		n_failed +=
			!((struct wanted *)g_ptr_array_index(apply->wanted, i))->right;
	if (n_failed)
		ks_error_set(error, KS_ERROR_FAILED, "%u of %u modules are not recorded",
			     n_failed, apply->wanted->len);
	/* the kept ones were reported, and are no failure */
	return !n_failed;
}

static bool change(struct apply *apply, GError **error)
{
	ks_auto(ks_alpm_lock) lock = ks_alpm_lock_take(apply->alpm, error);

	/* stale ones first: they may own a path that a new one will own */
	return lock && ks_alpm_store_sweep(apply->alpm, error) &&
	       look_up_owners(apply, error) && drop_stale(apply, error) &&
	       write_wanted(apply, error) && read_back(apply, error);
}

static bool run(struct apply *apply, GPtrArray *records, GError **error)
{
	if (!ks_alpm_check_version(apply->alpm, error))
		return false;
	apply->written = g_ptr_array_new_with_free_func(contents_free);
	apply->entries = ks_alpm_entries(apply->alpm, error);
	if (!apply->entries)
		return false;
	name_wanted(apply, records);
	return (is_nothing_to_do(apply) || change(apply, error)) && report(apply, error);
}

bool ks_alpm_apply(const struct ks_alpm *alpm, GPtrArray *records, GError **error)
{
	struct apply apply = {.alpm = alpm};
	bool ok = run(&apply, records, error);

	apply_clear(&apply);
	return ok;
}
