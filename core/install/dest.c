/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of distributions: where modules go, and who links them to other kernels. */
#include <string.h>

#include "core/install/weak.h"

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

/* As dkms: ID for Ubuntu, else ID_LIKE as a whole, else ID. And ID for RHEL, whose
 * ID_LIKE is Fedora's. */
static char *distribution(const struct ks_system *system)
{
	g_autofree char *os_release = read_os_release(system);
	g_autofree char *id = os_release ? value_of(os_release, "ID") : NULL;
	g_autofree char *id_like = os_release ? value_of(os_release, "ID_LIKE") : NULL;

	if (id && (!strcmp(id, "ubuntu") || !strcmp(id, "rhel")))
		return g_steal_pointer(&id);
	if (id_like && *id_like)
		return g_steal_pointer(&id_like);
	return g_steal_pointer(&id);
}

/* What differs from one distribution to the next: the first that fits counts. */
static const struct rule {
	const char *prefix; /* of the distribution's name */
	const char *dest;   /* NULL: as the conf says */
	struct ks_weak_tool weak;
} rules[] = {
	/* RHEL says "fedora" in ID_LIKE, its clones "rhel ..." */
	{"rhel",
	 "/extra",
	 {"/usr/sbin/weak-modules",
	  {"--no-initramfs", "--add-modules", NULL},
	  {"--no-initramfs", "--remove-modules", NULL},
	  false}},
	{"fedora", "/extra", {NULL}},
	{"centos", "/extra", {NULL}},
	{"sles",
	 "/updates",
	 {"/usr/lib/module-init-tools/weak-modules2",
	  {"--add-kernel-modules", NULL},
	  {"--remove-kernel-modules", NULL},
	  true}},
	{"suse",
	 "/updates",
	 {"/usr/lib/module-init-tools/weak-modules2",
	  {"--add-kernel-modules", NULL},
	  {"--remove-kernel-modules", NULL},
	  true}},
	{"opensuse",
	 "/updates",
	 {"/usr/lib/module-init-tools/weak-modules2",
	  {"--add-kernel-modules", NULL},
	  {"--remove-kernel-modules", NULL},
	  true}},
	{"debian", "/updates/dkms", {NULL}},
	{"ubuntu", "/updates/dkms", {NULL}},
	{"arch", "/updates/dkms", {NULL}},
	/* Alpine, Gentoo, Void and others: as the conf says */
};

static const struct rule *find_rule(const struct ks_system *system)
{
	g_autofree char *name = distribution(system);

	for (size_t i = 0; name && i < G_N_ELEMENTS(rules); i++)
		if (g_str_has_prefix(name, rules[i].prefix))
			return &rules[i];
	return NULL;
}

const char *ks_install_dest_override(const struct ks_system *system)
{
	const struct rule *rule = find_rule(system);

	return rule ? rule->dest : NULL;
}

const struct ks_weak_tool *ks_install_weak_tool(const struct ks_system *system)
{
	const struct rule *rule = find_rule(system);

	return rule && rule->weak.path && ks_root_exists(system->root, rule->weak.path)
		       ? &rule->weak
		       : NULL;
}
