/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inputs of reading a dkms.conf: its files in dkms's order, and the
 * variables they see.
 */
#include "core/conf/conf-private.h"
#include "core/settings/framework.h"
#include "core/settings/settings.h"
#include "core/kernel/uname.h"

/* dkms 3.4.3's order, including the two that its manual does not mention. */
static GPtrArray *list_overrides(const struct ks_evaluation *evaluation)
{
	const char *m = evaluation->name, *v = evaluation->version;
	const char *k = evaluation->kernel ? evaluation->kernel->release : NULL;
	const char *a = evaluation->arch;
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);

	if (!*m)
		return names;
	g_ptr_array_add(names, g_strdup_printf("%s.conf", m));
	g_ptr_array_add(names, g_strdup_printf("%s-%s.conf", m, v));
	if (!k)
		return names;
	g_ptr_array_add(names, g_strdup_printf("%s-%s-%s.conf", m, v, k));
	g_ptr_array_add(names, g_strdup_printf("%s-%s-%s-%s.conf", m, v, k, a));
	g_ptr_array_add(names, g_strdup_printf("%s--%s.conf", m, k));
	g_ptr_array_add(names, g_strdup_printf("%s--%s-%s.conf", m, k, a));
	return names;
}

/* The source's own, or the one that the command line names. */
static char *find_conf(const struct ks_evaluation *evaluation,
		       const struct ks_settings *settings)
{
	const struct ks_conf_overrides *overrides = settings ? settings->overrides : NULL;

	if (ks_conf_overrides_match(overrides, evaluation->name, evaluation->version) &&
	    overrides->conf_path)
		return g_strdup(overrides->conf_path);
	return g_build_filename(evaluation->source_dir, "dkms.conf", NULL);
}

bool ks_conf_add_files(struct ks_evaluation *evaluation,
		       const struct ks_settings *settings, GError **error)
{
	const struct ks_system *system = evaluation->system;
	g_autoptr(GPtrArray) names = list_overrides(evaluation);
	g_autofree char *conf = find_conf(evaluation, settings);

	if (!ks_evaluation_add_file(evaluation, conf, error))
		return false;
	for (guint i = 0; i < names->len; i++) {
		g_autofree char *path =
			g_build_filename(system->dkms_etc, names->pdata[i], NULL);
		struct stat st;

		/* an empty override is a way to say nothing */
		if (!ks_root_stat(system->root, path, &st) || st.st_size == 0)
			continue;
		if (!ks_evaluation_add_file(evaluation, path, error))
			return false;
	}
	return true;
}

struct ks_vars *ks_conf_base_vars(const struct ks_evaluation *evaluation,
				  const struct ks_settings *settings)
{
	const struct ks_system *system = evaluation->system;
	struct ks_kernel *kernel = evaluation->kernel;
	const char *uname = kernel ? ks_kernel_uname(system, kernel) : NULL;
	const struct ks_framework *framework = settings ? settings->framework : NULL;
	unsigned int jobs = settings ? settings->n_jobs : 0;
	const char *release = kernel ? kernel->release : "";
	g_autofree char *headers =
		kernel ? g_strdup(kernel->headers_dir)
		       : g_strconcat(system->install_tree, "//build", NULL);
	g_autofree char *n_jobs =
		g_strdup_printf("%u", jobs ? jobs : g_get_num_processors());
	struct ks_vars *vars = ks_vars_new();
	const char *const values[][2] = {
		{"kernelver", release},
		{"arch", evaluation->arch},
		{"kernel_source_dir", headers},
		{"kernel_config", kernel ? kernel->config_path : NULL},
		{"dkms_tree", system->dkms_tree},
		{"source_tree", system->source_tree},
		{"install_tree", system->install_tree},
		{"module", evaluation->name},
		{"module_version", evaluation->version},
		{"parallel_jobs", n_jobs},
		{"tmp_location", framework ? framework->tmp_location : "/tmp"},
		{"verbose", framework && framework->verbose ? "1" : ""},
		{KS_UNAME_ENV, uname},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(values); i++)
		ks_vars_set(vars, values[i][0], 0, values[i][1] ? values[i][1] : "");
	return vars;
}
