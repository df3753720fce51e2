/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See export.h. */
#include "cli/export.h"

#include <errno.h>

#include "core/package/make.h"
#include "core/support/error.h"

void ks_exported_free(gpointer data)
{
	struct ks_exported *exported = data;

	g_free(exported->module);
	g_free(exported->version);
	g_free(exported->release);
	g_free(exported->arch);
	g_free(exported->path);
	g_free(exported);
}

/* The writer does not run in our directory. */
static char *make_output_dir(const struct ks_export *export, GError **error)
{
	g_autofree char *dir = g_canonicalize_filename(export->output_dir, NULL);

	if (g_mkdir_with_parents(dir, 0755) == 0)
		return g_steal_pointer(&dir);
	ks_error_set_errno(error, errno, "cannot make '%s'", dir);
	return NULL;
}

static bool make(const struct ks_cli *cli, const struct ks_export *export,
		 struct ks_package *package, GPtrArray *made, GError **error)
{
	g_autofree char *dir = make_output_dir(export, error);
	g_autofree char *path = NULL;
	struct ks_exported *exported;

	if (!dir)
		return false;
	path = ks_package_make(cli->system, export->format, package, dir, error);
	if (!path)
		return false;
	exported = g_new0(struct ks_exported, 1);
	exported->module = g_strdup(package->module);
	exported->version = g_strdup(package->version);
	exported->release = g_strdup(package->release);
	exported->arch = package->release ? g_strdup(package->arch) : NULL;
	exported->path = g_steal_pointer(&path);
	g_ptr_array_add(made, exported);
	return true;
}

static bool check_artifact(const char *module, const char *version,
			   const struct ks_artifact *artifact, GError **error)
{
	if (artifact->manifest)
		return true;
	ks_error_set(error, KS_ERROR_NOT_FOUND,
		     "cannot package %s/%s on %s: dkms has built it", module, version,
		     artifact->release);
	ks_error_hint(error, "'kmodsmith sync' takes it over");
	return false;
}

bool ks_export_artifact(const struct ks_cli *cli, const struct ks_export *export,
			struct ks_digest_cache *cache, const char *module,
			const char *version, const struct ks_artifact *artifact,
			const char *source_dir, GPtrArray *made, GError **error)
{
	ks_auto(ks_package) package = NULL;

	if (!check_artifact(module, version, artifact, error))
		return false;
	package = ks_package_of_artifact(cli->system, cache, artifact->manifest,
					 source_dir, &export->options, error);
	return package && make(cli, export, package, made, error);
}

bool ks_export_target(const struct ks_cli *cli, const struct ks_export *export,
		      struct ks_digest_cache *cache, const struct ks_target *target,
		      GPtrArray *made, GError **error)
{
	const struct ks_source *source = target->source;

	if (target->artifact && target->artifact->module_files->len)
		return ks_export_artifact(cli, export, cache, source->name,
					  source->version, target->artifact, source->path,
					  made, error);
	ks_error_set(error, KS_ERROR_NOT_FOUND,
		     "cannot package %s/%s on %s: it is not built", source->name,
		     source->version, target->kernel->release);
	ks_error_hint(error, "'kmodsmith build %s/%s -k %s' builds it", source->name,
		      source->version, target->kernel->release);
	return false;
}

bool ks_export_source(const struct ks_cli *cli, const struct ks_export *export,
		      struct ks_digest_cache *cache, const char *module,
		      const char *version, const char *source_dir, GPtrArray *made,
		      GError **error)
{
	ks_auto(ks_package) package = ks_package_of_source(
		cli->system, cache, module, version, source_dir, &export->options, error);

	return package && make(cli, export, package, made, error);
}
