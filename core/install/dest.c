/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where modules go on this distribution. */
#include <string.h>

#include "core/install/install.h"

#define MAX_OS_RELEASE_BYTES (64 * 1024)

/* The value of an assignment as os-release(5) writes it, or NULL. */
static char *value_of(const char *os_release, const char *key)
{
	g_auto(GStrv) lines = g_strsplit(os_release, "\n", -1);
	char *value = NULL;

	for (char **line = lines; *line; line++) {
		const char *text = *line;

		if (!g_str_has_prefix(text, key) || text[strlen(key)] != '=')
			continue;
		/* it is shell: the last assignment counts */
		g_free(value);
		value = g_shell_unquote(text + strlen(key) + 1, NULL);
	}
	return value;
}

static char *read_os_release(const struct ks_system *system)
{
	static const char *const paths[] = {"/etc/os-release", "/usr/lib/os-release"};
	char *text = NULL;

	for (size_t i = 0; !text && i < G_N_ELEMENTS(paths); i++)
		text = ks_root_read_file(system->root, paths[i], MAX_OS_RELEASE_BYTES,
					 NULL, NULL);
	return text;
}

/* As dkms: ID for Ubuntu, else ID_LIKE as a whole, else ID. */
static char *distribution(const struct ks_system *system)
{
	g_autofree char *os_release = read_os_release(system);
	g_autofree char *id = os_release ? value_of(os_release, "ID") : NULL;
	g_autofree char *id_like = os_release ? value_of(os_release, "ID_LIKE") : NULL;

	if (id && !strcmp(id, "ubuntu"))
		return g_steal_pointer(&id);
	if (id_like && *id_like)
		return g_steal_pointer(&id_like);
	return g_steal_pointer(&id);
}

const char *ks_install_dest_override(const struct ks_system *system)
{
	static const struct {
		const char *prefix;
		const char *dest;
	} rules[] = {
		{"fedora", "/extra"},	     {"centos", "/extra"},
		{"rhel", "/extra"},	     {"sles", "/updates"},
		{"suse", "/updates"},	     {"opensuse", "/updates"},
		{"debian", "/updates/dkms"}, {"ubuntu", "/updates/dkms"},
		{"arch", "/updates/dkms"},
	};
	g_autofree char *name = distribution(system);

	for (size_t i = 0; name && i < G_N_ELEMENTS(rules); i++)
		if (g_str_has_prefix(name, rules[i].prefix))
			return rules[i].dest;
	return NULL;
}
