/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From staged .ko files to a finished artifact: checked against the kernel,
 * signed, compressed as its own modules are, described by a manifest.
 */
#include "core/compile/compile-private.h"
#include "core/inventory/fingerprint.h"
#include "core/module/inspect.h"
#include "core/sign/finish.h"
#include "core/support/error.h"

static char *staged_module(const struct ks_build *build, const char *file)
{
	return g_build_filename(build->staged_dir, "module", file, NULL);
}

static char **staged_paths(const struct ks_build *build)
{
	const GPtrArray *modules = build->request->conf->modules;
	GPtrArray *paths = g_ptr_array_new();

	for (guint i = 0; i < modules->len; i++) {
		const struct ks_conf_module *module = modules->pdata[i];
		g_autofree char *file = g_strconcat(module->dest_name, ".ko", NULL);

		if (!module->excluded)
			g_ptr_array_add(paths, staged_module(build, file));
	}
	g_ptr_array_add(paths, NULL);
	return (char **)g_ptr_array_free(paths, FALSE);
}

/* Hostile symbols may be longer than a manifest takes. */
#define UNRESOLVED_MAX_CHARS 1000

/*
 * A module that needs what nothing exports does no harm: its provider may be another
 * maker's and come later, or be replaced by one that has other CRCs than the kernel's
 * own. It is in place then, and its state says what is missing until it is there. What
 * is for another kernel or machine will never fit.
 */
static bool check(const GPtrArray *infos, GError **error)
{
	for (guint i = 0; i < infos->len; i++) {
		const struct ks_module_info *info = infos->pdata[i];
		g_autofree char *name = g_path_get_basename(info->path);

		if (info->problem && !info->is_unresolved) {
			ks_error_set(error, KS_ERROR_VERIFY_FAILED, "'%s': %s", name,
				     info->problem);
			return false;
		}
	}
	return true;
}

/* A failure of signing alone is fatal, or a warning. */
static bool take_sign_error(struct ks_build *build, GError *cause, GError **error)
{
	const struct ks_signing *signing = build->request->signing;

	if (!cause)
		return true;
	if (!signing->enforced_by) {
		g_ptr_array_add(build->warnings, cause);
		return true;
	}
	build->is_outside = true;
	g_propagate_error(error, cause);
	g_prefix_error(error, "only signed modules can be loaded here (%s): ",
		       signing->enforced_by);
	return false;
}

/* Confs write "/kernel/drivers/net/", too; in a manifest a directory has one name. */
static char *find_dest_dir(const struct ks_build_request *request,
			   const struct ks_conf_module *module)
{
	g_autofree char *written = g_build_filename(request->kernel->modules_dir,
						    module->dest_location, NULL);

	return g_canonicalize_filename(request->dest_dir ? request->dest_dir : written,
				       "/");
}

static bool add_file(struct ks_build *build, struct ks_manifest *manifest,
		     const struct ks_conf_module *module,
		     const struct ks_module_info *info, GError **error)
{
	const struct ks_build_request *request = build->request;
	const char *suffix = request->kernel->module_suffix;
	struct ks_manifest_file *file = g_new0(struct ks_manifest_file, 1);
	GError *cause = NULL;

	file->built_sha256 = g_strdup(build->built_digests->pdata[manifest->files->len]);
	g_ptr_array_add(manifest->files, file);
	file->name = g_strconcat(module->dest_name, suffix ? suffix : ".ko", NULL);
	file->dest_dir = find_dest_dir(request, module);
	file->version = g_strdup(info->version);
	file->srcversion = g_strdup(info->srcversion);
	file->aliases = g_strdupv(info->aliases);
	file->exports = g_strdupv(info->exports);
	file->missing = g_strdupv(info->missing);
	if (info->problem)
		file->unresolved = g_utf8_substring(
			info->problem, 0,
			MIN(g_utf8_strlen(info->problem, -1), UNRESOLVED_MAX_CHARS));
	if (!ks_finish_file(build->system, request->kernel, request->signing, info->path,
			    file, &cause, error)) {
		g_clear_error(&cause);
		return false;
	}
	return take_sign_error(build, cause, error);
}

static struct ks_manifest *make_manifest(struct ks_build *build, const GPtrArray *infos,
					 GError **error)
{
	const struct ks_build_request *request = build->request;
	ks_auto(ks_manifest) manifest =
		ks_manifest_new(request->module, request->version,
				request->kernel->release, request->kernel->arch);
	guint n = 0;

	manifest->build_fingerprint = g_strdup(request->fingerprint);
	manifest->covers = g_strdup(ks_fingerprint_covers());
	manifest->sandbox_layers = build->reused
					   ? g_strdup(build->reused->sandbox_layers)
					   : ks_sandbox_layers_to_string(build->layers);
	manifest->built_at_us =
		build->reused ? build->reused->stored_at_us : g_get_real_time();
	manifest->build_duration_ms =
		build->reused ? build->reused->duration_ms : build->used_us / 1000;
	for (guint i = 0; i < request->conf->modules->len; i++) {
		const struct ks_conf_module *module = request->conf->modules->pdata[i];

		if (!module->excluded &&
		    !add_file(build, manifest, module, infos->pdata[n++], error))
			return NULL;
	}
	ks_finish_describe(manifest, request->signing, build->warnings->len > 0);
	manifest->finish_fingerprint = ks_finish_fingerprint(manifest, request->kernel);
	return g_steal_pointer(&manifest);
}

struct ks_manifest *ks_build_verify(struct ks_build *build, enum ks_reason *reason,
				    GError **error)
{
	const struct ks_build_request *request = build->request;
	g_auto(GStrv) paths = staged_paths(build);
	g_autofree char *manifest_path =
		g_build_filename(build->staged_dir, "manifest", NULL);
	g_autoptr(GPtrArray) infos = NULL;
	ks_auto(ks_manifest) manifest = NULL;

	*reason = KS_REASON_BUILD_FAILED;
	infos = ks_module_inspect(build->system, (const char *const *)paths,
				  request->kernel, request->extra_symvers, error);
	if (!infos)
		return NULL;
	if (!check(infos, error)) {
		*reason = KS_REASON_VERIFY_FAILED;
		return NULL;
	}
	manifest = make_manifest(build, infos, error);
	if (!manifest ||
	    !ks_manifest_store(build->system, manifest, manifest_path, error))
		return NULL;
	return g_steal_pointer(&manifest);
}
