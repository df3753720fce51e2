/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See manager.h. */
#include "core/record/manager.h"

const struct ks_manager ks_managers[] = {
	{"apt and dpkg", "recorder-dpkg", "deb", {"/var/lib/dpkg/status"}},
	{"rpm", "recorder-rpm", "rpm", {"/usr/lib/sysimage/rpm", "/var/lib/rpm"}},
	/* with DBPath in its configuration the database is somewhere else */
	{"pacman",
	 "recorder-alpm",
	 "pacman",
	 {"/var/lib/pacman/local", "/etc/pacman.conf"}},
	{NULL},
};

bool ks_manager_is_used(const struct ks_manager *manager, const struct ks_system *system)
{
	for (const char *const *path = manager->databases; *path; path++)
		if (ks_root_exists(system->root, *path))
			return true;
	return false;
}
