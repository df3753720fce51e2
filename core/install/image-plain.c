/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Single files in /boot, named after the kernel's release, package or flavour. */
#include <string.h>

#include "core/install/image-private.h"

static const struct ks_image_command by_release[] = {
	{"update-initramfs", {"-u", "-k", "K"}},
	{"update-tirfs", {"-k", "K"}},
	{"dracut", {"--force", "IMAGE", "K"}},
	{"mkinitcpio", {"-k", "K", "-g", "IMAGE"}},
};

static const struct ks_image_command by_package[] = {
	{"dracut", {"--force", "IMAGE", "K"}},
	{"mkinitcpio", {"-k", "K", "-g", "IMAGE"}},
};

static const struct ks_image_command booster[] = {
	{"booster", {"build", "--force", "--kernel-version", "K", "IMAGE"}},
};

static const struct ks_image_command mkinitfs[] = {
	{"mkinitfs", {"-o", "IMAGE", "K"}},
};

static void add(struct ks_images *images, const struct ks_kernel *kernel,
		const char *path, const struct ks_image_command *commands,
		size_t n_commands)
{
	g_auto(GStrv) argv = ks_image_command_choose(images->system, commands, n_commands,
						     kernel->release, path);

	ks_images_add(images, path, argv);
}

/* Of these one is booted: another name is what an earlier tool has left. */
static void add_by_release(struct ks_images *images, const struct ks_kernel *kernel)
{
	static const char *const names[][2] = {
		{"/boot/initrd.img-", ""},
		{"/boot/initramfs-", ".img"},
		{"/boot/initrd-", ""},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path =
			g_strconcat(names[i][0], kernel->release, names[i][1], NULL);

		if (!ks_root_exists(images->system->root, path))
			continue;
		add(images, kernel, path, by_release, G_N_ELEMENTS(by_release));
		return;
	}
}

/* Where presets are, what they do not name is left from before. */
static void add_by_package(struct ks_images *images, const struct ks_kernel *kernel)
{
	g_autofree char *file = g_build_filename(kernel->modules_dir, "pkgbase", NULL);
	g_autofree char *package = ks_image_read_word(images->system, file);
	g_autofree char *path = NULL, *boosted = NULL;

	if (!package)
		return;
	path = g_strconcat("/boot/initramfs-", package, ".img", NULL);
	boosted = g_strconcat("/boot/booster-", package, ".img", NULL);
	if (!images->has_preset)
		add(images, kernel, path, by_package, G_N_ELEMENTS(by_package));
	add(images, kernel, boosted, booster, G_N_ELEMENTS(booster));
}

/* Alpine: /usr/share/kernel/FLAVOUR/kernel.release says whose /boot/initramfs-FLAVOUR is. */
static void add_by_flavour(struct ks_images *images, const struct ks_kernel *kernel)
{
	g_autoptr(GPtrArray) flavours =
		ks_root_list(images->system->root, "/usr/share/kernel", NULL);

	for (guint i = 0; flavours && i < flavours->len; i++) {
		const char *flavour = g_ptr_array_index(flavours, i);
		g_autofree char *file = g_build_filename("/usr/share/kernel", flavour,
							 "kernel.release", NULL);
		g_autofree char *release = ks_image_read_word(images->system, file);
		g_autofree char *path = g_strconcat("/boot/initramfs-", flavour, NULL);
		g_autofree char *boosted = g_strconcat("/boot/booster-", flavour, NULL);

		if (g_strcmp0(release, kernel->release) != 0)
			continue;
		add(images, kernel, path, mkinitfs, G_N_ELEMENTS(mkinitfs));
		add(images, kernel, boosted, booster, G_N_ELEMENTS(booster));
	}
}

void ks_images_add_plain(struct ks_images *images, const struct ks_kernel *kernel)
{
	g_autofree char *genkernel = g_strdup_printf("/boot/initramfs-genkernel-%s-%s",
						     kernel->arch, kernel->release);

	add_by_release(images, kernel);
	add_by_package(images, kernel);
	add_by_flavour(images, kernel);
	/* genkernel wants its own configuration, and the kernel's source */
	ks_images_add(images, genkernel, NULL);
}
