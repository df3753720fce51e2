/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the variables of a conf to struct ks_conf; no value is trusted. */
#include "core/conf/conf.h"

#include <string.h>

#include "core/conf/conf-private.h"
#include "core/settings/settings.h"
#include "core/platform/digest.h"
#include "core/support/error.h"
#include "core/support/name.h"

#define MAX_PATCH_BYTES (64u << 20)

void ks_conf_free(struct ks_conf *conf)
{
	if (!conf)
		return;
	g_free(conf->package_name);
	g_free(conf->package_version);
	g_free(conf->written_name);
	g_free(conf->written_version);
	g_clear_pointer(&conf->modules, g_ptr_array_unref);
	g_free(conf->make);
	g_free(conf->clean);
	g_strfreev(conf->patches);
	g_free(conf->post_add);
	g_free(conf->pre_build);
	g_free(conf->post_build);
	g_free(conf->pre_install);
	g_free(conf->post_install);
	g_free(conf->post_remove);
	g_strfreev(conf->build_depends);
	g_strfreev(conf->environment);
	g_strfreev(conf->deprecated);
	g_free(conf->exclusion_text);
	g_free(conf->text_digest);
	g_clear_pointer(&conf->warnings, g_ptr_array_unref);
	g_free(conf);
}

/* A word between two of the same character that no version has around it. */
bool ks_conf_is_template(const char *text)
{
	size_t length = strlen(text);
	char mark = *text;

	if (length < 3 || !strchr("#@%", mark) || text[length - 1] != mark)
		return false;
	for (size_t i = 1; i + 1 < length; i++)
		if (!g_ascii_isalnum(text[i]) && !strchr("_-.", text[i]))
			return false;
	return true;
}

/* Fail: the value is no name, and the caller gives the source no other. */
static bool fail_name(const struct ks_conf_parse *parse, const char *variable,
		      const char *shown, GError **error)
{
	if (!ks_conf_is_template(shown))
		return ks_conf_parse_fail(parse, variable, 0, error,
					  "%s '%s' is not a name: letters, digits and "
					  "._+~:@=,%%^- only, no '..' in it and no "
					  "'.' or '-' before it",
					  variable, shown);
	ks_conf_parse_fail(parse, variable, 0, error,
			   "%s '%s' is a template that nobody has filled in", variable,
			   shown);
	ks_error_hint(error, "its vendor's install script does that; or copy the source "
			     "to /usr/src/NAME-VERSION, and that name is used");
	return false;
}

/*
 * The caller's name comes first, as in dkms; another one in the conf is only
 * worth a warning.
 */
static bool read_name(struct ks_conf_parse *parse, const char *variable,
		      const char *called, char **written, char **out, GError **error)
{
	const char *value = ks_conf_parse_get(parse, variable, 0);
	g_autofree char *shown = ks_conf_parse_show(value);

	if (!*value)
		return ks_conf_parse_fail(parse, variable, 0, error, "no %s", variable);
	*written = g_strdup(value);
	*out = g_strdup(called ? called : value);
	if (!called && (!ks_name_is_plain(value) || ks_conf_is_template(value)))
		return fail_name(parse, variable, shown, error);
	if (called && strcmp(value, called) != 0)
		ks_conf_parse_warn(parse, variable, 0,
				   "%s is '%s', but it is called '%s'", variable, shown,
				   called);
	return true;
}

static bool read_bool(struct ks_conf_parse *parse, const char *variable, bool *out,
		      GError **error)
{
	const char *value = ks_conf_parse_get(parse, variable, 0);
	g_autofree char *shown = NULL;

	if (*value == 'y' || *value == 'Y') {
		*out = true;
		return true;
	}
	if (!*value || *value == 'n' || *value == 'N')
		return true;
	shown = ks_conf_parse_show(value);
	return ks_conf_parse_fail(parse, variable, 0, error,
				  "%s is '%s', neither 'yes' nor 'no'", variable, shown);
}

/* A command line: a script below the source and its arguments. */
static bool read_script(struct ks_conf_parse *parse, const char *variable, char **out,
			GError **error)
{
	g_autofree char *line =
		g_strstrip(g_strdup(ks_conf_parse_get(parse, variable, 0)));
	g_autofree char *script = g_strndup(line, strcspn(line, " "));
	g_autofree char *shown = ks_conf_parse_show(line);

	if (!*line)
		return true;
	for (char *p = script; *p == '/';)
		memmove(p, p + 1, strlen(p));
	if (!*script || !ks_conf_is_inside(script))
		return ks_conf_parse_fail(parse, variable, 0, error,
					  "%s '%s' leads out of the source", variable,
					  shown);
	*out = g_steal_pointer(&line);
	return true;
}

static bool read_scripts(struct ks_conf_parse *parse, GError **error)
{
	struct ks_conf *conf = parse->conf;

	return read_script(parse, "POST_ADD", &conf->post_add, error) &&
	       read_script(parse, "PRE_BUILD", &conf->pre_build, error) &&
	       read_script(parse, "POST_BUILD", &conf->post_build, error) &&
	       read_script(parse, "PRE_INSTALL", &conf->pre_install, error) &&
	       read_script(parse, "POST_INSTALL", &conf->post_install, error) &&
	       read_script(parse, "POST_REMOVE", &conf->post_remove, error);
}

/* The last that matches; MAKE[0] when it has no MAKE_MATCH[0]; else dkms's own. */
static void read_make(struct ks_conf_parse *parse)
{
	const struct ks_system *system = parse->evaluation.system;
	const struct ks_kernel *kernel = parse->evaluation.kernel;
	const char *make = "";
	guint n_elements;
	const struct ks_vars_element *elements =
		ks_vars_elements(parse->evaluation.vars, "MAKE", &n_elements);
	g_autofree char *own = NULL;

	if (!*ks_conf_parse_get(parse, "MAKE_MATCH", 0))
		make = ks_conf_parse_get(parse, "MAKE", 0);
	for (guint i = 0; kernel && i < n_elements; i++) {
		guint index = elements[i].index;

		if (*elements[i].value &&
		    *ks_conf_parse_get(parse, "MAKE_MATCH", index) &&
		    ks_conf_parse_matches(parse, "MAKE_MATCH", index, kernel->release))
			make = elements[i].value;
	}
	if (!*make)
		make = own = g_strdup_printf(
			"make -C %s M=%s/%s/%s/build", kernel ? kernel->headers_dir : "",
			system->dkms_tree, parse->name, parse->version);
	parse->conf->make = g_strdup(make);
	if (*ks_conf_parse_get(parse, "CLEAN", 0))
		parse->conf->clean = g_strdup(ks_conf_parse_get(parse, "CLEAN", 0));
}

static void read_patches(struct ks_conf_parse *parse)
{
	const struct ks_kernel *kernel = parse->evaluation.kernel;
	GPtrArray *patches = g_ptr_array_new();
	guint n_elements;
	const struct ks_vars_element *elements =
		ks_vars_elements(parse->evaluation.vars, "PATCH", &n_elements);

	for (guint i = 0; i < n_elements; i++) {
		const char *patch = elements[i].value;
		guint index = elements[i].index;
		g_autofree char *shown = ks_conf_parse_show(patch);

		if (*patch && !ks_conf_is_inside(patch))
			ks_conf_parse_warn(parse, "PATCH", index,
					   "PATCH[%u] '%s' leads out of 'patches/'",
					   index, shown);
		if (!*patch || !kernel ||
		    (*ks_conf_parse_get(parse, "PATCH_MATCH", index) &&
		     !ks_conf_parse_matches(parse, "PATCH_MATCH", index,
					    kernel->release)))
			continue;
		g_ptr_array_add(patches, g_strdup(patch));
	}
	g_ptr_array_add(patches, NULL);
	parse->conf->patches = (char **)g_ptr_array_free(patches, FALSE);
}

static bool read_build_depends(struct ks_conf_parse *parse, GError **error)
{
	g_autoptr(GPtrArray) depends = g_ptr_array_new_with_free_func(g_free);
	guint n_elements;
	const struct ks_vars_element *elements =
		ks_vars_elements(parse->evaluation.vars, "BUILD_DEPENDS", &n_elements);

	for (guint i = 0; i < n_elements; i++) {
		g_auto(GStrv) words = g_strsplit_set(elements[i].value, " \t\n", -1);

		for (char **word = words; *word; word++) {
			g_autofree char *shown = ks_conf_parse_show(*word);

			if (**word && !ks_name_is_plain(*word))
				return ks_conf_parse_fail(
					parse, "BUILD_DEPENDS", elements[i].index, error,
					"BUILD_DEPENDS[%u] '%s' is not a name",
					elements[i].index, shown);
			if (**word)
				g_ptr_array_add(depends, g_strdup(*word));
		}
	}
	g_ptr_array_add(depends, NULL);
	parse->conf->build_depends =
		(char **)g_ptr_array_free(g_steal_pointer(&depends), FALSE);
	return true;
}

static void warn_deprecated(struct ks_conf_parse *parse)
{
	static const char *const names[] = {"REMAKE_INITRD",
					    "MODULES_CONF",
					    "MODULES_CONF_OBSOLETES",
					    "MODULES_CONF_ALIAS_TYPE",
					    "MODULES_CONF_OBSOLETE_ONLY",
					    "OBSOLETE_BY"};

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		if (ks_vars_has(parse->evaluation.vars, names[i]))
			ks_conf_parse_warn(parse, names[i], 0, "deprecated %s", names[i]);
	}
}

/* dkms's words for them are "Deprecated feature: NAME (FILE)". */
static void list_deprecated(struct ks_conf_parse *parse)
{
	static const char *const names[] = {"CLEAN",
					    "REMAKE_INITRD",
					    "MODULES_CONF",
					    "MODULES_CONF_OBSOLETES",
					    "MODULES_CONF_ALIAS_TYPE",
					    "MODULES_CONF_OBSOLETE_ONLY"};
	GPtrArray *list = g_ptr_array_new();

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		bool is_silent = i == 0 && strcmp(ks_conf_parse_get(parse, names[i], 0),
						  "true") == 0;

		if (ks_vars_has(parse->evaluation.vars, names[i]) && !is_silent)
			g_ptr_array_add(list, g_strdup(names[i]));
	}
	g_ptr_array_add(list, NULL);
	parse->conf->deprecated = (char **)g_ptr_array_free(list, FALSE);
}

/* Warnings of the evaluation itself. */
static void warn_evaluation(struct ks_conf_parse *parse)
{
	const struct ks_evaluation *evaluation = &parse->evaluation;

	for (guint i = 0; i < evaluation->notes->len; i++) {
		g_autofree char *shown = ks_conf_parse_show(evaluation->notes->pdata[i]);

		g_ptr_array_add(parse->conf->warnings,
				g_strconcat("bash: ", shown, NULL));
	}
	for (guint i = 0; i < evaluation->kept->len; i++) {
		const char *element = evaluation->kept->pdata[i];
		g_autofree char *name = g_strndup(element, strcspn(element, "["));
		guint index = (guint)g_ascii_strtoull(element + strcspn(element, "[") + 1,
						      NULL, 10);

		ks_conf_parse_warn(
			parse, name, index,
			"dkms would lose %s by its inner quotes; it is used as "
			"it is written",
			element);
	}
}

/* The bytes of the patches that apply: the source's own or, over it,
 * the administrator's. */
static void digest_patch(const struct ks_conf_parse *parse, const char *patch,
			 GString *text)
{
	const struct ks_system *system = parse->evaluation.system;
	g_autofree char *own =
		g_build_filename(parse->evaluation.source_dir, "patches", patch, NULL);
	g_autofree char *override =
		g_build_filename(system->dkms_etc, parse->name, "patches", patch, NULL);
	size_t size_bytes = 0;
	bool is_inside = ks_conf_is_inside(patch);
	g_autofree char *data =
		is_inside ? ks_root_read_file(system->root, override, MAX_PATCH_BYTES,
					      &size_bytes, NULL)
			  : NULL;
	g_autofree char *digest = NULL;

	if (!data && is_inside)
		data = ks_root_read_file(system->root, own, MAX_PATCH_BYTES, &size_bytes,
					 NULL);
	digest = data ? ks_digest_data(data, size_bytes) : g_strdup("absent");
	g_string_append_printf(text, "patch %zu %s %s\n", strlen(patch), patch, digest);
}

static void digest(struct ks_conf_parse *parse)
{
	const GPtrArray *files = parse->evaluation.files;
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < files->len; i++) {
		const struct ks_conf_file *file = files->pdata[i];

		g_string_append_printf(text, "file %zu %s\n", strlen(file->text),
				       file->text);
	}
	/* the resulting texts, which may also depend on files that bash has read */
	for (guint i = 0; i < parse->conf->modules->len; i++) {
		const struct ks_conf_module *module = parse->conf->modules->pdata[i];

		g_string_append_printf(text, "module %s%s %s %d %d\n",
				       module->built_location, module->built_name,
				       module->dest_name, module->strip,
				       module->excluded != NULL);
	}
	for (char **patch = parse->conf->patches; *patch; patch++)
		digest_patch(parse, *patch, text);
	ks_conf_digest_directives(parse, text);
	parse->conf->text_digest = ks_digest_data(text->str, text->len);
}

static bool read_fields(struct ks_conf_parse *parse, const char *name,
			const char *version, GError **error)
{
	struct ks_conf *conf = parse->conf;

	ks_conf_apply_directives(parse);
	if (!read_name(parse, "PACKAGE_NAME", name, &conf->written_name,
		       &conf->package_name, error) ||
	    !read_name(parse, "PACKAGE_VERSION", version, &conf->written_version,
		       &conf->package_version, error))
		return false;
	parse->name = conf->package_name;
	parse->version = conf->package_version;
	if (!read_bool(parse, "AUTOINSTALL", &conf->autoinstall, error) ||
	    !read_bool(parse, "BUILD_DEPENDS_REBUILD", &conf->build_depends_rebuild,
		       error) ||
	    !read_bool(parse, "NO_WEAK_MODULES", &conf->no_weak_modules, error) ||
	    !read_build_depends(parse, error) || !read_scripts(parse, error) ||
	    !ks_conf_parse_modules(parse, error))
		return false;
	read_patches(parse);
	read_make(parse);
	if (!ks_conf_read_environment(parse, error))
		return false;
	if (parse->evaluation.kernel)
		ks_conf_parse_exclusions(parse);
	warn_deprecated(parse);
	list_deprecated(parse);
	warn_evaluation(parse);
	digest(parse);
	return true;
}

static enum ks_sandbox_setting get_sandbox(const struct ks_settings *settings,
					   const char *name)
{
	return settings ? ks_settings_get_sandbox(settings, name ? name : "")
			: KS_SANDBOX_AUTO;
}

/* One reading of the conf, with the part of its name that is known. */
static struct ks_conf *load(const struct ks_system *system,
			    const struct ks_settings *settings, const char *source_dir,
			    const char *name, const char *version,
			    struct ks_kernel *kernel, GError **error)
{
	g_autofree char *machine = kernel ? NULL : ks_kernel_machine_arch(system);
	struct ks_conf_parse parse = {
		.evaluation = {.system = system,
			       .sandbox = get_sandbox(settings, name),
			       .source_dir = source_dir,
			       .name = name ? name : "",
			       .version = version ? version : "",
			       .kernel = kernel,
			       .arch = kernel ? kernel->arch : machine,
			       .known = ks_vars_known},
		.settings = settings,
		.conf = g_new0(struct ks_conf, 1),
	};

	parse.conf->warnings = g_ptr_array_new_with_free_func(g_free);
	parse.evaluation.base = ks_conf_base_vars(&parse.evaluation, settings);
	if (!ks_conf_add_files(&parse.evaluation, settings, error) ||
	    !ks_evaluation_run(&parse.evaluation, error) ||
	    !read_fields(&parse, name, version, error))
		g_clear_pointer(&parse.conf, ks_conf_free);
	ks_evaluation_clear(&parse.evaluation);
	return parse.conf;
}

/* A caller's name is part of paths, too. */
static bool check_called(const char *name, GError **error)
{
	g_autofree char *shown = name ? ks_conf_parse_show(name) : NULL;

	if (!name || ks_name_is_plain(name))
		return true;
	ks_error_set(error, KS_ERROR_INVALID, "'%s' is not a module name or version",
		     shown);
	return false;
}

struct ks_conf *ks_conf_load(const struct ks_system *system,
			     const struct ks_settings *settings, const char *source_dir,
			     const char *name, const char *version,
			     struct ks_kernel *kernel, GError **error)
{
	ks_auto(ks_conf) first = NULL;

	if (!check_called(name, error) || !check_called(version, error))
		return NULL;
	if (name && version)
		return load(system, settings, source_dir, name, version, kernel, error);
	/*
	 * Overrides, $module and $module_version depend on the name: read it
	 * again with that.
	 */
	first = load(system, settings, source_dir, name, version, kernel, error);
	if (!first)
		return NULL;
	return load(system, settings, source_dir, name ? name : first->package_name,
		    version ? version : first->package_version, kernel, error);
}
