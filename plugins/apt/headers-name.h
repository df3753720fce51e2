/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the headers package of a kernel package is called. Each distribution has a pattern of
 * its own: linux-image-K and linux-headers-K (Debian, Ubuntu, whose images are also called
 * linux-image-unsigned-K and whose modules linux-modules-K), proxmox-kernel-K-signed and
 * proxmox-headers-K (Proxmox; pve-kernel-K before), linux-image-current-rockchip64 and
 * linux-headers-current-rockchip64 (Armbian: no release in the name), linux-image-rpi-2712
 * and linux-headers-rpi-2712 (Raspberry Pi OS's meta-packages).
 */
#pragma once

#include <glib.h>

/* For the package of a kernel, or its meta-package; NULL when it is called like none. Free
 * with g_free. */
char *ks_headers_name_of(const char *kernel_package);

/* The other way: names (char *, NULL at the end) that the kernel's package may have. */
char **ks_headers_kernel_names(const char *headers_package);
