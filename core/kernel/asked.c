/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kernels without an image that somebody has named: empty files in the state. */
#include "core/kernel/kernel-private.h"
#include "core/support/durable.h"

static char *asked_dir(const struct ks_system *system)
{
	return g_build_filename(system->state_dir, "kernels", NULL);
}

static char *asked_path(const struct ks_system *system, const char *release)
{
	return g_build_filename(system->state_dir, "kernels", release, NULL);
}

bool ks_kernel_is_asked(const struct ks_system *system, const char *release)
{
	g_autofree char *path = asked_path(system, release);

	return ks_root_exists(system->root, path);
}

static bool set_asked(const struct ks_system *system, const char *release, bool asked,
		      GError **error)
{
	g_autofree char *dir = asked_dir(system);
	g_autofree char *path = asked_path(system, release);

	if (ks_kernel_is_asked(system, release) == asked)
		return true;
	if (!asked)
		return ks_durable_unlink(system->root, path, error);
	return ks_root_mkdir_p(system->root, dir, 0755, error) &&
	       ks_durable_write(system->root, path, "", 0, 0644, error);
}

/* Whatever else lies there is forgotten, too. */
static bool forget_others(const struct ks_system *system, GPtrArray *kernels,
			  GError **error)
{
	g_autofree char *dir = asked_dir(system);
	g_autoptr(GPtrArray) names = ks_root_list(system->root, dir, error);

	for (guint i = 0; names && i < names->len; i++) {
		const struct ks_kernel *kernel = ks_kernel_find(kernels, names->pdata[i]);

		if ((!kernel || !kernel->alive || kernel->has_image) &&
		    !set_asked(system, names->pdata[i], false, error))
			return false;
	}
	return names != NULL;
}

bool ks_kernel_remember(const struct ks_system *system, GPtrArray *kernels,
			GError **error)
{
	/* the marks are of kernels in the usual place */
	if (system->install_tree_is_given)
		return true;
	for (guint i = 0; i < kernels->len; i++) {
		const struct ks_kernel *kernel = kernels->pdata[i];

		if (kernel->alive && !kernel->has_image &&
		    !set_asked(system, kernel->release, true, error))
			return false;
	}
	return forget_others(system, kernels, error);
}
