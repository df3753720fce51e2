/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Of a release whose beginning is the right one's whole name. */
#include "playground.h"

extern void play_in_another_kernel(void);
void play_other_call(void);

void play_other_call(void)
{
	play_in_another_kernel();
}

VERMAGIC(PLAY_RELEASE "-rt");
