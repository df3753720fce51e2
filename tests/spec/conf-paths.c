/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/spec/conf-paths.h"

#include "core/shell/bash.h"
#include "core/shell/dump.h"
#include "core/support/process.h"

#define MAX_OUTPUT (4u << 20)

struct ks_vars *conf_paths_base(void)
{
	static const char *const values[][2] = {
		{"kernelver", "6.1.0-56-amd64"},
		{"arch", "x86_64"},
		{"kernel_source_dir", "/lib/modules/6.1.0-56-amd64/build"},
		{"kernel_config", "/boot/config-6.1.0-56-amd64"},
		{"dkms_tree", "/var/lib/dkms"},
		{"source_tree", "/usr/src"},
		{"install_tree", "/lib/modules"},
		{"module", "foo"},
		{"module_version", "1.0"},
		{"parallel_jobs", "2"},
		{"tmp_location", "/tmp"},
		{"verbose", ""},
	};
	struct ks_vars *vars = ks_vars_new();

	for (size_t i = 0; i < G_N_ELEMENTS(values); i++)
		ks_vars_set(vars, values[i][0], 0, values[i][1]);
	return vars;
}

/* Run without the sandbox, with descriptor 3 for the answer. */
struct ks_vars *conf_paths_run(const char *cwd, const char *tools, char **argv,
			       GPtrArray *kept)
{
	g_autofree char *path = g_strconcat("PATH=", tools, NULL);
	const char *const env[] = {path, "LC_ALL=C.UTF-8", NULL};
	g_autoptr(GPtrArray) all = g_ptr_array_new();
	g_autofree char *output = NULL;
	g_autoptr(GError) error = NULL;
	struct ks_process_options options = KS_PROCESS_OPTIONS_INIT;
	ks_auto(ks_vars) read = NULL;
	size_t size_bytes;

	g_ptr_array_add(all, (char *)"sh");
	g_ptr_array_add(all, (char *)"-c");
	g_ptr_array_add(all, (char *)"exec 3>&1 >/dev/null 2>&1; \"$@\"; exit 0");
	g_ptr_array_add(all, (char *)"runner");
	for (char **arg = argv; *arg; arg++)
		g_ptr_array_add(all, *arg);
	g_ptr_array_add(all, NULL);
	options.argv = (const char *const *)all->pdata;
	options.env = env;
	options.cwd = cwd;
	output = ks_process_capture(&options, NULL, MAX_OUTPUT, &size_bytes, &error);
	g_assert_no_error(error);
	read = ks_dump_parse(output, size_bytes, ks_vars_known, kept, NULL);
	return g_steal_pointer(&read);
}

char *conf_paths_show(const struct ks_vars *vars)
{
	GString *text = g_string_new(NULL);

	for (size_t i = 0; ks_vars_known[i]; i++) {
		guint n_elements;
		const struct ks_vars_element *elements =
			ks_vars_elements(vars, ks_vars_known[i], &n_elements);

		for (guint j = 0; j < n_elements; j++)
			g_string_append_printf(text, "%s[%u]=%s\n", ks_vars_known[i],
					       elements[j].index, elements[j].value);
	}
	return g_string_free(text, FALSE);
}
