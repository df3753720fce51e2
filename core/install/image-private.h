/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of image.h. Paths are inside the tree. */
#pragma once

#include "core/install/image.h"
#include "core/support/contract.h"

/* --- image-set.c */

/* A program in the tree's usual directories, and its arguments; K and IMAGE are filled in. */
struct ks_image_command {
	const char *program;
	const char *args[5];
};

/* Free with g_strfreev. NULL: the program is not installed. */
KS_NONNULL(1)
char **ks_image_command_make(const struct ks_system *system,
			     const struct ks_image_command *command, const char *release,
			     const char *image);
/* The first of the commands whose program is installed, or NULL. */
KS_NONNULL(1)
char **ks_image_command_choose(const struct ks_system *system,
			       const struct ks_image_command *commands, size_t n_commands,
			       const char *release, const char *image);

KS_NONNULL(1)
struct ks_images *ks_images_new(const struct ks_system *system);
/*
 * Add a file, unless it is not there or is in a set already: then NULL. argv may be NULL.
 * The set is the list's.
 */
KS_NONNULL(1)
struct ks_image_set *ks_images_add(struct ks_images *images, const char *path,
				   char *const *argv);

/* --- image-file.c */

/* The first word of a small file, fit to be part of a file name; or NULL. */
KS_NONNULL(1)
char *ks_image_read_word(const struct ks_system *system, const char *path);

/* The kernel's own file, that a boot loader loads, or NULL. */
KS_NONNULL(1)
char *ks_image_find_vmlinuz(const struct ks_system *system,
			    const struct ks_kernel *kernel);

/*
 * Which kernel a file has, by what it says of itself: a bzImage by its setup header (Linux,
 * Documentation/arch/x86/boot.rst), a unified kernel image by its section ".uname"
 * (UAPI.5). NULL: it says nothing.
 */
KS_NONNULL(1)
char *ks_image_file_release(const struct ks_system *system, const char *path);

/* --- image-loader.c */

/*
 * How kernel-install(8) and sdbootutil find the place of an entry (systemd 257): where
 * there is an entry-token, that is the only one that they use.
 */
struct ks_image_loader {
	char **roots;  /* "/efi", ..., or the one that install.conf names */
	char **tokens; /* what entries and images may be named after */
	char *layout;  /* of install.conf; NULL: none, or "auto" */
};

KS_NONNULL(1, 2)
void ks_image_loader_init(struct ks_image_loader *loader, const struct ks_system *system);
void ks_image_loader_clear(struct ks_image_loader *loader);
/* Does kernel-install make entries TOKEN/K below that root? */
KS_NONNULL(1, 2)
bool ks_image_loader_makes_entries(const struct ks_image_loader *loader,
				   const struct ks_system *system, const char *root);
/* Does it make unified kernel images? */
KS_NONNULL(1)
bool ks_image_loader_makes_ukis(const struct ks_image_loader *loader);

/* --- the parts */

KS_NONNULL(1)
void ks_images_add_presets(struct ks_images *images, const struct ks_kernel *kernel);
KS_NONNULL(1)
void ks_images_add_plain(struct ks_images *images, const struct ks_kernel *kernel);
KS_NONNULL(1)
void ks_images_add_entries(struct ks_images *images, const struct ks_kernel *kernel);
