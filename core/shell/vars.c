/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/shell/vars.h"

#include <string.h>

struct ks_vars {
	GHashTable *table; /* name -> GArray of struct ks_vars_element */
	size_t size_bytes; /* of all values */
	bool full;
};

const char *const ks_vars_known[] = {
	"CLEAN",
	"PACKAGE_NAME",
	"PACKAGE_VERSION",
	"POST_ADD",
	"POST_BUILD",
	"POST_INSTALL",
	"POST_REMOVE",
	"PRE_BUILD",
	"PRE_INSTALL",
	"BUILD_DEPENDS",
	"BUILD_EXCLUSIVE_ARCH",
	"BUILD_EXCLUSIVE_CONFIG",
	"BUILD_EXCLUSIVE_KERNEL",
	"BUILD_EXCLUSIVE_KERNEL_MIN",
	"BUILD_EXCLUSIVE_KERNEL_MAX",
	"build_exclude",
	"OBSOLETE_BY",
	"MAKE",
	"MAKE_MATCH",
	"PATCH",
	"PATCH_MATCH",
	"patch_array",
	"BUILT_MODULE_NAME",
	"built_module_name",
	"BUILT_MODULE_LOCATION",
	"built_module_location",
	"DEST_MODULE_NAME",
	"dest_module_name",
	"DEST_MODULE_LOCATION",
	"dest_module_location",
	"STRIP",
	"strip",
	"AUTOINSTALL",
	"NO_WEAK_MODULES",
	"BUILD_DEPENDS_REBUILD",
	"REMAKE_INITRD",
	"MODULES_CONF",
	"MODULES_CONF_OBSOLETES",
	"MODULES_CONF_ALIAS_TYPE",
	"MODULES_CONF_OBSOLETE_ONLY",
	NULL,
};

static void clear_element(void *data)
{
	struct ks_vars_element *element = data;

	g_free(element->value);
}

static GArray *elements_new(void)
{
	GArray *elements = g_array_new(FALSE, FALSE, sizeof(struct ks_vars_element));

	g_array_set_clear_func(elements, clear_element);
	return elements;
}

struct ks_vars *ks_vars_new(void)
{
	struct ks_vars *vars = g_new0(struct ks_vars, 1);

	vars->table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
					    (GDestroyNotify)g_array_unref);
	return vars;
}

struct ks_vars *ks_vars_copy(const struct ks_vars *vars)
{
	struct ks_vars *copy = ks_vars_new();
	GHashTableIter iter;
	gpointer name, value;

	copy->size_bytes = vars->size_bytes;
	copy->full = vars->full;
	g_hash_table_iter_init(&iter, vars->table);
	while (g_hash_table_iter_next(&iter, &name, &value)) {
		const GArray *from = value;
		GArray *to = elements_new();

		g_array_append_vals(to, from->data, from->len);
		for (guint i = 0; i < to->len; i++) {
			struct ks_vars_element *element =
				&g_array_index(to, struct ks_vars_element, i);

			element->value = g_strdup(element->value);
		}
		g_hash_table_insert(copy->table, g_strdup(name), to);
	}
	return copy;
}

void ks_vars_free(struct ks_vars *vars)
{
	if (!vars)
		return;
	g_hash_table_unref(vars->table);
	g_free(vars);
}

bool ks_vars_has(const struct ks_vars *vars, const char *name)
{
	return g_hash_table_contains(vars->table, name);
}

const struct ks_vars_element *ks_vars_elements(const struct ks_vars *vars,
					       const char *name, guint *n_elements)
{
	const GArray *elements = g_hash_table_lookup(vars->table, name);

	*n_elements = elements ? elements->len : 0;
	return elements ? (const struct ks_vars_element *)elements->data : NULL;
}

/* The position of index, or where it belongs. */
static bool search(const struct ks_vars_element *elements, guint n_elements, guint index,
		   guint *position)
{
	guint low = 0, high = n_elements;

	while (low < high) {
		guint middle = low + (high - low) / 2;

		if (elements[middle].index < index)
			low = middle + 1;
		else
			high = middle;
	}
	*position = low;
	return low < n_elements && elements[low].index == index;
}

const char *ks_vars_get(const struct ks_vars *vars, const char *name, guint index)
{
	guint n_elements, position;
	const struct ks_vars_element *elements =
		ks_vars_elements(vars, name, &n_elements);

	return search(elements, n_elements, index, &position) ? elements[position].value
							      : NULL;
}

guint ks_vars_end(const struct ks_vars *vars, const char *name)
{
	guint n_elements;
	const struct ks_vars_element *elements =
		ks_vars_elements(vars, name, &n_elements);

	return n_elements ? elements[n_elements - 1].index + 1 : 0;
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *ks_vars_names(const struct ks_vars *vars)
{
	GPtrArray *names = g_ptr_array_new();
	GHashTableIter iter;
	gpointer name;

	g_hash_table_iter_init(&iter, vars->table);
	while (g_hash_table_iter_next(&iter, &name, NULL))
		g_ptr_array_add(names, name);
	g_ptr_array_sort(names, compare_names);
	return names;
}

static struct ks_vars_element *find_or_add(struct ks_vars *vars, const char *name,
					   guint index)
{
	GArray *elements = g_hash_table_lookup(vars->table, name);
	struct ks_vars_element added = {.index = index};
	guint position;

	if (!elements) {
		elements = elements_new();
		g_hash_table_insert(vars->table, g_strdup(name), elements);
	}
	if (!search((const struct ks_vars_element *)elements->data, elements->len, index,
		    &position)) {
		if (elements->len >= KS_VARS_MAX_ELEMENTS || index > KS_VARS_MAX_INDEX) {
			vars->full = true;
			return NULL;
		}
		added.value = g_strdup("");
		g_array_insert_val(elements, position, added);
	}
	return &g_array_index(elements, struct ks_vars_element, position);
}

/* Room is measured before anything is copied: the text may double with each line. */
static bool has_room(struct ks_vars *vars, size_t old_bytes, size_t new_bytes)
{
	size_t rest = vars->size_bytes - old_bytes;

	if (new_bytes > KS_VARS_MAX_BYTES || rest + new_bytes > KS_VARS_MAX_BYTES) {
		vars->full = true;
		return false;
	}
	vars->size_bytes = rest + new_bytes;
	return true;
}

void ks_vars_set(struct ks_vars *vars, const char *name, guint index, const char *value)
{
	struct ks_vars_element *element = find_or_add(vars, name, index);

	if (!element || !has_room(vars, strlen(element->value), strlen(value)))
		return;
	/* value may be this very element's */
	value = g_strdup(value);
	g_free(element->value);
	element->value = (char *)value;
}

void ks_vars_append(struct ks_vars *vars, const char *name, guint index,
		    const char *value)
{
	struct ks_vars_element *element = find_or_add(vars, name, index);
	char *joined;

	if (!element || !has_room(vars, strlen(element->value),
				  strlen(element->value) + strlen(value)))
		return;
	joined = g_strconcat(element->value, value, NULL);
	g_free(element->value);
	element->value = joined;
}

void ks_vars_unset(struct ks_vars *vars, const char *name)
{
	guint n_elements;
	const struct ks_vars_element *elements =
		ks_vars_elements(vars, name, &n_elements);

	for (guint i = 0; i < n_elements; i++)
		vars->size_bytes -= strlen(elements[i].value);
	g_hash_table_remove(vars->table, name);
}

bool ks_vars_is_full(const struct ks_vars *vars)
{
	return vars->full;
}

bool ks_vars_is_assignment(const char *text)
{
	if (!g_ascii_isalpha(*text) && *text != '_')
		return false;
	while (g_ascii_isalnum(*text) || *text == '_')
		text++;
	return *text == '=';
}
