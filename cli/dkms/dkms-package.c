/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dkms mkdeb, mkbmdeb and mkrpm, which dkms had until 3.0: the source as a
 * package, or with --binaries-only (always for mkbmdeb) the builds.
 */
#include "cli/dkms/dkms-actions.h"
#include "cli/dkms/dkms-built.h"
#include "cli/export.h"
#include "core/support/error.h"

static int print_made(const GPtrArray *made)
{
	for (guint i = 0; i < made->len; i++) {
		const struct ks_exported *exported = g_ptr_array_index(made, i);

		printf("Package location: %s\n", exported->path);
	}
	return KS_DKMS_OK;
}

static int fail(const GError *error)
{
	const char *hint = ks_error_get_hint(error);

	return ks_dkms_fail(KS_DKMS_INSTALL_FAILED, "%s%s%s", error->message,
			    hint ? "\n" : "", hint ? hint : "");
}

/* One package for each build. */
static int package_builds(struct ks_dkms *dkms, const struct ks_export *export,
			  struct ks_digest_cache *cache, const char *source,
			  GPtrArray *made)
{
	g_autoptr(GPtrArray) artifacts = g_ptr_array_new();
	g_autoptr(GPtrArray) entries = NULL;
	g_autoptr(GError) error = NULL;
	int code;

	entries = ks_tree_scan(dkms->cli.system, &error);
	if (!entries)
		return fail(error);
	code = ks_dkms_find_built(dkms, dkms->options->action, entries, artifacts);
	for (guint i = 0; !code && i < artifacts->len; i++) {
		const struct ks_artifact *artifact = g_ptr_array_index(artifacts, i);

		if (!ks_export_artifact(&dkms->cli, export, cache, dkms->options->module,
					dkms->options->version, artifact, source, made,
					&error))
			code = fail(error);
	}
	return code;
}

/*
 * The host's path of dir, made first and without a link in it: one in the tree leads
 * somewhere in the tree.
 */
static char *make_output_dir(const struct ks_root *root, const char *dir, GError **error)
{
	g_autofree char *real = NULL;

	if (!ks_root_mkdir_p(root, dir, 0755, error))
		return NULL;
	real = ks_root_realpath(root, dir);
	if (!real)
		ks_error_set(error, KS_ERROR_FAILED, "cannot find '%s%s'",
			     ks_root_prefix(root), dir);
	return real ? ks_root_host_path(root, real) : NULL;
}

static int package(struct ks_dkms *dkms, const char *format, const char *dir_name,
		   bool binaries)
{
	const struct ks_dkms_options *options = dkms->options;
	const struct ks_system *system = dkms->cli.system;
	g_autofree char *entry =
		ks_tree_entry_path(system, options->module, options->version);
	g_autofree char *source = g_build_filename(entry, "source", NULL);
	g_autofree char *dir = g_build_filename(entry, dir_name, NULL);
	g_autoptr(GError) error = NULL;
	g_autofree char *output = make_output_dir(system->root, dir, &error);
	const struct ks_export export = {
		.format = format,
		.output_dir = output,
		.options.mtime = ks_package_parse_epoch(g_getenv("SOURCE_DATE_EPOCH")),
	};
	ks_auto(ks_digest_cache) cache = ks_digest_cache_open(system);
	g_autoptr(GPtrArray) made = g_ptr_array_new_with_free_func(ks_exported_free);
	int code = KS_DKMS_OK;

	if (!output)
		return fail(error);
	if (binaries)
		code = package_builds(dkms, &export, cache, source, made);
	else if (!ks_export_source(&dkms->cli, &export, cache, options->module,
				   options->version, source, made, &error))
		code = fail(error);
	print_made(made);
	return code;
}

int ks_dkms_mkdeb(struct ks_dkms *dkms)
{
	return package(dkms, "deb", "deb", dkms->options->binaries_only);
}

int ks_dkms_mkbmdeb(struct ks_dkms *dkms)
{
	return package(dkms, "deb", "bmdeb", true);
}

int ks_dkms_mkrpm(struct ks_dkms *dkms)
{
	return package(dkms, "rpm", "rpm", dkms->options->binaries_only);
}
