/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Running weak-modules. */
#include "core/install/weak.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/support/error.h"
#include "core/support/process.h"
#include "core/support/write-all.h"

const struct ks_distro_weak *ks_install_weak_tool(const struct ks_system *system)
{
	const struct ks_distro_weak *tool = ks_distro_find(system)->weak;

	return tool && ks_root_exists(system->root, tool->path) ? tool : NULL;
}

/* One path in a line, to be read from its beginning; or -1. */
static int open_list(const struct ks_manifest *manifest, GError **error)
{
	g_autoptr(GString) list = g_string_new(NULL);
	ks_autofd int fd = memfd_create("weak-modules", MFD_CLOEXEC);

	for (guint i = 0; i < manifest->files->len; i++) {
		const struct ks_manifest_file *file =
			g_ptr_array_index(manifest->files, i);

		g_string_append_printf(list, "%s/%s\n", file->dest_dir, file->name);
	}
	if (fd < 0 || !ks_write_all(fd, list->str, list->len) ||
	    lseek(fd, 0, SEEK_SET) != 0) {
		ks_error_set_errno(error, errno, "cannot list the modules");
		return -1;
	}
	return ks_steal_fd(&fd);
}

static bool run(const struct ks_system *system, const char *const *argv, int list_fd,
		GError **error)
{
	struct ks_process_options options = KS_PROCESS_OPTIONS_INIT;
	g_autofree char *described = NULL;
	int wait_status;

	options.argv = argv;
	options.chroot = ks_root_is_host(system->root) ? NULL : system->root;
	options.stdin_fd = list_fd;
	if (!ks_process_run(&options, &wait_status, error))
		return false;
	if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0)
		return true;
	described = ks_process_describe(wait_status);
	ks_error_set(error, KS_ERROR_FAILED, "'%s' failed: %s", argv[0], described);
	return false;
}

bool ks_install_weak_modules(const struct ks_system *system,
			     const struct ks_manifest *manifest, bool add, GError **error)
{
	const struct ks_distro_weak *tool = ks_install_weak_tool(system);
	const char *argv[6] = {NULL};
	ks_autofd int list_fd = -1;
	size_t n = 0;

	if (!tool || !manifest->files->len)
		return true;
	list_fd = open_list(manifest, error);
	if (list_fd < 0)
		return false;
	argv[n++] = tool->path;
	for (const char *const *word = add ? tool->add : tool->remove; *word; word++)
		argv[n++] = *word;
	if (tool->takes_release)
		argv[n++] = manifest->release;
	if (run(system, argv, list_fd, error))
		return true;
	g_prefix_error(error, "cannot link the modules of %s/%s to other kernels: ",
		       manifest->module, manifest->version);
	return false;
}
