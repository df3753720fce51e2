/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /etc/mkinitcpio.d/NAME.preset: mkinitcpio -p NAME makes all images of it, each with its
 * own configuration and options (mkinitcpio 39, process_preset). The files are bash, and
 * are read as bash reads them.
 */
#include <string.h>

#include "core/install/image-private.h"
#include "core/install/run-tool.h"
#include "core/shell/evaluate.h"

#define PRESETS_DIR "/etc/mkinitcpio.d"
#define SUFFIX	    ".preset"

static const char *const kernel_key = "ALL_kver";
static const char *const list_key = "PRESETS";
/* "default_image": what one preset of the file makes */
static const char *const image_keys[] = {"image", "uki", "efi_image"};

struct preset {
	struct ks_images *images;
	const struct ks_kernel *kernel;
	const char *file; /* "linux.preset" */
	char **argv;
};

/* The wanted variables of the file, or NULL. round tells kept results apart. */
static struct ks_vars *evaluate(const struct preset *preset, const char *round,
				const char *const *wanted)
{
	struct ks_evaluation evaluation = {
		.system = preset->images->system,
		.source_dir = PRESETS_DIR,
		.is_plain_dir = true,
		.name = preset->file,
		.version = round,
		.arch = "",
		.known = wanted,
		.sandbox = KS_SANDBOX_AUTO,
		.base = ks_vars_new(),
	};
	g_autofree char *path = g_build_filename(PRESETS_DIR, preset->file, NULL);
	struct ks_vars *vars = NULL;

	if (ks_evaluation_add_file(&evaluation, path, NULL) &&
	    ks_evaluation_run(&evaluation, NULL))
		vars = g_steal_pointer(&evaluation.vars);
	ks_evaluation_clear(&evaluation);
	return vars;
}

static char *key_of(const char *name, const char *key)
{
	return g_strdup_printf("%s_%s", name, key);
}

/* Others are no part of a variable's name, and bash is not asked for one. */
static bool is_name(const char *name)
{
	for (const char *p = name; *p; p++)
		if (!g_ascii_isalnum(*p) && *p != '_')
			return false;
	return *name && !g_ascii_isdigit(*name);
}

/* The names of all variables that the presets in the list may have. */
static char **list_keys(const struct ks_vars *list)
{
	GPtrArray *keys = g_ptr_array_new();
	guint n;
	const struct ks_vars_element *names = ks_vars_elements(list, list_key, &n);

	g_ptr_array_add(keys, g_strdup(kernel_key));
	for (guint i = 0; i < n; i++) {
		if (!is_name(names[i].value))
			continue;
		g_ptr_array_add(keys, key_of(names[i].value, "kver"));
		for (size_t j = 0; j < G_N_ELEMENTS(image_keys); j++)
			g_ptr_array_add(keys, key_of(names[i].value, image_keys[j]));
	}
	g_ptr_array_add(keys, NULL);
	return (char **)g_ptr_array_free(keys, FALSE);
}

/* "/boot/vmlinuz-NAME": is NAME the kernel's release, or its package? */
static bool is_named_after(const struct preset *preset, const char *path)
{
	g_autofree char *file =
		g_build_filename(preset->kernel->modules_dir, "pkgbase", NULL);
	g_autofree char *package = ks_image_read_word(preset->images->system, file);
	g_autofree char *base = g_path_get_basename(path);
	const char *name = strchr(base, '-');

	return name && (strcmp(name + 1, preset->kernel->release) == 0 ||
			g_strcmp0(package, name + 1) == 0);
}

/* kver is a release, or the path of a kernel's file, which says what its release is. */
static bool is_of_kernel(const struct preset *preset, const char *kver)
{
	g_autofree char *own =
		g_build_filename(preset->kernel->modules_dir, "vmlinuz", NULL);
	g_autofree char *release = NULL;

	if (!kver || *kver != '/')
		return g_strcmp0(kver, preset->kernel->release) == 0;
	if (ks_root_is_same(preset->images->system->root, kver, own))
		return true;
	release = ks_image_file_release(preset->images->system, kver);
	return release ? strcmp(release, preset->kernel->release) == 0
		       : is_named_after(preset, kver);
}

static const char *get(const struct ks_vars *vars, const char *name, const char *key)
{
	g_autofree char *full = key_of(name, key);
	const char *value = ks_vars_get(vars, full, 0);

	return value && *value ? value : NULL;
}

static void add_one(const struct preset *preset, const struct ks_vars *vars,
		    const char *name)
{
	const char *kver = get(vars, name, "kver");

	if (!is_of_kernel(preset, kver ? kver : ks_vars_get(vars, kernel_key, 0)))
		return;
	preset->images->has_preset = true;
	for (size_t i = 0; i < G_N_ELEMENTS(image_keys); i++) {
		const char *path = get(vars, name, image_keys[i]);

		if (path && *path == '/')
			ks_images_add(preset->images, path, preset->argv);
	}
}

static void add_file(const struct preset *preset)
{
	const char *const first[] = {list_key, NULL};
	ks_auto(ks_vars) list = evaluate(preset, "list", first);
	g_auto(GStrv) keys = list ? list_keys(list) : NULL;
	ks_auto(ks_vars) vars =
		keys ? evaluate(preset, "values", (const char *const *)keys) : NULL;
	const struct ks_vars_element *names;
	guint n;

	/* whatever it makes */
	if (!vars) {
		preset->images->is_blind = true;
		return;
	}
	names = ks_vars_elements(list, list_key, &n);
	for (guint i = 0; i < n; i++)
		if (is_name(names[i].value))
			add_one(preset, vars, names[i].value);
}

void ks_images_add_presets(struct ks_images *images, const struct ks_kernel *kernel)
{
	g_autofree char *program = ks_run_tool_find(images->system, "mkinitcpio");
	g_autoptr(GPtrArray) files =
		program ? ks_root_list(images->system->root, PRESETS_DIR, NULL) : NULL;

	for (guint i = 0; files && i < files->len; i++) {
		const char *file = g_ptr_array_index(files, i);
		g_autofree char *name =
			g_strndup(file, strlen(file) - MIN(strlen(file), strlen(SUFFIX)));
		char *argv[] = {program, (char *)"-p", name, NULL};
		const struct preset preset = {images, kernel, file, argv};

		if (g_str_has_suffix(file, SUFFIX) && *name)
			add_file(&preset);
	}
}
