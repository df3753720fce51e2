/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copying and registering a source. */
#include "cli/add.h"

#include <string.h>

#include "cli/change.h"
#include "cli/message.h"
#include "core/engine/script.h"
#include "core/platform/digest.h"
#include "core/platform/lock.h"
#include "core/state/snapshot.h"
#include "core/support/durable.h"
#include "core/support/error.h"
#include "core/support/treeop.h"
#include "core/support/version.h"

#define MAX_SOURCE_BYTES   (G_GUINT64_CONSTANT(4) << 30)
#define MAX_SOURCE_ENTRIES 200000

/* Owned by root, whoever wrote the original: its scripts may run as root later. */
static bool copy_source(const struct ks_cli *cli, const char *from, const char *to,
			GError **error)
{
	const struct ks_treeop_copy_options options = {
		.chown = true,
		.max_bytes = MAX_SOURCE_BYTES,
		.max_entries = MAX_SOURCE_ENTRIES,
	};
	const struct ks_root *root = cli->system->root;
	g_autofree char *base = g_path_get_basename(to);
	g_autofree char *staged = g_strdup_printf("%s/%s%s", cli->system->source_tree,
						  KS_DURABLE_TEMPORARY_PREFIX, base);

	if (!ks_root_mkdir_p(root, cli->system->source_tree, 0755, error) ||
	    !ks_treeop_remove(root, staged, error))
		return false;
	if (!ks_treeop_copy(root, from, staged, &options, error) ||
	    !ks_treeop_remove(root, to, error) ||
	    !ks_durable_rename(root, staged, to, error)) {
		ks_ignore(ks_treeop_remove(root, staged, NULL));
		g_prefix_error(error, "cannot copy '%s' to '%s': ", from, to);
		return false;
	}
	return true;
}

static bool is_same_tree(const struct ks_cli *cli, const char *a, const char *b)
{
	ks_auto(ks_digest_cache) cache = ks_digest_cache_open(cli->system);
	g_autofree char *digest_a = ks_digest_tree(cache, a, NULL);
	g_autofree char *digest_b = ks_digest_tree(cache, b, NULL);

	return digest_a && g_strcmp0(digest_a, digest_b) == 0;
}

/* The new one is staged beside it first: without it the old one stays. */
static bool place_source(const struct ks_cli *cli, const char *from, const char *to,
			 bool replace, GError **error)
{
	if (ks_root_is_same(cli->system->root, from, to))
		return true;
	if (ks_root_exists(cli->system->root, to) && !replace) {
		if (is_same_tree(cli, from, to))
			return true;
		ks_error_set(error, KS_ERROR_FAILED,
			     "cannot add '%s': '%s' is already there", from, to);
		ks_error_hint(error,
			      "give it another PACKAGE_VERSION, or remove that one");
		return false;
	}
	return copy_source(cli, from, to, error);
}

/* Its failure is reported and does not undo the addition (dkms 3.4.3). */
static void run_post_add(const struct ks_cli *cli, const struct ks_conf *conf,
			 const char *source_dir, struct ks_add_options *options)
{
	g_autoptr(GError) error = NULL;

	if (!ks_script_run(cli->system, cli->settings, "post_add", conf->post_add,
			   source_dir, conf->package_name, conf->package_version, NULL,
			   &options->script, &options->script_status, &error))
		ks_message_gerror(error);
}

static bool set_marks(const struct ks_cli *cli, const struct ks_conf *conf, bool asked,
		      GError **error)
{
	const char *name = conf->package_name, *version = conf->package_version;

	return (!asked || ks_tree_set_asked(cli->system, name, version, true, error)) &&
	       ks_tree_set_dismissed(cli->system, name, version, false, error) &&
	       ks_tree_set_removal_asked(cli->system, name, version, false, error);
}

/* --- sources that others can change */

void ks_add_print_copied(const char *reason, void *unused)
{
	(void)unused;
	ks_message_warning("%s: a copy that only root can change is used, as it is now",
			   reason);
}

/* Its directory, when it is in source_tree: a source elsewhere was named by root. */
static char *find_own_dir(const struct ks_system *system, const char *name,
			  const char *version)
{
	g_autofree char *entry = ks_tree_entry_path(system, name, version);
	g_autofree char *link = g_build_filename(entry, "source", NULL);
	g_autofree char *target = ks_root_readlink(system->root, link);
	g_autofree char *prefix = g_strconcat(system->source_tree, "/", NULL);

	return target && g_str_has_prefix(target, prefix) ? g_steal_pointer(&target)
							  : NULL;
}

/* Under the lock. *dir is the copy then. */
static bool take_snapshot(const struct ks_cli *cli, const char *name, const char *version,
			  char **dir, char **reason, GError **error)
{
	*reason = ks_snapshot_reason(cli->system, *dir);
	if (!*reason)
		return ks_snapshot_drop(cli->system, name, version, error);
	if (!ks_snapshot_take(cli->system, name, version, *dir, error))
		return false;
	g_free(*dir);
	*dir = ks_snapshot_path(cli->system, name, version);
	return true;
}

bool ks_add_snapshot(const struct ks_cli *cli, const char *name, const char *version,
		     char **reason, GError **error)
{
	g_autofree char *dir = find_own_dir(cli->system, name, version);
	ks_auto(ks_lock) lock = NULL;

	*reason = NULL;
	if (!dir)
		return true;
	lock = ks_change_lock(cli, "add", error);
	return lock && take_snapshot(cli, name, version, &dir, reason, error);
}

/* The highest version that source_tree has of it. */
static char *find_version(const struct ks_cli *cli, const char *name)
{
	const struct ks_system *system = cli->system;
	g_autofree char *prefix = g_strconcat(name, "-", NULL);
	g_autoptr(GPtrArray) names =
		ks_root_list(system->root, system->source_tree, NULL);
	const char *best = NULL;

	for (guint i = 0; names && i < names->len; i++) {
		const char *directory = names->pdata[i];
		const char *version = directory + strlen(prefix);
		g_autofree char *conf = g_build_filename(system->source_tree, directory,
							 "dkms.conf", NULL);

		if (g_str_has_prefix(directory, prefix) && g_ascii_isdigit(*version) &&
		    ks_root_exists(system->root, conf) &&
		    (!best || ks_version_compare(version, best) > 0))
			best = version;
	}
	return g_strdup(best);
}

bool ks_add_named(const struct ks_cli *cli, const char *name, const char *version,
		  GError **error)
{
	const struct ks_system *system = cli->system;
	g_autofree char *found = version ? g_strdup(version) : find_version(cli, name);
	g_autofree char *own = found ? find_own_dir(system, name, found) : NULL;
	g_autofree char *dir =
		found ? g_strdup_printf("%s/%s-%s", system->source_tree, name, found)
		      : NULL;
	g_autofree char *conf_path = g_build_filename(dir ? dir : "/", "dkms.conf", NULL);
	g_autofree char *placed = NULL;
	g_autofree char *reason = NULL;
	struct ks_add_options options = {.copied = ks_add_print_copied};
	ks_auto(ks_conf) conf = NULL;

	if (!dir || !ks_root_exists(system->root, conf_path))
		return true;
	if (own) {
		if (!ks_add_snapshot(cli, name, found, &reason, error))
			return false;
		if (reason)
			ks_add_print_copied(reason, NULL);
		return true;
	}
	conf = ks_conf_load(system, cli->settings, dir, name, found, NULL, NULL);
	return !conf || ks_add_source(cli, dir, conf, &options, &placed, error);
}

bool ks_add_source(const struct ks_cli *cli, const char *dir, const struct ks_conf *conf,
		   struct ks_add_options *options, char **source_dir, GError **error)
{
	g_autofree char *to = g_strdup_printf("%s/%s-%s", cli->system->source_tree,
					      conf->package_name, conf->package_version);
	g_autofree char *used = g_strdup(to);
	g_autofree char *reason = NULL;
	ks_auto(ks_lock) lock = ks_change_lock(cli, "add", error);

	if (!lock || !place_source(cli, dir, to, options->replace, error) ||
	    !ks_tree_add(cli->system, conf->package_name, conf->package_version, to,
			 error) ||
	    !take_snapshot(cli, conf->package_name, conf->package_version, &used, &reason,
			   error) ||
	    !set_marks(cli, conf, options->asked, error))
		return false;
	if (options->added)
		options->added(options->data);
	if (reason && options->copied)
		options->copied(reason, options->data);
	run_post_add(cli, conf, used, options);
	*source_dir = g_steal_pointer(&to);
	return true;
}
