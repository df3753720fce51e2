/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A module of a release whose name begins with the right one's. */
#include "playground.h"

extern void play_in_another_kernel(void);
void play_other_call(void);

void play_other_call(void)
{
	play_in_another_kernel();
}

VERMAGIC(PLAY_RELEASE "-rt");
