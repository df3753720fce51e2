/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dkms match: install on one kernel what another one has. */
#include "cli/dkms/dkms-actions.h"
#include "cli/dkms/dkms-engine.h"
#include "cli/dkms/dkms-source.h"

static int check(const struct ks_dkms *dkms, const char *release)
{
	const struct ks_dkms_options *options = dkms->options;
	g_autofree char *dir = NULL;

	if (!options->template_kernel || !*options->template_kernel)
		return ks_dkms_fail(KS_DKMS_NOT_ALLOWED,
				    "Invalid number of parameters passed.\n"
				    "Usage: match --templatekernel=<kernel-version> -k "
				    "<kernel-version>\n"
				    "   or: match --templatekernel=<kernel-version> -k "
				    "<kernel-version> <module>");
	if (g_str_equal(options->template_kernel, release))
		return ks_dkms_fail(KS_DKMS_NO_SOURCE,
				    "The templatekernel and the specified kernel version "
				    "are the same.");
	if (!options->module)
		return KS_DKMS_OK;
	dir = g_build_filename(dkms->cli.system->dkms_tree, options->module, NULL);
	if (ks_root_exists(dkms->cli.system->root, dir))
		return KS_DKMS_OK;
	return ks_dkms_fail(KS_DKMS_NOT_IN_TREE,
			    "The module: %s is not located in the DKMS tree.",
			    options->module);
}

/* "NAME/VERSION" of the modules installed on the template. */
static GPtrArray *list_installed(const struct ks_dkms *dkms, GError **error)
{
	const struct ks_dkms_options *options = dkms->options;
	g_autoptr(GPtrArray) entries = ks_tree_scan(dkms->cli.system, error);
	GPtrArray *modules;

	if (!entries)
		return NULL;
	modules = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; i < entries->len; i++) {
		const struct ks_tree_entry *entry = g_ptr_array_index(entries, i);

		if (options->module && !g_str_equal(options->module, entry->name))
			continue;
		for (guint j = 0; j < entry->artifacts->len; j++) {
			const struct ks_artifact *artifact =
				g_ptr_array_index(entry->artifacts, j);

			if (artifact->active &&
			    g_str_equal(artifact->release, options->template_kernel))
				g_ptr_array_add(modules,
						g_strdup_printf("%s/%s", entry->name,
								entry->version));
		}
	}
	return modules;
}

static int match_one(struct ks_dkms *dkms, const char *module, const char *release)
{
	g_auto(GStrv) parts = g_strsplit(module, "/", 2);
	struct ks_dkms_job job = ks_dkms_job(dkms);
	int code = KS_DKMS_OK;

	job.module = parts[0];
	job.version = parts[1];
	job.release = release;
	printf("Module:  %s\nVersion: %s\n", job.module, job.version);
	fflush(stdout);
	if (ks_dkms_is_broken(dkms, job))
		return ks_dkms_fail(KS_DKMS_BROKEN,
				    "%s is broken!\n"
				    "Missing the source directory or the symbolic link "
				    "pointing to it.\n"
				    "Manual intervention is required!",
				    module);
	/* only --force builds again what is built */
	if (job.force)
		code = ks_dkms_build_on(dkms, job);
	else if (ks_dkms_is_built(dkms, job))
		ks_dkms_print_built(dkms, job);
	return code ? code : ks_dkms_install_on(dkms, job);
}

int ks_dkms_match(struct ks_dkms *dkms)
{
	const char *release = g_ptr_array_index(dkms->options->kernels, 0);
	g_autofree char *arch = ks_dkms_arch(dkms, 0);
	g_autoptr(GPtrArray) modules = NULL;
	g_autoptr(GError) error = NULL;
	int code = check(dkms, release);

	if (code)
		return code;
	modules = list_installed(dkms, &error);
	if (!modules)
		return ks_dkms_fail(KS_DKMS_NOT_ALLOWED, "%s", error->message);
	printf("\nMatching modules in kernel: %s (%s)\n"
	       "to the configuration of kernel: %s (%s)\n",
	       release, arch, dkms->options->template_kernel, arch);
	if (!modules->len)
		puts("\nThere is nothing to be done for this match.");
	if (ks_dkms_leave_to_end("dkms match") ||
	    ks_run_queue_if_held_above(&dkms->cli, "dkms match"))
		return KS_DKMS_OK;
	for (guint i = 0; i < modules->len; i++) {
		int one = match_one(dkms, g_ptr_array_index(modules, i), release);

		code = code ? code : one;
	}
	return code;
}
