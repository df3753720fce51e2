/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kmodsmith lint: a source before it is shipped. It is copied into a private
 * state tree and built there by the engine, so that nothing of the system's own
 * state is read or changed; headers, compiler and sandbox are the real ones.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/json.h"
#include "cli/lint.h"
#include "cli/message.h"
#include "cli/run.h"
#include "cli/find.h"
#include "core/support/error.h"
#include "core/support/treeop.h"

#define MAX_SOURCE_BYTES   (G_GUINT64_CONSTANT(4) << 30)
#define MAX_SOURCE_ENTRIES 200000
#define MAX_LOG_BYTES	   (64 * 1024 * 1024)

static char *kernel_option;
static volatile sig_atomic_t cancelled;

static const GOptionEntry options[] = {
	{"kernel", 'k', 0, G_OPTION_ARG_STRING, &kernel_option, "only for this kernel",
	 "RELEASE"},
	{NULL},
};

struct linting {
	struct ks_cli *cli;
	const char *dir; /* in the tree */
	struct ks_conf *conf;
	GPtrArray *findings;
	char *private_dir;   /* in the tree */
	struct ks_cli inner; /* the private state */
	struct ks_outcome *outcome;
};

/* --- the private state */

static void replace(char **path, const char *dir, const char *name)
{
	g_free(*path);
	*path = g_build_filename(dir, name, NULL);
}

/* Below a directory that nobody else can guess or list; the build's user passes it. */
static bool make_private_dir(struct linting *linting, GError **error)
{
	g_autofree char *id = g_uuid_string_random();
	g_autofree char *dir = g_strdup_printf("/var/tmp/kmodsmith-lint-%s", id);

	if (!ks_root_mkdir_p(linting->cli->system->root, "/var/tmp", 01777, error) ||
	    !ks_root_mkdir_p(linting->cli->system->root, dir, 0711, error))
		return false;
	linting->private_dir = g_steal_pointer(&dir);
	return true;
}

static bool make_inner(struct linting *linting, GError **error)
{
	const struct ks_system *outer = linting->cli->system;
	const char *dir = linting->private_dir;
	const char *prefix = ks_root_prefix(outer->root);
	struct ks_system *system = ks_system_new(*prefix ? prefix : "/", error);
	struct ks_settings *settings;

	if (!system)
		return false;
	linting->inner.system = system;
	linting->inner.quiet = true;
	system->named_release = g_strdup(kernel_option);
	replace(&system->dkms_tree, dir, "dkms");
	replace(&system->source_tree, dir, "src");
	replace(&system->dkms_etc, dir, "etc-dkms");
	replace(&system->etc_dir, dir, "etc");
	replace(&system->state_dir, dir, "state");
	replace(&system->run_dir, dir, "run");
	replace(&system->log_dir, dir, "log");
	settings = ks_settings_load(system, KS_SETTINGS_STRICT, error);
	if (!settings)
		return false;
	linting->inner.settings = settings;
	/* an administrator's wishes for all builds; none for installed modules */
	settings->sandbox = linting->cli->settings->sandbox;
	settings->n_jobs = linting->cli->settings->n_jobs;
	settings->root_scripts = KS_ROOT_SCRIPTS_SKIP;
	settings->sign = KS_SIGN_SETTING_NO;
	settings->initramfs = false;
	return true;
}

static bool copy_source(struct linting *linting, GError **error)
{
	const struct ks_treeop_copy_options copy = {
		.chown = true,
		.max_bytes = MAX_SOURCE_BYTES,
		.max_entries = MAX_SOURCE_ENTRIES,
	};
	const struct ks_system *system = linting->inner.system;
	g_autofree char *to = g_strdup_printf("%s/%s-%s", system->source_tree,
					      linting->conf->package_name,
					      linting->conf->package_version);

	return ks_root_mkdir_p(system->root, system->source_tree, 0755, error) &&
	       ks_treeop_copy(system->root, linting->dir, to, &copy, error);
}

/* --- building */

static void on_signal(int signal_number)
{
	(void)signal_number;
	cancelled = 1;
}

static void catch_signals(void)
{
	/* without SA_RESTART: a poll(2) that waits for builds must return */
	struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

static void on_event(const struct ks_event *event, void *data)
{
	const struct linting *linting = data;

	if (event->kind == KS_EVENT_ACTION_START && !linting->cli->quiet &&
	    event->action->kind == KS_ACTION_BUILD)
		ks_message_note("building for %s",
				event->action->target->kernel->release);
	else if (event->kind == KS_EVENT_SANDBOX && !linting->cli->quiet)
		ks_message_note("sandbox: %s", event->text);
	else if (event->kind == KS_EVENT_WARNING)
		ks_message_warning("%s", event->text);
}

static bool build(struct linting *linting, GError **error)
{
	const struct ks_run_options run = {
		.request =
			{
				.module = linting->conf->package_name,
				.version = linting->conf->package_version,
				.release = kernel_option,
				.goal = KS_GOAL_BUILD,
				.no_initramfs = true,
			},
		.command = "lint",
		.no_record = true,
		.no_depmod = true,
		.observer = on_event,
		.observer_data = linting,
		.cancelled = &cancelled,
	};

	catch_signals();
	return make_private_dir(linting, error) && make_inner(linting, error) &&
	       copy_source(linting, error) &&
	       ks_engine_run(linting->inner.system, linting->inner.settings, &run,
			     &linting->outcome, error);
}

/* --- printing */

static bool is_told(const struct linting *linting, const struct ks_verdict *verdict)
{
	return ks_verdict_is_shown(verdict) && verdict->target->kernel->alive &&
	       (!kernel_option ||
		g_str_equal(verdict->target->kernel->release, kernel_option));
}

/* Remove the name of its directory: that is of no interest, and gone in a moment. */
static char *clean_text(const struct linting *linting, const char *text)
{
	g_autofree char *source = NULL, *joined = NULL;
	g_auto(GStrv) parts = NULL;

	if (!linting->private_dir)
		return ks_message_clean(text);
	source = g_strdup_printf("%s/src/%s-%s", linting->private_dir,
				 linting->conf->package_name,
				 linting->conf->package_version);
	parts = g_strsplit(text, source, -1);
	joined = g_strjoinv(linting->dir, parts);
	return ks_message_clean(joined);
}

static void print_log(const struct linting *linting, const struct ks_target *target)
{
	const struct ks_system *system = linting->inner.system;
	g_autofree char *path = ks_source_log_path(system, target);
	g_autofree char *text =
		path ? ks_root_read_file(system->root, path, MAX_LOG_BYTES, NULL, NULL)
		     : NULL;
	g_auto(GStrv) lines = text ? g_strsplit(text, "\n", -1) : NULL;

	for (char **line = lines; line && *line; line++) {
		g_autofree char *clean = ks_message_clean(*line);

		printf("  %s\n", clean);
	}
}

static void print_text(const struct linting *linting)
{
	for (guint i = 0; i < linting->findings->len; i++) {
		const struct ks_lint_finding *finding =
			g_ptr_array_index(linting->findings, i);
		g_autofree char *clean = clean_text(linting, finding->text);

		printf("%s: %s\n", finding->is_error ? "error" : "warning", clean);
	}
	if (!linting->outcome)
		return;
	for (guint i = 0; i < linting->outcome->plan->verdicts->len; i++) {
		const struct ks_verdict *verdict =
			g_ptr_array_index(linting->outcome->plan->verdicts, i);
		g_autofree char *line = ks_verdict_line(verdict);
		g_autofree char *clean = clean_text(linting, line);

		if (!is_told(linting, verdict))
			continue;
		if (verdict->state == KS_TARGET_BUILT)
			printf("%s/%s on %s: builds\n", verdict->target->source->name,
			       verdict->target->source->version,
			       verdict->target->kernel->release);
		else
			puts(clean);
		if (verdict->state == KS_TARGET_FAILED && linting->cli->verbose)
			print_log(linting, verdict->target);
	}
}

static int exit_code(const struct linting *linting)
{
	int code = KS_EXIT_OK;
	guint n = 0;

	for (guint i = 0; linting->outcome && i < linting->outcome->plan->verdicts->len;
	     i++) {
		const struct ks_verdict *verdict =
			g_ptr_array_index(linting->outcome->plan->verdicts, i);

		if (!is_told(linting, verdict))
			continue;
		n++;
		if (verdict->state == KS_TARGET_FAILED ||
		    verdict->state == KS_TARGET_BROKEN)
			code = KS_EXIT_FAILED;
		else if (verdict->state == KS_TARGET_WAITING && code == KS_EXIT_OK)
			code = KS_EXIT_WAITING;
	}
	for (guint i = 0; i < linting->findings->len; i++) {
		const struct ks_lint_finding *finding =
			g_ptr_array_index(linting->findings, i);

		if (finding->is_error)
			code = KS_EXIT_FAILED;
	}
	if (linting->outcome && !n && code == KS_EXIT_OK) {
		ks_message_error(kernel_option ? "no such kernel: '%s'"
					       : "there is no kernel to build for%s",
				 kernel_option ? kernel_option : "");
		return KS_EXIT_NOT_FOUND;
	}
	return code;
}

static int lint(struct linting *linting)
{
	g_autoptr(GError) error = NULL;

	linting->conf = ks_conf_load(linting->cli->system, NULL, linting->dir, NULL, NULL,
				     NULL, &error);
	if (linting->conf) {
		ks_lint_source(linting->cli, linting->dir, linting->conf,
			       linting->findings);
	} else if (g_error_matches(error, KS_ERROR, KS_ERROR_NOT_FOUND)) {
		ks_message_gerror(error);
		return KS_EXIT_NOT_FOUND;
	} else {
		ks_lint_add(linting->findings, true, g_strdup(error->message));
	}
	if (linting->conf && geteuid() != 0) {
		ks_message_note("only read, not built: that needs root");
	} else if (linting->conf && !build(linting, &error)) {
		return ks_message_fail(error);
	}
	if (linting->cli->json)
		ks_json_print_lint(linting->conf, linting->findings,
				   linting->outcome ? linting->outcome->plan : NULL,
				   linting->outcome ? linting->outcome->inventory : NULL);
	else
		print_text(linting);
	return exit_code(linting);
}

static int run(struct ks_cli *cli, int argc, char **argv)
{
	bool is_host = ks_root_is_host(cli->system->root);
	g_autofree char *dir = g_canonicalize_filename(argv[1], is_host ? NULL : "/");
	struct linting linting = {
		.cli = cli,
		.dir = dir,
		.findings = g_ptr_array_new_with_free_func(ks_lint_finding_free),
	};
	int code;

	(void)argc;
	code = lint(&linting);
	ks_outcome_free(linting.outcome);
	if (linting.private_dir)
		ks_ignore(ks_treeop_remove(cli->system->root, linting.private_dir, NULL));
	ks_settings_free(linting.inner.settings);
	ks_system_free(linting.inner.system);
	ks_conf_free(linting.conf);
	g_free(linting.private_dir);
	g_ptr_array_unref(linting.findings);
	return code;
}

const struct ks_command ks_command_lint = {
	.name = "lint",
	.arguments = "DIR",
	.summary = "check a module source, and build it without installing",
	.description =
		"Reads the dkms.conf in DIR, reports what is wrong with it, and builds "
		"the modules for\nevery kernel here, in a private place: nothing is "
		"installed or registered. Exits with\n3 when something is wrong or does "
		"not build, with 4 when it could not be tried.",
	.options = options,
	.min_arguments = 1,
	.max_arguments = 1,
	.has_json = true,
	.changes = false,
	.run = run,
};
