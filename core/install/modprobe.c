/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loading what devices ask for. */
#include "core/install/modprobe.h"

#include "core/install/run-tool.h"
#include "core/install/udev.h"

/* Aliases of some hundred bytes each: far from what execve(2) takes. */
#define MAX_ALIASES_AT_ONCE 256

static void load(const struct ks_system *system, const char *modprobe,
		 const GPtrArray *aliases, guint first)
{
	const guint end = MIN(first + MAX_ALIASES_AT_ONCE, aliases->len);
	g_autoptr(GPtrArray) argv = g_ptr_array_new();

	g_ptr_array_add(argv, (gpointer)modprobe);
	g_ptr_array_add(argv, (gpointer) "-a");
	g_ptr_array_add(argv, (gpointer) "-b");
	g_ptr_array_add(argv, (gpointer) "-q");
	g_ptr_array_add(argv, (gpointer) "--");
	for (guint i = first; i < end; i++)
		g_ptr_array_add(argv, aliases->pdata[i]);
	g_ptr_array_add(argv, NULL);
	/* 1 as soon as one of them has no module */
	ks_ignore(ks_run_tool(system, (const char *const *)argv->pdata, -1, NULL));
}

static void restart_modules_load(const struct ks_system *system)
{
	g_autofree char *systemctl = ks_run_tool_find(system, "systemctl");
	/* --no-block: at boot that unit's turn may not have come, and ours not ended */
	const char *argv[] = {systemctl, "--no-block", "restart",
			      "systemd-modules-load.service", NULL};

	if (systemctl && ks_root_exists(system->root, "/run/systemd/system"))
		ks_ignore(ks_run_tool(system, argv, -1, NULL));
}

unsigned int ks_modprobe_devices(const struct ks_system *system)
{
	g_autofree char *modprobe = ks_run_tool_find(system, "modprobe");
	g_autoptr(GPtrArray) aliases = ks_udev_list_modaliases(system);

	for (guint i = 0; modprobe && i < aliases->len; i += MAX_ALIASES_AT_ONCE)
		load(system, modprobe, aliases, i);
	restart_modules_load(system);
	return modprobe ? aliases->len : 0;
}
