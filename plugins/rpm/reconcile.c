/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See reconcile.h. */
#include "plugins/rpm/reconcile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rpm/rpmfiles.h>

#include "plugins/rpm/rpm-database.h"
#include "plugins/rpm/names.h"
#include "plugins/rpm/rpm-installed.h"

/* One record of the set, and its state in the database. */
struct wanted {
	const struct ks_record *record;
	char *package; /* the record's name as rpm allows it */
	bool right;    /* the database holds it already */
	bool failed;   /* complained of */
};

struct work {
	const struct ks_reconcile *options;
	struct ks_reconciled *result;
	struct ks_db_list list;
	struct wanted *wanted;
	size_t n_wanted;
	unsigned int *drops; /* instances */
	size_t n_drops;
	bool *keeps; /* by entry of the list: it stays */
};

static void complain(struct work *work, const char *line)
{
	work->result->n_failed++;
	work->options->complain(line, work->options->data);
}

static void complain_of(struct work *work, struct wanted *wanted, const char *why)
{
	const struct ks_record *record = wanted->record;
	struct ks_why line;

	if (wanted->failed)
		return;
	wanted->failed = true;
	ks_why_set(&line, "cannot record %s/%s on %s: %s", record->module,
		   record->version, record->release, why);
	complain(work, line.text);
}

/* --- what is wanted, and what is there */

static bool is_sound(const struct ks_record *record)
{
	return strncmp(record->name, "kmod-", 5) == 0 && *record->digest &&
	       *record->arch && *record->release && !strchr(record->release, '/');
}

static bool have_same_file(const struct ks_record *a, const struct ks_record *b)
{
	for (size_t i = 0; i < a->n_files; i++)
		for (size_t j = 0; j < b->n_files; j++)
			if (strcmp(a->files[i].path, b->files[j].path) == 0)
				return true;
	return false;
}

static void compare_with_others(struct work *work, size_t index)
{
	struct wanted *wanted = &work->wanted[index];

	for (size_t i = 0; i < index; i++) {
		const struct wanted *other = &work->wanted[i];

		if (strcmp(other->record->release, wanted->record->release) != 0)
			continue;
		if (strcmp(other->package, wanted->package) == 0)
			complain_of(work, wanted,
				    "another module's record has the same package name");
		else if (have_same_file(other->record, wanted->record))
			complain_of(work, wanted,
				    "another module's record has the same file");
	}
}

static bool name_wanted(struct work *work, const struct ks_record_set *set)
{
	work->wanted = calloc(set->n_records + 1, sizeof(*work->wanted));
	if (!work->wanted)
		return false;
	for (size_t i = 0; i < set->n_records; i++) {
		struct wanted *wanted = &work->wanted[work->n_wanted++];

		wanted->record = &set->records[i];
		wanted->package = ks_rpm_name(wanted->record->name);
		if (!wanted->package)
			return false;
		if (!is_sound(wanted->record))
			complain_of(work, wanted, "it is not a usable record");
		else
			compare_with_others(work, i);
	}
	return true;
}

static void compare_with_database(struct work *work, struct wanted *wanted)
{
	for (size_t i = 0; i < work->list.n_entries; i++) {
		const struct ks_db_entry *entry = &work->list.entries[i];

		if (strcmp(entry->package, wanted->package) != 0)
			continue;
		if (!entry->ours) {
			complain_of(work, wanted,
				    "a package of another maker has its name");
		} else if (!wanted->right && !wanted->failed &&
			   strcmp(entry->digest, wanted->record->digest) == 0) {
			/* of two that are the same, the other one goes */
			wanted->right = true;
			work->keeps[i] = true;
		}
	}
}

/* --- making records */

struct judging {
	struct work *work;
	struct wanted *wanted;
};

/* Our own records give a path up; any other owner keeps it. */
static bool judge_owner(Header h, const char *spelled, void *data)
{
	struct judging *judging = data;
	const char *vendor = headerGetString(h, RPMTAG_VENDOR);
	char *name;
	struct ks_why why;

	if (vendor && strcmp(vendor, KS_DATABASE_VENDOR) == 0)
		return true;
	name = headerGetAsString(h, RPMTAG_NAME);
	ks_why_set(&why, "'%s' belongs to package '%s'", spelled, name ? name : "?");
	free(name);
	complain_of(judging->work, judging->wanted, why.text);
	return false;
}

static void make_record(struct work *work, rpmtxn txn, struct wanted *wanted)
{
	rpmts ts = work->options->ts;
	struct judging judging = {work, wanted};
	struct ks_why why;
	Header h;

	for (size_t i = 0; !wanted->failed && i < wanted->record->n_files; i++)
		ks_db_owners(ts, wanted->record->files[i].path, judge_owner, &judging);
	if (wanted->failed)
		return;
	h = ks_installed_build(ts, work->options->tree, wanted->record, wanted->package,
			       &why);
	if (h && ks_db_import(txn, h, &why)) {
		wanted->right = true;
		work->result->n_added++;
	} else {
		complain_of(work, wanted, why.text);
	}
	headerFree(h);
}

/* --- dropping records */

static struct wanted *find_wanted(struct work *work, const char *package)
{
	for (size_t i = 0; i < work->n_wanted; i++)
		if (strcmp(work->wanted[i].package, package) == 0)
			return &work->wanted[i];
	return NULL;
}

static bool is_wanted_path(const struct work *work, const char *path)
{
	bool found = false;

	for (size_t i = 0; !found && i < work->n_wanted; i++) {
		const struct ks_record *record = work->wanted[i].record;

		for (size_t j = 0; !found && j < record->n_files; j++) {
			char *lib = ks_db_spell(record->files[j].path, false);
			char *usr = ks_db_spell(record->files[j].path, true);

			found = (lib && strcmp(lib, path) == 0) ||
				(usr && strcmp(usr, path) == 0);
			free(lib);
			free(usr);
		}
	}
	return found;
}

/* Call func for the regular files of an entry until it returns false. */
static void for_each_file(struct work *work, const struct ks_db_entry *entry,
			  bool (*func)(struct work *work, const char *path, void *data),
			  void *data)
{
	Header h = ks_db_header(work->options->ts, entry->instance);
	rpmfiles files = h ? rpmfilesNew(NULL, h, RPMTAG_BASENAMES, 0) : NULL;
	bool go_on = true;

	for (int i = 0; files && go_on && i < (int)rpmfilesFC(files); i++) {
		char *path = rpmfilesFN(files, i);

		if (path && S_ISREG(rpmfilesFMode(files, i)))
			go_on = func(work, path, data);
		free(path);
	}
	rpmfilesFree(files);
	headerFree(h);
}

static bool look_for_use(struct work *work, const char *path, void *data)
{
	char **found = data;

	if (ks_tree_has(work->options->tree, path) && !is_wanted_path(work, path))
		*found = strdup(path);
	return !*found;
}

static bool remove_rest(struct work *work, const char *path, void *data)
{
	char *parent = strdup(path);
	char *slash = parent ? strrchr(parent, '/') : NULL;

	if (parent && strstr(parent, "/lib/modules/") && !is_wanted_path(work, path)) {
		ks_tree_unlink(work->options->tree, path);
		/* up to the directory of the kernel; those that are not empty stay */
		for (; slash; slash = strrchr(parent, '/')) {
			*slash = '\0';
			if (!strstr(parent, "/lib/modules/") ||
			    !ks_tree_rmdir(work->options->tree, parent))
				break;
		}
	}
	free(parent);
	return true;
}

/*
 * The engine takes the files of a module away itself before it stops wanting the
 * record; one that is still there on a kernel that is too means that the engine
 * has lost its state (somebody removed /var/lib/dkms), and the file is a driver
 * that works. On a kernel that is gone, files are what its removal left.
 */
static bool is_in_use(struct work *work, const struct ks_db_entry *entry)
{
	struct ks_why line;
	char *path = NULL;

	if (work->options->give_up_files)
		return false;
	if (!ks_installed_kernel_is_there(work->options->tree, entry->release)) {
		for_each_file(work, entry, remove_rest, NULL);
		return false;
	}
	for_each_file(work, entry, look_for_use, &path);
	if (!path)
		return false;
	ks_why_set(&line,
		   "'%s' is kept with its record: nothing in the state mentions it; "
		   "'rpm -e %s' removes both",
		   path, entry->nevra);
	/* no failure: there is nothing that a later run could do about it */
	work->options->complain(line.text, work->options->data);
	free(path);
	return true;
}

/* A record whose successor could not be made stays until that can. */
static void judge_entry(struct work *work, size_t index)
{
	const struct ks_db_entry *entry = &work->list.entries[index];
	const struct wanted *wanted = find_wanted(work, entry->package);

	if (!entry->ours || work->keeps[index])
		return;
	if (wanted ? !wanted->right : is_in_use(work, entry))
		return;
	work->drops[work->n_drops++] = entry->instance;
}

/* --- */

static bool is_anything_to_do(const struct work *work)
{
	for (size_t i = 0; i < work->n_wanted; i++)
		if (!work->wanted[i].right && !work->wanted[i].failed)
			return true;
	for (size_t i = 0; i < work->list.n_entries; i++)
		if (work->list.entries[i].ours && !work->keeps[i])
			return true;
	return false;
}

static bool change(struct work *work, rpmtxn txn, struct ks_why *why)
{
	for (size_t i = 0; i < work->n_wanted; i++)
		if (!work->wanted[i].right && !work->wanted[i].failed)
			make_record(work, txn, &work->wanted[i]);
	for (size_t i = 0; i < work->list.n_entries; i++)
		judge_entry(work, i);
	if (!ks_db_drop(work->options->ts, work->drops, work->n_drops, why))
		return false;
	work->result->n_dropped = work->n_drops;
	return true;
}

static bool compare(struct work *work, const struct ks_record_set *set,
		    struct ks_why *why)
{
	size_t n_entries;

	if (!ks_db_load(work->options->ts, &work->list, why))
		return false;
	n_entries = work->list.n_entries;
	work->drops = calloc(n_entries + 1, sizeof(*work->drops));
	work->keeps = calloc(n_entries + 1, sizeof(*work->keeps));
	if (!work->drops || !work->keeps || !name_wanted(work, set))
		return ks_why_no_memory(why);
	for (size_t i = 0; i < work->n_wanted; i++) {
		if (!work->wanted[i].failed)
			compare_with_database(work, &work->wanted[i]);
		work->result->n_kept += work->wanted[i].right;
	}
	return true;
}

/* Locked before it is read: the database that is compared is the one that is changed. */
static bool run(struct work *work, const struct ks_record_set *set, struct ks_why *why)
{
	rpmtxn txn = rpmtxnBegin(work->options->ts, RPMTXN_WRITE);
	bool ok;

	if (!txn)
		return ks_why_set(why, "rpm's database cannot be locked for writing");
	ok = compare(work, set, why) &&
	     (!is_anything_to_do(work) || change(work, txn, why));
	rpmtxnEnd(txn);
	return ok;
}

bool ks_reconcile(const struct ks_reconcile *options, const struct ks_record_set *set,
		  struct ks_reconciled *result, struct ks_why *why)
{
	struct work work = {.options = options, .result = result};
	bool ok;

	memset(result, 0, sizeof(*result));
	ok = run(&work, set, why);
	ks_db_clear(&work.list);
	for (size_t i = 0; i < work.n_wanted; i++)
		free(work.wanted[i].package);
	free(work.wanted);
	free(work.drops);
	free(work.keeps);
	return ok;
}
