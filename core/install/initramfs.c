/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Is a kernel's initramfs older than its modules? If so, make it again.
 *
 * The mark's own time is compared with the image's: both come from the file
 * system's clock, and an image that somebody else has made meanwhile counts.
 */
#include <errno.h>
#include <string.h>

#include "core/install/install.h"
#include "core/install/run-tool.h"
#include "core/support/durable.h"
#include "core/support/error.h"

#define MAX_NAME_BYTES 256

static char *mark_path(const struct ks_system *system, const char *release)
{
	return g_build_filename(system->state_dir, "changed", release, NULL);
}

/* The first word of a small file, fit to be part of a file name; or NULL. */
static char *read_word(const struct ks_system *system, const char *path)
{
	g_autofree char *text =
		ks_root_read_file(system->root, path, MAX_NAME_BYTES, NULL, NULL);

	if (!text)
		return NULL;
	text[strcspn(text, " \t\n")] = '\0';
	return *text && *text != '.' && !strchr(text, '/') ? g_steal_pointer(&text)
							   : NULL;
}

/* mkinitcpio's presets name the image after the kernel's package. */
static char *image_of_package(const struct ks_system *system,
			      const struct ks_kernel *kernel)
{
	g_autofree char *path = g_build_filename(kernel->modules_dir, "pkgbase", NULL);
	g_autofree char *package = read_word(system, path);

	return package ? g_strconcat("/boot/initramfs-", package, ".img", NULL) : NULL;
}

/* kernel-install's layout for boot loader entries. */
static char *image_of_entry(const struct ks_system *system,
			    const struct ks_kernel *kernel)
{
	g_autofree char *id = read_word(system, "/etc/machine-id");

	return id ? g_build_filename("/boot", id, kernel->release, "initrd", NULL) : NULL;
}

char *ks_install_initramfs_path(const struct ks_system *system,
				const struct ks_kernel *kernel)
{
	char *candidates[] = {
		g_strconcat("/boot/initrd.img-", kernel->release, NULL),
		g_strconcat("/boot/initramfs-", kernel->release, ".img", NULL),
		g_strconcat("/boot/initrd-", kernel->release, NULL),
		image_of_package(system, kernel),
		image_of_entry(system, kernel),
	};
	char *found = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(candidates); i++) {
		if (!found && candidates[i] &&
		    ks_root_exists(system->root, candidates[i]))
			found = candidates[i];
		else
			g_free(candidates[i]);
	}
	return found;
}

bool ks_install_mark_changed(const struct ks_system *system, const char *release,
			     GError **error)
{
	g_autofree char *path = mark_path(system, release);

	return ks_durable_write(system->root, path, "", 0, 0644, error);
}

struct ks_install_mark ks_install_get_mark(const struct ks_system *system,
					   const char *release)
{
	g_autofree char *path = mark_path(system, release);
	struct ks_install_mark mark = {0};
	struct stat st;

	mark.is_there = ks_root_lstat(system->root, path, &st);
	if (mark.is_there)
		mark.time = st.st_mtim;
	return mark;
}

void ks_install_put_mark_back(const struct ks_system *system, const char *release,
			      const struct ks_install_mark *mark)
{
	g_autofree char *path = mark_path(system, release);
	const struct timespec times[2] = {mark->time, mark->time};
	ks_autofd int parent = -1;
	const char *name;

	if (!mark->is_there) {
		ks_ignore(ks_durable_unlink(system->root, path, NULL));
		return;
	}
	parent = ks_root_open_parent(system->root, path, &name, NULL);
	/* too new a mark costs an image, too old a one a driver: it is left then */
	if (parent >= 0)
		(void)!utimensat(parent, name, times, AT_SYMLINK_NOFOLLOW);
}

static bool is_before(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec < b->tv_sec ||
	       (a->tv_sec == b->tv_sec && a->tv_nsec < b->tv_nsec);
}

/* Made in the same tick as the change: the order is unknown, so it counts as older. */
static bool is_older_than_mark(const struct ks_system *system,
			       const struct ks_kernel *kernel, const char *path)
{
	g_autofree char *mark = mark_path(system, kernel->release);
	struct stat marked, made;

	return ks_root_stat(system->root, mark, &marked) &&
	       ks_root_stat(system->root, path, &made) &&
	       !is_before(&marked.st_mtim, &made.st_mtim);
}

bool ks_install_initramfs_is_stale(const struct ks_system *system,
				   const struct ks_kernel *kernel)
{
	g_autofree char *image = ks_install_initramfs_path(system, kernel);

	return image && is_older_than_mark(system, kernel, image);
}

bool ks_install_depmod_is_stale(const struct ks_system *system,
				const struct ks_kernel *kernel)
{
	g_autofree char *index =
		g_build_filename(kernel->modules_dir, "modules.dep", NULL);
	g_autofree char *mark = mark_path(system, kernel->release);
	struct stat marked, made;

	/* depmod is quick: made in the same tick, it was made after the change */
	if (ks_root_stat(system->root, index, &made))
		return ks_root_stat(system->root, mark, &marked) &&
		       is_before(&made.st_mtim, &marked.st_mtim);
	/* a tree that the caller has named and that never had one does not get one */
	return !system->install_tree_is_given && ks_root_exists(system->root, mark);
}

struct tool {
	const char *name;
	const char *argv[5]; /* after the program; K and IMAGE are filled in */
};

static const struct tool tools[] = {
	{"update-initramfs", {"-u", "-k", "K"}},
	{"dracut", {"--force", "IMAGE", "K"}},
	{"mkinitcpio", {"-k", "K", "-g", "IMAGE"}},
};

static const struct tool *find_tool(const struct ks_system *system, char **program)
{
	for (size_t i = 0; i < G_N_ELEMENTS(tools); i++) {
		*program = ks_run_tool_find(system, tools[i].name);
		if (*program)
			return &tools[i];
	}
	return NULL;
}

static struct ks_tool *start_tool(const struct ks_system *system,
				  const struct ks_kernel *kernel, const char *image,
				  int log_fd, GError **error)
{
	g_autofree char *program = NULL;
	const struct tool *tool = find_tool(system, &program);
	const char *argv[G_N_ELEMENTS(tool->argv) + 2] = {program};

	if (!tool) {
		ks_error_set(
			error, KS_ERROR_NOT_FOUND,
			"neither update-initramfs, dracut nor mkinitcpio is installed");
		return NULL;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(tool->argv) && tool->argv[i]; i++) {
		if (!strcmp(tool->argv[i], "K"))
			argv[i + 1] = kernel->release;
		else if (!strcmp(tool->argv[i], "IMAGE"))
			argv[i + 1] = image;
		else
			argv[i + 1] = tool->argv[i];
	}
	return ks_run_tool_start(system, argv, log_fd, error);
}

static bool explain(const struct ks_kernel *kernel, bool ok, GError **error)
{
	if (!ok)
		g_prefix_error(error,
			       "cannot make the initramfs of %s: ", kernel->release);
	return ok;
}

bool ks_install_initramfs_start(const struct ks_system *system,
				const struct ks_kernel *kernel, int log_fd,
				struct ks_tool **tool, GError **error)
{
	g_autofree char *image = ks_install_initramfs_path(system, kernel);
	struct ks_tool *started;

	if (!image) {
		*tool = NULL;
		return true;
	}
	started = start_tool(system, kernel, image, log_fd, error);
	if (started)
		*tool = started;
	return explain(kernel, started != NULL, error);
}

bool ks_install_initramfs_finish(const struct ks_system *system,
				 const struct ks_kernel *kernel, struct ks_tool *tool,
				 GError **error)
{
	g_autofree char *mark = mark_path(system, kernel->release);

	return explain(kernel, ks_run_tool_finish(tool, error), error) &&
	       ks_durable_unlink(system->root, mark, error);
}

bool ks_install_initramfs_update(const struct ks_system *system,
				 const struct ks_kernel *kernel, int log_fd,
				 GError **error)
{
	struct ks_tool *tool = NULL;

	return ks_install_initramfs_start(system, kernel, log_fd, &tool, error) &&
	       (!tool || ks_install_initramfs_finish(system, kernel, tool, error));
}
