/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/engine/dep-marks.h"

#include <string.h>

#include "core/support/durable.h"

/* T/NAME/kernel-K-A leads to V/K/A, or is written in full: V, or NULL. */
static char *installed_version(const struct ks_system *system, const char *name,
			       const struct ks_kernel *kernel)
{
	g_autofree char *link =
		ks_tree_link_path(system, name, kernel->release, kernel->arch);
	g_autofree char *text = ks_root_readlink(system->root, link);
	g_autofree char *prefix = g_strdup_printf("%s/%s/", system->dkms_tree, name);
	const char *version = text;

	if (!text)
		return NULL;
	if (g_str_has_prefix(text, prefix))
		version += strlen(prefix);
	return g_strndup(version, strcspn(version, "/"));
}

bool ks_dep_marks_write(const struct ks_system *system, const struct ks_target *target,
			GError **error)
{
	const struct ks_conf *conf = target->conf;
	const struct ks_kernel *kernel = target->kernel;
	g_autofree char *dir = NULL;

	if (!conf || !conf->build_depends_rebuild)
		return true;
	dir = ks_tree_artifact_path(system, target->source->name, target->source->version,
				    kernel->release, kernel->arch);
	for (char **name = conf->build_depends; name && *name; name++) {
		g_autofree char *version = installed_version(system, *name, kernel);
		g_autofree char *path = g_strdup_printf("%s/.dep_%s", dir, *name);
		g_autofree char *text = g_strdup_printf("%s\n", version ? version : "");

		if (version && !ks_durable_write(system->root, path, text, strlen(text),
						 0644, error))
			return false;
	}
	return true;
}
