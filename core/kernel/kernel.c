/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finding the kernels of a system tree. */
#include "core/kernel/kernel.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "core/kernel/kernel-private.h"
#include "core/support/version.h"

void ks_kernel_free(struct ks_kernel *kernel)
{
	if (!kernel)
		return;
	g_free(kernel->release);
	g_free(kernel->arch);
	g_free(kernel->modules_dir);
	g_free(kernel->headers_dir);
	g_free(kernel->config_path);
	g_free(kernel->symvers_path);
	g_free(kernel->module_suffix);
	g_free(kernel->compiler);
	g_free(kernel->toolchain_problem);
	g_free(kernel->headers_problem);
	g_free(kernel->uname);
	if (kernel->config)
		g_hash_table_unref(kernel->config);
	g_free(kernel);
}

static bool has(const struct ks_system *system, const char *dir, const char *name)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);

	return ks_root_exists(system->root, path);
}

/* One without any modules has an empty one. */
static bool lists_modules(const struct ks_system *system, const struct ks_kernel *kernel)
{
	g_autofree char *path =
		g_build_filename(kernel->modules_dir, "modules.order", NULL);
	struct stat st;

	return ks_root_stat(system->root, path, &st) && st.st_size > 0;
}

/*
 * After a removal without purge the directory stays, with depmod's files only.
 * The headers of a split kernel need the lists of modules, which then come
 * without the modules.
 */
static bool has_image(const struct ks_system *system, const struct ks_kernel *kernel)
{
	return system->install_tree_is_given ||
	       has(system, kernel->modules_dir, "kernel") ||
	       ((has(system, kernel->modules_dir, "modules.order") ||
		 has(system, kernel->modules_dir, "modules.builtin")) &&
		!lists_modules(system, kernel));
}

/* A source tree that nobody has prepared has a Makefile too. */
static bool is_prepared(const struct ks_system *system, const struct ks_kernel *kernel)
{
	return has(system, kernel->headers_dir, "Makefile") &&
	       (has(system, kernel->headers_dir, "include/config/auto.conf") ||
		has(system, kernel->headers_dir, "include/generated/autoconf.h"));
}

/* make modules_prepare, or the distribution's package, has not been there. */
static bool is_unprepared(const struct ks_system *system, const struct ks_kernel *kernel)
{
	return !kernel->has_headers && has(system, kernel->headers_dir, ".");
}

/* Takes path; returns it when it is a file. */
static char *keep_if_file(const struct ks_system *system, char *path)
{
	struct stat st;

	if (ks_root_stat(system->root, path, &st) && S_ISREG(st.st_mode))
		return path;
	g_free(path);
	return NULL;
}

static char *find_config(const struct ks_system *system, const struct ks_kernel *kernel)
{
	char *found =
		keep_if_file(system, g_strconcat("/boot/config-", kernel->release, NULL));

	/* Fedora's own copy; the one in /boot is made from it on installation */
	if (!found)
		found = keep_if_file(
			system, g_build_filename(kernel->modules_dir, "config", NULL));
	if (!found)
		found = keep_if_file(
			system, g_build_filename(kernel->headers_dir, ".config", NULL));
	if (!found)
		found = keep_if_file(system,
				     g_build_filename(kernel->headers_dir,
						      "include/config/auto.conf", NULL));
	return found;
}

/* All that follows from headers_dir. */
static void probe_headers(const struct ks_system *system, struct ks_kernel *kernel)
{
	g_free(kernel->symvers_path);
	g_free(kernel->config_path);
	kernel->has_headers = is_prepared(system, kernel);
	kernel->has_unprepared = is_unprepared(system, kernel);
	kernel->config_path = find_config(system, kernel);
	kernel->symvers_path = keep_if_file(
		system, g_build_filename(kernel->headers_dir, "Module.symvers", NULL));
}

/* All that follows from config_path. */
static void probe_config(const struct ks_system *system, struct ks_kernel *kernel)
{
	g_clear_pointer(&kernel->config, g_hash_table_unref);
	g_clear_pointer(&kernel->compiler, g_free);
	g_clear_pointer(&kernel->toolchain_problem, g_free);
	kernel->clang = false;
	ks_kernel_probe_arch(system, kernel);
	ks_kernel_probe_toolchain(system, kernel);
}

void ks_kernel_use_headers(const struct ks_system *system, struct ks_kernel *kernel,
			   const char *headers_dir)
{
	g_free(kernel->headers_dir);
	kernel->headers_dir = g_strdup(headers_dir);
	g_clear_pointer(&kernel->uname, g_free);
	probe_headers(system, kernel);
	probe_config(system, kernel);
}

void ks_kernel_use_config(const struct ks_system *system, struct ks_kernel *kernel,
			  const char *config_path)
{
	g_free(kernel->config_path);
	kernel->config_path = g_strdup(config_path);
	probe_config(system, kernel);
}

struct ks_kernel *ks_kernel_probe(const struct ks_system *system, const char *release)
{
	struct ks_kernel *kernel = g_new0(struct ks_kernel, 1);

	kernel->release = g_strdup(release);
	kernel->modules_dir = g_build_filename(system->install_tree, release, NULL);
	kernel->headers_dir = g_build_filename(kernel->modules_dir, "build", NULL);
	kernel->has_image = has_image(system, kernel);
	probe_headers(system, kernel);
	ks_kernel_probe_suffix(system, kernel);
	probe_config(system, kernel);
	return kernel;
}

static bool is_release_directory(const struct ks_system *system, const char *name)
{
	g_autofree char *path = g_build_filename(system->install_tree, name, NULL);
	struct stat st;

	return g_ascii_isdigit(*name) && ks_root_stat(system->root, path, &st) &&
	       S_ISDIR(st.st_mode);
}

static int compare_newest_first(gconstpointer a, gconstpointer b)
{
	const struct ks_kernel *left = *(struct ks_kernel *const *)a;
	const struct ks_kernel *right = *(struct ks_kernel *const *)b;
	int order = ks_version_compare(right->release, left->release);

	return order ? order : strcmp(right->release, left->release);
}

static void mark_running(const struct ks_system *system, GPtrArray *kernels)
{
	struct ks_kernel *kernel;
	struct utsname name;

	if (!ks_root_is_host(system->root) || uname(&name) < 0)
		return;
	kernel = ks_kernel_find(kernels, name.release);
	if (kernel)
		kernel->running = true;
}

static bool is_named(const struct ks_system *system, const struct ks_kernel *kernel)
{
	return !g_strcmp0(system->named_release, kernel->release);
}

static bool is_incoming(const struct ks_system *system, const struct ks_kernel *kernel)
{
	return system->incoming &&
	       g_strv_contains((const char *const *)system->incoming, kernel->release);
}

/* Debian keeps a link to the kernel that boots; elsewhere only the boot loader knows. */
static void mark_default(const struct ks_system *system, GPtrArray *kernels)
{
	static const char *const links[] = {"/vmlinuz", "/boot/vmlinuz"};

	for (guint i = 0; i < G_N_ELEMENTS(links); i++) {
		g_autofree char *target = ks_root_readlink(system->root, links[i]);
		g_autofree char *base = target ? g_path_get_basename(target) : NULL;
		const char *dash = base ? strchr(base, '-') : NULL;
		struct ks_kernel *kernel =
			dash ? ks_kernel_find(kernels, dash + 1) : NULL;

		if (kernel) {
			kernel->is_default = true;
			return;
		}
	}
}

/* The image of an incoming one is not in sight, but comes. */
static int newest_rank(const struct ks_kernel *kernel)
{
	return 4 * !kernel->is_foreign + 2 * (kernel->has_image || kernel->incoming) +
	       kernel->has_headers;
}

/* kernels is sorted, newest first. */
static void mark_newest(GPtrArray *kernels)
{
	struct ks_kernel *newest = NULL;

	for (guint i = 0; i < kernels->len; i++) {
		struct ks_kernel *kernel = kernels->pdata[i];

		if (kernel->alive &&
		    (!newest || newest_rank(kernel) > newest_rank(newest)))
			newest = kernel;
	}
	if (newest)
		newest->newest = true;
}

void ks_kernel_settle(const struct ks_system *system, GPtrArray *kernels)
{
	for (guint i = 0; i < kernels->len; i++) {
		struct ks_kernel *kernel = kernels->pdata[i];

		kernel->newest = false;
		kernel->incoming = is_incoming(system, kernel);
		kernel->alive = kernel->incoming || kernel->has_image ||
				ks_kernel_is_asked(system, kernel->release) ||
				(kernel->has_headers && is_named(system, kernel));
	}
	mark_newest(kernels);
}

GPtrArray *ks_kernel_list(const struct ks_system *system, GError **error)
{
	g_autoptr(GPtrArray) kernels =
		g_ptr_array_new_with_free_func((GDestroyNotify)ks_kernel_free);
	g_autoptr(GPtrArray) names =
		ks_root_list(system->root, system->install_tree, error);

	if (!names)
		return NULL;
	for (guint i = 0; i < names->len; i++)
		if (is_release_directory(system, names->pdata[i]))
			g_ptr_array_add(kernels,
					ks_kernel_probe(system, names->pdata[i]));
	g_ptr_array_sort(kernels, compare_newest_first);
	mark_running(system, kernels);
	mark_default(system, kernels);
	ks_kernel_settle(system, kernels);
	return g_steal_pointer(&kernels);
}
