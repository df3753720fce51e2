/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kmodsmith add: register a source, copied to the source tree if it is elsewhere. */
#include "cli/add.h"
#include "cli/change.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/run.h"
#include "core/support/error.h"
#include "core/platform/lock.h"

static bool has_conf(const struct ks_cli *cli, const char *dir)
{
	g_autofree char *conf = g_build_filename(dir, "dkms.conf", NULL);

	return ks_root_exists(cli->system->root, conf);
}

/* The argument as a path inside the tree; with --root it is one already. */
static char *directory_of(const struct ks_cli *cli, const char *argument)
{
	g_autofree char *path = ks_root_is_host(cli->system->root)
					? g_canonicalize_filename(argument, NULL)
					: g_canonicalize_filename(argument, "/");

	return has_conf(cli, path) ? g_steal_pointer(&path) : NULL;
}

static int add_directory(const struct ks_cli *cli, const char *dir, const char *module,
			 const char *version)
{
	ks_auto(ks_conf) conf = NULL;
	struct ks_add_options options = {.asked = true, .copied = ks_add_print_copied};
	g_autofree char *placed = NULL;
	g_autoptr(GError) error = NULL;

	conf = ks_conf_load(cli->system, cli->settings, dir, module, version, NULL,
			    &error);
	if (!conf || !ks_add_source(cli, dir, conf, &options, &placed, &error))
		return ks_message_fail(error);
	if (cli->quiet)
		return KS_EXIT_OK;
	ks_message_info("%s/%s: added from '%s'", conf->package_name,
			conf->package_version, placed);
	ks_message_hint("'kmodsmith sync' builds and installs it");
	return KS_EXIT_OK;
}

static int add_argument(const struct ks_cli *cli, const char *argument)
{
	g_autofree char *dir = NULL;
	g_autofree char *module = NULL;
	g_autofree char *version = NULL;

	if (ks_options_split_module(argument, &module, &version) && version) {
		dir = g_strdup_printf("%s/%s-%s", cli->system->source_tree, module,
				      version);
		if (has_conf(cli, dir))
			return add_directory(cli, dir, module, version);
		g_clear_pointer(&dir, g_free);
	}
	dir = directory_of(cli, argument);
	if (dir)
		return add_directory(cli, dir, NULL, NULL);
	if (version)
		ks_message_error("there is no '%s/%s-%s/dkms.conf'",
				 cli->system->source_tree, module, version);
	else
		ks_message_error("'%s' is no directory with a dkms.conf, and not "
				 "MODULE/VERSION",
				 argument);
	return KS_EXIT_NOT_FOUND;
}

static int run(struct ks_cli *cli, int argc, char **argv)
{
	g_autofree char *what = g_strdup_printf("add %s", argv[1]);
	g_autoptr(GError) error = NULL;

	if (ks_run_is_disabled(cli))
		return KS_EXIT_OK;
	if (!ks_change_require_root("add", &error))
		return ks_message_fail(error);
	if (ks_lock_is_held_above(cli->system)) {
		/* the engine finds sources in the source tree by itself */
		ks_run_queue_if_held_above(cli, what);
		return KS_EXIT_OK;
	}
	return add_argument(cli, argv[1]);
}

const struct ks_command ks_command_add = {
	.name = "add",
	.arguments = "DIR|MODULE/VERSION",
	.summary = "register a module's source",
	.description =
		"Registers /usr/src/MODULE-VERSION, or a directory elsewhere with a "
		"dkms.conf in it,\nwhich is copied there. From then on the module is "
		"wanted, also without AUTOINSTALL.",
	.min_arguments = 1,
	.max_arguments = 1,
	.changes = true,
	.run = run,
};
