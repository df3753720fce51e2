/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kmodsmith log: the log of the last failure or build. */
#include <unistd.h>

#include "cli/message.h"
#include "cli/run.h"
#include "cli/find.h"
#include "cli/selection.h"
#include "core/support/error.h"
#include "core/support/name.h"

static char *kernel_option;

static const GOptionEntry options[] = {
	{"kernel", 'k', 0, G_OPTION_ARG_STRING, &kernel_option, "of this kernel",
	 "RELEASE"},
	{NULL},
};

/* Failures before builds, later ones before earlier. */
static gint64 rank(const struct ks_target *target)
{
	if (target->failure)
		return G_MAXINT64 / 2 + target->failure->failed_at_us;
	if (target->artifact && target->artifact->manifest)
		return target->artifact->manifest->built_at_us;
	return 0;
}

static char *find_log(const struct ks_cli *cli, const struct ks_inventory *inventory,
		      const struct ks_selection *selection,
		      const struct ks_target **found)
{
	const struct ks_target *best = NULL;
	char *best_path = NULL;

	for (guint i = 0; i < inventory->targets->len; i++) {
		const struct ks_target *target = g_ptr_array_index(inventory->targets, i);
		char *path;

		if (!ks_selection_has(selection, target) ||
		    (best && rank(target) <= rank(best)))
			continue;
		path = ks_source_log_path(cli->system, target);
		if (!path)
			continue;
		g_free(best_path);
		best_path = path;
		best = target;
	}
	*found = best;
	return best_path;
}

static char *find_failure_log(const struct ks_cli *cli, const char *module,
			      const char *version, const char *release)
{
	g_autofree char *arch = ks_kernel_machine_arch(cli->system);
	ks_auto(ks_failure) failure =
		ks_failure_load(cli->system, module, version, release, arch);

	return failure ? g_strdup(failure->log_path) : NULL;
}

/* Of the versions in dir, state_dir/failed/MODULE. */
static char *find_log_of_module(const struct ks_cli *cli, const char *dir,
				const struct ks_selection *selection)
{
	g_autoptr(GPtrArray) versions = ks_root_list(cli->system->root, dir, NULL);
	char *path = NULL;

	for (guint i = 0; versions && i < versions->len && !path; i++)
		if (!selection->version ||
		    g_str_equal(selection->version, versions->pdata[i]))
			path = find_failure_log(cli, selection->module,
						versions->pdata[i], selection->release);
	return path;
}

/* Nothing of the kernel is installed: its failure is one of a preflight. */
static char *find_log_of_absent(const struct ks_cli *cli,
				const struct ks_selection *selection)
{
	const char *release = selection->release;
	g_autofree char *kernel = NULL;
	g_autofree char *dir = NULL;

	if (!selection->module || !release || !ks_name_is_plain(release))
		return NULL;
	kernel = g_build_filename(cli->system->install_tree, release, NULL);
	dir = g_build_filename(cli->system->state_dir, "failed", selection->module, NULL);
	return ks_root_exists(cli->system->root, kernel)
		       ? NULL
		       : find_log_of_module(cli, dir, selection);
}

/*
 * Compilers print what third parties wrote: no escape sequence reaches a
 * terminal. The C1 controls do the same as ESC and another character; in UTF-8
 * they are 0xC2 0x80..0x9F, and bare where something else is spoken. *last is
 * the byte before: a buffer may end between the two.
 */
static void defuse(char *text, size_t size_bytes, guchar *last)
{
	for (size_t i = 0; i < size_bytes; i++) {
		const guchar c = (guchar)text[i];
		const bool is_c1 = c >= 0x80 && c < 0xa0;

		if ((g_ascii_iscntrl(text[i]) && c != '\n' && c != '\t') ||
		    (is_c1 && (*last < 0x80 || *last == 0xc2)))
			text[i] = '?';
		*last = (guchar)text[i];
	}
}

static bool copy_out(const struct ks_cli *cli, const char *path, GError **error)
{
	ks_autofd int fd = ks_root_openat(cli->system->root, path,
					  O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0, error);
	bool terminal = isatty(STDOUT_FILENO);
	char buffer[65536];
	guchar last = 0;
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return false;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		ks_error_set(error, KS_ERROR_INVALID,
			     "cannot read '%s': not a regular file", path);
		return false;
	}
	while ((n = read(fd, buffer, sizeof(buffer))) > 0) {
		if (terminal)
			defuse(buffer, (size_t)n, &last);
		if (fwrite(buffer, 1, (size_t)n, stdout) != (size_t)n)
			break;
	}
	fflush(stdout);
	return true;
}

/* A source that cannot be used has no log; its problem is known. */
static void print_no_log(const struct ks_inventory *inventory,
			 const struct ks_selection *selection)
{
	const struct ks_source *source =
		selection->module ? ks_selection_pick(inventory, selection) : NULL;

	ks_message_error("there is no build log: nothing was built");
	if (source && source->problem)
		ks_message_error("%s", source->problem);
	else if (selection->module)
		ks_message_hint("see 'kmodsmith explain %s' for the reason",
				selection->module);
}

/* target NULL: of a kernel that is not there */
static int print_file(const struct ks_cli *cli, const char *path,
		      const struct ks_target *target)
{
	g_autoptr(GError) error = NULL;

	if (!cli->quiet && target)
		fprintf(stderr, "kmodsmith: %s/%s on %s: %s\n", target->source->name,
			target->source->version, target->kernel->release, path);
	else if (!cli->quiet)
		fprintf(stderr, "kmodsmith: %s\n", path);
	return copy_out(cli, path, &error) ? KS_EXIT_OK : ks_message_fail(error);
}

static int print_log(struct ks_cli *cli, struct ks_selection *selection)
{
	ks_auto(ks_inventory) inventory = NULL;
	ks_auto(ks_plan) plan = NULL;
	const struct ks_target *target;
	g_autofree char *path = NULL;
	int code;

	path = find_log_of_absent(cli, selection);
	if (path)
		return print_file(cli, path, NULL);
	code = ks_selection_look(cli, selection, &inventory, &plan);
	if (code)
		return code;
	path = find_log(cli, inventory, selection, &target);
	if (!path) {
		print_no_log(inventory, selection);
		return KS_EXIT_NOT_FOUND;
	}
	return print_file(cli, path, target);
}

static int run(struct ks_cli *cli, int argc, char **argv)
{
	return ks_selection_run(cli, argc > 1 ? argv[1] : NULL, kernel_option, print_log);
}

const struct ks_command ks_command_log = {
	.name = "log",
	.arguments = "[MODULE[/VERSION]]",
	.summary = "print the log of the last failure, or of the last build",
	.description =
		"Prints make.log of the last failure that matches, or of the last build "
		"when none\nhas failed.",
	.options = options,
	.max_arguments = 1,
	.run = run,
};
