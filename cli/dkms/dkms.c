/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The personality dkms: from the command line to the action. */
#include "cli/dkms/dkms-actions.h"

#include <string.h>
#include <sys/utsname.h>

#include "cli/dkms/dkms-arch.h"
#include "cli/message.h"
#include "cli/run.h"
#include "core/settings/framework.h"
#include "core/kernel/arch.h"

/* dkms 3.4.3 is whose behaviour this follows; scripts compare the number. */
#define DKMS_VERSION "dkms-3.4.3"

/* True when it is another one now. */
static bool replace_path(char **path, const char *with)
{
	g_autofree char *former = *path;

	*path = with ? g_canonicalize_filename(with, "/") : g_strdup(former);
	return !g_str_equal(*path, former);
}

/* A file of the caller's; with --root one in that tree. */
static const char *path_of(const struct ks_dkms_options *options, char **path)
{
	const char *start = options->root_path ? "/" : NULL;
	char *whole;

	if (!*path || !**path)
		return NULL;
	whole = g_canonicalize_filename(*path, start);
	g_free(*path);
	*path = whole;
	return whole;
}

/* Settings that framework.conf and an option of the command line share. */
static void set_settings(struct ks_dkms_options *options, struct ks_settings *settings)
{
	const struct ks_framework *framework = settings->framework;
	guint64 n_jobs;

	/* 0 is make's unlimited -j to dkms; the pool has as many as processors then */
	if (options->n_jobs &&
	    g_ascii_string_to_unsigned(options->n_jobs, 10, 0, 4096, &n_jobs, NULL))
		settings->n_jobs = (unsigned int)n_jobs;
	if (!framework)
		return;
	options->verbose |= framework->verbose;
	options->symlink_modules |= framework->symlink_modules;
	options->modprobe_on_install |= framework->modprobe_on_install;
	ks_dkms_take_environment(options, settings);
}

/* Directives and -c are for the module that is asked for, or for all. */
static void set_overrides(struct ks_dkms *dkms, struct ks_dkms_options *options)
{
	/* of a directory that is being added only its conf knows the name */
	if (!options->source_dir) {
		dkms->overrides.module = options->module;
		dkms->overrides.version = options->version;
	}
	dkms->overrides.conf_path = path_of(options, &options->conf_path);
	dkms->overrides.kernel_config = path_of(options, &options->kernel_config);
	dkms->overrides.kernel_source_dir = path_of(options, &options->kernel_source_dir);
	if (options->directives->len) {
		g_ptr_array_add(options->directives, NULL);
		dkms->overrides.directives =
			(const char *const *)options->directives->pdata;
	}
	dkms->overrides.first_exclusive_for_all = true;
	dkms->cli.settings->overrides = &dkms->overrides;
}

static void print_directives(const struct ks_dkms *dkms)
{
	for (const char *const *p = dkms->overrides.directives; p && *p; p++) {
		const char *value = strchr(*p, '=') + 1;

		printf("DIRECTIVE: %.*s=\"%s\"\n", (int)(value - 1 - *p), *p, value);
	}
}

/*
 * No -k: the running kernel, except for actions with no_default_kernel (status
 * lists all).
 */
static void set_default_kernel(struct ks_dkms_options *options,
			       const struct ks_dkms_action *action)
{
	struct utsname names;

	if (!action->no_default_kernel && !options->all && !options->kernels->len &&
	    uname(&names) == 0)
		g_ptr_array_add(options->kernels, g_strdup(names.release));
}

/* One is that of all kernels. */
static void spread_arch(struct ks_dkms_options *options)
{
	while (options->arches->len && options->arches->len < options->kernels->len)
		g_ptr_array_add(options->arches, g_strdup(options->arches->pdata[0]));
}

/*
 * Postinst scripts pass what 'dpkg --print-architecture' or 'uname -m' prints. Both are
 * names of the machine, by which the kernel's own architecture is meant.
 */
static void set_arches(struct ks_dkms_options *options, const struct ks_system *system,
		       const struct ks_conf_overrides *overrides)
{
	g_autofree char *machine = ks_kernel_machine_arch(system);
	GPtrArray *arches = options->arches;
	const GPtrArray *kernels = options->kernels;

	if (arches->len == 1)
		spread_arch(options);
	for (guint i = 0; i < arches->len; i++) {
		g_autofree char *own = i < kernels->len
					       ? ks_dkms_kernel_arch(system, overrides,
								     kernels->pdata[i])
					       : g_strdup(machine);

		if (!ks_arch_is_named(machine, arches->pdata[i]) &&
		    !ks_arch_is_named(own, arches->pdata[i]))
			continue;
		g_free(arches->pdata[i]);
		arches->pdata[i] = g_steal_pointer(&own);
	}
}

static void print_warnings(const GPtrArray *warnings)
{
	for (guint i = 0; i < warnings->len; i++)
		ks_dkms_warn("%s", (const char *)warnings->pdata[i]);
}

/* From here on the options are complete. */
static bool load(struct ks_dkms *dkms, struct ks_dkms_options *options, GError **error)
{
	struct ks_system *system =
		ks_system_new(options->root_path ? options->root_path : "/", error);

	if (!system)
		return false;
	dkms->cli.system = system;
	/* old hooks call it, and dkms knows no such file */
	dkms->cli.settings = ks_settings_load(system, KS_SETTINGS_LENIENT, error);
	if (!dkms->cli.settings)
		return false;
	print_warnings(dkms->cli.settings->warnings);
	print_warnings(dkms->cli.settings->framework->warnings);
	ks_framework_apply(dkms->cli.settings->framework, system);
	dkms->is_private = replace_path(&system->dkms_tree, options->dkms_tree);
	system->install_tree_is_given =
		replace_path(&system->install_tree, options->install_tree);
	dkms->is_private |= system->install_tree_is_given;
	replace_path(&system->source_tree, options->source_tree);
	set_overrides(dkms, options);
	set_settings(options, dkms->cli.settings);
	set_default_kernel(options, dkms->action);
	set_arches(options, system, &dkms->overrides);
	return true;
}

static int run_action(struct ks_dkms *dkms, struct ks_dkms_options *options)
{
	g_autoptr(GError) error = NULL;
	int code;

	if (!load(dkms, options, &error))
		return ks_dkms_fail(KS_DKMS_NOT_ALLOWED, "%s", error->message);
	code = ks_dkms_check(dkms, dkms->action);
	if (code)
		return code;
	if (dkms->cli.settings->disabled && dkms->action->changes) {
		fputs("dkms: disabled by KMODSMITH=0 in the environment\n", stderr);
		return KS_DKMS_OK;
	}
	dkms->in_script = g_getenv("DPKG_MAINTSCRIPT_PACKAGE") != NULL ||
			  ks_run_is_in_transaction();
	print_directives(dkms);
	return dkms->action->run(dkms);
}

static void print_usage_after_error(void)
{
	fflush(stderr);
	ks_dkms_print_usage(stdout);
}

static int dispatch(struct ks_dkms *dkms, struct ks_dkms_options *options)
{
	int code;

	if (options->version_asked) {
		puts(DKMS_VERSION);
		return KS_DKMS_OK;
	}
	if (options->help) {
		ks_dkms_print_usage(stdout);
		return KS_DKMS_OK;
	}
	dkms->action = ks_dkms_find_action(options->action);
	code = ks_dkms_options_check(options, dkms->action);
	if (code)
		return code;
	if (dkms->action)
		return run_action(dkms, options);
	/* dkms 3.4.3 exits with 0 here, and packages have come to rely on worse */
	ks_dkms_error_line("Unknown action specified: \"%s\"",
			   options->module ? options->module : "");
	print_usage_after_error();
	return KS_DKMS_OK;
}

static bool is_action(const char *word)
{
	return ks_dkms_find_action(word) != NULL;
}

int ks_dkms_main(int argc, char **argv)
{
	g_autoptr(GHashTable) read =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	struct ks_dkms_options options = {0};
	struct ks_dkms dkms = {.options = &options, .read = read};
	int code = ks_dkms_options_parse(&options, argc, argv, is_action);

	if (!code)
		code = dispatch(&dkms, &options);
	else if (options.wants_usage)
		print_usage_after_error();
	ks_settings_free(dkms.cli.settings);
	ks_system_free(dkms.cli.system);
	ks_dkms_options_clear(&options);
	return code;
}
