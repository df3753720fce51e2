/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/engine/post-transaction.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/settings/framework.h"
#include "core/support/error.h"
#include "core/support/process.h"

#define LINE "----------------------------------------------------------------"

struct command {
	char *text;
	const struct ks_kernel *kernel; /* the first that it is for */
};

static void command_free(struct command *command)
{
	g_free(command->text);
	g_free(command);
}

static bool has(const GPtrArray *commands, const char *text)
{
	for (guint i = 0; i < commands->len; i++) {
		const struct command *command = commands->pdata[i];

		if (g_str_equal(command->text, text))
			return true;
	}
	return false;
}

/* Read for each kernel; equal texts are one command. */
static GPtrArray *list_commands(const struct ks_system *system,
				const struct ks_settings *settings, GPtrArray *kernels,
				const GPtrArray *releases, GError **error)
{
	g_autoptr(GPtrArray) commands =
		g_ptr_array_new_with_free_func((GDestroyNotify)command_free);

	for (guint i = 0; i < releases->len; i++) {
		struct ks_kernel *kernel = ks_kernel_find(kernels, releases->pdata[i]);
		ks_auto(ks_framework) framework = NULL;
		struct command *command;

		if (!kernel)
			continue;
		framework = ks_framework_load(system, settings, kernel,
					      KS_SETTINGS_LENIENT, error);
		if (!framework)
			return NULL;
		if (!framework->post_transaction ||
		    has(commands, framework->post_transaction))
			continue;
		command = g_new0(struct command, 1);
		command->text = g_steal_pointer(&framework->post_transaction);
		command->kernel = kernel;
		g_ptr_array_add(commands, command);
	}
	return g_steal_pointer(&commands);
}

static char **make_env(const struct ks_kernel *kernel)
{
	GPtrArray *env = g_ptr_array_new();

	for (size_t i = 0; ks_process_clean_env[i]; i++)
		g_ptr_array_add(env, g_strdup(ks_process_clean_env[i]));
	/* what it calls may call us */
	g_ptr_array_add(env, g_strdup_printf("KMODSMITH_LOCKED=%d", (int)getpid()));
	g_ptr_array_add(env, g_strdup_printf("kernelver=%s", kernel->release));
	g_ptr_array_add(env, g_strdup_printf("arch=%s", kernel->arch));
	g_ptr_array_add(env, NULL);
	return (char **)g_ptr_array_free(env, FALSE);
}

/* A log that cannot be written is no reason not to run it. */
G_GNUC_PRINTF(2, 3) static void log_text(int fd, const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	if (fd >= 0 && write(fd, text, strlen(text)) < 0)
		return;
}

static void log_end(int fd, int wait_status, gint64 elapsed_us)
{
	gint64 s = (elapsed_us + G_USEC_PER_SEC / 2) / G_USEC_PER_SEC;
	int code = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status)
					  : 128 + WTERMSIG(wait_status);

	log_text(fd, "\n# exit code: %d\n# elapsed time: %02d:%02d:%02d\n" LINE "\n",
		 code, (int)(s / 3600), (int)(s / 60 % 60), (int)(s % 60));
}

static bool run(const struct ks_system *system, const struct command *command, int log_fd,
		GError **error)
{
	const char *const argv[] = {"bash", "-c", command->text, NULL};
	g_auto(GStrv) env = make_env(command->kernel);
	struct ks_process_options options = KS_PROCESS_OPTIONS_INIT;
	gint64 started_us = g_get_monotonic_time();
	g_autofree char *described = NULL;
	int wait_status;

	log_text(log_fd, "\nExecuting post-transaction command\n# command: %s\n",
		 command->text);
	options.argv = argv;
	options.env = (const char *const *)env;
	options.chroot = ks_root_is_host(system->root) ? NULL : system->root;
	options.stdout_fd = log_fd;
	options.stderr_fd = log_fd;
	if (!ks_process_run(&options, &wait_status, error)) {
		g_prefix_error(error,
			       "cannot run post_transaction '%s': ", command->text);
		return false;
	}
	log_end(log_fd, wait_status, g_get_monotonic_time() - started_us);
	if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0)
		return true;
	described = ks_process_describe(wait_status);
	ks_error_set(error, KS_ERROR_FAILED, "post_transaction '%s' failed: %s",
		     command->text, described);
	ks_error_hint(error, "its output is in '%s/post_transaction.log'",
		      system->dkms_tree);
	return false;
}

bool ks_post_transaction_run(const struct ks_system *system,
			     const struct ks_settings *settings, GPtrArray *kernels,
			     const GPtrArray *releases,
			     ks_post_transaction_observer observer, void *data,
			     GError **error)
{
	g_autofree char *path =
		g_build_filename(system->dkms_tree, "post_transaction.log", NULL);
	g_autoptr(GPtrArray) commands = NULL;
	ks_autofd int log_fd = -1;
	bool ok = true;

	/* whether there is one hangs on no kernel */
	if (!settings->framework || !settings->framework->post_transaction)
		return true;
	if (!ks_framework_check_trust(settings->framework, "post_transaction", error))
		return false;
	commands = list_commands(system, settings, kernels, releases, error);
	if (!commands)
		return false;
	if (commands->len)
		log_fd = ks_root_openat(system->root, path,
					O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0644,
					NULL);
	for (guint i = 0; i < commands->len; i++) {
		const struct command *command = commands->pdata[i];

		if (observer)
			observer(command->text, data);
		if (!run(system, command, log_fd, ok ? error : NULL))
			ok = false;
	}
	return ok;
}
