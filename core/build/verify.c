/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From staged .ko files to a finished artifact: checked against the kernel,
 * compressed as its own modules are, described by a manifest.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/build/build-private.h"
#include "core/module/inspect.h"
#include "core/support/durable.h"
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

static bool check(const GPtrArray *infos, GError **error)
{
	for (guint i = 0; i < infos->len; i++) {
		const struct ks_module_info *info = infos->pdata[i];
		g_autofree char *name = g_path_get_basename(info->path);

		if (info->problem) {
			ks_error_set(error, KS_ERROR_VERIFY_FAILED, "'%s': %s", name,
				     info->problem);
			return false;
		}
	}
	return true;
}

/* Digest and size of the file as it will be installed. */
static bool describe_file(const struct ks_build *build, struct ks_manifest_file *file,
			  GError **error)
{
	g_autofree char *path = staged_module(build, file->name);
	g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
	ks_autofd int fd = ks_root_openat(build->system->root, path, O_RDONLY, 0, error);
	guchar buffer[65536];
	ssize_t n;

	if (fd < 0)
		return false;
	while ((n = read(fd, buffer, sizeof(buffer))) > 0) {
		g_checksum_update(checksum, buffer, n);
		file->size_bytes += n;
	}
	file->sha256 = g_strdup(g_checksum_get_string(checksum));
	if (n == 0)
		return true;
	ks_error_set(error, KS_ERROR_FAILED, "cannot read '%s'", path);
	return false;
}

static bool compress(const struct ks_build *build, const char *path, GError **error)
{
	const char *suffix = build->request->kernel->module_suffix;
	/* ".ko.xz" of a kernel whose own modules are so */
	const char *compression =
		suffix && g_str_has_prefix(suffix, ".ko") ? suffix + 3 : "";

	if (!*compression)
		return true;
	return ks_module_compress(build->system, path, compression, error) &&
	       ks_durable_unlink(build->system->root, path, error);
}

static bool add_file(const struct ks_build *build, struct ks_manifest *manifest,
		     const struct ks_conf_module *module,
		     const struct ks_module_info *info, GError **error)
{
	const struct ks_build_request *request = build->request;
	const char *suffix = request->kernel->module_suffix;
	struct ks_manifest_file *file = g_new0(struct ks_manifest_file, 1);

	file->built_sha256 = g_strdup(build->built_digests->pdata[manifest->files->len]);
	g_ptr_array_add(manifest->files, file);
	file->name = g_strconcat(module->dest_name, suffix ? suffix : ".ko", NULL);
	file->dest_dir = request->dest_dir
				 ? g_strdup(request->dest_dir)
				 : g_build_filename(request->kernel->modules_dir,
						    module->dest_location, NULL);
	file->aliases = g_strdupv(info->aliases);
	file->exports = g_strdupv(info->exports);
	return compress(build, info->path, error) && describe_file(build, file, error);
}

/* What happens after compiling, on top of the build fingerprint. */
static char *finish_fingerprint(const struct ks_build_request *request)
{
	g_autoptr(GString) text = g_string_new("finish 1\n");
	const char *suffix = request->kernel->module_suffix;

	g_string_append_printf(text, "build %s\nsuffix %s\n", request->fingerprint,
			       suffix ? suffix : ".ko");
	for (guint i = 0; i < request->conf->modules->len; i++) {
		const struct ks_conf_module *module = request->conf->modules->pdata[i];

		g_string_append_printf(text, "strip %s %d\n", module->dest_name,
				       module->strip);
	}
	return ks_digest_data(text->str, text->len);
}

static struct ks_manifest *make_manifest(const struct ks_build *build,
					 const GPtrArray *infos, GError **error)
{
	const struct ks_build_request *request = build->request;
	ks_auto(ks_manifest) manifest =
		ks_manifest_new(request->module, request->version,
				request->kernel->release, request->kernel->arch);
	guint n = 0;

	manifest->build_fingerprint = g_strdup(request->fingerprint);
	manifest->finish_fingerprint = finish_fingerprint(request);
	manifest->sandbox_layers = ks_sandbox_layers_to_string(build->layers);
	manifest->built_at_us = g_get_real_time();
	manifest->build_duration_ms = build->used_us / 1000;
	for (guint i = 0; i < request->conf->modules->len; i++) {
		const struct ks_conf_module *module = request->conf->modules->pdata[i];

		if (!module->excluded &&
		    !add_file(build, manifest, module, infos->pdata[n++], error))
			return NULL;
	}
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
