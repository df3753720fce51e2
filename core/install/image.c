/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/install/image.h"

#include "core/install/image-private.h"
#include "core/install/run-tool.h"

struct ks_images *ks_images_find(const struct ks_system *system,
				 const struct ks_kernel *kernel)
{
	struct ks_images *images = ks_images_new(system);

	ks_images_add_presets(images, kernel);
	ks_images_add_plain(images, kernel);
	/* they may be copies of the others */
	ks_images_add_entries(images, kernel);
	return images;
}

static bool can_use_one(const struct ks_system *system, struct ks_kernel *kernel)
{
	return !kernel->config_path ||
	       ks_kernel_config_get(system, kernel, "CONFIG_BLK_DEV_INITRD");
}

bool ks_images_are_usual(const struct ks_system *system, struct ks_kernel *kernel)
{
	static const char *const makers[] = {
		"update-initramfs", "update-tirfs", "dracut",	  "mkinitcpio", "booster",
		"mkinitfs",	    "genkernel",    "sdbootutil", "ukify"};
	g_autofree char *vmlinuz = ks_image_find_vmlinuz(system, kernel);

	for (size_t i = 0; vmlinuz && i < G_N_ELEMENTS(makers); i++) {
		g_autofree char *program = ks_run_tool_find(system, makers[i]);

		if (program)
			return can_use_one(system, kernel);
	}
	return false;
}
