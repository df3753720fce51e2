/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Built against another kernel's symbols, with a hostile text in it. */
#include "playground.h"

extern void play_kernel_call(void);
extern void play_gone_a(void);
extern void play_gone_b(void);
extern void play_gone_c(void);
extern void play_gone_d(void);
extern void play_gone_e(void);
void play_stale_call(void);

void play_stale_call(void)
{
	play_kernel_call();
	play_gone_a();
	play_gone_b();
	play_gone_c();
	play_gone_d();
	play_gone_e();
}

VERSIONS = {
	{0x11111111, "module_layout"},
	{0x2222dead, "play_kernel_call"},
};
VERMAGIC(PLAY_RELEASE);
MODINFO("license", "GPL\n\nend=1\033[2J");
