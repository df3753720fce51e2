/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kmodsmith, and dkms when it is called so. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "cli/message.h"
#include "cli/options.h"
#include "cli/run.h"
#include "core/settings/framework.h"
#include "core/support/inherited.h"
#include "core/support/suggest.h"

static const struct ks_command *const commands[] = {
	&ks_command_sync,      &ks_command_plan,    &ks_command_preflight,
	&ks_command_status,    &ks_command_explain, &ks_command_add,
	&ks_command_remove,    &ks_command_build,   &ks_command_install,
	&ks_command_uninstall, &ks_command_log,	    &ks_command_key,
	&ks_command_verify,    &ks_command_cache,   &ks_command_export,
	&ks_command_lint,      &ks_command_records, NULL,
};

static const struct ks_command *find_command(const char *name)
{
	for (size_t i = 0; commands[i]; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

static int usage_error(const GError *error, const struct ks_command *command)
{
	ks_message_error("%s", error->message);
	ks_message_hint("see 'kmodsmith %s%s--help'", command ? command->name : "",
			command ? " " : "");
	return KS_EXIT_USAGE;
}

static int print_help(const struct ks_command *command)
{
	g_autofree char *help = ks_options_help(commands, command);

	fputs(help, stdout);
	return KS_EXIT_OK;
}

static void print_warnings(const GPtrArray *warnings)
{
	for (guint i = 0; i < warnings->len; i++)
		ks_message_warning("%s", (const char *)warnings->pdata[i]);
}

static bool cli_init(struct ks_cli *cli, const struct ks_options *options,
		     enum ks_settings_reading how, GError **error)
{
	cli->system = ks_system_new(options->root_path ? options->root_path : "/", error);
	if (!cli->system)
		return false;
	cli->settings = ks_settings_load(cli->system, how, error);
	if (!cli->settings)
		return false;
	ks_framework_apply(cli->settings->framework, cli->system);
	cli->json = options->json;
	cli->verbose = options->verbose;
	cli->quiet = options->quiet;
	if (!cli->quiet) {
		print_warnings(cli->settings->warnings);
		print_warnings(cli->settings->framework->warnings);
	}
	return true;
}

static void cli_clear(struct ks_cli *cli)
{
	ks_settings_free(cli->settings);
	ks_system_free(cli->system);
}

static int run_command(const struct ks_command *command, const struct ks_options *options,
		       int argc, char **argv)
{
	const bool is_lenient = command->is_unattended && command->is_unattended();
	struct ks_cli cli = {0};
	g_autoptr(GError) error = NULL;
	int code;

	if (!cli_init(&cli, options,
		      is_lenient ? KS_SETTINGS_LENIENT : KS_SETTINGS_STRICT, &error))
		code = ks_message_fail(error);
	else
		code = command->run(&cli, argc, argv);
	cli_clear(&cli);
	return code;
}

/*
 * A reader that has gone away (| head) is no error; a full disk is, where the
 * output is all that there is. By now errno may be another call's.
 */
static int check_stdout(int code)
{
	struct pollfd pollfd = {.fd = STDOUT_FILENO, .events = POLLOUT};

	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	if (poll(&pollfd, 1, 0) == 1 && pollfd.revents & POLLERR)
		return code;
	ks_message_error("cannot write to standard output");
	return code == KS_EXIT_OK ? KS_EXIT_ERROR : code;
}

static int unknown_command(const char *name)
{
	const char *names[G_N_ELEMENTS(commands)] = {0};
	const char *meant;

	for (size_t i = 0; commands[i]; i++)
		names[i] = commands[i]->name;
	meant = ks_suggest(name, names, G_N_ELEMENTS(names));
	ks_message_error("unknown command '%s'", name);
	if (meant)
		ks_message_hint("did you mean '%s'? 'kmodsmith --help' lists them",
				meant);
	else
		ks_message_hint("'kmodsmith --help' lists them");
	return KS_EXIT_USAGE;
}

/* "help" and "help COMMAND": as --help. */
static int help(int argc, char **argv)
{
	const struct ks_command *command = argc > 2 ? find_command(argv[2]) : NULL;

	return argc > 2 && !command ? unknown_command(argv[2]) : print_help(command);
}

static int kmodsmith_main(int argc, char **argv)
{
	struct ks_options options = {0};
	g_autofree char **arguments = g_memdup2(argv, ((size_t)argc + 1) * sizeof(*argv));
	char **rest = arguments;
	const struct ks_command *command;
	g_autoptr(GError) error = NULL;
	int code;

	if (!ks_options_parse_global(&options, &argc, &rest, &error))
		return usage_error(error, NULL);
	if (options.version) {
		puts("kmodsmith " PACKAGE_VERSION);
		return KS_EXIT_OK;
	}
	if (options.help)
		return print_help(NULL);
	if (argc < 2)
		return run_command(&ks_command_overview, &options, argc, rest);
	if (strcmp(rest[1], "help") == 0)
		return help(argc, rest);
	command = find_command(rest[1]);
	if (!command)
		return unknown_command(rest[1]);
	argc--;
	rest++;
	if (!ks_options_parse_command(&options, command, &argc, &rest, &error))
		code = usage_error(error, command);
	else if (options.help)
		code = print_help(command);
	else
		code = run_command(command, &options, argc, rest);
	if (!command->changes)
		code = check_stdout(code);
	g_free(options.root_path);
	g_free(options.color);
	return code;
}

int main(int argc, char **argv)
{
	g_autofree char *name = argc > 0 ? g_path_get_basename(argv[0]) : g_strdup("");

	if (!ks_inherited_reset())
		return KS_EXIT_ERROR;
	/* a dead terminal or pipe must not stop what a package manager relies on */
	signal(SIGPIPE, SIG_IGN);
	if (strcmp(name, "dkms") == 0)
		return ks_dkms_main(argc, argv);
	return kmodsmith_main(argc, argv);
}
