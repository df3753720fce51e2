/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * modprobe_on_install of framework.conf (dkms 3.4.3): after an installation for
 * the running kernel, load the modules that the machine's devices ask for, and
 * those that modules-load.d(5) names.
 *
 * udev.h needs no setting, and triggers only devices that wait for the very
 * modules that were installed; this is for machines without udev, and for
 * drivers that a module-load list names.
 */
#pragma once

#include "core/platform/system.h"
#include "core/support/contract.h"

/*
 * "modprobe -a -b -q" of every modalias below /sys/devices, then a restart of
 * systemd-modules-load.service where systemd runs, not waited for. Returns how many
 * aliases modprobe was given; that it knows no module for most of them is no error.
 */
KS_NONNULL(1)
unsigned int ks_modprobe_devices(const struct ks_system *system);
