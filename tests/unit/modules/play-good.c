/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A module with everything, right for its kernel. */
#include "playground.h"

extern void play_kernel_call(void);
extern void play_kernel_call_without_crc(void);
extern void play_in_no_kernel(void) __attribute__((weak));
void play_good_call(void);

void play_good_call(void)
{
	play_kernel_call();
	play_kernel_call_without_crc();
	if (play_in_no_kernel)
		play_in_no_kernel();
}

VERSIONS = {
	{0x11111111, "module_layout"},
	{0x22222222, "play_kernel_call"},
};
EXPORT(play_good_call, 0x33333333);

VERMAGIC(PLAY_RELEASE);
MODINFO("version", "1.2.3");
MODINFO("srcversion", "0123456789ABCDEF0123456");
MODINFO("license", "GPL");
MODINFO("alias", "pci:v00001234d*sv*sd*bc*sc*i*");
MODINFO("alias", "usb:v1D6Bp0001d*dc*dsc*dp*ic*isc*ip*in*");
MODINFO("depends", "usbcore,hid");
