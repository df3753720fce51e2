/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sources of the picture: those in T, and those in source_tree. A directory
 * there is a source only when nobody but root could have put it there, and when
 * its name agrees with its dkms.conf.
 */
#include <string.h>

#include "core/inventory/inventory-private.h"
#include "core/state/snapshot.h"
#include "core/support/error.h"
#include "core/support/name.h"
#include "core/support/version.h"

static void add_problem(struct ks_inventory_taking *taking, const char *format, ...)
	G_GNUC_PRINTF(2, 3);
static void add_problem(struct ks_inventory_taking *taking, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_ptr_array_add(taking->inventory->problems, g_strdup_vprintf(format, args));
	va_end(args);
}

static bool is_below(const char *path, const char *dir)
{
	g_autofree char *prefix = g_strconcat(dir, "/", NULL);

	return g_str_has_prefix(path, prefix);
}

static bool has_conf(const struct ks_system *system, const char *dir)
{
	g_autofree char *conf = g_build_filename(dir, "dkms.conf", NULL);
	struct stat st;

	return ks_root_lstat(system->root, conf, &st);
}

/* --- the list */

static struct ks_source *find_source(const struct ks_inventory *inventory,
				     const char *name, const char *version)
{
	for (guint i = 0; i < inventory->sources->len; i++) {
		struct ks_source *source = inventory->sources->pdata[i];

		if (g_str_equal(source->name, name) &&
		    g_str_equal(source->version, version))
			return source;
	}
	return NULL;
}

static struct ks_source *source_new(const char *name, const char *version)
{
	struct ks_source *source = g_new0(struct ks_source, 1);

	source->name = g_strdup(name);
	source->version = g_strdup(version);
	return source;
}

static gint compare_sources(gconstpointer a, gconstpointer b)
{
	const struct ks_source *left = *(struct ks_source *const *)a;
	const struct ks_source *right = *(struct ks_source *const *)b;
	int by_name = g_strcmp0(left->name, right->name);

	return by_name ? by_name : ks_version_compare(left->version, right->version);
}

/* Its conf, read for no kernel in particular, shows whether it can be used at all. */
static void read_conf(struct ks_inventory_taking *taking, struct ks_source *source)
{
	g_autoptr(GError) error = NULL;
	ks_auto(ks_conf) conf =
		ks_conf_load(taking->system, taking->settings, source->path, source->name,
			     source->version, NULL, &error);

	if (!conf) {
		source->problem = g_strdup(error->message);
		return;
	}
	source->present = true;
	source->autoinstall = conf->autoinstall;
}

/* --- from T */

/* The directory of its source: as T says, else where a package of that name puts it. */
static char *locate(const struct ks_system *system, const struct ks_tree_entry *entry)
{
	g_autofree char *usual = g_strdup_printf("%s/%s-%s", system->source_tree,
						 entry->name, entry->version);

	if (entry->source == KS_TREE_SOURCE_OK)
		return g_strdup(entry->source_dir);
	return has_conf(system, usual) ? g_steal_pointer(&usual) : NULL;
}

/* What helps where root has not asked for it by name. */
static char *explain_distrust(const char *reason, const char *dir)
{
	if (g_str_has_suffix(reason, "cannot be read"))
		return g_strdup_printf("%s, ignored", reason);
	return g_strdup_printf("%s, ignored ('chown -R root:root %s; chmod -R go-w %s' "
			       "or 'dkms add %s' has it built)",
			       reason, dir, dir, dir);
}

/* One that others can change is used as it was when root asked for it. */
static void use_snapshot(const struct ks_system *system, struct ks_source *source)
{
	g_autofree char *reason = ks_snapshot_reason(system, source->path);

	if (!reason)
		return;
	if (!ks_snapshot_exists(system, source->name, source->version)) {
		source->problem = explain_distrust(reason, source->path);
		return;
	}
	g_free(source->path);
	source->path = ks_snapshot_path(system, source->name, source->version);
}

static void add_from_tree(struct ks_inventory_taking *taking, struct ks_tree_entry *entry)
{
	const struct ks_system *system = taking->system;
	struct ks_source *source = source_new(entry->name, entry->version);

	g_ptr_array_add(taking->inventory->sources, source);
	source->entry = entry;
	source->asked = entry->asked;
	source->asked_at_us = entry->asked_at_us;
	source->removal_asked = entry->removal_asked;
	source->dismissed = ks_tree_is_dismissed(system, entry->name, entry->version);
	source->outside = entry->source_dir &&
			  !is_below(entry->source_dir, system->source_tree) &&
			  !is_below(entry->source_dir, system->dkms_tree);
	source->path = locate(system, entry);
	source->added = !source->path || entry->source == KS_TREE_SOURCE_OK;
	if (!source->path)
		return;
	/* A source elsewhere was named by root; in source_tree it is only found. */
	if (source->dismissed)
		return;
	if (is_below(source->path, system->source_tree))
		use_snapshot(system, source);
	if (!source->problem)
		read_conf(taking, source);
}

/* --- from source_tree */

/* Kernel headers lie there too: not worth a look inside. */
static bool is_kernel_source(const char *name)
{
	static const char *const prefixes[] = {"linux-headers-", "linux-kbuild-",
					       "linux-source",	 "kernels",
					       "linux-config-",	 "linux-patch-"};

	for (size_t i = 0; i < G_N_ELEMENTS(prefixes); i++) {
		if (g_str_has_prefix(name, prefixes[i]))
			return true;
	}
	return false;
}

static bool is_known_path(const struct ks_inventory *inventory, const char *path)
{
	for (guint i = 0; i < inventory->sources->len; i++) {
		const struct ks_source *source = inventory->sources->pdata[i];

		if ((source->path && g_str_equal(source->path, path)) ||
		    (source->entry && g_strcmp0(source->entry->source_dir, path) == 0))
			return true;
	}
	return false;
}

/*
 * What the directory calls a source whose conf does not say it, or says it with a
 * template that its vendor's script was to fill in: NAME-VERSION, the version beginning
 * with a digit where that can be.
 */
static bool split_directory(const char *directory, char **name, char **version)
{
	const char *at = NULL;

	for (const char *p = strchr(directory, '-'); p; p = strchr(p + 1, '-')) {
		if (!at || g_ascii_isdigit(p[1]))
			at = p;
		if (g_ascii_isdigit(p[1]))
			break;
	}
	if (!at)
		return false;
	*name = g_strndup(directory, (gsize)(at - directory));
	*version = g_strdup(at + 1);
	return ks_name_is_plain(*name) && ks_name_is_plain(*version);
}

/* The conf's own names, as far as they are some, fit the directory's. */
static bool fits_directory(const struct ks_conf *conf)
{
	return (g_str_equal(conf->written_name, conf->package_name) ||
		ks_conf_is_template(conf->written_name)) &&
	       (!ks_name_is_plain(conf->written_version) ||
		ks_conf_is_template(conf->written_version));
}

/* A conf that does not name its source, or cannot be read: by the directory's name. */
static struct ks_conf *load_by_directory(struct ks_inventory_taking *taking,
					 const char *directory, const char *path,
					 char **name, char **version, GError **error)
{
	g_autoptr(GError) cause = NULL;
	struct ks_conf *conf = ks_conf_load(taking->system, taking->settings, path, NULL,
					    NULL, NULL, &cause);
	ks_auto(ks_conf) called = NULL;

	if (conf) {
		*name = g_strdup(conf->package_name);
		*version = g_strdup(conf->package_version);
		return conf;
	}
	if (split_directory(directory, name, version))
		called = ks_conf_load(taking->system, taking->settings, path, *name,
				      *version, NULL, NULL);
	if (called && fits_directory(called))
		return g_steal_pointer(&called);
	g_propagate_error(error, g_steal_pointer(&cause));
	return NULL;
}

static void add_from_directory(struct ks_inventory_taking *taking, const char *directory,
			       const char *path)
{
	const struct ks_system *system = taking->system;
	g_autofree char *reason = ks_snapshot_reason(system, path);
	g_autoptr(GError) error = NULL;
	ks_auto(ks_conf) conf = NULL;
	g_autofree char *expected = NULL;
	g_autofree char *name = NULL;
	g_autofree char *version = NULL;
	struct ks_source *source;

	if (reason) {
		g_autofree char *problem = explain_distrust(reason, path);

		add_problem(taking, "%s", problem);
		return;
	}
	conf = load_by_directory(taking, directory, path, &name, &version, &error);
	if (!name || !version) {
		add_problem(taking, "%s, ignored", error->message);
		return;
	}
	expected = g_strdup_printf("%s-%s", name, version);
	if (!g_str_equal(expected, directory)) {
		add_problem(taking, "'%s': its dkms.conf says %s/%s, ignored", path, name,
			    version);
		return;
	}
	/* T has that very source, from somewhere else: what root said holds */
	if (find_source(taking->inventory, name, version))
		return;
	source = source_new(name, version);
	source->path = g_strdup(path);
	source->dismissed = ks_tree_is_dismissed(system, name, version);
	source->present = conf && !source->dismissed;
	source->autoinstall = conf && conf->autoinstall;
	if (!conf && !source->dismissed)
		source->problem = g_strdup(error->message);
	/* without a kernel it would be reported nowhere */
	if (source->problem && !taking->inventory->kernels->len)
		add_problem(taking, "%s, ignored", source->problem);
	g_ptr_array_add(taking->inventory->sources, source);
}

static bool scan_source_tree(struct ks_inventory_taking *taking, GError **error)
{
	const struct ks_system *system = taking->system;
	g_autoptr(GPtrArray) names =
		ks_root_list(system->root, system->source_tree, error);

	if (!names) {
		g_prefix_error(error, "cannot read '%s': ", system->source_tree);
		return false;
	}
	for (guint i = 0; i < names->len; i++) {
		const char *name = names->pdata[i];
		g_autofree char *path = g_build_filename(system->source_tree, name, NULL);

		if (!is_kernel_source(name) && has_conf(system, path) &&
		    !is_known_path(taking->inventory, path))
			add_from_directory(taking, name, path);
	}
	return true;
}

bool ks_inventory_find_sources(struct ks_inventory_taking *taking, GError **error)
{
	struct ks_inventory *inventory = taking->inventory;

	for (guint i = 0; i < inventory->entries->len; i++)
		add_from_tree(taking, inventory->entries->pdata[i]);
	if (inventory->source_tree_present && !scan_source_tree(taking, error))
		return false;
	g_ptr_array_sort(inventory->sources, compare_sources);
	return true;
}
