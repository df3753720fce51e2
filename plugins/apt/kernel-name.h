/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernels' packages by their names, as far as a name says which kernel: linux-image-K,
 * linux-image-unsigned-K and linux-image-K-unsigned (Debian, Ubuntu), proxmox-kernel-K-signed
 * and pve-kernel-K (Proxmox). libc alone.
 */
#pragma once

#include <stdbool.h>

/* K of the package of a kernel's image; NULL for any other. Free with free(3). */
char *ks_kernel_name_release(const char *package);

/* Is it among what modules are built with: headers, and Debian's linux-kbuild-V? */
bool ks_kernel_name_is_headers(const char *package);
