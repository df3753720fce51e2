/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * alpm-hook: what pacman runs (hooks/alpm), and the boot unit.
 *
 *	alpm-hook keep	    PreTransaction: put the running kernel's modules aside
 *	alpm-hook post	    PostTransaction: call the engine; paths on standard input
 *	alpm-hook boot	    remove what "keep" kept of a kernel that does not run any more
 *
 * The engine looks for itself what there is to do; the paths, which come without a word
 * about what happened to them and are therefore looked up on disk, only tell whether this
 * transaction makes a new initramfs. The environment is built from nothing: pacman passes
 *the user's on. Nothing here can fail the transaction; an exit status other than 0 makes
 *pacman print a line about it.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/settings/settings.h"
#include "core/install/install.h"
#include "core/record/record.h"
#include "core/support/error.h"
#include "core/support/inherited.h"
#include "core/support/process.h"
#include "plugins/alpm/alpm-database.h"
#include "plugins/alpm/kept.h"

#define KMODSMITH	 SBINDIR "/kmodsmith"
#define LEFT_HOOK	 ALPMHOOKSDIR "/zz-kmodsmith-left.hook"
#define MAX_TARGET_BYTES (16 * 1024 * 1024)
#define EXIT_INTERRUPTED 130

static int complain(const GError *error)
{
	const char *hint = ks_error_get_hint(error);

	fprintf(stderr, "kmodsmith: error: %s\n", error->message);
	if (hint)
		fprintf(stderr, "kmodsmith: hint: %s\n", hint);
	return EXIT_FAILURE;
}

/* --- what the transaction was about */

/* To the end, even when nobody needs it: pacman must not wait for a reader. */
static char *read_targets(void)
{
	g_autoptr(GString) text = g_string_new(NULL);
	char buffer[65536];
	ssize_t n;

	while ((n = read(STDIN_FILENO, buffer, sizeof(buffer))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		if (text->len + (size_t)n <= MAX_TARGET_BYTES)
			g_string_append_len(text, buffer, n);
	}
	return g_string_free(g_steal_pointer(&text), FALSE);
}

/* Do the hooks of mkinitcpio and dracut, which come after us, make images? */
static bool makes_images(const struct ks_system *system, const char *targets)
{
	g_auto(GStrv) lines = g_strsplit(targets, "\n", -1);

	for (char **line = lines; *line; line++) {
		g_autofree char *path = g_strconcat("/", *line, NULL);
		struct stat st;

		if ((g_str_has_suffix(*line, "/vmlinuz") ||
		     g_str_has_suffix(*line, "/dkms.conf")) &&
		    ks_root_lstat(system->root, path, &st))
			return true;
	}
	return false;
}

static void report_images(const struct ks_system *system, struct ks_kernel *kernel)
{
	g_auto(GStrv) commands = ks_install_list_image_commands(system, kernel);
	g_autofree char *unrenewed = NULL;
	g_autoptr(GError) error = NULL;

	for (char **command = commands; *command; command++)
		printf("kmodsmith: the initramfs of %s was not made again: '%s' does "
		       "that\n",
		       kernel->release, *command);
	/* its mark is what says that the others are stale, too */
	if (*commands)
		return;
	if (!ks_install_note_unrenewed(system, kernel, &unrenewed, &error))
		complain(error);
	else if (unrenewed)
		printf("kmodsmith: %s\n", unrenewed);
}

static void report_stale_images(const struct ks_system *system)
{
	g_autoptr(GPtrArray) kernels = ks_kernel_list(system, NULL);

	for (guint i = 0; kernels && i < kernels->len; i++) {
		struct ks_kernel *kernel = g_ptr_array_index(kernels, i);

		if (kernel->alive)
			report_images(system, kernel);
	}
}

/* --- the engine */

static volatile sig_atomic_t engine_pid;

/* ^C reaches the engine from the terminal; a signal sent to us alone is passed on. */
static void pass_on(int signal_number)
{
	if (engine_pid > 0)
		kill((pid_t)engine_pid, signal_number);
}

/* "NAME=value" of this process's environment, where it is set. */
static void keep_variable(GPtrArray *env, const char *name)
{
	const char *value = g_getenv(name);

	if (value)
		g_ptr_array_add(env, g_strdup_printf("%s=%s", name, value));
}

static char **make_env(const struct ks_system *system)
{
	GPtrArray *env = g_ptr_array_new();
	ks_auto(ks_alpm) alpm = ks_alpm_open(system, NULL);

	for (const char *const *word = ks_process_clean_env; *word; word++)
		g_ptr_array_add(env, g_strdup(*word));
	keep_variable(env, "TERM");
	keep_variable(env, "SOURCE_DATE_EPOCH");
	if (alpm && ks_alpm_needs_naming(alpm))
		g_ptr_array_add(env, g_strdup_printf("%s=%s", KS_RECORD_DATABASE_ENV,
						     alpm->path));
	g_ptr_array_add(env, NULL);
	return (char **)g_ptr_array_free(env, FALSE);
}

static bool run_engine(const struct ks_system *system, int *wait_status, GError **error)
{
	static const char *const argv[] = {KMODSMITH, "sync", "--trigger=alpm",
					   "--no-initramfs", NULL};
	struct sigaction pass = {.sa_handler = pass_on};
	struct ks_process_options options = KS_PROCESS_OPTIONS_INIT;
	g_auto(GStrv) env = make_env(system);
	pid_t pid;

	options.argv = argv;
	options.env = (const char *const *)env;
	options.stdout_fd = STDOUT_FILENO;
	options.stderr_fd = STDERR_FILENO;
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	sigaction(SIGTERM, &pass, NULL);
	pid = ks_process_spawn(&options, NULL, error);
	if (pid < 0)
		return false;
	engine_pid = pid;
	*wait_status = ks_process_wait(pid);
	engine_pid = 0;
	return true;
}

static void report_interrupted(int wait_status)
{
	if (WIFSIGNALED(wait_status)) {
		g_autofree char *how = ks_process_describe(wait_status);

		fprintf(stderr,
			"kmodsmith: error: the work on modules was not finished: %s\n",
			how);
	} else if (WEXITSTATUS(wait_status) != EXIT_INTERRUPTED) {
		return;
	}
	fputs("kmodsmith: hint: do not reboot yet: 'kmodsmith sync' does the rest\n",
	      stderr);
}

static int post(const struct ks_system *system)
{
	g_autofree char *targets = read_targets();
	g_autoptr(GError) error = NULL;
	int wait_status;

	/* of a removal of kmodsmith that did not happen */
	unlink(LEFT_HOOK);
	if (!ks_kept_restore(system, NULL, &error)) {
		complain(error);
		g_clear_error(&error);
	}
	if (!run_engine(system, &wait_status, &error))
		return complain(error);
	if (!makes_images(system, targets))
		report_stale_images(system);
	fflush(stdout);
	report_interrupted(wait_status);
	return wait_status == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* --- modules of the running kernel */

static int keep(const struct ks_system *system)
{
	g_autoptr(GError) error = NULL;
	ks_auto(ks_settings) settings =
		ks_settings_load(system, KS_SETTINGS_LENIENT, &error);
	struct utsname name;

	if (!settings)
		return complain(error);
	if (!settings->keep_running_modules || uname(&name) < 0 ||
	    ks_kept_save(system, name.release, &error))
		return EXIT_SUCCESS;
	return complain(error);
}

/* The engine takes nothing away at boot by itself: the modules of that kernel go here. */
static int boot(const struct ks_system *system)
{
	g_autoptr(GError) error = NULL;
	unsigned int n = 0;
	struct utsname name;
	int wait_status;

	if (uname(&name) < 0 || !ks_kept_clean(system, name.release, &n, &error))
		return error ? complain(error) : EXIT_FAILURE;
	if (n && !run_engine(system, &wait_status, &error))
		return complain(error);
	return EXIT_SUCCESS;
}

static const struct mode {
	const char *name;
	int (*run)(const struct ks_system *system);
} modes[] = {
	{"keep", keep},
	{"post", post},
	{"boot", boot},
};

int main(int argc, char **argv)
{
	g_autoptr(GError) error = NULL;
	ks_auto(ks_system) system = NULL;

	/* one run without us, or a user in a private root */
	if (argc != 2 || g_strcmp0(g_getenv("KMODSMITH"), "0") == 0 || geteuid() != 0)
		return EXIT_SUCCESS;
	if (!ks_inherited_reset())
		return EXIT_SUCCESS;
	signal(SIGPIPE, SIG_IGN);
	system = ks_system_new("/", &error);
	if (!system)
		return complain(error);
	for (size_t i = 0; i < G_N_ELEMENTS(modes); i++)
		if (strcmp(argv[1], modes[i].name) == 0)
			return modes[i].run(system);
	return EXIT_SUCCESS;
}
