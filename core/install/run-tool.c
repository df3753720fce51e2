/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs a program of the tree. */
#include "core/install/run-tool.h"

#include <sys/mman.h>
#include <unistd.h>

#include "core/support/process.h"

/* Most bytes of stderr that are read; its first line goes into a message. */
#define MAX_ERROR_BYTES 4096

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

struct ks_tool {
	char *program;
	pid_t pid;
	int pidfd;
	int err_fd; /* what it wrote to stderr, or -1: that is in the log */
};

static void tool_free(struct ks_tool *tool)
{
	if (tool->pidfd >= 0)
		close(tool->pidfd);
	if (tool->err_fd >= 0)
		close(tool->err_fd);
	g_free(tool->program);
	g_free(tool);
}

struct ks_tool *ks_run_tool_start(const struct ks_system *system, const char *const *argv,
				  int log_fd, GError **error)
{
	struct ks_process_options options = KS_PROCESS_OPTIONS_INIT;
	struct ks_tool *tool = g_new0(struct ks_tool, 1);

	tool->program = g_strdup(argv[0]);
	tool->pidfd = -1;
	/* a file: nobody has to read it while the tool runs */
	tool->err_fd = log_fd < 0 ? memfd_create("stderr", MFD_CLOEXEC) : -1;
	options.argv = argv;
	options.chroot = ks_root_is_host(system->root) ? NULL : system->root;
	options.stdout_fd = log_fd;
	options.stderr_fd = log_fd < 0 ? tool->err_fd : log_fd;
	tool->pid = ks_process_spawn(&options, &tool->pidfd, error);
	if (tool->pid >= 0)
		return tool;
	tool_free(tool);
	return NULL;
}

int ks_run_tool_fd(const struct ks_tool *tool)
{
	return tool->pidfd;
}

bool ks_run_tool_finish(struct ks_tool *tool, GError **error)
{
	char text[MAX_ERROR_BYTES + 1];
	int status = ks_process_wait(tool->pid);
	ssize_t n = pread(tool->err_fd, text, MAX_ERROR_BYTES, 0);
	bool ok;

	text[MAX(n, 0)] = '\0';
	ok = ks_process_check(tool->program, status, text, error);
	tool_free(tool);
	return ok;
}

bool ks_run_tool(const struct ks_system *system, const char *const *argv, int log_fd,
		 GError **error)
{
	struct ks_tool *tool = ks_run_tool_start(system, argv, log_fd, error);

	return tool && ks_run_tool_finish(tool, error);
}
