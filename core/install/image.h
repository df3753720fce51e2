/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The images with an initramfs that a kernel boots with, and the command that makes each:
 *
 *	image-preset.c	what the presets of mkinitcpio name
 *	image-plain.c	/boot/initrd.img-K and the other names of single files
 *	image-entry.c	boot loader entries, TOKEN/K/initrd, and unified kernel images,
 *			EFI/Linux/NAME.efi, below /efi, /boot/efi and /boot
 *
 * They stand on image-set.c (the list and its commands), image-loader.c (how
 * kernel-install(8) is configured) and image-file.c (what a kernel's file says of itself).
 *
 * Who owns an image is asked of what names it: a preset that has its path, a file name that
 * one tool alone uses, the layout that kernel-install is configured for. An image that
 * nothing here makes is in the list all the same, without a command.
 */
#pragma once

#include "core/kernel/kernel.h"
#include "core/support/contract.h"

/* Images that one command makes. */
struct ks_image_set {
	char **argv;	  /* its program is a path in the tree; NULL: nobody makes them */
	GPtrArray *paths; /* char *: all are there */
	bool is_by_content; /* named after their content: an image that is equal stays */
};

struct ks_images {
	const struct ks_system *system;
	GPtrArray
		*sets; /* struct ks_image_set: those that others are copied from first */
	GArray *seen;  /* which files are in a set: one may have several paths */
	bool has_preset; /* a preset is about this kernel */
	bool is_blind;	 /* some places could not be looked into, for want of privilege */
};

/*
 * Those of the kernel that are there; never NULL. Costs some dozen stats, the reading of
 * the presets, and of the head of each EFI/Linux/NAME.efi.
 */
KS_NONNULL(1)
struct ks_images *ks_images_find(const struct ks_system *system,
				 const struct ks_kernel *kernel);
void ks_images_free(struct ks_images *images);
KS_DEFINE_CLEANUP(ks_images, ks_images_free)

/*
 * Does this system make initramfs images at all: is a program for that installed, and may
 * the kernel use one?
 */
KS_NONNULL(1)
bool ks_images_are_usual(const struct ks_system *system, struct ks_kernel *kernel);
