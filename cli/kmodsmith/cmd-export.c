/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kmodsmith export: package files for other machines. */
#include "cli/export.h"
#include "cli/json.h"
#include "cli/message.h"
#include "cli/run.h"
#include "core/package/make.h"
#include "core/support/error.h"

static char *format_option, *kernel_option, *output_option, *revision_option,
	*maintainer_option, *licence_option;
static gboolean source_option;

static const GOptionEntry options[] = {
	{"format", 0, 0, G_OPTION_ARG_STRING, &format_option,
	 "deb, rpm or pacman; the system's own without it", "FORMAT"},
	{"kernel", 'k', 0, G_OPTION_ARG_STRING, &kernel_option, "only for this kernel",
	 "RELEASE"},
	{"output", 'o', 0, G_OPTION_ARG_FILENAME, &output_option,
	 "where the packages go; here without it", "DIR"},
	{"source", 0, 0, G_OPTION_ARG_NONE, &source_option,
	 "package the source, not what was built from it", NULL},
	{"revision", 0, 0, G_OPTION_ARG_STRING, &revision_option,
	 "number of the package of this version", "N"},
	{"maintainer", 0, 0, G_OPTION_ARG_STRING, &maintainer_option,
	 "who makes the package", "TEXT"},
	{"licence", 0, 0, G_OPTION_ARG_STRING, &licence_option, "of the modules", "TEXT"},
	{NULL},
};

static bool check_options(const struct ks_cli *cli, const struct ks_selection *selection,
			  struct ks_export *export, GError **error)
{
	const char *own = ks_package_own_format(cli->system);

	export->format = format_option ? format_option : own;
	if (!export->format) {
		ks_error_set(
			error, KS_ERROR_INVALID,
			"cannot choose a format: the system has no package database");
		ks_error_hint(error, "name one with '--format'");
		return false;
	}
	if (!ks_package_is_format(export->format)) {
		ks_error_set(error, KS_ERROR_INVALID,
			     "unknown format '%s': not deb, rpm or pacman",
			     export->format);
		return false;
	}
	if (revision_option &&
	    !g_ascii_string_to_unsigned(revision_option, 10, 0, G_MAXINT, NULL, NULL)) {
		ks_error_set(error, KS_ERROR_INVALID, "'%s' is no revision: not a number",
			     revision_option);
		return false;
	}
	if (source_option && (!selection->module || selection->release)) {
		ks_error_set(error, KS_ERROR_INVALID,
			     "'--source' needs a module and takes no kernel");
		return false;
	}
	return true;
}

/* Without a name only the built ones; with one, those that are not built are reported. */
static bool is_asked_for(const struct ks_selection *selection,
			 const struct ks_target *target)
{
	bool built = target->artifact && target->artifact->module_files->len;

	if (!ks_selection_has(selection, target))
		return false;
	return built || (selection->module && selection->version && selection->release);
}

static int export_targets(const struct ks_cli *cli, const struct ks_export *export,
			  struct ks_digest_cache *cache,
			  const struct ks_inventory *inventory,
			  const struct ks_selection *selection, GPtrArray *made)
{
	int code = KS_EXIT_OK;
	guint n = 0;

	for (guint i = 0; i < inventory->targets->len; i++) {
		const struct ks_target *target = g_ptr_array_index(inventory->targets, i);
		g_autoptr(GError) error = NULL;

		if (!is_asked_for(selection, target))
			continue;
		n++;
		if (!ks_export_target(cli, export, cache, target, made, &error))
			code = ks_message_fail(error);
	}
	if (n)
		return code;
	ks_message_error("nothing to package: no module is built");
	ks_message_hint("'kmodsmith build' builds one, 'kmodsmith status' lists them");
	return KS_EXIT_NOT_FOUND;
}

static int export_sources(const struct ks_cli *cli, const struct ks_export *export,
			  struct ks_digest_cache *cache,
			  const struct ks_inventory *inventory,
			  const struct ks_selection *selection, GPtrArray *made)
{
	int code = KS_EXIT_OK;

	for (guint i = 0; i < inventory->sources->len; i++) {
		const struct ks_source *source = g_ptr_array_index(inventory->sources, i);
		g_autoptr(GError) error = NULL;

		if (!ks_selection_has_source(selection, source))
			continue;
		if (!source->path || !source->present)
			ks_error_set(
				&error, KS_ERROR_NOT_FOUND, "cannot package %s/%s: %s",
				source->name, source->version,
				source->problem ? source->problem : "its source is gone");
		else if (ks_export_source(cli, export, cache, source->name,
					  source->version, source->path, made, &error))
			continue;
		code = ks_message_fail(error);
	}
	return code;
}

static void print_made(const struct ks_cli *cli, const char *format,
		       const GPtrArray *made)
{
	if (cli->json) {
		ks_json_print_exported(format, made);
		return;
	}
	for (guint i = 0; i < made->len; i++) {
		const struct ks_exported *exported = g_ptr_array_index(made, i);

		puts(exported->path);
	}
}

static int export_selection(struct ks_cli *cli, const struct ks_export *export,
			    struct ks_selection *selection)
{
	ks_auto(ks_inventory) inventory = NULL;
	ks_auto(ks_plan) plan = NULL;
	ks_auto(ks_digest_cache) cache = NULL;
	g_autoptr(GPtrArray) made = g_ptr_array_new_with_free_func(ks_exported_free);
	int code;

	code = ks_selection_look(cli, selection, &inventory, &plan);
	if (code)
		return code;
	cache = ks_digest_cache_open(cli->system);
	code = source_option
		       ? export_sources(cli, export, cache, inventory, selection, made)
		       : export_targets(cli, export, cache, inventory, selection, made);
	print_made(cli, export->format, made);
	return code;
}

static int run(struct ks_cli *cli, int argc, char **argv)
{
	struct ks_export export = {
		.output_dir = output_option ? output_option : ".",
		.options =
			{
				.revision = revision_option,
				.maintainer = maintainer_option,
				.licence = licence_option,
				.mtime = ks_package_parse_epoch(
					g_getenv("SOURCE_DATE_EPOCH")),
			},
	};
	struct ks_selection selection = {0};
	g_autoptr(GError) error = NULL;
	int code;

	if (!ks_selection_init(&selection, argc > 1 ? argv[1] : NULL, kernel_option,
			       &error) ||
	    !check_options(cli, &selection, &export, &error)) {
		ks_message_gerror(error);
		code = KS_EXIT_USAGE;
	} else {
		ks_selection_name_kernel(cli, &selection);
		code = export_selection(cli, &export, &selection);
	}
	ks_selection_clear(&selection);
	return code;
}

const struct ks_command ks_command_export = {
	.name = "export",
	.arguments = "[MODULE[/VERSION]]",
	.summary = "make packages of built modules for other machines",
	.description = "Makes a package of each built module for its kernel and prints "
		       "the files' names. Where\nit is installed it needs neither "
		       "kmodsmith nor a compiler. With --source the package\nis one of "
		       "the source instead, to be built where it is installed. The same "
		       "module gives\nthe same bytes; SOURCE_DATE_EPOCH sets the times "
		       "in it.",
	.options = options,
	.max_arguments = 1,
	.has_json = true,
	.run = run,
};
