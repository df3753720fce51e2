/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/shell/dump.h"

#include <string.h>

#define MAX_NOTES 256

/* The string at *data, which moves past it; NULL when there is no whole one. */
static const char *next(const char **data, const char *end)
{
	const char *string = *data;
	const char *nul = string < end ? memchr(string, '\0', end - string) : NULL;

	if (nul)
		*data = nul + 1;
	return nul ? string : NULL;
}

static bool add(struct ks_vars *vars, const char *const *known, GPtrArray *kept,
		GPtrArray *notes, const char *name, const char *second, const char *third)
{
	guint64 index;

	if (strcmp(name, "kept") == 0 || strcmp(name, "note") == 0) {
		GPtrArray *list = *name == 'k' ? kept : notes;

		if (list && list->len < MAX_NOTES &&
		    !g_ptr_array_find_with_equal_func(list, second, g_str_equal, NULL))
			g_ptr_array_add(list, g_strdup(second));
		return true;
	}
	if (!g_strv_contains(known, name) ||
	    !g_ascii_string_to_unsigned(second, 10, 0, KS_VARS_MAX_INDEX, &index, NULL))
		return false;
	ks_vars_set(vars, name, (guint)index, third);
	return !ks_vars_is_full(vars);
}

struct ks_vars *ks_dump_parse(const char *data, size_t size_bytes,
			      const char *const *known, GPtrArray *kept, GPtrArray *notes)
{
	ks_auto(ks_vars) vars = ks_vars_new();
	const char *end;

	if (!size_bytes)
		return NULL;
	end = data + size_bytes;
	for (;;) {
		const char *name = next(&data, end);
		const char *second, *third;

		if (!name)
			return NULL;
		if (strcmp(name, "end") == 0)
			return data == end ? g_steal_pointer(&vars) : NULL;
		second = next(&data, end);
		third = second ? next(&data, end) : NULL;
		if (!third || !add(vars, known, kept, notes, name, second, third))
			return NULL;
	}
}

static void append(GString *data, const char *first, const char *second,
		   const char *third)
{
	const char *const strings[] = {first, second, third};

	for (size_t i = 0; i < G_N_ELEMENTS(strings); i++)
		g_string_append_len(data, strings[i], strlen(strings[i]) + 1);
}

static void append_list(GString *data, const char *kind, const GPtrArray *list)
{
	for (guint i = 0; list && i < list->len; i++)
		append(data, kind, list->pdata[i], "");
}

void ks_dump_append(GString *data, const struct ks_vars *vars, const char *const *known,
		    const GPtrArray *kept, const GPtrArray *notes)
{
	for (size_t i = 0; known[i]; i++) {
		guint n_elements;
		const struct ks_vars_element *elements =
			ks_vars_elements(vars, known[i], &n_elements);

		for (guint j = 0; j < n_elements; j++) {
			char index[16];

			g_snprintf(index, sizeof(index), "%u", elements[j].index);
			append(data, known[i], index, elements[j].value);
		}
	}
	append_list(data, "kept", kept);
	append_list(data, "note", notes);
	g_string_append_len(data, "end", 4);
}
