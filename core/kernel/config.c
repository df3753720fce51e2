/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A kernel's configuration: .config, auto.conf, or the copy in /boot. */
#include <string.h>

#include "core/kernel/kernel-private.h"

/*
 * In place: the quotes go, and the backslashes that kconfig puts before '"' and
 * '\'. The auto.conf of recent kernels has strings without either.
 */
static char *unquote(char *value)
{
	size_t length = strlen(value);
	char *out = value;

	if (length < 2 || value[0] != '"' || value[length - 1] != '"')
		return value;
	value[length - 1] = '\0';
	for (const char *in = value + 1; *in; in++) {
		if (*in == '\\' && in[1])
			in++;
		*out++ = *in;
	}
	*out = '\0';
	return value;
}

char *ks_kernel_config_parse_line(char **line, char **value)
{
	char *symbol = *line;
	size_t length = strcspn(symbol, "\n");
	char *equals;

	*line += length + (symbol[length] ? 1 : 0);
	symbol[length] = '\0';
	if (length && symbol[length - 1] == '\r')
		symbol[length - 1] = '\0';
	equals = strchr(symbol, '=');
	if (strncmp(symbol, "CONFIG_", strlen("CONFIG_")) || !equals)
		return NULL;
	*equals = '\0';
	*value = unquote(equals + 1);
	return symbol;
}

char *ks_kernel_config_search(const char *text, const char *symbol)
{
	g_autofree char *start = g_strconcat("\n", symbol, "=", NULL);
	const char *found = strstr(text, start);
	g_autofree char *copy = NULL;
	char *line, *value;

	if (found)
		found++;
	else if (g_str_has_prefix(text, start + 1))
		found = text;
	else
		return NULL;
	copy = g_strndup(found, strcspn(found, "\n"));
	line = copy;
	return ks_kernel_config_parse_line(&line, &value) ? g_strdup(value) : NULL;
}

bool ks_kernel_config_is_set(const char *text, const char *symbol)
{
	g_autofree char *value = ks_kernel_config_search(text, symbol);

	return !g_strcmp0(value, "y");
}

char *ks_kernel_config_read(const struct ks_system *system,
			    const struct ks_kernel *kernel)
{
	if (!kernel->config_path)
		return NULL;
	return ks_root_read_file(system->root, kernel->config_path,
				 KS_KERNEL_MAX_CONFIG_BYTES, NULL, NULL);
}

static GHashTable *load(const struct ks_system *system, const char *path)
{
	GHashTable *table =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_autofree char *text = NULL;
	char *line, *symbol, *value;

	if (path)
		text = ks_root_read_file(system->root, path, KS_KERNEL_MAX_CONFIG_BYTES,
					 NULL, NULL);
	for (line = text; line && *line;) {
		symbol = ks_kernel_config_parse_line(&line, &value);
		if (symbol && strcmp(value, "n"))
			g_hash_table_replace(table, g_strdup(symbol), g_strdup(value));
	}
	return table;
}

const char *ks_kernel_config_get(const struct ks_system *system, struct ks_kernel *kernel,
				 const char *symbol)
{
	if (!kernel->config)
		kernel->config = load(system, kernel->config_path);
	return g_hash_table_lookup(kernel->config, symbol);
}
