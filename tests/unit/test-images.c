/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which images a kernel has, and who makes them. */
#include "core/install/image.h"
#include "core/install/image-private.h"

#include "tests/unit/faketree.h"

#define K	   "6.1.0-1-play"
#define OTHER	   "6.1.0-1-play-rt"
#define BASE	   "/lib/modules/" K
#define MACHINE_ID "0123456789abcdef0123456789abcdef"

struct fixture {
	struct faketree tree;
	struct ks_kernel kernel;
};

static void set_up(struct fixture *f, gconstpointer data)
{
	faketree_set_up(&f->tree, NULL);
	f->kernel = (struct ks_kernel){
		.release = (char *)K,
		.arch = (char *)"x86_64",
		.modules_dir = (char *)BASE,
		.alive = true,
	};
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	faketree_tear_down(&f->tree, NULL);
}

static void add_tool(struct fixture *f, const char *name)
{
	g_autofree char *path = g_build_filename("/usr/bin", name, NULL);
	g_autofree char *full = faketree_path(&f->tree, path);

	faketree_write(&f->tree, path, "#!/bin/sh\n");
	g_assert_cmpint(chmod(full, 0755), ==, 0);
}

static void add_file(struct fixture *f, const char *path)
{
	faketree_write(&f->tree, path, "");
}

/* "PROGRAM ARGUMENT ...: PATH ...", one line for each command; "-" where there is none. */
static char *describe(const struct ks_images *images)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < images->sets->len; i++) {
		const struct ks_image_set *set = images->sets->pdata[i];
		g_autofree char *argv =
			set->argv ? g_strjoinv(" ", set->argv) : g_strdup("-");
		const char *program =
			g_str_has_prefix(argv, "/usr/bin/") ? argv + 9 : argv;

		g_string_append_printf(text, "%s%s:", i ? "\n" : "", program);
		for (guint j = 0; j < set->paths->len; j++)
			g_string_append_printf(text, " %s", (char *)set->paths->pdata[j]);
	}
	return g_string_free(text, FALSE);
}

static void assert_images(struct fixture *f, const char *expected)
{
	ks_auto(ks_images) images = ks_images_find(f->tree.system, &f->kernel);
	g_autofree char *text = describe(images);

	g_assert_cmpstr(text, ==, expected);
}

/* --- single files */

static void test_release_names(struct fixture *f, gconstpointer data)
{
	assert_images(f, "");
	add_file(f, "/boot/initrd.img-" OTHER);
	add_file(f, "/boot/initramfs-0-rescue-" MACHINE_ID ".img");
	assert_images(f, "");
	add_file(f, "/boot/initrd-" K);
	assert_images(f, "-: /boot/initrd-" K);
	add_tool(f, "dracut");
	assert_images(f, "dracut --force /boot/initrd-" K " " K ": /boot/initrd-" K);
	add_file(f, "/boot/initramfs-" K ".img");
	assert_images(f, "dracut --force /boot/initramfs-" K ".img " K
			 ": /boot/initramfs-" K ".img");
	add_tool(f, "update-tirfs");
	add_file(f, "/boot/initrd.img-" K);
	assert_images(f, "update-tirfs -k " K ": /boot/initrd.img-" K);
	add_tool(f, "update-initramfs");
	assert_images(f, "update-initramfs -u -k " K ": /boot/initrd.img-" K);
}

static void test_package_names(struct fixture *f, gconstpointer data)
{
	faketree_write(&f->tree, BASE "/pkgbase", "linux-lts\n");
	add_file(f, "/boot/initramfs-linux-lts.img");
	add_file(f, "/boot/initramfs-linux.img");
	add_file(f, "/boot/booster-linux-lts.img");
	add_tool(f, "mkinitcpio");
	add_tool(f, "booster");
	assert_images(f, "mkinitcpio -k " K " -g /boot/initramfs-linux-lts.img"
			 ": /boot/initramfs-linux-lts.img\n"
			 "booster build --force --kernel-version " K
			 " /boot/booster-linux-lts.img: /boot/booster-linux-lts.img");
}

static void test_flavour_names(struct fixture *f, gconstpointer data)
{
	faketree_write(&f->tree, "/usr/share/kernel/lts/kernel.release", K "\n");
	faketree_write(&f->tree, "/usr/share/kernel/virt/kernel.release", OTHER "\n");
	add_file(f, "/boot/initramfs-lts");
	add_file(f, "/boot/initramfs-virt");
	add_tool(f, "mkinitfs");
	assert_images(f, "mkinitfs -o /boot/initramfs-lts " K ": /boot/initramfs-lts");
}

static void test_genkernel(struct fixture *f, gconstpointer data)
{
	add_tool(f, "genkernel");
	add_file(f, "/boot/initramfs-genkernel-x86_64-" K);
	assert_images(f, "-: /boot/initramfs-genkernel-x86_64-" K);
}

/* --- presets */

static void add_preset(struct fixture *f, const char *name, const char *text)
{
	g_autofree char *path = g_strdup_printf("/etc/mkinitcpio.d/%s.preset", name);

	faketree_write(&f->tree, path, text);
}

static void test_preset(struct fixture *f, gconstpointer data)
{
	add_tool(f, "mkinitcpio");
	faketree_write(&f->tree, BASE "/pkgbase", "linux\n");
	add_preset(f, "linux",
		   "# mkinitcpio preset file for the 'linux' package\n\n"
		   "ALL_config=\"/etc/mkinitcpio.conf\"\n"
		   "ALL_kver=\"/boot/vmlinuz-linux\"\n"
		   "PRESETS=('default' 'fallback' # 'third'\n)\n"
		   "#default_image=\"/boot/old.img\"\n"
		   "default_uki=\"/efi/EFI/Linux/arch-linux.efi\"\n"
		   "default_options='--splash /usr/share/splash.bmp -S autodetect'\n"
		   "fallback_image='/boot/initramfs-linux-fallback.img'\n"
		   "fallback_options=\"-S autodetect\"\n"
		   "third_image=/boot/third.img\n");
	add_file(f, "/boot/old.img");
	add_file(f, "/boot/third.img");
	/* made before the preset had a unified image */
	add_file(f, "/boot/initramfs-linux.img");
	assert_images(f, "");
	add_file(f, "/boot/initramfs-linux-fallback.img");
	assert_images(f, "mkinitcpio -p linux: /boot/initramfs-linux-fallback.img");
	add_file(f, "/efi/EFI/Linux/arch-linux.efi");
	assert_images(f, "mkinitcpio -p linux: /efi/EFI/Linux/arch-linux.efi "
			 "/boot/initramfs-linux-fallback.img");
}

static void test_preset_without_its_program(struct fixture *f, gconstpointer data)
{
	faketree_write(&f->tree, BASE "/pkgbase", "linux\n");
	add_preset(f, "linux",
		   "PRESETS=(default)\nALL_kver=" K
		   "\ndefault_image=/boot/initramfs-linux.img\n");
	add_file(f, "/boot/initramfs-linux.img");
	add_tool(f, "dracut");
	assert_images(f, "dracut --force /boot/initramfs-linux.img " K
			 ": /boot/initramfs-linux.img");
}

/* The setup header of a bzImage (Linux, boot.rst), with the version behind it. */
static void add_bzimage(struct fixture *f, const char *path, const char *release)
{
	g_autofree char *full = faketree_path(&f->tree, path);
	char image[2048] = {0};

	memcpy(image + 0x202, "HdrS", 4);
	image[0x20f] = 0x2;
	g_snprintf(image + 0x400, 256, "%s (root@host) #1 SMP", release);
	g_assert_true(g_file_set_contents(full, image, sizeof(image), NULL));
}

static const char *const preset_kernels[] = {
	"ALL_kver=" K "\n",
	"ALL_kver='" K "' # a release\n",
	"ALL_kver=/boot/vmlinuz-bz\n",
	"ALL_kver=/boot/vmlinuz-link\n",
	"ALL_kver=/lib/modules/" K "/vmlinuz\n",
	"ALL_kver=/boot/vmlinuz-" K "\n",
	"ALL_kver=" OTHER "\nother_kver=" OTHER "\ndefault_kver=" K "\n",
	"image=vmlinuz-bz\nALL_kver=\"/boot/${image}\"; unused=x\n",
};

static const char *const preset_others[] = {
	"",
	"ALL_kver=" OTHER "\n",
	"ALL_kver=/boot/vmlinuz-other\n",
	"ALL_kver=/boot/vmlinuz\n",
	"ALL_kver=/boot/vmlinuz-linux\n",
	"ALL_kver=" K "\ndefault_kver=" OTHER "\n",
	"ALL_kver=" K "\nPRESETS=('$(reboot)' 'a b' ../x 1st)\n",
	"ALL_kver=" K "\nPRESETS=()\n",
	"ALL_kver=" K "\ndefault_image=boot/initramfs.img\n",
};

static void test_preset_kernels(struct fixture *f, gconstpointer data)
{
	static const char *const rest = "PRESETS=(default)\n"
					"default_image=/boot/initramfs.img\n";

	add_tool(f, "mkinitcpio");
	add_file(f, "/boot/initramfs.img");
	add_file(f, BASE "/vmlinuz");
	add_bzimage(f, "/boot/vmlinuz-bz", K);
	add_bzimage(f, "/boot/vmlinuz-other", OTHER);
	faketree_link(&f->tree, "vmlinuz-bz", "/boot/vmlinuz-link");
	for (size_t i = 0; i < G_N_ELEMENTS(preset_kernels); i++) {
		g_autofree char *text = g_strconcat(rest, preset_kernels[i], NULL);

		g_test_message("%s", text);
		add_preset(f, "play", text);
		assert_images(f, "mkinitcpio -p play: /boot/initramfs.img");
	}
	for (size_t i = 0; i < G_N_ELEMENTS(preset_others); i++) {
		g_autofree char *text = g_strconcat(rest, preset_others[i], NULL);

		g_test_message("%s", text);
		add_preset(f, "play", text);
		assert_images(f, "");
	}
}

static void test_presets_of_several_kernels(struct fixture *f, gconstpointer data)
{
	add_tool(f, "mkinitcpio");
	add_preset(f, "a", "PRESETS=(x)\nALL_kver=" OTHER "\nx_image=/boot/a.img\n");
	add_preset(f, "b", "PRESETS=(x)\nALL_kver=" K "\nx_image=/boot/b.img\n");
	add_preset(f, "c", "PRESETS=(x)\nALL_kver=" K "\nx_efi_image=/boot/c.efi\n");
	faketree_write(&f->tree, "/etc/mkinitcpio.d/d.preset.pacsave",
		       "PRESETS=(x)\nALL_kver=" K "\nx_image=/boot/d.img\n");
	add_file(f, "/boot/a.img");
	add_file(f, "/boot/b.img");
	add_file(f, "/boot/c.efi");
	add_file(f, "/boot/d.img");
	assert_images(f, "mkinitcpio -p b: /boot/b.img\nmkinitcpio -p c: /boot/c.efi");
}

static void test_preset_that_cannot_be_read(struct fixture *f, gconstpointer data)
{
	ks_auto(ks_images) images = NULL;

	add_tool(f, "mkinitcpio");
	add_preset(f, "broken", "PRESETS=(default\n");
	images = ks_images_find(f->tree.system, &f->kernel);
	g_assert_cmpuint(images->sets->len, ==, 0);
	g_assert_true(images->is_blind);
}

/* --- entries */

static void add_loader(struct fixture *f)
{
	add_tool(f, "kernel-install");
	add_file(f, "/boot/vmlinuz-" K);
}

#define ADD_K "kernel-install add " K " /boot/vmlinuz-" K

static const struct {
	const char *file, *text, *token;
} tokens[] = {
	{"/etc/machine-id", MACHINE_ID "\n", MACHINE_ID},
	{"/etc/os-release", "ID=debian\nVERSION_ID=13\n", "debian"},
	{"/usr/lib/os-release", "IMAGE_ID=\"appliance\"\nID=arch\n", "appliance"},
	{"/etc/machine-info", "KERNEL_INSTALL_MACHINE_ID=feedbeef\n", "feedbeef"},
	{"/etc/kernel/install.conf", "MACHINE_ID=deadbeef\n", "deadbeef"},
	{"/etc/kernel/entry-token", "literal\n", "literal"},
};

static void test_tokens(struct fixture *f, gconstpointer data)
{
	for (size_t i = 0; i < G_N_ELEMENTS(tokens); i++) {
		g_autofree char *path =
			g_strdup_printf("/efi/%s/" K "/initrd", tokens[i].token);
		g_autofree char *expected = g_strdup_printf(ADD_K ": %s", path);

		g_test_message("%s", path);
		add_loader(f);
		add_file(f, path);
		assert_images(f, "");
		faketree_write(&f->tree, tokens[i].file, tokens[i].text);
		assert_images(f, expected);
		tear_down(f, NULL);
		set_up(f, NULL);
	}
}

static void add_token(struct fixture *f)
{
	add_loader(f);
	faketree_write(&f->tree, "/etc/kernel/entry-token", "debian\n");
}

static void test_the_token_is_the_only_one(struct fixture *f, gconstpointer data)
{
	add_token(f);
	faketree_write(&f->tree, "/etc/machine-id", MACHINE_ID "\n");
	add_file(f, "/efi/" MACHINE_ID "/" K "/initrd");
	add_file(f, "/efi/debian/" OTHER "/initrd");
	add_file(f, "/efi/debian/" K "/linux");
	assert_images(f, "");
	faketree_write(&f->tree, "/etc/kernel/entry-token", "../../etc\n");
	assert_images(f, ADD_K ": /efi/" MACHINE_ID "/" K "/initrd");
}

static void test_entry_places(struct fixture *f, gconstpointer data)
{
	add_token(f);
	add_file(f, "/boot/debian/" K "/initrd");
	assert_images(f, ADD_K ": /boot/debian/" K "/initrd");
	add_file(f, "/boot/efi/debian/" K "/initrd");
	faketree_link(&f->tree, "boot/efi", "/efi");
	assert_images(f, ADD_K ": /efi/debian/" K "/initrd /boot/debian/" K "/initrd");
	add_file(f, "/mnt/esp/debian/" K "/initrd");
	faketree_write(&f->tree, "/usr/lib/kernel/install.conf",
		       "# where\nBOOT_ROOT=/mnt/esp\n");
	assert_images(f, ADD_K ": /mnt/esp/debian/" K "/initrd");
}

/* What was copied from /boot is made there first, and handed over. */
static void test_entry_of_a_copy(struct fixture *f, gconstpointer data)
{
	add_token(f);
	add_tool(f, "update-initramfs");
	add_file(f, "/boot/initrd.img-" K);
	add_file(f, "/efi/debian/" K "/initrd.img-" K);
	assert_images(f, "update-initramfs -u -k " K ": /boot/initrd.img-" K "\n" ADD_K
			 " /boot/initrd.img-" K ": /efi/debian/" K "/initrd.img-" K);
	add_file(f, "/efi/debian/" K "/initrd");
	assert_images(f, "update-initramfs -u -k " K ": /boot/initrd.img-" K "\n" ADD_K
			 ": /efi/debian/" K "/initrd /efi/debian/" K "/initrd.img-" K);
}

static const struct {
	const char *file, *text;
	bool is_made;
} layouts[] = {
	{"/etc/kernel/install.conf", "layout=bls\n", true},
	{"/etc/kernel/install.conf", "layout=auto\n", true},
	{"/etc/kernel/install.conf", "layout=uki\n", false},
	{"/etc/kernel/install.conf", "layout=other\n", false},
	{"/usr/lib/kernel/install.conf", "layout=\"uki\"\n", false},
	{"/etc/kernel/install.conf.d/10.conf", "layout=uki\n", false},
	{"/efi/loader/entries.srel", "type1\n", true},
	{"/efi/loader/entries.srel", "grub\n", false},
};

static void test_layouts(struct fixture *f, gconstpointer data)
{
	for (size_t i = 0; i < G_N_ELEMENTS(layouts); i++) {
		g_test_message("%s %s", layouts[i].file, layouts[i].text);
		add_token(f);
		add_file(f, "/efi/debian/" K "/initrd");
		faketree_write(&f->tree, layouts[i].file, layouts[i].text);
		assert_images(f, layouts[i].is_made ? ADD_K ": /efi/debian/" K "/initrd"
						    : "-: /efi/debian/" K "/initrd");
		tear_down(f, NULL);
		set_up(f, NULL);
	}
}

static void test_no_vmlinuz(struct fixture *f, gconstpointer data)
{
	add_tool(f, "kernel-install");
	add_file(f, "/efi/Default/" K "/initrd");
	assert_images(f, "-: /efi/Default/" K "/initrd");
	add_file(f, BASE "/vmlinuz");
	assert_images(f, "kernel-install add " K " " BASE "/vmlinuz: /efi/Default/" K
			 "/initrd");
}

/* Under its digest, beside older ones that snapshots boot with. */
static void test_sdbootutil(struct fixture *f, gconstpointer data)
{
	static const char *const older = "/boot/efi/debian/" K "/initrd-b0b";
	g_autofree char *full = faketree_path(&f->tree, older);
	const struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 1}};

	add_token(f);
	add_tool(f, "sdbootutil");
	add_file(f, older);
	g_assert_cmpint(utimensat(AT_FDCWD, full, times, 0), ==, 0);
	add_file(f, "/boot/efi/debian/" K "/initrd-a11");
	assert_images(f, "sdbootutil --no-reuse-initrd add-kernel " K
			 ": /boot/efi/debian/" K "/initrd-a11");
}

/* --- unified kernel images */

static void add_uki_layout(struct fixture *f)
{
	add_token(f);
	faketree_write(&f->tree, "/etc/kernel/install.conf", "layout=uki\n");
}

static const char *const token_ukis[] = {
	"debian-" K ".efi",
	"debian-" K "+3.efi",
	"debian-" K "+2-1.efi",
};

static void test_token_ukis(struct fixture *f, gconstpointer data)
{
	for (size_t i = 0; i < G_N_ELEMENTS(token_ukis); i++) {
		g_autofree char *path =
			g_build_filename("/boot/efi/EFI/Linux", token_ukis[i], NULL);
		g_autofree char *expected = g_strdup_printf(ADD_K ": %s", path);
		g_autofree char *orphan = g_strdup_printf("-: %s", path);

		add_uki_layout(f);
		add_file(f, "/boot/efi/EFI/Linux/debian-" OTHER ".efi");
		add_file(f, path);
		assert_images(f, expected);
		faketree_write(&f->tree, "/etc/kernel/install.conf", "layout=bls\n");
		assert_images(f, orphan);
		tear_down(f, NULL);
		set_up(f, NULL);
	}
}

static const char *const orphan_ukis[] = {
	K ".efi",
	K "+5.efi",
	"fedora-" K ".efi",
	"my-own-" K "+1-0.efi",
};

static void test_orphan_ukis(struct fixture *f, gconstpointer data)
{
	for (size_t i = 0; i < G_N_ELEMENTS(orphan_ukis); i++) {
		g_autofree char *path =
			g_build_filename("/efi/EFI/Linux", orphan_ukis[i], NULL);
		g_autofree char *orphan = g_strdup_printf("-: %s", path);

		add_uki_layout(f);
		add_file(f, path);
		assert_images(f, orphan);
		tear_down(f, NULL);
		set_up(f, NULL);
	}
}

static const char *const dracut_ukis[] = {
	"linux-" K ".efi",
	"linux-" K "-" MACHINE_ID ".efi",
	"linux-" K "-" MACHINE_ID "-build.2.efi",
};

static void test_dracut_ukis(struct fixture *f, gconstpointer data)
{
	add_uki_layout(f);
	add_tool(f, "dracut");
	/* of another kernel */
	add_file(f, "/boot/EFI/Linux/linux-" OTHER ".efi");
	add_file(f, "/boot/EFI/Linux/linux-" OTHER "-" MACHINE_ID ".efi");
	add_file(f, "/boot/EFI/Linux/linux-" K "-rt.efi");
	assert_images(f, "");
	for (size_t i = 0; i < G_N_ELEMENTS(dracut_ukis); i++) {
		g_autofree char *path =
			g_build_filename("/boot/EFI/Linux", dracut_ukis[i], NULL);
		g_autofree char *full = faketree_path(&f->tree, path);
		g_autofree char *expected =
			g_strdup_printf("dracut --force --uefi %s " K ": %s", path, path);

		add_file(f, path);
		assert_images(f, expected);
		g_assert_cmpint(unlink(full), ==, 0);
	}
	add_file(f, "/boot/EFI/Linux/gentoo-" K ".efi");
	assert_images(f, "-: /boot/EFI/Linux/gentoo-" K ".efi");
	faketree_write(&f->tree, "/etc/dracut.conf.d/uefi.conf", "uefi=\"yes\"\n");
	assert_images(f, "dracut --force --uefi /boot/EFI/Linux/gentoo-" K ".efi " K
			 ": /boot/EFI/Linux/gentoo-" K ".efi");
}

/* A PE file with that section ".uname", among others. */
static void add_uki(struct fixture *f, const char *path, const char *release)
{
	enum { PE = 0x80, OPTIONAL = 0x10, TEXT = 0x200 };
	g_autofree char *full = faketree_path(&f->tree, path);
	guint8 image[1024] = {'M', 'Z'};
	guint8 *section = image + PE + 24 + OPTIONAL;

	image[60] = PE;
	memcpy(image + PE, "PE", 2);
	image[PE + 6] = 2;
	image[PE + 20] = OPTIONAL;
	memcpy(section, ".osrel", 6);
	memcpy(section + 40, ".uname", 6);
	section[40 + 8] = (guint8)strlen(release);
	section[40 + 21] = TEXT >> 8;
	g_snprintf((char *)image + TEXT, 256, "%sand more", release);
	g_assert_true(g_file_set_contents(full, (char *)image, sizeof(image), NULL));
}

/* Its own word counts, not its name. */
static void test_uki_says_its_kernel(struct fixture *f, gconstpointer data)
{
	add_uki(f, "/efi/EFI/Linux/arch-linux.efi", K);
	add_uki(f, "/efi/EFI/Linux/other.efi", OTHER);
	add_uki(f, "/efi/EFI/Linux/wrong-" K ".efi", OTHER);
	assert_images(f, "-: /efi/EFI/Linux/arch-linux.efi");
}

/* Each byte that leads somewhere leads out of the file. */
static void test_hostile_files(struct fixture *f, gconstpointer data)
{
	static const guint places[] = {60,	 61,	    62,	       63,   0x80 + 6,
				       0x80 + 7, 0x80 + 20, 0x80 + 21, 0xe0, 0xe1,
				       0xe3,	 0xe7,	    0x20e,     0x20f};
	const char *path = "/efi/EFI/Linux/a.efi";
	g_autofree char *full = faketree_path(&f->tree, path);

	for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
		g_autofree char *release = NULL;
		int fd;

		add_uki(f, path, "./bad");
		fd = open(full, O_WRONLY | O_CLOEXEC);
		g_assert_cmpint(fd, >=, 0);
		g_assert_cmpint(pwrite(fd, "\xff", 1, places[i]), ==, 1);
		close(fd);
		release = ks_image_file_release(f->tree.system, path);
		g_assert_null(release);
	}
	g_assert_cmpint(unlink(full), ==, 0);
	faketree_fifo(&f->tree, path);
	g_assert_null(ks_image_file_release(f->tree.system, path));
	assert_images(f, "");
}

#define ADD(name, func)                                                                  \
	g_test_add("/images/" name, struct fixture, NULL, set_up, func, tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("files-are-named-after-releases", test_release_names);
	ADD("files-are-named-after-packages", test_package_names);
	ADD("files-are-named-after-flavours", test_flavour_names);
	ADD("genkernel-is-not-run", test_genkernel);
	ADD("a-preset-has-several-images", test_preset);
	ADD("a-preset-without-mkinitcpio-counts-for-nothing",
	    test_preset_without_its_program);
	ADD("a-preset-names-its-kernel", test_preset_kernels);
	ADD("presets-of-other-kernels-are-not-run", test_presets_of_several_kernels);
	ADD("a-preset-that-cannot-be-read-may-have-images",
	    test_preset_that_cannot_be_read);
	ADD("entries-have-a-token", test_tokens);
	ADD("a-token-that-is-set-is-the-only-one", test_the_token_is_the_only_one);
	ADD("entries-are-in-several-places", test_entry_places);
	ADD("an-entry-may-be-a-copy", test_entry_of_a_copy);
	ADD("the-layout-decides-who-makes-entries", test_layouts);
	ADD("an-entry-needs-the-kernels-file", test_no_vmlinuz);
	ADD("sdbootutil-owns-entries", test_sdbootutil);
	ADD("kernel-install-names-ukis-after-the-token", test_token_ukis);
	ADD("ukis-of-others-are-nobodys", test_orphan_ukis);
	ADD("dracut-names-ukis-after-the-machine", test_dracut_ukis);
	ADD("a-uki-says-which-kernel-it-has", test_uki_says_its_kernel);
	ADD("hostile-files-say-nothing", test_hostile_files);
	return g_test_run();
}
