/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Orders of version strings. */
#pragma once

/*
 * strcmp-like order by natural runs: digits compare as numbers of any length,
 * '~' sorts before everything, even the end, other bytes as themselves. Used
 * for module versions and kernel releases ("6.1.0-9" before "6.1.0-56").
 */
int ks_version_compare(const char *a, const char *b);

/*
 * dkms's order for BUILD_EXCLUSIVE_KERNEL_MIN and _MAX: each digit run padded
 * to three digits, then compared as strings of bytes (dkms 3.4.3, VER()).
 */
int ks_version_compare_dkms(const char *a, const char *b);
