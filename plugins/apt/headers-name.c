/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plugins/apt/headers-name.h"

#include <string.h>

static const struct {
	const char *kernel, *headers; /* the beginnings of their names */
} pairs[] = {
	{"linux-image-unsigned-", "linux-headers-"},
	{"linux-image-", "linux-headers-"},
	{"linux-modules-extra-", "linux-headers-"},
	{"linux-modules-", "linux-headers-"},
	{"linux-binary-", "linux-headers-"},
	{"proxmox-kernel-", "proxmox-headers-"},
	{"pve-kernel-", "pve-headers-"},
	{"proxmox-default-kernel", "proxmox-default-headers"},
};

/* A signed build of the same kernel has the same headers. */
static void cut_ending(char *name)
{
	static const char *const endings[] = {"-signed", "-unsigned"};

	for (size_t i = 0; i < G_N_ELEMENTS(endings); i++)
		if (g_str_has_suffix(name, endings[i]))
			name[strlen(name) - strlen(endings[i])] = '\0';
}

char *ks_headers_name_of(const char *kernel_package)
{
	for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++) {
		char *name;

		if (!g_str_has_prefix(kernel_package, pairs[i].kernel))
			continue;
		name = g_strconcat(pairs[i].headers,
				   kernel_package + strlen(pairs[i].kernel), NULL);
		cut_ending(name);
		return name;
	}
	return NULL;
}

char **ks_headers_kernel_names(const char *headers_package)
{
	GPtrArray *names = g_ptr_array_new();

	for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++)
		if (g_str_has_prefix(headers_package, pairs[i].headers))
			g_ptr_array_add(
				names,
				g_strconcat(pairs[i].kernel,
					    headers_package + strlen(pairs[i].headers),
					    NULL));
	g_ptr_array_add(names, NULL);
	return (char **)g_ptr_array_free(names, FALSE);
}
