/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where modules go, and where dkms may have put them. */
#include "core/install/install.h"

#include <string.h>

#include "core/platform/distro.h"

#define MAX_INDEX_BYTES (64 * 1024 * 1024)

const char *ks_install_dest_override(const struct ks_system *system)
{
	return system->modules_dest ? system->modules_dest : ks_distro_find(system)->dest;
}

/* The directory that the conf names for the module installed as file ("foo.ko.xz"). */
static const char *written_dest(const struct ks_conf *conf, const char *file)
{
	const char *suffix = strstr(file, ".ko");
	size_t n = suffix ? (size_t)(suffix - file) : strlen(file);

	for (guint i = 0; conf && i < conf->modules->len; i++) {
		const struct ks_conf_module *module = g_ptr_array_index(conf->modules, i);

		if (module->dest_name && strlen(module->dest_name) == n &&
		    !strncmp(module->dest_name, file, n))
			return module->dest_location;
	}
	return NULL;
}

static char *dir_of(const struct ks_system *system, const char *release, const char *dest)
{
	g_autofree char *dir =
		g_build_filename(system->install_tree, release, dest, NULL);

	/* a conf may write "/updates/" */
	return g_canonicalize_filename(dir, "/");
}

struct ks_conf *ks_install_artifact_conf(const struct ks_system *system,
					 const struct ks_tree_entry *entry,
					 const struct ks_artifact *artifact)
{
	g_autoptr(GPtrArray) kernels = ks_kernel_list(system, NULL);
	struct ks_kernel *kernel =
		kernels ? ks_kernel_find(kernels, artifact->release) : NULL;

	return kernel && entry->source == KS_TREE_SOURCE_OK
		       ? ks_conf_load(system, NULL, entry->source_dir, entry->name,
				      entry->version, kernel, NULL)
		       : NULL;
}

char *ks_install_find_dir(const struct ks_system *system, const char *release,
			  const struct ks_conf *conf, const char *file)
{
	const char *candidates[] = {ks_install_dest_override(system),
				    written_dest(conf, file),
				    "/updates/dkms",
				    "/extra",
				    "/updates",
				    "/kernel/extra"};

	for (size_t i = 0; i < G_N_ELEMENTS(candidates); i++) {
		g_autofree char *dir =
			candidates[i] ? dir_of(system, release, candidates[i]) : NULL;
		g_autofree char *path = dir ? g_build_filename(dir, file, NULL) : NULL;

		if (path && ks_root_exists(system->root, path))
			return g_steal_pointer(&dir);
	}
	return NULL;
}

/* "kernel/drivers/foo/foo.ko.xz: kernel/bar.ko ...": depmod(8) */
char *ks_install_find_indexed_dir(const struct ks_system *system, const char *release,
				  const char *file)
{
	g_autofree char *path =
		g_build_filename(system->install_tree, release, "modules.dep", NULL);
	g_autofree char *text =
		ks_root_read_file(system->root, path, MAX_INDEX_BYTES, NULL, NULL);
	g_autofree char *wanted = g_strdup_printf("/%s:", file);
	char *found = text ? strstr(text, wanted) : NULL;
	char *line = found;

	if (!found)
		return NULL;
	*found = '\0';
	while (line > text && line[-1] != '\n')
		line--;
	return dir_of(system, release, line);
}

char *ks_install_expected_dir(const struct ks_system *system, const char *release,
			      const struct ks_conf *conf, const char *file)
{
	const char *dest = ks_install_dest_override(system);

	if (!dest)
		dest = written_dest(conf, file);
	return dir_of(system, release, dest ? dest : "/updates/dkms");
}
