/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs a program of the tree. */
#include "core/install/run-tool.h"

#include <sys/wait.h>

#include "core/support/error.h"
#include "core/support/process.h"

#define MAX_OUTPUT_BYTES (1024 * 1024)

char *ks_run_tool_find(const struct ks_system *system, const char *name)
{
	static const char *const directories[] = {"/usr/sbin", "/usr/bin", "/sbin",
						  "/bin"};

	for (size_t i = 0; i < G_N_ELEMENTS(directories); i++) {
		g_autofree char *path = g_build_filename(directories[i], name, NULL);
		struct stat st;

		if (ks_root_stat(system->root, path, &st) && S_ISREG(st.st_mode) &&
		    (st.st_mode & 0111))
			return g_steal_pointer(&path);
	}
	return NULL;
}

bool ks_run_tool(const struct ks_system *system, const char *const *argv, int log_fd,
		 GError **error)
{
	struct ks_process_options options = KS_PROCESS_OPTIONS_INIT;
	g_autofree char *output = NULL;
	g_autofree char *how = NULL;
	int status;

	options.argv = argv;
	options.chroot = ks_root_is_host(system->root) ? NULL : system->root;
	if (log_fd < 0) {
		output =
			ks_process_capture(&options, NULL, MAX_OUTPUT_BYTES, NULL, error);
		return output != NULL;
	}
	options.stdout_fd = log_fd;
	options.stderr_fd = log_fd;
	if (!ks_process_run(&options, &status, error))
		return false;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	how = ks_process_describe(status);
	ks_error_set(error, KS_ERROR_FAILED, "'%s': %s", argv[0], how);
	return false;
}
