/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The standard directories of a system tree. */
#include "core/platform/system.h"

#include <errno.h>
#include <stdlib.h>

struct ks_system *ks_system_new(const char *root_path, GError **error)
{
	struct ks_root *root = ks_root_open(root_path, error);
	const char *libexec_dir = secure_getenv("KMODSMITH_LIBEXECDIR");
	struct ks_system *system;

	if (!root)
		return NULL;
	system = g_new0(struct ks_system, 1);
	system->root = root;
	system->dkms_tree = g_strdup("/var/lib/dkms");
	system->source_tree = g_strdup("/usr/src");
	system->install_tree = g_strdup("/lib/modules");
	system->dkms_etc = g_strdup("/etc/dkms");
	system->etc_dir = g_strdup("/etc/kmodsmith");
	system->state_dir = g_strdup("/var/lib/kmodsmith");
	system->run_dir = g_strdup("/run/kmodsmith");
	system->log_dir = g_strdup("/var/log/kmodsmith");
	system->libexec_dir =
		g_strdup(libexec_dir && *libexec_dir ? libexec_dir : PKGLIBEXECDIR);
	return system;
}

bool ks_system_is_chroot(const struct ks_system *system)
{
	struct stat ours, first;

	if (!ks_root_is_host(system->root) || g_getenv("FAKECHROOT"))
		return true;
	if (stat("/", &ours) != 0)
		return false;
	/* no machine runs without /proc: a chroot that nobody has mounted it in */
	if (stat("/proc/1/root/.", &first) != 0)
		return errno == ENOENT || errno == ENOTDIR;
	return ours.st_dev != first.st_dev || ours.st_ino != first.st_ino;
}

void ks_system_free(struct ks_system *system)
{
	if (!system)
		return;
	ks_root_close(system->root);
	g_free(system->dkms_tree);
	g_free(system->source_tree);
	g_free(system->install_tree);
	g_free(system->modules_dest);
	g_free(system->named_release);
	g_strfreev(system->incoming);
	g_free(system->dkms_etc);
	g_free(system->etc_dir);
	g_free(system->state_dir);
	g_free(system->run_dir);
	g_free(system->log_dir);
	g_free(system->libexec_dir);
	g_free(system);
}

char *ks_system_work_root(const struct ks_system *system)
{
	return g_build_filename(system->state_dir, "build", NULL);
}
