/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A module that other kernels can use, too: each of its imports has a CRC. */
#include "playground.h"

extern void play_kernel_call(void);
void play_weak_call(void);

void play_weak_call(void)
{
	play_kernel_call();
}

VERSIONS = {
	{0x11111111, "module_layout"},
	{0x22222222, "play_kernel_call"},
};

VERMAGIC(PLAY_RELEASE);
MODINFO("version", "1.0");
MODINFO("license", "GPL");
