/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Boot loader entries and unified kernel images. kernel-install names them TOKEN/K/initrd*
 * and EFI/Linux/TOKEN-K.efi (90-loaderentry.install and 90-uki-copy.install of systemd 257);
 * sdbootutil has an entry's initrd under the digest of its content, and keeps older ones for
 * snapshots; dracut names images EFI/Linux/linux-K-MACHINEID[-BUILDID].efi. The name of an
 * image that counts boots ends in +TRIES or +TRIES-FAILURES.
 */
#include <string.h>

#include "core/install/image-private.h"
#include "core/install/run-tool.h"
#include "core/support/assignment.h"
#include "core/support/error.h"

#define MACHINE_ID_LENGTH 32
#define MAX_CONF_BYTES	  65536

struct looking {
	struct ks_images *images;
	const struct ks_kernel *kernel;
	struct ks_image_loader loader;
	char *vmlinuz; /* or NULL */
};

/* initrd may be NULL. NULL: it cannot do that here. */
static char **kernel_install_argv(const struct looking *looking, const char *initrd)
{
	const struct ks_image_command command = {"kernel-install",
						 {"add", "K", looking->vmlinuz, initrd}};

	return looking->vmlinuz ? ks_image_command_make(looking->images->system, &command,
							looking->kernel->release, NULL)
				: NULL;
}

/* --- entries */

static bool is_initrd(const char *name)
{
	return g_str_has_prefix(name, "initrd") || g_str_has_prefix(name, "initramfs");
}

static GPtrArray *list_initrds(const struct looking *looking, const char *dir)
{
	g_autoptr(GPtrArray) names =
		ks_root_list(looking->images->system->root, dir, NULL);
	GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; names && i < names->len; i++)
		if (is_initrd(names->pdata[i]))
			g_ptr_array_add(paths,
					g_build_filename(dir, names->pdata[i], NULL));
	return paths;
}

static const char *find_newest(const struct looking *looking, const GPtrArray *paths)
{
	const char *newest = NULL;
	struct stat st, latest;

	for (guint i = 0; i < paths->len; i++) {
		if (!ks_root_stat(looking->images->system->root, paths->pdata[i], &st) ||
		    (newest && st.st_mtime <= latest.st_mtime))
			continue;
		newest = paths->pdata[i];
		latest = st;
	}
	return newest;
}

/*
 * Copied from a file in /boot: that is handed over, as the hooks of initramfs-tools do,
 * and no plugin makes another. Otherwise plugins make it.
 */
static char *find_original(const struct looking *looking, const GPtrArray *paths)
{
	g_autofree char *original = NULL;

	for (guint i = 0; i < paths->len; i++) {
		g_autofree char *name = g_path_get_basename(paths->pdata[i]);
		g_autofree char *path = g_build_filename("/boot", name, NULL);

		if (!strstr(name, looking->kernel->release) ||
		    !ks_root_exists(looking->images->system->root, path))
			return NULL;
		g_free(original);
		original = g_steal_pointer(&path);
	}
	return g_steal_pointer(&original);
}

static void add_newest(const struct looking *looking, const GPtrArray *paths,
		       char *const *argv)
{
	const char *newest = find_newest(looking, paths);
	struct ks_image_set *set =
		newest ? ks_images_add(looking->images, newest, argv) : NULL;

	if (set)
		set->is_by_content = true;
}

static void add_entry(const struct looking *looking, const char *root, const char *dir)
{
	static const struct ks_image_command sdbootutil = {
		"sdbootutil", {"--no-reuse-initrd", "add-kernel", "K"}};
	const struct ks_system *system = looking->images->system;
	g_autoptr(GPtrArray) paths = list_initrds(looking, dir);
	g_auto(GStrv) argv = ks_image_command_make(system, &sdbootutil,
						   looking->kernel->release, NULL);
	g_autofree char *original = NULL;

	if (argv && paths->len) {
		add_newest(looking, paths, argv);
		return;
	}
	original = find_original(looking, paths);
	if (ks_image_loader_makes_entries(&looking->loader, system, root))
		argv = kernel_install_argv(looking, original);
	for (guint i = 0; i < paths->len; i++)
		ks_images_add(looking->images, paths->pdata[i], argv);
}

static void add_entries(const struct looking *looking, const char *root)
{
	for (char **token = looking->loader.tokens; *token; token++) {
		g_autofree char *dir =
			g_build_filename(root, *token, looking->kernel->release, NULL);

		add_entry(looking, root, dir);
	}
}

/* --- unified kernel images */

/* The file's name without ".efi", and without the count of boots before it. */
static char *stem_of(const char *file)
{
	char *stem = g_strndup(file, strlen(file) - strlen(".efi"));
	char *plus = strrchr(stem, '+');

	if (plus && plus[1] && !plus[1 + strspn(plus + 1, "0123456789-")])
		*plus = '\0';
	return stem;
}

/* TOKEN-K */
static bool has_token(const struct looking *looking, const char *stem)
{
	for (char **token = looking->loader.tokens; *token; token++) {
		g_autofree char *name =
			g_strdup_printf("%s-%s", *token, looking->kernel->release);

		if (strcmp(stem, name) == 0)
			return true;
	}
	return false;
}

/* linux-K, linux-K-MACHINEID, linux-K-MACHINEID-BUILDID */
static bool is_dracuts(const struct looking *looking, const char *stem)
{
	g_autofree char *name = g_strconcat("linux-", looking->kernel->release, NULL);
	const char *rest = stem + strlen(name);
	size_t n;

	if (!g_str_has_prefix(stem, name))
		return false;
	if (*rest != '-')
		return !*rest;
	n = strspn(rest + 1, "0123456789abcdef");
	return n == MACHINE_ID_LENGTH && (!rest[1 + n] || rest[1 + n] == '-');
}

/* The file's own word counts; a name is for those that say nothing. */
static bool is_of_kernel(const struct looking *looking, const char *path,
			 const char *stem)
{
	const char *release = looking->kernel->release;
	g_autofree char *own = ks_image_file_release(looking->images->system, path);
	g_autofree char *end = g_strconcat("-", release, NULL);

	if (own)
		return strcmp(own, release) == 0;
	return strcmp(stem, release) == 0 || g_str_has_suffix(stem, end) ||
	       is_dracuts(looking, stem);
}

static bool is_dracut_set_to_uefi(const struct ks_system *system)
{
	static const char *const dirs[] = {"/usr/lib/dracut/dracut.conf.d",
					   "/etc/dracut.conf.d"};
	GString *text = g_string_new(NULL);
	g_autofree char *conf = NULL, *value = NULL;
	g_autofree char *first = ks_root_read_file(system->root, "/etc/dracut.conf",
						   MAX_CONF_BYTES, NULL, NULL);

	g_string_append(text, first ? first : "");
	for (size_t i = 0; i < G_N_ELEMENTS(dirs); i++) {
		g_autoptr(GPtrArray) names = ks_root_list(system->root, dirs[i], NULL);

		for (guint j = 0; names && j < names->len; j++) {
			g_autofree char *path =
				g_build_filename(dirs[i], names->pdata[j], NULL);
			g_autofree char *part = ks_root_read_file(
				system->root, path, MAX_CONF_BYTES, NULL, NULL);

			if (part && g_str_has_suffix(path, ".conf"))
				g_string_append_printf(text, "\n%s", part);
		}
	}
	conf = g_string_free(text, FALSE);
	value = ks_assignment_find(conf, "uefi");
	return g_strcmp0(value, "yes") == 0;
}

static char **uki_argv(const struct looking *looking, const char *path, const char *stem)
{
	static const struct ks_image_command dracut = {
		"dracut", {"--force", "--uefi", "IMAGE", "K"}};
	const struct ks_system *system = looking->images->system;

	if (has_token(looking, stem) && ks_image_loader_makes_ukis(&looking->loader))
		return kernel_install_argv(looking, NULL);
	if (is_dracuts(looking, stem) || is_dracut_set_to_uefi(system))
		return ks_image_command_make(system, &dracut, looking->kernel->release,
					     path);
	return NULL;
}

static void add_ukis(const struct looking *looking, const char *root)
{
	g_autofree char *dir = g_build_filename(root, "EFI/Linux", NULL);
	g_autoptr(GPtrArray) files =
		ks_root_list(looking->images->system->root, dir, NULL);

	for (guint i = 0; files && i < files->len; i++) {
		const char *file = g_ptr_array_index(files, i);
		g_autofree char *path = g_build_filename(dir, file, NULL);
		g_autofree char *stem = NULL;
		g_auto(GStrv) argv = NULL;

		if (!g_str_has_suffix(file, ".efi"))
			continue;
		stem = stem_of(file);
		if (!is_of_kernel(looking, path, stem))
			continue;
		argv = uki_argv(looking, path, stem);
		ks_images_add(looking->images, path, argv);
	}
}

/* Whoever may not see the entries does not know that there are none. */
static void look_into(struct ks_images *images, const char *root)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) names = ks_root_list(images->system->root, root, &error);

	images->is_blind |= g_error_matches(error, KS_ERROR, KS_ERROR_DENIED);
}

void ks_images_add_entries(struct ks_images *images, const struct ks_kernel *kernel)
{
	struct looking looking = {
		.images = images,
		.kernel = kernel,
		.vmlinuz = ks_image_find_vmlinuz(images->system, kernel),
	};

	ks_image_loader_init(&looking.loader, images->system);
	for (char **root = looking.loader.roots; *root; root++) {
		look_into(images, *root);
		add_entries(&looking, *root);
		add_ukis(&looking, *root);
	}
	ks_image_loader_clear(&looking.loader);
	g_free(looking.vmlinuz);
}
