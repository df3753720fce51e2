/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dkms ltdk: may the built modules be licensed, and loaded, as GPL? */
#include <string.h>

#include "cli/dkms/dkms-actions.h"
#include "cli/message.h"
#include "core/module/inspect.h"

#define MAX_NAMED 8

/* The modules that were built, as paths in the tree. */
static char **list_modules(const struct ks_artifact *artifact)
{
	GPtrArray *paths = g_ptr_array_new();

	for (guint i = 0; artifact && i < artifact->module_files->len; i++) {
		const char *name = g_ptr_array_index(artifact->module_files, i);

		g_ptr_array_add(paths,
				g_build_filename(artifact->dir, "module", name, NULL));
	}
	g_ptr_array_add(paths, NULL);
	return (char **)g_ptr_array_free(paths, FALSE);
}

static char *join_some(char **names)
{
	g_autoptr(GString) text = g_string_new(NULL);
	guint n = g_strv_length(names);

	for (guint i = 0; i < n && i < MAX_NAMED; i++)
		g_string_append_printf(text, "%s%s", i ? ", " : "", names[i]);
	if (n > MAX_NAMED)
		g_string_append_printf(text, " and %u more", n - MAX_NAMED);
	return g_string_free(g_steal_pointer(&text), FALSE);
}

/* True for yes. What it says of itself comes from the module, cleaned. */
static bool print_module(const struct ks_module_info *info)
{
	g_autofree char *file = g_path_get_basename(info->path);
	g_autofree char *license = ks_message_clean(info->license ? info->license : "");
	g_autofree char *names = join_some(info->gpl_only);
	guint n = g_strv_length(info->gpl_only);

	if (ks_module_is_gpl_compatible(info->license)) {
		printf("%s: yes: licence '%s'; %u GPL-only symbol(s) used\n", file,
		       license, n);
		return true;
	}
	if (n)
		printf("%s: no: licence '%s' is not compatible with the GPL, and the "
		       "module cannot be loaded with it: it uses %u GPL-only symbol(s): "
		       "%s\n",
		       file, license, n, names);
	else
		printf("%s: no: licence '%s' is not compatible with the GPL; it can be "
		       "loaded, and taints the kernel: it uses no GPL-only symbol\n",
		       file, license);
	return false;
}

static int answer_for(const struct ks_dkms *dkms, const struct ks_artifact *artifact,
		      const struct ks_kernel *kernel)
{
	g_auto(GStrv) paths = list_modules(artifact);
	g_autoptr(GPtrArray) infos = NULL;
	g_autoptr(GError) error = NULL;
	int code = KS_DKMS_OK;

	infos = ks_module_inspect(dkms->cli.system, (const char *const *)paths, kernel,
				  NULL, &error);
	if (!infos)
		return ks_dkms_fail(KS_DKMS_NOT_ALLOWED, "%s", error->message);
	printf("%s/%s for kernel %s (%s):\n", dkms->options->module,
	       dkms->options->version, kernel->release, kernel->arch);
	for (guint i = 0; i < infos->len; i++)
		if (!print_module(infos->pdata[i]))
			code = KS_DKMS_INSTALL_FAILED;
	return code;
}

static int answer(const struct ks_dkms *dkms, GPtrArray *kernels,
		  const struct ks_tree_entry *entry, const char *release)
{
	const struct ks_kernel *kernel = ks_kernel_find(kernels, release);
	const struct ks_artifact *artifact = NULL;

	for (guint i = 0; entry && i < entry->artifacts->len && !artifact; i++) {
		const struct ks_artifact *other = g_ptr_array_index(entry->artifacts, i);

		if (g_str_equal(other->release, release) && other->module_files->len)
			artifact = other;
	}
	if (!artifact)
		return ks_dkms_fail(
			KS_DKMS_NOT_IN_TREE, "Module %s/%s is not built for kernel %s.",
			dkms->options->module, dkms->options->version, release);
	if (!kernel || !kernel->symvers_path)
		return ks_dkms_fail(KS_DKMS_HEADERS_MISSING,
				    "The headers of kernel %s, whose Module.symvers says "
				    "which symbols are GPL-only, are not installed.",
				    release);
	return answer_for(dkms, artifact, kernel);
}

int ks_dkms_ltdk(struct ks_dkms *dkms)
{
	const struct ks_dkms_options *options = dkms->options;
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) entries = ks_tree_scan(dkms->cli.system, &error);
	g_autoptr(GPtrArray) kernels = NULL;
	int code = KS_DKMS_OK;

	if (entries)
		kernels = ks_kernel_list(dkms->cli.system, &error);
	if (!kernels)
		return ks_dkms_fail(KS_DKMS_NOT_ALLOWED, "%s", error->message);
	for (guint i = 0; i < options->kernels->len; i++) {
		int one = answer(dkms, kernels,
				 ks_tree_find(entries, options->module, options->version),
				 g_ptr_array_index(options->kernels, i));

		code = code ? code : one;
	}
	return code;
}
