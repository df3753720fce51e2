/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kmodsmith preflight: would the modules build for a kernel that is to come? */
#include <errno.h>
#include <string.h>

#include "cli/change.h"
#include "cli/fit.h"
#include "cli/json.h"
#include "cli/message.h"
#include "cli/notify.h"
#include "cli/run.h"
#include "cli/view.h"
#include "core/record/record.h"
#include "core/support/error.h"

static char *kernel_option;
static char **with_option;

static const GOptionEntry options[] = {
	{"kernel", 'k', 0, G_OPTION_ARG_STRING, &kernel_option, "only for this kernel",
	 "RELEASE"},
	{"with", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &with_option,
	 "a package of the kernel; more may follow", "FILE"},
	{NULL},
};

static bool add_file(struct ks_incoming *incoming, const char *path, GError **error)
{
	ks_autofd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0) {
		ks_error_set_errno(error, errno, "cannot open '%s'", path);
		return false;
	}
	if (!S_ISREG(st.st_mode)) {
		ks_error_set(error, KS_ERROR_INVALID, "'%s' is not a package", path);
		return false;
	}
	return ks_incoming_add(incoming, fd, path, error);
}

static bool add_files(struct ks_incoming *incoming, char **paths, GError **error)
{
	for (; paths && *paths; paths++)
		if (!add_file(incoming, *paths, error))
			return false;
	return true;
}

static bool is_installed(const struct ks_cli *cli, const char *release)
{
	g_autofree char *dir = g_build_filename(cli->system->install_tree, release, NULL);

	return !strchr(release, '/') && g_ascii_isdigit(*release) &&
	       ks_root_exists(cli->system->root, dir);
}

/* Its headers may be installed already, and its image not. */
static bool select_named(struct ks_cli *cli, char **releases, GError **error)
{
	char *named[] = {kernel_option, NULL};

	if (!g_strv_contains((const char *const *)releases, kernel_option) &&
	    !is_installed(cli, kernel_option)) {
		ks_error_set(error, KS_ERROR_NOT_FOUND,
			     "nothing of a kernel '%s' is installed%s", kernel_option,
			     *releases ? ", or in these packages" : "");
		ks_error_hint(error, "name the files of its packages");
		return false;
	}
	cli->system->incoming = g_strdupv(named);
	return true;
}

/* Of the kernels in the packages those that were asked for. */
static bool select_releases(struct ks_cli *cli, struct ks_incoming *incoming,
			    GError **error)
{
	g_auto(GStrv) releases = ks_incoming_list_releases(incoming, error);

	if (!releases)
		return false;
	if (kernel_option)
		return select_named(cli, releases, error);
	if (!*releases) {
		ks_error_set(error, KS_ERROR_NOT_FOUND,
			     "there is no kernel in these packages");
		return false;
	}
	cli->system->incoming = g_steal_pointer(&releases);
	return true;
}

static const char *find_unsound(const struct ks_outcome *outcome, const char *release)
{
	return outcome->unsound ? g_hash_table_lookup(outcome->unsound, release) : NULL;
}

/* What nobody wants is not mentioned. */
static bool is_shown(const struct ks_verdict *verdict)
{
	return verdict->target->kernel->incoming && verdict->state != KS_TARGET_ADDED;
}

static void print_verdict(const struct ks_cli *cli, const struct ks_outcome *outcome,
			  const struct ks_verdict *verdict)
{
	const struct ks_target *target = verdict->target;
	const enum ks_fit fit = ks_fit_of(verdict);
	g_autofree char *reason =
		ks_fit_reason(verdict, find_unsound(outcome, target->kernel->release));
	g_autofree char *name = ks_verdict_name(verdict);
	g_autofree char *line =
		g_strdup_printf("%s: %s (%s)", name, ks_fit_words(fit), reason);
	g_autofree char *clean = ks_message_clean(line);

	if (!cli->json)
		puts(clean);
	ks_notify_log(cli->system, "preflight: %s", clean);
	if (fit == KS_FIT_DOES_NOT_BUILD && !cli->quiet && !cli->json)
		ks_message_hint("the log: kmodsmith log %s/%s -k %s",
				target->source->name, target->source->version,
				target->kernel->release);
}

static int report(const struct ks_cli *cli, const struct ks_outcome *outcome)
{
	char *const *releases = cli->system->incoming;
	int code = KS_EXIT_OK;

	for (guint i = 0; i < outcome->plan->verdicts->len; i++) {
		const struct ks_verdict *verdict = outcome->plan->verdicts->pdata[i];

		if (is_shown(verdict))
			print_verdict(cli, outcome, verdict);
	}
	for (; *releases; releases++)
		code = ks_verdict_worse_code(code, ks_fit_exit_code(ks_fit_of_kernel(
							   outcome->plan, *releases)));
	if (cli->json)
		ks_json_print_preflight(outcome, cli->system->incoming);
	fflush(stdout);
	return code;
}

static int check(struct ks_cli *cli)
{
	ks_auto(ks_outcome) outcome = NULL;
	g_autoptr(GError) error = NULL;

	outcome = ks_run_prepare(cli, &error);
	return outcome ? report(cli, outcome) : ks_message_fail(error);
}

static int fail(const GError *error, int code)
{
	ks_message_gerror(error);
	return code;
}

/* Whose fault? A file that is no package is an error of the caller's. */
static int fail_to_unpack(const GError *error)
{
	return g_error_matches(error, KS_ERROR, KS_ERROR_NO_SPACE)
		       ? fail(error, KS_EXIT_WAITING)
		       : ks_message_fail(error);
}

static int check_unpacked(struct ks_cli *cli, struct ks_incoming *incoming)
{
	g_autoptr(GError) error = NULL;

	if (!select_releases(cli, incoming, &error))
		return fail(error, KS_EXIT_NOT_FOUND);
	/* nothing is known of the modules then */
	if (!ks_view_enter(cli->system, incoming, &error))
		return fail(error, KS_EXIT_WAITING);
	return check(cli);
}

static int check_packages(struct ks_cli *cli, char **files)
{
	g_autoptr(GError) error = NULL;
	ks_auto(ks_incoming) incoming = ks_incoming_new(cli->system, &error);

	if (!incoming || !add_files(incoming, with_option, &error) ||
	    !add_files(incoming, files, &error))
		return fail_to_unpack(error);
	return check_unpacked(cli, incoming);
}

/* --- what the package manager would install */

static bool add_upgrade(const struct ks_cli *cli, struct ks_incoming *incoming,
			const struct ks_record_incoming *upgrade, GError **error)
{
	for (guint i = 0; i < upgrade->files->len; i++) {
		g_autofree char *path =
			ks_root_host_path(cli->system->root, upgrade->files->pdata[i]);

		if (!add_file(incoming, path, error))
			return false;
	}
	for (guint i = 0; i < upgrade->releases->len; i++)
		ks_incoming_add_release(incoming, upgrade->releases->pdata[i]);
	return true;
}

/* It downloads them as it verifies them; the next upgrade does not do it again. */
static int fail_to_find(const struct ks_record_incoming *upgrade)
{
	g_autoptr(GString) names = g_string_new(NULL);

	for (guint i = 0; i < upgrade->missing->len; i++)
		g_string_append_printf(names, " %s",
				       (const char *)upgrade->missing->pdata[i]);
	ks_message_error("cannot check: packages of the kernel's headers are not "
			 "downloaded");
	ks_message_hint("apt-get install --download-only%s", names->str);
	return KS_EXIT_WAITING;
}

static int check_upgrade(struct ks_cli *cli)
{
	g_autoptr(GError) error = NULL;
	ks_auto(ks_record_incoming) upgrade =
		ks_record_list_incoming(cli->system, &error);
	ks_auto(ks_incoming) incoming = NULL;

	if (!upgrade) {
		ks_error_hint(&error,
			      "name the files of the kernel's packages, or, when its "
			      "headers are installed, its release with --kernel");
		return fail(error, KS_EXIT_WAITING);
	}
	if (!upgrade->releases->len) {
		if (cli->json)
			ks_json_print_preflight(NULL, NULL);
		else if (!cli->quiet)
			ks_message_note("an upgrade would install no kernel now");
		return KS_EXIT_OK;
	}
	if (upgrade->missing->len)
		return fail_to_find(upgrade);
	incoming = ks_incoming_new(cli->system, &error);
	if (!incoming || !add_upgrade(cli, incoming, upgrade, &error))
		return fail_to_unpack(error);
	return check_unpacked(cli, incoming);
}

static int check_installed(struct ks_cli *cli)
{
	char *none[] = {NULL};
	g_autoptr(GError) error = NULL;

	if (!select_named(cli, none, &error))
		return fail(error, KS_EXIT_NOT_FOUND);
	return check(cli);
}

static int run(struct ks_cli *cli, int argc, char **argv)
{
	g_autoptr(GError) error = NULL;

	if (ks_run_is_disabled(cli))
		return KS_EXIT_OK;
	if (!ks_change_require_root("preflight", &error))
		return ks_message_fail(error);
	if (with_option || argc > 1)
		return check_packages(cli, argv + 1);
	return kernel_option ? check_installed(cli) : check_upgrade(cli);
}

const struct ks_command ks_command_preflight = {
	.name = "preflight",
	.arguments = "[--with] [FILE...]",
	.summary = "would the modules build for a kernel that is not installed yet?",
	.description =
		"Builds every wanted module for the kernel whose packages are in the "
		"files (its\nheaders, and what they need that is not installed), as if "
		"they were installed; without\nfiles for the kernel that an upgrade "
		"would install now.\nNothing of the system is changed; what is built "
		"is "
		"kept, and is there at once when\nthe kernel comes. Exits with 0: all "
		"fit; "
		"3: one does not build; 4: one cannot be\nchecked.",
	.options = options,
	.max_arguments = 1000,
	.has_json = true,
	.run = run,
};
