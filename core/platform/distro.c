/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table, and the row that fits. */
#include "core/platform/distro.h"

#include <string.h>

#include "core/support/assignment.h"

#define MAX_OS_RELEASE_BYTES (64 * 1024)

static const struct ks_distro_weak rhel_weak = {
	"/usr/sbin/weak-modules",
	{"--no-initramfs", "--add-modules", NULL},
	{"--no-initramfs", "--remove-modules", NULL},
	false,
};

static const struct ks_distro_weak suse_weak = {
	"/usr/lib/module-init-tools/weak-modules2",
	{"--add-kernel-modules", NULL},
	{"--remove-kernel-modules", NULL},
	true,
};

/* The first that fits counts. */
static const struct ks_distro distros[] = {
	/* AlmaLinux, Rocky, CentOS Stream say "rhel ..." in ID_LIKE */
	{"rhel", "/extra", &rhel_weak, KS_DISTRO_KEYS_DKMS},
	/* and Oracle, Amazon 2023 "fedora" */
	{"fedora", "/extra", NULL, KS_DISTRO_KEYS_DKMS},
	{"centos", "/extra", NULL, KS_DISTRO_KEYS_DKMS},
	{"sles", "/updates", &suse_weak, KS_DISTRO_KEYS_DKMS},
	/* Leap; Tumbleweed has its two words the other way round */
	{"suse", "/updates", &suse_weak, KS_DISTRO_KEYS_DKMS},
	{"opensuse", "/updates", &suse_weak, KS_DISTRO_KEYS_DKMS},
	{"debian", "/updates/dkms", NULL, KS_DISTRO_KEYS_DKMS},
	/* and Linux Mint, Pop!_OS: "ubuntu debian" */
	{"ubuntu", "/updates/dkms", NULL, KS_DISTRO_KEYS_UBUNTU},
	/* and Manjaro, EndeavourOS */
	{"arch", "/updates/dkms", NULL, KS_DISTRO_KEYS_DKMS},
	{"gentoo", NULL, NULL, KS_DISTRO_KEYS_GENTOO},
	/* Alpine, Void and others: the last row */
	{"", NULL, NULL, KS_DISTRO_KEYS_DKMS},
};

static char *read_os_release(const struct ks_system *system)
{
	static const char *const paths[] = {"/etc/os-release", "/usr/lib/os-release"};
	char *text = NULL;

	for (size_t i = 0; !text && i < G_N_ELEMENTS(paths); i++)
		text = ks_root_read_file(system->root, paths[i], MAX_OS_RELEASE_BYTES,
					 NULL, NULL);
	return text;
}

static char *find_name(const struct ks_system *system)
{
	g_autofree char *os_release = read_os_release(system);
	g_autofree char *id = os_release ? ks_assignment_find(os_release, "ID") : NULL;
	g_autofree char *id_like =
		os_release ? ks_assignment_find(os_release, "ID_LIKE") : NULL;

	if (id && (!strcmp(id, "ubuntu") || !strcmp(id, "rhel")))
		return g_steal_pointer(&id);
	if (id_like && *id_like)
		return g_steal_pointer(&id_like);
	return id ? g_steal_pointer(&id) : g_strdup("");
}

const struct ks_distro *ks_distro_find(const struct ks_system *system)
{
	g_autofree char *name = find_name(system);
	const struct ks_distro *distro = distros;

	while (!g_str_has_prefix(name, distro->prefix))
		distro++;
	return distro;
}
