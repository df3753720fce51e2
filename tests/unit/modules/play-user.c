/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Uses what play-good exports: right only beside it. */
#include "playground.h"

extern void play_good_call(void);
void play_user_call(void);

void play_user_call(void)
{
	play_good_call();
}

VERSIONS = {
	{0x11111111, "module_layout"},
	{0x33333333, "play_good_call"},
};
VERMAGIC(PLAY_RELEASE);
MODINFO("license", "GPL");
