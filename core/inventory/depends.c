/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a target depends on: the versions that it was built upon, and
 * BUILD_DEPENDS that no source here answers to: a driver that comes ready-made, in a package
 * of its own or with the kernel, is as good to build upon when its module is in place.
 */
#include "core/inventory/inventory-private.h"
#include "core/module/inspect.h"

#define MAX_MARK_BYTES 4096

/* A list of char * becomes a NULL-terminated array of them. */
static char **take_strings(GPtrArray *strings)
{
	g_ptr_array_add(strings, NULL);
	return (char **)g_ptr_array_free(strings, FALSE);
}

/* T/M/V/K/A/.dep_NAME holds the version of NAME (dkms 3.4.3). */
static char *read_mark(const struct ks_system *system, const struct ks_artifact *artifact,
		       const char *name)
{
	g_autofree char *path = g_strdup_printf("%s/.dep_%s", artifact->dir, name);
	char *text = ks_root_read_file(system->root, path, MAX_MARK_BYTES, NULL, NULL);

	return text ? g_strstrip(text) : NULL;
}

static char **find_marks(const struct ks_system *system, const struct ks_target *target)
{
	GPtrArray *found = g_ptr_array_new();

	for (char **name = target->build_depends; *name; name++) {
		g_autofree char *version = read_mark(system, target->artifact, *name);

		if (version && *version)
			g_ptr_array_add(found, g_strconcat(*name, "/", version, NULL));
	}
	return take_strings(found);
}

void ks_inventory_find_depends(const struct ks_inventory_taking *taking,
			       struct ks_target *target)
{
	GPtrArray *found;

	if (!target->build_depends || !*target->build_depends)
		return;
	if (target->artifact)
		target->built_upon = find_marks(taking->system, target);
	found = g_ptr_array_new();
	for (char **name = target->build_depends; *name; name++) {
		g_autofree char *path =
			ks_module_find_indexed(taking->system, target->kernel, *name);

		if (path)
			g_ptr_array_add(found, g_strdup(*name));
	}
	target->depends_installed = take_strings(found);
}
