/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * BUILD_EXCLUSIVE_*, OBSOLETE_BY and build_exclude: is it for this kernel?
 *
 * A BUILD_EXCLUSIVE_* with only element 0 is for the whole source; one with
 * more is for each module by its index. (To dkms 3.4.3, and so to the personality
 * dkms, element 0 is always for the whole source as well, so that the example of
 * dkms's own manual, "[0]" for kernels 5 and "[1]" for kernels 6, excludes everything.)
 */
#include <string.h>

#include "core/conf/conf-private.h"
#include "core/settings/settings.h"
#include "core/support/version.h"

/* One of the tests. Returns why the kernel is excluded, or NULL. */
struct test {
	const char *variable;
	enum ks_conf_exclusion exclusion;
	char *(*why)(struct ks_conf_parse *parse, const char *variable, guint index);
};

/*
 * No release has a blank: such a text is a message in the place of an
 * expression (Debian's v4l2loopback: "REQUIRES CONFIG_VIDEO_V4L2").
 */
static char *why_kernel(struct ks_conf_parse *parse, const char *variable, guint index)
{
	const char *pattern = ks_conf_parse_get(parse, variable, index);
	g_autofree char *shown = NULL;

	if (!*pattern || ks_conf_parse_matches(parse, variable, index,
					       parse->evaluation.kernel->release))
		return NULL;
	shown = ks_conf_parse_show(pattern);
	if (strpbrk(pattern, " \t\n"))
		return g_strdup_printf("%s is '%s'", variable, shown);
	return g_strdup_printf("needs a kernel that matches '%s'", shown);
}

static char *why_arch(struct ks_conf_parse *parse, const char *variable, guint index)
{
	const char *pattern = ks_conf_parse_get(parse, variable, index);
	g_autofree char *shown = NULL;

	if (!*pattern ||
	    ks_conf_parse_matches(parse, variable, index, parse->evaluation.arch))
		return NULL;
	shown = ks_conf_parse_show(pattern);
	return g_strdup_printf("needs an architecture that matches '%s', this is %s",
			       shown, parse->evaluation.arch);
}

static char *why_min(struct ks_conf_parse *parse, const char *variable, guint index)
{
	const char *min = ks_conf_parse_get(parse, variable, index);
	g_autofree char *shown = ks_conf_parse_show(min);

	if (!*min || ks_version_compare_dkms(parse->evaluation.kernel->release, min) >= 0)
		return NULL;
	return g_strdup_printf("needs kernel %s or later", shown);
}

static char *why_max(struct ks_conf_parse *parse, const char *variable, guint index)
{
	const char *max = ks_conf_parse_get(parse, variable, index);
	g_autofree char *shown = ks_conf_parse_show(max);

	if (!*max || ks_version_compare_dkms(parse->evaluation.kernel->release, max) <= 0)
		return NULL;
	return g_strdup_printf("needs kernel %s or earlier", shown);
}

static bool is_enabled(struct ks_conf_parse *parse, const char *symbol)
{
	const char *value = ks_kernel_config_get(parse->evaluation.system,
						 parse->evaluation.kernel, symbol);

	return g_strcmp0(value, "y") == 0 || g_strcmp0(value, "m") == 0;
}

/* Without a configuration dkms does not check. */
static char *why_config(struct ks_conf_parse *parse, const char *variable, guint index)
{
	const char *symbols = ks_conf_parse_get(parse, variable, index);
	g_autoptr(GString) missing = g_string_new(NULL);
	g_autoptr(GString) unwanted = g_string_new(NULL);
	g_auto(GStrv) words = NULL;
	g_autofree char *shown = NULL;

	if (!*symbols || !parse->evaluation.kernel->config_path)
		return NULL;
	words = g_strsplit_set(symbols, " \t\n", -1);
	for (char **word = words; *word; word++) {
		bool negated = **word == '!';
		GString *list = negated ? unwanted : missing;

		if (**word && is_enabled(parse, *word + negated) == negated)
			g_string_append_printf(list, "%s%s", list->len ? ", " : "",
					       *word + negated);
	}
	if (!missing->len && !unwanted->len)
		return NULL;
	if (missing->len) {
		shown = ks_conf_parse_show(missing->str);
		return g_strdup_printf("needs %s, which this kernel does not have",
				       shown);
	}
	shown = ks_conf_parse_show(unwanted->str);
	return g_strdup_printf("needs a kernel without %s", shown);
}

/* dkms's order. */
static const struct test tests[] = {
	{"BUILD_EXCLUSIVE_KERNEL", KS_CONF_EXCLUDED_KERNEL, why_kernel},
	{"BUILD_EXCLUSIVE_KERNEL_MIN", KS_CONF_EXCLUDED_KERNEL_MIN, why_min},
	{"BUILD_EXCLUSIVE_KERNEL_MAX", KS_CONF_EXCLUDED_KERNEL_MAX, why_max},
	{"BUILD_EXCLUSIVE_ARCH", KS_CONF_EXCLUDED_ARCH, why_arch},
	{"BUILD_EXCLUSIVE_CONFIG", KS_CONF_EXCLUDED_CONFIG, why_config},
};

static bool is_for_all(const struct ks_conf_parse *parse, const char *variable)
{
	return ks_vars_end(parse->evaluation.vars, variable) == 1;
}

static bool binds_all(const struct ks_conf_parse *parse, const char *variable)
{
	const struct ks_conf_overrides *overrides =
		parse->settings ? parse->settings->overrides : NULL;

	return is_for_all(parse, variable) ||
	       (overrides && overrides->first_exclusive_for_all);
}

static bool exclude(struct ks_conf_parse *parse, enum ks_conf_exclusion exclusion,
		    char *text)
{
	parse->conf->exclusion = exclusion;
	parse->conf->exclusion_text = text;
	return true;
}

static bool exclude_source(struct ks_conf_parse *parse)
{
	const char *obsolete_by = ks_conf_parse_get(parse, "OBSOLETE_BY", 0);
	const char *by_conf = ks_conf_parse_get(parse, "build_exclude", 0);
	char *text;

	for (size_t i = 0; i < G_N_ELEMENTS(tests); i++) {
		text = binds_all(parse, tests[i].variable)
			       ? tests[i].why(parse, tests[i].variable, 0)
			       : NULL;
		if (text)
			return exclude(parse, tests[i].exclusion, text);
	}
	text = why_max(parse, "OBSOLETE_BY", 0);
	if (text) {
		g_autofree char *shown = ks_conf_parse_show(obsolete_by);

		g_free(text);
		return exclude(parse, KS_CONF_EXCLUDED_OBSOLETE_BY,
			       g_strdup_printf("kernels after %s have it themselves "
					       "(OBSOLETE_BY)",
					       shown));
	}
	if (*by_conf)
		return exclude(parse, KS_CONF_EXCLUDED_BY_CONF,
			       g_strdup("its dkms.conf excludes this kernel "
					"(build_exclude)"));
	return false;
}

/* The first reason of a module, or KS_CONF_NOT_EXCLUDED. */
static enum ks_conf_exclusion exclude_module(struct ks_conf_parse *parse, guint index)
{
	struct ks_conf_module *module = parse->conf->modules->pdata[index];

	for (size_t i = 0; i < G_N_ELEMENTS(tests); i++) {
		if (is_for_all(parse, tests[i].variable))
			continue;
		module->excluded = tests[i].why(parse, tests[i].variable, index);
		if (module->excluded)
			return tests[i].exclusion;
	}
	return KS_CONF_NOT_EXCLUDED;
}

void ks_conf_parse_exclusions(struct ks_conf_parse *parse)
{
	const GPtrArray *modules = parse->conf->modules;
	enum ks_conf_exclusion first = KS_CONF_NOT_EXCLUDED;
	guint n_excluded = 0;

	if (exclude_source(parse))
		return;
	for (guint i = 0; i < modules->len; i++) {
		enum ks_conf_exclusion exclusion = exclude_module(parse, i);

		n_excluded += exclusion != KS_CONF_NOT_EXCLUDED;
		if (i == 0)
			first = exclusion;
	}
	if (modules->len && n_excluded == modules->len) {
		const struct ks_conf_module *module = modules->pdata[0];

		exclude(parse, first, g_strdup(module->excluded));
	}
}
