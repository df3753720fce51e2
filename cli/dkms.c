/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The personality dkms: actions and their preconditions. */
#include "cli/dkms.h"

#include <stdarg.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cli/message.h"

/* dkms 3.4.3 is whose behaviour this follows; scripts compare the number. */
#define DKMS_VERSION "dkms-3.4.3"

static const struct action {
	const char *name;
	int (*run)(struct ks_dkms *dkms); /* NULL: not in this version */
	bool needs_module;
	bool takes_all;
	bool needs_root;
	bool defaults_to_running; /* without -k: uname -r */
} actions[] = {
	{"status", ks_dkms_status, .takes_all = true},
	{"add", ks_dkms_add, .needs_root = true},
	{"build", ks_dkms_build, true, false, true, true},
	{"install", ks_dkms_install, true, false, true, true},
	{"uninstall", ks_dkms_uninstall, true, true, true, true},
	{"remove", ks_dkms_remove, true, true, true, true},
	{"autoinstall", ks_dkms_autoinstall, false, false, true, true},
	{"unbuild", NULL},
	{"match", NULL},
	{"mktarball", NULL},
	{"ldtarball", NULL},
	{"generate_mok", NULL},
	{"kernel_preinst", NULL},
	{"kernel_postinst", NULL},
	{"kernel_prerm", NULL},
};

/* Details come from confs and logs of third parties; the line ends are ours. */
static char *format_clean(const char *format, va_list args) G_GNUC_PRINTF(1, 0);
static char *format_clean(const char *format, va_list args)
{
	g_autofree char *text = g_strdup_vprintf(format, args);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (char **line = lines; *line; line++) {
		char *clean = ks_message_clean(*line);

		g_free(*line);
		*line = clean;
	}
	return g_strjoinv("\n", lines);
}

int ks_dkms_die(int code, const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list args;

	va_start(args, format);
	text = format_clean(format, args);
	va_end(args);
	fflush(stdout);
	fprintf(stderr, "\nError! %s\n", text);
	return code;
}

void ks_dkms_warn(const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list args;

	va_start(args, format);
	text = format_clean(format, args);
	va_end(args);
	fflush(stdout);
	fprintf(stderr, "Warning: %s\n", text);
}

static const struct action *find_action(const char *name)
{
	for (size_t i = 0; name && i < G_N_ELEMENTS(actions); i++)
		if (strcmp(actions[i].name, name) == 0)
			return &actions[i];
	return NULL;
}

static void print_usage(FILE *to)
{
	fputs("Usage: dkms [action] [options]\n"
	      "  [action]  = { add | remove | build | install | uninstall | autoinstall "
	      "| status "
	      "}\n"
	      "  [options] = [-m module] [-v module-version] [-k kernel-version] [-a "
	      "arch]\n"
	      "              [--all] [--force] [--no-depmod] [--dkmstree path]\n"
	      "              [--sourcetree path] [--installtree path] [-q] [-V] [-h]\n"
	      "\n"
	      "This is kmodsmith " PACKAGE_VERSION
	      " in the place of dkms, see dkms(8).\n",
	      to);
}

static int check_action(const struct ks_dkms *dkms, const struct action *action)
{
	const struct ks_dkms_options *options = &dkms->options;

	if (options->all && options->kernels->len)
		return ks_dkms_die(
			KS_DKMS_NO_SOURCE,
			"You cannot specify a kernel version and also specify\n"
			"--all on the command line.");
	if (options->all && options->arches->len)
		return ks_dkms_die(KS_DKMS_NOT_IN_TREE,
				   "You cannot specify an arch and also specify\n"
				   "--all on the command line.");
	if (!action->run)
		return ks_dkms_die(KS_DKMS_NOT_ALLOWED,
				   "The action '%s' is not in this version of kmodsmith.",
				   action->name);
	if (options->all && !action->takes_all)
		return ks_dkms_die(KS_DKMS_NO_ALL,
				   "The action %s does not support the --all parameter.",
				   action->name);
	if (action->needs_root && geteuid() != 0)
		return ks_dkms_die(KS_DKMS_NOT_ALLOWED,
				   "You must be root to use this command.");
	if (action->needs_module && (!options->module || !options->version))
		return ks_dkms_die(
			KS_DKMS_NOT_ALLOWED,
			"Arguments <module> and <module-version> are not specified.\n"
			"Usage: %s <module>/<module-version> or\n"
			"       %s -m <module>/<module-version> or\n"
			"       %s -m <module> -v <module-version>",
			action->name, action->name, action->name);
	return KS_DKMS_OK;
}

static void replace_path(char **path, const char *with)
{
	if (!with)
		return;
	g_free(*path);
	*path = g_canonicalize_filename(with, "/");
}

static bool load(struct ks_dkms *dkms, GError **error)
{
	const struct ks_dkms_options *options = &dkms->options;
	struct ks_system *system =
		ks_system_new(options->root_path ? options->root_path : "/", error);

	if (!system)
		return false;
	dkms->cli.system = system;
	replace_path(&system->dkms_tree, options->dkms_tree);
	replace_path(&system->source_tree, options->source_tree);
	replace_path(&system->install_tree, options->install_tree);
	dkms->cli.settings = ks_settings_load(system, error);
	return dkms->cli.settings != NULL;
}

static int run_action(struct ks_dkms *dkms, const struct action *action)
{
	struct ks_dkms_options *options = &dkms->options;
	g_autoptr(GError) error = NULL;
	struct utsname names;

	if (!load(dkms, &error))
		return ks_dkms_die(KS_DKMS_NOT_ALLOWED, "%s", error->message);
	if (dkms->cli.settings->disabled && action->needs_root) {
		fputs("dkms: disabled by KMODSMITH=0 in the environment\n", stderr);
		return KS_DKMS_OK;
	}
	dkms->in_script = g_getenv("DPKG_MAINTSCRIPT_PACKAGE") != NULL;
	if (action->defaults_to_running && !options->all && !options->kernels->len &&
	    uname(&names) == 0)
		g_ptr_array_add(options->kernels, g_strdup(names.release));
	return action->run(dkms);
}

static int dispatch(struct ks_dkms *dkms)
{
	const struct action *action;
	int code;

	if (dkms->options.version_asked) {
		puts(DKMS_VERSION);
		return KS_DKMS_OK;
	}
	if (dkms->options.help) {
		print_usage(stdout);
		return KS_DKMS_OK;
	}
	action = find_action(dkms->options.action);
	if (!action) {
		/* dkms 3.4.3 exits with 0 here, and packages have come to rely on worse
		 */
		ks_dkms_die(KS_DKMS_OK, "Unknown action specified: \"%s\"",
			    dkms->options.module ? dkms->options.module : "");
		print_usage(stderr);
		return KS_DKMS_OK;
	}
	code = check_action(dkms, action);
	return code ? code : run_action(dkms, action);
}

int ks_dkms_main(int argc, char **argv)
{
	struct ks_dkms dkms = {0};
	int code = ks_dkms_options_parse(&dkms.options, argc, argv);

	if (!code)
		code = dispatch(&dkms);
	if (dkms.cli.settings)
		ks_settings_free(dkms.cli.settings);
	if (dkms.cli.system)
		ks_system_free(dkms.cli.system);
	ks_dkms_options_clear(&dkms.options);
	return code;
}
