/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A module built before its provider was there: any module that is installed for the
 * kernel resolves its symbols, ours by what their manifests say they export, another
 * maker's by depmod's list of symbols and its own symbol table.
 */
#include "core/inventory/inventory-private.h"

#include <string.h>

#include "core/module/inspect.h"

#define MAX_LIST_BYTES (64u << 20)

/* "0xcrc name" -> the name */
static const char *name_of(const char *symbol)
{
	const char *blank = strchr(symbol, ' ');

	return blank ? blank + 1 : symbol;
}

static bool manifest_exports(const struct ks_manifest *manifest, const char *symbol)
{
	for (guint i = 0; manifest && i < manifest->files->len; i++) {
		const struct ks_manifest_file *file = manifest->files->pdata[i];

		if (file->exports &&
		    g_strv_contains((const char *const *)file->exports, symbol))
			return true;
	}
	return false;
}

static bool is_exported_by_ours(const struct ks_inventory_taking *taking,
				const struct ks_kernel *kernel, const char *symbol)
{
	for (guint i = 0; i < taking->inventory->entries->len; i++) {
		const struct ks_tree_entry *entry = taking->inventory->entries->pdata[i];

		for (guint j = 0; j < entry->artifacts->len; j++) {
			const struct ks_artifact *artifact = entry->artifacts->pdata[j];

			if (artifact->active &&
			    g_strcmp0(artifact->release, kernel->release) == 0 &&
			    manifest_exports(artifact->manifest, symbol))
				return true;
		}
	}
	return false;
}

static char *read_symbols(const struct ks_inventory_taking *taking,
			  const struct ks_kernel *kernel)
{
	g_autofree char *path =
		g_build_filename(kernel->modules_dir, "modules.symbols", NULL);

	return ks_root_read_file(taking->system->root, path, MAX_LIST_BYTES, NULL, NULL);
}

/* "alias symbol:NAME MODULE" -> MODULE */
static char *find_provider_name(const char *list, const char *symbol)
{
	g_autofree char *line = g_strdup_printf("alias symbol:%s ", name_of(symbol));
	const char *found = strstr(list, line);

	if (!found)
		return NULL;
	found += strlen(line);
	return g_strndup(found, strcspn(found, "\n"));
}

static bool is_exported_by_another(const struct ks_inventory_taking *taking,
				   const struct ks_kernel *kernel, const char *symbol)
{
	g_autofree char *symbols = read_symbols(taking, kernel);
	g_autofree char *name = symbols ? find_provider_name(symbols, symbol) : NULL;
	g_autofree char *path =
		name ? ks_module_find_indexed(taking->system, kernel, name) : NULL;
	const char *const paths[] = {path, NULL};
	g_autoptr(GPtrArray) infos =
		path ? ks_module_inspect(taking->system, paths, NULL, NULL, NULL) : NULL;
	const struct ks_module_info *info = infos && infos->len ? infos->pdata[0] : NULL;

	return info && info->exports &&
	       g_strv_contains((const char *const *)info->exports, symbol);
}

static GPtrArray *list_missing(const struct ks_inventory_taking *taking,
			       const struct ks_kernel *kernel, char **symbols)
{
	GPtrArray *missing = g_ptr_array_new();

	for (; *symbols; symbols++)
		if (!is_exported_by_ours(taking, kernel, *symbols) &&
		    !is_exported_by_another(taking, kernel, *symbols))
			g_ptr_array_add(missing, *symbols);
	return missing;
}

/* As it was said when it was built, unless some of it has come since. */
static char *describe(const struct ks_manifest_file *file, const GPtrArray *missing)
{
	g_autoptr(GString) text = g_string_new(NULL);

	if (missing->len == g_strv_length(file->missing))
		return g_strdup(file->unresolved);
	for (guint i = 0; i < missing->len && i < 3; i++)
		g_string_append_printf(text, "%s'%s'", i ? ", " : "",
				       name_of(missing->pdata[i]));
	return g_strdup_printf("nothing exports %s%s", text->str,
			       missing->len > 3 ? " and others" : "");
}

static char *find_unresolved(const struct ks_inventory_taking *taking,
			     const struct ks_kernel *kernel,
			     const struct ks_manifest_file *file)
{
	g_autoptr(GPtrArray) missing = NULL;

	if (!file->unresolved || !file->missing || !*file->missing)
		return g_strdup(file->unresolved);
	missing = list_missing(taking, kernel, file->missing);
	return missing->len ? describe(file, missing) : NULL;
}

void ks_inventory_fill_unresolved(struct ks_inventory_taking *taking,
				  struct ks_target *target)
{
	const struct ks_manifest *manifest =
		target->artifact ? target->artifact->manifest : NULL;
	g_autoptr(GString) text = g_string_new(NULL);
	guint n_unresolved = 0;

	if (!manifest || !target->kernel->alive)
		return;
	for (guint i = 0; i < manifest->files->len; i++) {
		const struct ks_manifest_file *file = manifest->files->pdata[i];
		g_autofree char *words = find_unresolved(taking, target->kernel, file);

		if (!words)
			continue;
		g_string_append_printf(text, "%s'%s': %s", text->len ? "; " : "",
				       file->name, words);
		n_unresolved++;
	}
	if (!n_unresolved)
		return;
	target->unresolved = g_strdup(text->str);
	target->is_useless = n_unresolved == manifest->files->len;
}
