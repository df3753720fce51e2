/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list of images, and how the command for one comes about. */
#include <string.h>

#include "core/install/image-private.h"
#include "core/install/run-tool.h"

struct identity {
	dev_t dev;
	ino_t ino;
};

static void set_free(gpointer data)
{
	struct ks_image_set *set = data;

	g_strfreev(set->argv);
	g_ptr_array_unref(set->paths);
	g_free(set);
}

struct ks_images *ks_images_new(const struct ks_system *system)
{
	struct ks_images *images = g_new0(struct ks_images, 1);

	images->system = system;
	images->sets = g_ptr_array_new_with_free_func(set_free);
	images->seen = g_array_new(FALSE, FALSE, sizeof(struct identity));
	return images;
}

void ks_images_free(struct ks_images *images)
{
	if (!images)
		return;
	g_ptr_array_unref(images->sets);
	g_array_unref(images->seen);
	g_free(images);
}

static const char *fill_in(const char *word, const char *release, const char *image)
{
	if (strcmp(word, "K") == 0)
		return release;
	return strcmp(word, "IMAGE") == 0 ? image : word;
}

char **ks_image_command_make(const struct ks_system *system,
			     const struct ks_image_command *command, const char *release,
			     const char *image)
{
	GPtrArray *argv;
	char *program = ks_run_tool_find(system, command->program);

	if (!program)
		return NULL;
	argv = g_ptr_array_new();
	g_ptr_array_add(argv, program);
	for (size_t i = 0; i < G_N_ELEMENTS(command->args) && command->args[i]; i++)
		g_ptr_array_add(argv,
				g_strdup(fill_in(command->args[i], release, image)));
	g_ptr_array_add(argv, NULL);
	return (char **)g_ptr_array_free(argv, FALSE);
}

char **ks_image_command_choose(const struct ks_system *system,
			       const struct ks_image_command *commands, size_t n_commands,
			       const char *release, const char *image)
{
	char **argv = NULL;

	for (size_t i = 0; i < n_commands && !argv; i++)
		argv = ks_image_command_make(system, &commands[i], release, image);
	return argv;
}

/* /efi may be /boot/efi, by a link or a second mount. */
static bool is_seen(const struct ks_images *images, const struct stat *st)
{
	for (guint i = 0; i < images->seen->len; i++) {
		const struct identity *other =
			&g_array_index(images->seen, struct identity, i);

		if (other->dev == st->st_dev && other->ino == st->st_ino)
			return true;
	}
	return false;
}

static bool is_argv_of(const struct ks_image_set *set, char *const *argv)
{
	if (!set->argv || !argv)
		return !set->argv && !argv;
	return g_strv_equal((const char *const *)set->argv, (const char *const *)argv);
}

static struct ks_image_set *get_set(struct ks_images *images, char *const *argv)
{
	struct ks_image_set *set;

	for (guint i = 0; i < images->sets->len; i++) {
		set = g_ptr_array_index(images->sets, i);
		if (is_argv_of(set, argv))
			return set;
	}
	set = g_new0(struct ks_image_set, 1);
	set->argv = g_strdupv((char **)argv);
	set->paths = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(images->sets, set);
	return set;
}

struct ks_image_set *ks_images_add(struct ks_images *images, const char *path,
				   char *const *argv)
{
	struct ks_image_set *set;
	struct identity identity;
	struct stat st;

	if (!ks_root_stat(images->system->root, path, &st) || !S_ISREG(st.st_mode) ||
	    is_seen(images, &st))
		return NULL;
	identity = (struct identity){st.st_dev, st.st_ino};
	g_array_append_val(images->seen, identity);
	set = get_set(images, argv);
	g_ptr_array_add(set->paths, g_strdup(path));
	return set;
}
