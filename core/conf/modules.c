/* SPDX-License-Identifier: GPL-2.0-or-later */
/* BUILT_MODULE_*, DEST_MODULE_* and STRIP. */
#include <string.h>

#include "core/conf/conf-private.h"
#include "core/platform/distro.h"
#include "core/support/name.h"

static void module_free(struct ks_conf_module *module)
{
	g_free(module->built_name);
	g_free(module->built_location);
	g_free(module->dest_name);
	g_free(module->dest_location);
	g_free(module->excluded);
	g_free(module);
}

static guint count(const struct ks_vars *vars)
{
	static const char *const names[] = {"BUILT_MODULE_NAME", "BUILT_MODULE_LOCATION",
					    "DEST_MODULE_NAME", "DEST_MODULE_LOCATION"};
	guint n = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		n = MAX(n, ks_vars_end(vars, names[i]));
	return n;
}

static bool has_suffix(const char *name)
{
	return g_str_has_suffix(name, ".o") || g_str_has_suffix(name, ".ko");
}

static bool check_name(const struct ks_conf_parse *parse, const char *variable,
		       guint index, const char *name, GError **error)
{
	g_autofree char *shown = ks_conf_parse_show(name);

	if (has_suffix(name))
		return ks_conf_parse_fail(parse, variable, index, error,
					  "%s[%u] '%s' ends in '.o' or '.ko'", variable,
					  index, shown);
	if (!ks_name_is_plain(name))
		return ks_conf_parse_fail(parse, variable, index, error,
					  "%s[%u] '%s' is not a module name", variable,
					  index, shown);
	return true;
}

/* The name may have a directory before it; that belongs to the location. */
static bool read_built(const struct ks_conf_parse *parse, guint index, guint n_modules,
		       struct ks_conf_module *module, GError **error)
{
	const char *name = ks_conf_parse_get(parse, "BUILT_MODULE_NAME", index);
	const char *location = ks_conf_parse_get(parse, "BUILT_MODULE_LOCATION", index);
	const char *slash;
	g_autofree char *shown = NULL;
	g_autofree char *dir = NULL;

	if (!*name && n_modules == 1)
		name = parse->conf->written_name;
	if (!*name)
		return ks_conf_parse_fail(parse, "DEST_MODULE_LOCATION", index, error,
					  "no BUILT_MODULE_NAME[%u]", index);
	/* dkms puts it after "build/", so that a slash before it has no meaning */
	while (*location == '/')
		location++;
	slash = strrchr(name, '/');
	dir = g_strdup_printf("%s%s%.*s", location,
			      *location && !g_str_has_suffix(location, "/") ? "/" : "",
			      slash ? (int)(slash + 1 - name) : 0, name);
	if (!ks_conf_is_inside(dir)) {
		shown = ks_conf_parse_show(dir);
		return ks_conf_parse_fail(
			parse, "BUILT_MODULE_LOCATION", index, error,
			"BUILT_MODULE_LOCATION[%u] '%s' leads out of the source", index,
			shown);
	}
	module->built_name = g_strdup(slash ? slash + 1 : name);
	module->built_location = g_steal_pointer(&dir);
	return check_name(parse, "BUILT_MODULE_NAME", index, module->built_name, error);
}

static bool is_location_text(const char *text)
{
	for (; *text; text++) {
		if (!g_ascii_isalnum(*text) && !strchr("/._+~:@=,%^-", *text))
			return false;
	}
	return true;
}

/* The location without "..", which leads to a directory below /lib/modules/K; or NULL. */
static char *normalize(const char *location)
{
	g_auto(GStrv) parts = g_strsplit(location, "/", -1);
	g_autoptr(GString) path = g_string_new(NULL);

	for (char **part = parts; *part; part++) {
		const char *slash = strrchr(path->str, '/');

		if (!**part || strcmp(*part, ".") == 0)
			continue;
		if (strcmp(*part, "..") != 0)
			g_string_append_printf(path, "/%s", *part);
		else if (slash)
			g_string_truncate(path, (gsize)(slash - path->str));
		else
			return NULL;
	}
	return path->len ? g_string_free(g_steal_pointer(&path), FALSE) : NULL;
}

/*
 * Where the distribution has one place for all modules the conf's has no effect
 * (dkms 3.4.3 looks at its beginning only), and is worth a warning.
 */
static bool check_location(struct ks_conf_parse *parse, guint index, char **location,
			   GError **error)
{
	const struct ks_system *system = parse->evaluation.system;
	const char *everywhere = system->modules_dest ? system->modules_dest
						      : ks_distro_find(system)->dest;
	g_autofree char *shown = ks_conf_parse_show(*location);
	g_autofree char *path = is_location_text(*location) ? normalize(*location) : NULL;

	if (path && ks_conf_is_inside(*location + 1))
		return true;
	if (!path && !everywhere)
		return ks_conf_parse_fail(
			parse, "DEST_MODULE_LOCATION", index, error,
			"DEST_MODULE_LOCATION[%u] '%s' leads out of the tree", index,
			shown);
	if (everywhere)
		ks_conf_parse_warn(parse, "DEST_MODULE_LOCATION", index,
				   "DEST_MODULE_LOCATION[%u] '%s' is no place below "
				   "/lib/modules/K; modules go to '%s' here",
				   index, shown, everywhere);
	g_free(*location);
	*location = path ? g_steal_pointer(&path) : g_strdup(everywhere);
	return true;
}

static bool read_dest(struct ks_conf_parse *parse, guint index,
		      struct ks_conf_module *module, GError **error)
{
	const char *name = ks_conf_parse_get(parse, "DEST_MODULE_NAME", index);
	const char *location = ks_conf_parse_get(parse, "DEST_MODULE_LOCATION", index);
	g_autofree char *shown = ks_conf_parse_show(location);

	module->dest_name = g_strdup(*name ? name : module->built_name);
	module->dest_location = g_strdup(location);
	if (!check_name(parse, "DEST_MODULE_NAME", index, module->dest_name, error))
		return false;
	if (!*location)
		return ks_conf_parse_fail(parse, "BUILT_MODULE_NAME", index, error,
					  "no DEST_MODULE_LOCATION[%u]", index);
	if (!g_str_has_prefix(location, "/kernel") &&
	    !g_str_has_prefix(location, "/updates") &&
	    !g_str_has_prefix(location, "/extra"))
		return ks_conf_parse_fail(parse, "DEST_MODULE_LOCATION", index, error,
					  "DEST_MODULE_LOCATION[%u] '%s' does not begin "
					  "with '/kernel', '/updates' or '/extra'",
					  index, shown);
	return check_location(parse, index, &module->dest_location, error);
}

/* dkms: only the first letter counts; without one as STRIP[0], else yes. */
static bool wants_strip(const struct ks_conf_parse *parse, guint index)
{
	const char *strip = ks_conf_parse_get(parse, "STRIP", index);

	if (!*strip)
		strip = ks_conf_parse_get(parse, "STRIP", 0);
	return *strip != 'n' && *strip != 'N';
}

static bool add_module(struct ks_conf_parse *parse, guint index, guint n_modules,
		       GError **error)
{
	struct ks_conf_module *module = g_new0(struct ks_conf_module, 1);

	g_ptr_array_add(parse->conf->modules, module);
	if (!read_built(parse, index, n_modules, module, error) ||
	    !read_dest(parse, index, module, error))
		return false;
	module->strip = wants_strip(parse, index);
	return true;
}

static bool check_unique(const struct ks_conf_parse *parse, GError **error)
{
	const GPtrArray *modules = parse->conf->modules;
	g_autoptr(GHashTable) built =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GHashTable) dest = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = 0; i < modules->len; i++) {
		struct ks_conf_module *module = modules->pdata[i];
		char *path =
			g_strconcat(module->built_location, module->built_name, NULL);

		if (!g_hash_table_add(built, path))
			return ks_conf_parse_fail(
				parse, "BUILT_MODULE_NAME", i, error,
				"BUILT_MODULE_NAME[%u] '%s' appears twice", i,
				module->built_name);
		if (!g_hash_table_add(dest, module->dest_name))
			return ks_conf_parse_fail(
				parse, "DEST_MODULE_NAME", i, error,
				"DEST_MODULE_NAME[%u] '%s' appears twice", i,
				module->dest_name);
	}
	return true;
}

bool ks_conf_parse_modules(struct ks_conf_parse *parse, GError **error)
{
	guint n_modules = count(parse->evaluation.vars);

	parse->conf->modules =
		g_ptr_array_new_with_free_func((GDestroyNotify)module_free);
	if (n_modules > KS_CONF_MAX_MODULES)
		return ks_conf_parse_fail(
			parse, "BUILT_MODULE_NAME", n_modules - 1, error,
			"the highest index is %u: no more than %d modules", n_modules - 1,
			KS_CONF_MAX_MODULES);
	for (guint i = 0; i < n_modules; i++) {
		if (!add_module(parse, i, n_modules, error))
			return false;
	}
	if (!n_modules)
		ks_conf_parse_warn(parse, "BUILT_MODULE_NAME", 0, "it has no modules");
	return check_unique(parse, error);
}
