/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tiny relocatable objects that look like kernel modules to libkmod: the
 * sections that modpost and the linker script would make, written by hand.
 * No kernel headers are needed, and nothing here is ever run.
 */
#pragma once

#define PLAY_RELEASE "6.1.0-1-play"

#define PLAY_PASTE_(a, b) a##b
#define PLAY_PASTE(a, b)  PLAY_PASTE_(a, b)

#define MODINFO(tag, value)                                                              \
	static const char PLAY_PASTE(modinfo_, __COUNTER__)[]                            \
		__attribute__((used, section(".modinfo"), aligned(1))) = tag "=" value

#define VERMAGIC(release) MODINFO("vermagic", release " SMP mod_unload modversions ")

/* struct modversion_info of include/linux/module.h */
struct play_version {
	unsigned long crc;
	char name[64 - sizeof(unsigned long)];
};

#define VERSIONS                                                                         \
	static const struct play_version play_versions[]                                 \
		__attribute__((used, section("__versions")))

/* A name in __ksymtab_strings, and its CRC as an absolute symbol. */
#define EXPORT(name, crc)                                                                \
	static const char PLAY_PASTE(ksymtab_, __COUNTER__)[]                            \
		__attribute__((used, section("__ksymtab_strings"), aligned(1))) = #name; \
	__asm__(".globl __crc_" #name "\n.set __crc_" #name ", " #crc)
