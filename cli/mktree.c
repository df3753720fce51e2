/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making and removing a source and its entry. */
#include "cli/mktree.h"

#include <string.h>

#include "cli/add.h"
#include "cli/change.h"
#include "core/support/durable.h"
#include "core/support/error.h"
#include "core/platform/lock.h"
#include "core/support/treeop.h"
#include "core/support/name.h"

static char *place_of(const struct ks_cli *cli, const char *name, const char *version)
{
	return g_strdup_printf("%s/%s-%s", cli->system->source_tree, name, version);
}

static char *mark_of(const struct ks_cli *cli, const char *name, const char *version)
{
	return g_build_filename(cli->system->state_dir, "marks", name, version, "mktree",
				NULL);
}

static char *digest_of(const struct ks_cli *cli, const char *dir, GError **error)
{
	ks_auto(ks_digest_cache) cache = ks_digest_cache_open(cli->system);

	return ks_digest_tree(cache, dir, error);
}

/* --- making */

static bool is_free(const struct ks_cli *cli, const char *name, const char *version,
		    const char *place, GError **error)
{
	g_autofree char *entry = ks_tree_entry_path(cli->system, name, version);
	const char *taken = NULL;
	struct stat st;

	if (ks_root_lstat(cli->system->root, place, &st))
		taken = place;
	else if (ks_root_lstat(cli->system->root, entry, &st))
		taken = entry;
	if (!taken)
		return true;
	ks_error_set(error, KS_ERROR_DENIED, "'%s' is there already", taken);
	return false;
}

static bool write_file(const struct ks_cli *cli, const char *dir, const char *name,
		       const char *text, GError **error)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);

	return ks_durable_write(cli->system->root, path, text, strlen(text), 0644, error);
}

/* A name that obj-m accepts, and the kernel, which makes a C name of it. */
static char *object_name(const char *name)
{
	char *object = g_strdup(name);

	for (char *c = object; *c; c++)
		if (!g_ascii_isalnum(*c))
			*c = '_';
	return object;
}

static bool write_beginning(const struct ks_cli *cli, const char *dir, const char *name,
			    const char *version, GError **error)
{
	g_autofree char *object = object_name(name);
	g_autofree char *file = g_strconcat(object, ".c", NULL);
	g_autofree char *conf = g_strdup_printf("PACKAGE_NAME=\"%s\"\n"
						"PACKAGE_VERSION=\"%s\"\n"
						"BUILT_MODULE_NAME[0]=\"%s\"\n"
						"DEST_MODULE_LOCATION[0]=\"/updates\"\n"
						"#AUTOINSTALL=\"yes\"\n",
						name, version, object);
	g_autofree char *makefile = g_strdup_printf("obj-m := %s.o\n", object);
	g_autofree char *source = g_strdup_printf("#include <linux/module.h>\n\n"
						  "MODULE_LICENSE(\"GPL\");\n"
						  "MODULE_VERSION(\"%s\");\n",
						  version);

	return ks_root_mkdir_p(cli->system->root, dir, 0755, error) &&
	       write_file(cli, dir, "Makefile", makefile, error) &&
	       write_file(cli, dir, file, source, error) &&
	       write_file(cli, dir, "dkms.conf", conf, error);
}

/* Under another name until it is whole. */
static bool make_beginning(const struct ks_cli *cli, const char *name,
			   const char *version, const char *place, GError **error)
{
	const struct ks_root *root = cli->system->root;
	g_autofree char *staged =
		g_strdup_printf("%s/%s%s-%s", cli->system->source_tree,
				KS_DURABLE_TEMPORARY_PREFIX, name, version);

	if (ks_treeop_remove(root, staged, error) &&
	    write_beginning(cli, staged, name, version, error) &&
	    ks_durable_rename(root, staged, place, error))
		return true;
	ks_ignore(ks_treeop_remove(root, staged, NULL));
	return false;
}

static bool set_mark(const struct ks_cli *cli, const char *name, const char *version,
		     const char *place, GError **error)
{
	g_autofree char *mark = mark_of(cli, name, version);
	g_autofree char *digest = digest_of(cli, place, error);

	return digest && ks_durable_write(cli->system->root, mark, digest, strlen(digest),
					  0644, error);
}

/* Made for what its conf says: another name or version on the command line is a slip. */
static bool is_named(const struct ks_cli *cli, const char *from, const char *name,
		     const char *version, GError **error)
{
	ks_auto(ks_conf) conf =
		ks_conf_load(cli->system, cli->settings, from, NULL, NULL, NULL, error);

	if (!conf)
		return false;
	if (g_str_equal(conf->package_name, name) &&
	    g_str_equal(conf->package_version, version))
		return true;
	ks_error_set(error, KS_ERROR_INVALID, "'%s' is %s/%s, not %s/%s", from,
		     conf->package_name, conf->package_version, name, version);
	return false;
}

bool ks_mktree_make(const struct ks_cli *cli, const char *name, const char *version,
		    const char *from, char **source_dir, GError **error)
{
	g_autofree char *place = place_of(cli, name, version);
	g_autofree char *added = NULL;
	ks_auto(ks_conf) conf = NULL;

	if (!ks_name_is_plain(name) || !ks_name_is_plain(version)) {
		ks_error_set(error, KS_ERROR_INVALID, "'%s/%s' is no name of a module",
			     name, version);
		return false;
	}
	if ((from && !is_named(cli, from, name, version, error)) ||
	    !is_free(cli, name, version, place, error) ||
	    (!from && !make_beginning(cli, name, version, place, error)))
		return false;
	conf = ks_conf_load(cli->system, cli->settings, from ? from : place, name,
			    version, NULL, error);
	if (!conf || !ks_add_source(cli, from ? from : place, conf,
				    &(struct ks_add_options){0}, &added, error))
		return false;
	/* the digest of the copy: without it nothing is removed again */
	if (!set_mark(cli, name, version, place, error))
		return false;
	*source_dir = g_steal_pointer(&place);
	return true;
}

/* --- removing */

static bool check_mark(const struct ks_cli *cli, const char *mark, const char *place,
		       bool force, GError **error)
{
	g_autofree char *was =
		ks_root_read_file(cli->system->root, mark, 128, NULL, NULL);
	g_autofree char *is = NULL;
	struct stat st;

	if (!was) {
		ks_error_set(error, KS_ERROR_DENIED,
			     "cannot remove '%s': it was not made by mktree", place);
		ks_error_hint(error,
			      "the package or the person that put it there removes "
			      "it");
		return false;
	}
	if (!ks_root_lstat(cli->system->root, place, &st))
		return true;
	if (!S_ISDIR(st.st_mode)) {
		ks_error_set(error, KS_ERROR_DENIED,
			     "cannot remove '%s': it is no directory any more", place);
		return false;
	}
	is = digest_of(cli, place, error);
	if (!is)
		return false;
	if (force || g_str_equal(is, was))
		return true;
	ks_error_set(error, KS_ERROR_DENIED,
		     "cannot remove '%s': it has changed since mktree made it", place);
	ks_error_hint(error, "--force removes it, and what was changed with it");
	return false;
}

/* No build of it exists, and the entry in T is about it. */
static bool check_entry(const struct ks_cli *cli, const char *name, const char *version,
			const char *place, GError **error)
{
	g_autoptr(GPtrArray) entries = ks_tree_scan(cli->system, error);
	const struct ks_tree_entry *entry;

	if (!entries)
		return false;
	entry = ks_tree_find(entries, name, version);
	if (!entry)
		return true;
	if (entry->artifacts->len) {
		const struct ks_artifact *artifact = entry->artifacts->pdata[0];

		ks_error_set(error, KS_ERROR_DENIED,
			     "cannot remove %s/%s: it is %s on %s", name, version,
			     artifact->active ? "installed" : "built", artifact->release);
		ks_error_hint(error, "'dkms remove %s/%s --all' takes it away", name,
			      version);
		return false;
	}
	if (!entry->source_dir || g_str_equal(entry->source_dir, place))
		return true;
	ks_error_set(error, KS_ERROR_DENIED, "cannot remove %s/%s: its source is '%s'",
		     name, version, entry->source_dir);
	return false;
}

bool ks_mktree_remove(const struct ks_cli *cli, const char *name, const char *version,
		      bool force, GError **error)
{
	g_autofree char *place = place_of(cli, name, version);
	g_autofree char *mark = mark_of(cli, name, version);
	ks_auto(ks_lock) lock = NULL;

	if (!ks_name_is_plain(name) || !ks_name_is_plain(version)) {
		ks_error_set(error, KS_ERROR_INVALID, "'%s/%s' is no name of a module",
			     name, version);
		return false;
	}
	lock = ks_change_lock(cli, "unmktree", error);
	/* the entry first, the mark last: whatever is left can be removed again */
	return lock && check_entry(cli, name, version, place, error) &&
	       check_mark(cli, mark, place, force, error) &&
	       ks_tree_remove(cli->system, name, version, error) &&
	       ks_treeop_remove(cli->system->root, place, error) &&
	       ks_durable_unlink(cli->system->root, mark, error);
}
