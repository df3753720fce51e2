/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inputs of a build besides the conf: the directives of the command line,
 * and what framework.conf's build_environment exports.
 */
#include <string.h>

#include "core/shell/bash.h"
#include "core/conf/conf-private.h"
#include "core/settings/framework.h"
#include "core/settings/settings.h"

/* "NAME=value" as NAME and value. */
static const char *split(const char *directive, char **name)
{
	const char *equals = strchr(directive, '=');

	*name = g_strndup(directive, (size_t)(equals - directive));
	return equals + 1;
}

static const char *const *get_directives(const struct ks_conf_parse *parse)
{
	static const char *const none[] = {NULL};
	const struct ks_conf_overrides *overrides =
		parse->settings ? parse->settings->overrides : NULL;

	if (!overrides || !overrides->directives ||
	    !ks_conf_overrides_match(overrides, parse->evaluation.name,
				     parse->evaluation.version))
		return none;
	return overrides->directives;
}

static bool is_known(const char *name)
{
	return g_strv_contains(ks_vars_known, name);
}

void ks_conf_apply_directives(struct ks_conf_parse *parse)
{
	for (const char *const *p = get_directives(parse); *p; p++) {
		g_autofree char *name = NULL;
		const char *value = split(*p, &name);

		if (is_known(name))
			ks_vars_set(parse->evaluation.vars, name, 0, value);
	}
}

void ks_conf_digest_directives(const struct ks_conf_parse *parse, GString *text)
{
	for (const char *const *p = get_directives(parse); *p; p++)
		g_string_append_printf(text, "directive %zu %s\n", strlen(*p), *p);
}

/* --- build_environment */

static char **read_file(struct ks_conf_parse *parse, const char *path, GError **error)
{
	const struct ks_evaluation *evaluation = &parse->evaluation;
	g_autofree char *label = ks_root_host_path(evaluation->system->root, path);
	g_autofree char *cwd = g_path_get_dirname(path);
	g_autoptr(GPtrArray) notes = g_ptr_array_new_with_free_func(g_free);
	ks_auto(ks_vars) before = ks_conf_base_vars(evaluation, parse->settings);
	ks_auto(ks_conf_view) view = ks_conf_view_open_plain(evaluation->system, cwd);
	g_autofree char *file = ks_conf_view_file(view, path, NULL, error);
	const struct ks_bash_input input = {
		.label = label,
		.view = view,
		.file = file,
		.before = before,
		.sandbox = evaluation->sandbox,
	};

	if (!file)
		return NULL;
	return ks_bash_environment(evaluation->system, &input, notes, error);
}

/*
 * Once a run for each kernel: $module makes no sense in a file that is for all
 * modules, and is reported as empty.
 */
static bool get_build_environment(struct ks_conf_parse *parse, char ***variables,
				  GError **error)
{
	const struct ks_framework *framework =
		parse->settings ? parse->settings->framework : NULL;
	const char *path = framework ? framework->build_environment : NULL;
	struct ks_kernel *kernel = parse->evaluation.kernel;
	struct stat st;

	*variables = NULL;
	if (!path || !kernel)
		return true;
	if (!ks_root_stat(parse->evaluation.system->root, path, &st) ||
	    !S_ISREG(st.st_mode)) {
		g_ptr_array_add(parse->conf->warnings,
				g_strdup_printf("build_environment: no file '%s'", path));
		return true;
	}
	*variables = g_hash_table_lookup(framework->environments, kernel->release);
	if (*variables)
		return true;
	*variables = read_file(parse, path, error);
	if (!*variables)
		return false;
	g_hash_table_insert(framework->environments, g_strdup(kernel->release),
			    *variables);
	return true;
}

bool ks_conf_read_environment(struct ks_conf_parse *parse, GError **error)
{
	g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(g_free);
	char **variables;

	if (!get_build_environment(parse, &variables, error))
		return false;
	for (; variables && *variables; variables++)
		g_ptr_array_add(all, g_strdup(*variables));
	for (const char *const *p = get_directives(parse); *p; p++) {
		g_autofree char *name = NULL;

		split(*p, &name);
		if (!is_known(name))
			g_ptr_array_add(all, g_strdup(*p));
	}
	if (!all->len)
		return true;
	g_ptr_array_add(all, NULL);
	parse->conf->environment =
		(char **)g_ptr_array_free(g_steal_pointer(&all), FALSE);
	return true;
}
