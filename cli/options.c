/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The option tables, read with GLib's parser. */
#include "cli/options.h"

#include <string.h>

#include "cli/message.h"
#include "core/support/error.h"
#include "core/support/name.h"

static GOptionContext *new_context(struct ks_options *options,
				   const struct ks_command *command)
{
	const GOptionEntry global[] = {
		{"root", 0, 0, G_OPTION_ARG_FILENAME, &options->root_path,
		 "work on the system tree in DIR", "DIR"},
		{"color", 0, 0, G_OPTION_ARG_STRING, &options->color,
		 "colour messages: auto, always or never", "WHEN"},
		{"verbose", 0, 0, G_OPTION_ARG_NONE, &options->verbose,
		 "print every step", NULL},
		{"quiet", 'q', 0, G_OPTION_ARG_NONE, &options->quiet, "print errors only",
		 NULL},
		{"help", 'h', 0, G_OPTION_ARG_NONE, &options->help, "print this and exit",
		 NULL},
		{NULL},
	};
	const GOptionEntry json[] = {
		{"json", 0, command && !command->has_json ? G_OPTION_FLAG_HIDDEN : 0,
		 G_OPTION_ARG_NONE, &options->json, "print JSON, see kmodsmith(8)", NULL},
		{NULL},
	};
	const GOptionEntry version[] = {
		{"version", 0, 0, G_OPTION_ARG_NONE, &options->version,
		 "print the version and exit", NULL},
		{NULL},
	};
	GOptionContext *context = g_option_context_new(command ? command->arguments
							       : "COMMAND [ARGUMENT...]");

	if (command && command->options)
		g_option_context_add_main_entries(context, command->options, NULL);
	g_option_context_add_main_entries(context, json, NULL);
	g_option_context_add_main_entries(context, global, NULL);
	if (!command)
		g_option_context_add_main_entries(context, version, NULL);
	/* GLib's own --help converts to the locale's charset and exits by itself */
	g_option_context_set_help_enabled(context, FALSE);
	g_option_context_set_strict_posix(context, !command);
	return context;
}

/* GLib's words in the grammar of the house: "unknown option '--foo'". */
static void translate(GError *parse_error, GError **error)
{
	static const char unknown[] = "Unknown option ";
	const char *message = parse_error->message;

	if (g_str_has_prefix(message, unknown))
		ks_error_set(error, KS_ERROR_INVALID, "unknown option '%s'",
			     message + strlen(unknown));
	else
		ks_error_set(error, KS_ERROR_INVALID, "%c%s", g_ascii_tolower(message[0]),
			     message + 1);
}

/* Parsed arguments still hold a "--" that ended the options. */
static void drop_separator(int *argc, char **argv)
{
	for (int i = 1; i < *argc; i++) {
		if (strcmp(argv[i], "--") != 0)
			continue;
		memmove(argv + i, argv + i + 1, (size_t)(*argc - i) * sizeof(*argv));
		(*argc)--;
		return;
	}
}

static bool set_color(const struct ks_options *options, GError **error)
{
	enum ks_color color;

	if (!options->color)
		return true;
	if (ks_color_from_text(options->color, &color)) {
		ks_message_set_color(color);
		return true;
	}
	ks_error_set(error, KS_ERROR_INVALID,
		     "--color is '%s', and has to be 'auto', 'always' or 'never'",
		     options->color);
	return false;
}

static bool parse(struct ks_options *options, const struct ks_command *command, int *argc,
		  char ***argv, GError **error)
{
	g_autoptr(GOptionContext) context = new_context(options, command);
	g_autoptr(GError) parse_error = NULL;

	if (!g_option_context_parse(context, argc, argv, &parse_error)) {
		translate(parse_error, error);
		return false;
	}
	return set_color(options, error);
}

bool ks_options_parse_global(struct ks_options *options, int *argc, char ***argv,
			     GError **error)
{
	return parse(options, NULL, argc, argv, error);
}

static bool check_count(const struct ks_command *command, int n, GError **error)
{
	if (n >= command->min_arguments && n <= command->max_arguments)
		return true;
	if (n < command->min_arguments)
		ks_error_set(error, KS_ERROR_INVALID, "'%s' needs %s", command->name,
			     command->arguments);
	else
		ks_error_set(error, KS_ERROR_INVALID,
			     "'%s' takes no more than %d argument%s", command->name,
			     command->max_arguments,
			     command->max_arguments == 1 ? "" : "s");
	return false;
}

bool ks_options_parse_command(struct ks_options *options,
			      const struct ks_command *command, int *argc, char ***argv,
			      GError **error)
{
	if (!parse(options, command, argc, argv, error))
		return false;
	drop_separator(argc, *argv);
	if (options->help)
		return true;
	if (options->json && !command->has_json) {
		ks_error_set(error, KS_ERROR_INVALID, "'%s' has no '--json'",
			     command->name);
		return false;
	}
	return check_count(command, *argc - 1, error);
}

static char *list_commands(const struct ks_command *const *commands)
{
	GString *text = g_string_new("Commands:\n");

	for (size_t i = 0; commands[i]; i++)
		g_string_append_printf(text, "  %-10s %s\n", commands[i]->name,
				       commands[i]->summary);
	g_string_append(text, "\nSee 'kmodsmith COMMAND --help' for one of them.");
	return g_string_free(text, FALSE);
}

char *ks_options_help(const struct ks_command *const *commands,
		      const struct ks_command *command)
{
	struct ks_options unused = {0};
	g_autoptr(GOptionContext) context = new_context(&unused, command);
	g_autofree char *former = g_strdup(g_get_prgname());
	g_autofree char *list = command ? NULL : list_commands(commands);
	g_autofree char *name = command ? g_strdup_printf("kmodsmith %s", command->name)
					: g_strdup("kmodsmith");
	g_autofree char *help = NULL;
	g_auto(GStrv) parts = NULL;

	g_option_context_set_summary(context, command ? command->description : list);
	g_set_prgname(name);
	help = g_option_context_get_help(context, TRUE, NULL);
	g_set_prgname(former);
	/* GLib writes an ellipsis that not every terminal has */
	parts = g_strsplit(help, "[OPTION\xe2\x80\xa6]", 2);
	return g_strjoinv("[OPTION...]", parts);
}

bool ks_options_split_module(const char *text, char **module, char **version)
{
	const char *slash = strchr(text, '/');
	g_autofree char *name =
		slash ? g_strndup(text, (size_t)(slash - text)) : g_strdup(text);

	if (!ks_name_is_plain(name) || (slash && !ks_name_is_plain(slash + 1)))
		return false;
	*module = g_steal_pointer(&name);
	*version = slash ? g_strdup(slash + 1) : NULL;
	return true;
}
