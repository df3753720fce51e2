/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices that wait for a module: when one was installed for the running
 * kernel, udev gets an event for each device that it is for, as if it were
 * plugged in now.
 *
 * Only devices that no driver has taken: for the others an "add" would only
 * run their rules again. udev's rule 80-drivers loads what MODALIAS says at
 * "add" only. A device's uevent file takes the action's name
 * (Linux: Documentation/ABI/testing/sysfs-uevent).
 */
#pragma once

#include "core/platform/system.h"
#include "core/support/contract.h"

/*
 * The directories of devices below /sys/devices whose modalias one of the patterns
 * matches (struct: char *, shell patterns as in modules.alias), and that no driver
 * has. '-' and '_' are one, as for modprobe. Costs a walk through /sys/devices.
 */
KS_NONNULL(1)
GPtrArray *ks_udev_find_devices(const struct ks_system *system,
				const GPtrArray *patterns);

/* The modaliases of all devices, each once (char *), as the kernel writes them. */
KS_NONNULL(1)
GPtrArray *ks_udev_list_modaliases(const struct ks_system *system);

/*
 * Announce them. Returns how many could be: none in a container, where /sys is
 * not writable, which is no error.
 */
KS_NONNULL(1)
unsigned int ks_udev_announce(const struct ks_system *system, const GPtrArray *devices);
