/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See apply.h. */
#include "plugins/apt/dpkg-apply.h"

#include <stdio.h>
#include <string.h>

#include "core/support/error.h"
#include "plugins/apt/checked.h"
#include "plugins/apt/dpkg-database.h"
#include "plugins/apt/debname.h"
#include "plugins/apt/dpkgrun.h"
#include "plugins/apt/auto-marks.h"
#include "plugins/apt/recorddeb.h"
#include "plugins/apt/spool.h"

#define LIB_MODULES	"/lib/modules"
#define USR_LIB_MODULES "/usr/lib/modules"
/* the kernel's own, below its directory */
#define MODULES "kernel"

struct wanted {
	const struct ks_record *record;
	char *package;
	GPtrArray *replaces; /* const char *: names in apply->database */
	bool right;	     /* the database holds it already */
	bool failed;	     /* said so on stderr */
};

struct apply {
	const struct ks_system *system;
	GPtrArray *wanted;   /* struct wanted */
	GPtrArray *database; /* struct ks_dpkg_package */
	GHashTable *owners;
	struct ks_spool *spool;
	guint n_stale; /* records to be purged that are still there */
};

static void wanted_free(gpointer data)
{
	struct wanted *wanted = data;

	g_free(wanted->package);
	g_ptr_array_unref(wanted->replaces);
	g_free(wanted);
}

static void apply_clear(struct apply *apply)
{
	g_clear_pointer(&apply->wanted, g_ptr_array_unref);
	g_clear_pointer(&apply->database, g_ptr_array_unref);
	g_clear_pointer(&apply->owners, g_hash_table_unref);
	g_clear_pointer(&apply->spool, ks_spool_close);
}

static void complain(struct wanted *wanted, const char *why)
{
	const struct ks_record *record = wanted->record;

	wanted->failed = true;
	fprintf(stderr, "cannot record %s/%s on %s: %s\n", record->module,
		record->version, record->release, why);
}

/* --- what is wanted, and what is there */

static void name_wanted(struct apply *apply, GPtrArray *records)
{
	g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GHashTable) paths = g_hash_table_new(g_str_hash, g_str_equal);

	apply->wanted = g_ptr_array_new_with_free_func(wanted_free);
	for (guint i = 0; i < records->len; i++) {
		struct wanted *wanted = g_new0(struct wanted, 1);
		g_autoptr(GError) error = NULL;

		wanted->record = g_ptr_array_index(records, i);
		wanted->package = ks_deb_package_name(wanted->record->name);
		wanted->replaces = g_ptr_array_new();
		g_ptr_array_add(apply->wanted, wanted);
		if (!ks_record_deb_is_sound(wanted->record, &error))
			complain(wanted, error->message);
		else if (!g_hash_table_add(names, wanted->package))
			complain(wanted,
				 "another module's record has the same package name");
		for (size_t j = 0; j < wanted->record->n_files; j++) {
			struct ks_record_file *file = &wanted->record->files[j];

			if (!g_hash_table_add(paths, file->path) && !wanted->failed)
				complain(wanted,
					 "another module's record has the same file");
		}
	}
}

static void compare_with_database(struct apply *apply)
{
	for (guint i = 0; i < apply->wanted->len; i++) {
		struct wanted *wanted = g_ptr_array_index(apply->wanted, i);
		const struct ks_dpkg_package *package =
			ks_dpkg_find(apply->database, wanted->package);
		g_autofree char *deb = ks_spool_deb_path(apply->spool, wanted->package);

		if (!package || wanted->failed)
			continue;
		wanted->right = ks_dpkg_is_complete(package) &&
				strcmp(package->digest, wanted->record->digest) == 0;
		/* half installed from our spool: ours, however little of it there is */
		if (!ks_dpkg_is_complete(package) && g_file_test(deb, G_FILE_TEST_EXISTS))
			continue;
		if (!ks_dpkg_is_ours(package))
			complain(wanted, "a package of another maker has its name");
	}
}

static bool is_to_do(const struct wanted *wanted)
{
	return !wanted->right && !wanted->failed;
}

static struct wanted *find_wanted(struct apply *apply, const char *package)
{
	for (guint i = 0; i < apply->wanted->len; i++) {
		struct wanted *wanted = g_ptr_array_index(apply->wanted, i);

		if (strcmp(wanted->package, package) == 0)
			return wanted;
	}
	return NULL;
}

/* --- owners */

static const char *const spellings[] = {LIB_MODULES, USR_LIB_MODULES};
static const char *const kernel_files[] = {"modules.builtin", "modules.order", MODULES};

static char *kernel_path(const char *spelling, const char *release, const char *file)
{
	return g_build_filename(spelling, release, file, NULL);
}

/* Every path whose owner matters, in both spellings. */
static GPtrArray *paths_to_ask(struct apply *apply)
{
	GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < apply->wanted->len; i++) {
		const struct wanted *wanted = g_ptr_array_index(apply->wanted, i);
		const struct ks_record *record = wanted->record;

		if (!is_to_do(wanted))
			continue;
		for (size_t s = 0; s < G_N_ELEMENTS(spellings); s++) {
			for (size_t k = 0; k < G_N_ELEMENTS(kernel_files); k++)
				g_ptr_array_add(paths,
						kernel_path(spellings[s], record->release,
							    kernel_files[k]));
			for (size_t f = 0; f < record->n_files; f++) {
				const struct ks_record_file *file = &record->files[f];

				g_ptr_array_add(paths, ks_record_deb_spell(file->path,
									   spellings[s]));
			}
		}
	}
	if (paths->len)
		for (size_t s = 0; s < G_N_ELEMENTS(spellings); s++)
			g_ptr_array_add(paths, g_strdup(spellings[s]));
	return paths;
}

/*
 * The owner of a file of the kernel: its packages, and the spelling in which
 * they ship it.
 */
static const char *owners_of(struct apply *apply, const char *release, const char *file,
			     const char **spelling)
{
	for (size_t s = 0; s < G_N_ELEMENTS(spellings); s++) {
		g_autofree char *path = kernel_path(spellings[s], release, file);
		const char *owners = g_hash_table_lookup(apply->owners, path);

		if (owners)
			*spelling = spellings[s];
		if (owners)
			return owners;
	}
	return NULL;
}

/* The first of owners that is among the others, too, else the first. */
static char *pick_owner(const char *owners, const char *others)
{
	g_auto(GStrv) names = g_strsplit(owners, ",", -1);
	g_auto(GStrv) other_names = g_strsplit(others, ",", -1);

	for (char **name = names; *name; name++)
		if (g_strv_contains((const char *const *)other_names, *name))
			return g_strdup(*name);
	return g_strdup(names[0]);
}

/*
 * The kernel's package and how it spells its directory; NULL when nobody owns it.
 * A kernel may be split: it goes when the package with its modules goes, which need
 * not be the one with the lists of them, that headers need as well. Of several with
 * modules it is the one with the lists.
 */
static char *kernel_owner(struct apply *apply, const char *release, const char **spelling)
{
	const char *owners = NULL, *modules;

	for (size_t k = 0; !owners && k < G_N_ELEMENTS(kernel_files); k++)
		owners = owners_of(apply, release, kernel_files[k], spelling);
	modules = owners_of(apply, release, MODULES, spelling);
	if (owners)
		return pick_owner(modules ? modules : owners, owners);
	/* else the spelling of the other kernels, if there are any */
	*spelling = g_hash_table_contains(apply->owners, USR_LIB_MODULES) &&
				    !g_hash_table_contains(apply->owners, LIB_MODULES)
			    ? USR_LIB_MODULES
			    : LIB_MODULES;
	return NULL;
}

/* Other records of ours give the path up; any other owner keeps it. */
static void judge_owner(struct apply *apply, struct wanted *wanted, const char *path,
			const char *owner)
{
	const struct ks_dpkg_package *package = ks_dpkg_find(apply->database, owner);
	g_autofree char *why = NULL;

	if (strcmp(owner, wanted->package) == 0)
		return;
	if (package && ks_dpkg_is_ours(package)) {
		if (!g_ptr_array_find_with_equal_func(wanted->replaces, package->name,
						      g_str_equal, NULL))
			g_ptr_array_add(wanted->replaces, package->name);
		return;
	}
	why = g_strdup_printf("'%s' belongs to package '%s'", path, owner);
	if (!wanted->failed)
		complain(wanted, why);
}

static void judge_path(struct apply *apply, struct wanted *wanted, const char *path)
{
	const char *owners = g_hash_table_lookup(apply->owners, path);
	g_auto(GStrv) names = owners ? g_strsplit(owners, ",", -1) : NULL;

	for (char **name = names; name && *name; name++)
		judge_owner(apply, wanted, path, *name);
}

static bool look_up_owners(struct apply *apply, GError **error)
{
	g_autoptr(GPtrArray) paths = paths_to_ask(apply);

	apply->owners = ks_dpkg_owners(apply->system, paths, error);
	if (!apply->owners)
		return false;
	for (guint i = 0; i < apply->wanted->len; i++) {
		struct wanted *wanted = g_ptr_array_index(apply->wanted, i);

		if (!is_to_do(wanted))
			continue;
		for (size_t f = 0; f < wanted->record->n_files; f++) {
			const struct ks_record_file *file = &wanted->record->files[f];

			for (size_t s = 0; s < G_N_ELEMENTS(spellings); s++) {
				g_autofree char *path =
					ks_record_deb_spell(file->path, spellings[s]);

				judge_path(apply, wanted, path);
			}
		}
	}
	return true;
}

/* --- the spool */

static bool spool_deb(struct apply *apply, struct wanted *wanted, GError **error)
{
	const char *spelling = NULL;
	g_autofree char *owner = kernel_owner(apply, wanted->record->release, &spelling);
	g_autofree char *architecture = ks_dpkg_architecture(apply->system, owner, error);
	struct ks_record_deb package = {
		.system = apply->system,
		.record = wanted->record,
		.name = wanted->package,
		.architecture = architecture,
		.kernel_package = owner,
		.modules_dir = spelling,
		.replaces = wanted->replaces,
	};
	g_autoptr(GError) inner = NULL;

	if (!architecture)
		return false;
	if (ks_spool_put_deb(apply->spool, wanted->package, ks_record_deb_write, &package,
			     &inner))
		return true;
	if (g_error_matches(inner, KS_ERROR, KS_ERROR_NO_SPACE)) {
		g_propagate_error(error, g_steal_pointer(&inner));
		return false;
	}
	complain(wanted, inner->message);
	return true;
}

static bool is_stale(struct apply *apply, const struct ks_dpkg_package *package)
{
	return ks_dpkg_is_ours(package) && !find_wanted(apply, package->name);
}

static bool is_kernel_there(struct apply *apply, const char *release)
{
	for (size_t k = 0; *release && k < G_N_ELEMENTS(kernel_files); k++) {
		g_autofree char *path =
			kernel_path(LIB_MODULES, release, kernel_files[k]);

		if (ks_root_exists(apply->system->root, path))
			return true;
	}
	return false;
}

static bool is_wanted_path(struct apply *apply, const char *path)
{
	for (guint i = 0; i < apply->wanted->len; i++) {
		const struct wanted *wanted = g_ptr_array_index(apply->wanted, i);

		for (size_t f = 0; f < wanted->record->n_files; f++) {
			const struct ks_record_file *file = &wanted->record->files[f];

			for (size_t s = 0; s < G_N_ELEMENTS(spellings); s++) {
				g_autofree char *spelled =
					ks_record_deb_spell(file->path, spellings[s]);

				if (strcmp(spelled, path) == 0)
					return true;
			}
		}
	}
	return false;
}

/*
 * dpkg deletes the files of the packages that it purges. The engine removes a
 * module's files itself before it stops wanting the record; a file that still
 * exists on an existing kernel means that the engine has lost its state
 * (somebody removed /var/lib/dkms), and that the file is a working driver.
 */
static char *find_file_in_use(struct apply *apply, const struct ks_dpkg_package *package,
			      GError **error)
{
	g_autoptr(GPtrArray) files = NULL;

	if (!is_kernel_there(apply, package->release))
		return NULL;
	files = ks_dpkg_files(apply->system, package->name, error);
	for (guint i = 0; files && i < files->len; i++) {
		const char *path = g_ptr_array_index(files, i);
		struct stat st;

		if (ks_root_lstat(apply->system->root, path, &st) &&
		    S_ISREG(st.st_mode) && !is_wanted_path(apply, path))
			return g_strdup(path);
	}
	return NULL;
}

static bool spool_purge(struct apply *apply, const struct ks_dpkg_package *package,
			GError **error)
{
	g_autoptr(GError) inner = NULL;
	g_autofree char *path = find_file_in_use(apply, package, &inner);

	if (inner) {
		g_propagate_error(error, g_steal_pointer(&inner));
		return false;
	}
	if (!path)
		return ks_spool_put_purge(apply->spool, package->name, error);
	fprintf(stderr,
		"'%s' is kept with its record: nothing in the state mentions it; "
		"'dpkg -P %s' removes both\n",
		path, package->name);
	return true;
}

/* Entries of an earlier run that this one does not need. */
static bool drop_outdated(struct apply *apply, GError **error)
{
	g_autoptr(GPtrArray) debs = ks_spool_debs(apply->spool, error);
	g_autoptr(GPtrArray) purges = debs ? ks_spool_purges(apply->spool, error) : NULL;

	if (!purges)
		return false;
	g_ptr_array_extend_and_steal(debs, g_steal_pointer(&purges));
	for (guint i = 0; i < debs->len; i++) {
		const char *package = g_ptr_array_index(debs, i);
		const struct wanted *wanted = find_wanted(apply, package);

		if ((!wanted || wanted->right) &&
		    !ks_spool_drop(apply->spool, package, error))
			return false;
	}
	return true;
}

static bool fill_spool(struct apply *apply, GError **error)
{
	if (!drop_outdated(apply, error))
		return false;
	for (guint i = 0; i < apply->database->len; i++) {
		const struct ks_dpkg_package *package =
			g_ptr_array_index(apply->database, i);

		if (is_stale(apply, package) && !spool_purge(apply, package, error))
			return false;
	}
	for (guint i = 0; i < apply->wanted->len; i++) {
		struct wanted *wanted = g_ptr_array_index(apply->wanted, i);

		if (is_to_do(wanted) && !spool_deb(apply, wanted, error))
			return false;
	}
	return true;
}

/* --- dpkg */

/* Read the database again: entries that are done leave the spool. */
static bool settle(struct apply *apply, GError **error)
{
	g_autoptr(GPtrArray) database = ks_dpkg_list(apply->system, error);
	g_autoptr(GPtrArray) purges =
		database ? ks_spool_purges(apply->spool, error) : NULL;

	if (!purges)
		return false;
	for (guint i = 0; i < apply->wanted->len; i++) {
		struct wanted *wanted = g_ptr_array_index(apply->wanted, i);
		const struct ks_dpkg_package *package =
			ks_dpkg_find(database, wanted->package);

		if (!is_to_do(wanted))
			continue;
		wanted->right = package && ks_dpkg_is_complete(package) &&
				strcmp(package->digest, wanted->record->digest) == 0;
		if (wanted->right && !ks_spool_drop(apply->spool, wanted->package, error))
			return false;
	}
	apply->n_stale = 0;
	for (guint i = 0; i < purges->len; i++) {
		const char *package = g_ptr_array_index(purges, i);

		if (ks_dpkg_find(database, package))
			apply->n_stale++;
		else if (!ks_spool_drop(apply->spool, package, error))
			return false;
	}
	return true;
}

static void free_argument(gpointer data)
{
	g_free(data);
}

/* dpkg's failure is reported for each record, after the database has shown the result. */
static bool run_dpkg(struct apply *apply, GPtrArray *arguments, GError **error)
{
	g_autoptr(GError) inner = NULL;

	if (ks_dpkg_run(apply->system, arguments, &inner))
		return true;
	if (g_error_matches(inner, KS_ERROR, KS_ERROR_PENDING)) {
		g_propagate_error(error, g_steal_pointer(&inner));
		return false;
	}
	fprintf(stderr, "%s\n", inner->message);
	return true;
}

static bool install_wanted(struct apply *apply, GError **error)
{
	g_autoptr(GPtrArray) arguments = g_ptr_array_new_with_free_func(free_argument);

	g_ptr_array_add(arguments, g_strdup("-i"));
	for (guint i = 0; i < apply->wanted->len; i++) {
		const struct wanted *wanted = g_ptr_array_index(apply->wanted, i);

		if (is_to_do(wanted))
			g_ptr_array_add(arguments,
					ks_spool_deb_path(apply->spool, wanted->package));
	}
	return arguments->len == 1 || run_dpkg(apply, arguments, error);
}

/* Purging it now would delete a file that a record still to be made has to take over. */
static bool is_still_needed(struct apply *apply, const char *package)
{
	for (guint i = 0; i < apply->wanted->len; i++) {
		const struct wanted *wanted = g_ptr_array_index(apply->wanted, i);

		if (!wanted->right &&
		    g_ptr_array_find_with_equal_func(wanted->replaces, package,
						     g_str_equal, NULL))
			return true;
	}
	return false;
}

static bool purge_stale(struct apply *apply, GError **error)
{
	g_autoptr(GPtrArray) arguments = g_ptr_array_new_with_free_func(free_argument);
	g_autoptr(GPtrArray) purges = ks_spool_purges(apply->spool, error);
	guint n_options;

	if (!purges)
		return false;
	g_ptr_array_add(arguments, g_strdup("--force-remove-reinstreq"));
	g_ptr_array_add(arguments, g_strdup("-P"));
	n_options = arguments->len;
	for (guint i = 0; i < purges->len; i++) {
		const char *package = g_ptr_array_index(purges, i);

		if (!is_still_needed(apply, package))
			g_ptr_array_add(arguments, g_strdup(package));
	}
	return arguments->len == n_options || run_dpkg(apply, arguments, error);
}

static bool change_database(struct apply *apply, GError **error)
{
	if (ks_spool_is_empty(apply->system))
		return true;
	return ks_dpkg_check_lock(apply->system, error) && install_wanted(apply, error) &&
	       settle(apply, error) && purge_stale(apply, error) && settle(apply, error);
}

static bool update_marks(struct apply *apply, GError **error)
{
	g_autoptr(GPtrArray) database = NULL;

	/* somebody else's apt may be about to write the flags */
	if (!ks_dpkg_check_lock(apply->system, NULL))
		return true;
	database = ks_dpkg_list(apply->system, error);
	if (!database || !ks_marks_update(apply->system, database, error))
		return false;
	ks_checked_store(apply->system);
	return true;
}

static bool report(const struct apply *apply, GError **error)
{
	guint n_failed = 0;

	for (guint i = 0; i < apply->wanted->len; i++) {
		struct wanted *wanted = g_ptr_array_index(apply->wanted, i);

		if (is_to_do(wanted))
			complain(wanted, "dpkg did not install its package");
		n_failed += wanted->failed;
	}
	if (n_failed)
		ks_error_set(error, KS_ERROR_FAILED, "%u of %u records could not be made",
			     n_failed, apply->wanted->len);
	else if (apply->n_stale)
		ks_error_set(error, KS_ERROR_FAILED,
			     "%u records that are not wanted could not be removed",
			     apply->n_stale);
	/* the kept ones were reported, and are no failure */
	return !n_failed && !apply->n_stale;
}

static bool run(struct apply *apply, GPtrArray *records, GError **error)
{
	apply->spool = ks_spool_open(apply->system, error);
	if (!apply->spool)
		return false;
	apply->database = ks_dpkg_list(apply->system, error);
	if (!apply->database)
		return false;
	name_wanted(apply, records);
	compare_with_database(apply);
	return look_up_owners(apply, error) && fill_spool(apply, error) &&
	       change_database(apply, error) && update_marks(apply, error) &&
	       report(apply, error);
}

bool ks_apply(const struct ks_system *system, GPtrArray *records, GError **error)
{
	struct apply apply = {.system = system};
	bool ok = run(&apply, records, error);

	apply_clear(&apply);
	return ok;
}
