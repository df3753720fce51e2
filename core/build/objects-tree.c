/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Walking the tree; reading what is in it. */
#include "core/build/objects-tree.h"

#include <stdio.h>
#include <string.h>

#include "core/support/input.h"

#define MAX_INPUT_BYTES (768u << 20)
#define MAX_DEPTH	64

static bool is_output(const char *name)
{
	static const char *const suffixes[] = {
		".o", ".ko", ".mod", ".mod.c", ".cmd", ".d", ".order", ".symvers",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(suffixes); i++)
		if (g_str_has_suffix(name, suffixes[i]))
			return true;
	return g_str_has_prefix(name, ".tmp") || strcmp(name, "Module.markers") == 0;
}

static void add_name(struct ks_objects_tree *tree, const char *path,
		     const struct stat *st)
{
	g_autofree char *link =
		S_ISLNK(st->st_mode) ? g_file_read_link(path, NULL) : NULL;

	g_ptr_array_add(tree->names,
			g_strdup_printf("%s %o %s", path, st->st_mode & S_IFMT,
					link ? link : ""));
}

static void walk(struct ks_objects_tree *tree, const char *dir, guint depth)
{
	g_autoptr(GDir) listing = g_dir_open(dir, 0, NULL);
	const char *name;

	while (listing && depth < MAX_DEPTH && (name = g_dir_read_name(listing))) {
		g_autofree char *path = strcmp(dir, ".") == 0
						? g_strdup(name)
						: g_build_filename(dir, name, NULL);
		struct stat st;

		if (lstat(path, &st) != 0)
			continue;
		if (name[0] == '.' && g_str_has_suffix(name, ".o.cmd") &&
		    !g_str_has_suffix(name, ".mod.o.cmd") && S_ISREG(st.st_mode))
			g_ptr_array_add(tree->commands, g_strdup(path));
		if (is_output(name))
			continue;
		add_name(tree, path, &st);
		if (S_ISDIR(st.st_mode))
			walk(tree, path, depth + 1);
	}
}

static int compare(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

char *ks_objects_tree_digest_names(struct ks_objects_tree *tree)
{
	g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);

	g_ptr_array_sort(tree->names, compare);
	for (guint i = 0; i < tree->names->len; i++)
		g_checksum_update(checksum, tree->names->pdata[i],
				  (gssize)strlen(tree->names->pdata[i]) + 1);
	return g_strdup(g_checksum_get_string(checksum));
}

/* Regular, of bounded size; NULL otherwise. */
char *ks_objects_read_file(const char *path, size_t max_bytes, size_t *size,
			   struct stat *st)
{
	g_autofree char *data = NULL;

	if (stat(path, st) != 0 || !S_ISREG(st->st_mode) ||
	    (guint64)st->st_size > max_bytes ||
	    !g_file_get_contents(path, &data, size, NULL))
		return NULL;
	return g_steal_pointer(&data);
}

char *ks_objects_read_text(const char *path, size_t max_bytes, struct stat *st)
{
	size_t size;
	g_autofree char *data = ks_objects_read_file(path, max_bytes, &size, st);

	return data && g_utf8_validate(data, (gssize)size, NULL) ? g_steal_pointer(&data)
								 : NULL;
}

char *ks_objects_digest_file(const char *path)
{
	struct stat st;
	size_t size;
	g_autofree char *data =
		ks_objects_read_file(path, KS_OBJECTS_MAX_FILE, &size, &st);

	return data ? g_compute_checksum_for_data(G_CHECKSUM_SHA256, (guint8 *)data, size)
		    : NULL;
}

/*
 * Of what the assembler reads by itself (gas: .incbin, .include) no dependency tells. In
 * a comment the word costs a compilation.
 */
static bool may_name_more(const char *data, size_t size)
{
	return memmem(data, size, "incbin", strlen("incbin")) ||
	       memmem(data, size, ".include", strlen(".include"));
}

char *ks_objects_digest_input(const char *path)
{
	struct stat st;
	size_t size;
	g_autofree char *data =
		ks_objects_read_file(path, KS_OBJECTS_MAX_FILE, &size, &st);

	return data && !may_name_more(data, size)
		       ? g_compute_checksum_for_data(G_CHECKSUM_SHA256, (guint8 *)data,
						     size)
		       : NULL;
}

/* Options like CONFIG_BUILD_SALT: their value differs though the kernels are the same. */
static bool read_own_options(struct ks_objects_tree *tree)
{
	g_autofree char *path =
		g_build_filename(tree->scope.dirs[0], "include/config/auto.conf", NULL);
	struct stat st;
	g_autofree char *text = ks_objects_read_text(path, KS_OBJECTS_MAX_FILE, &st);
	g_auto(GStrv) lines = text ? g_strsplit(text, "\n", -1) : NULL;

	for (char **line = lines; line && *line; line++)
		if (g_str_has_prefix(*line, "CONFIG_") && strchr(*line, '=') &&
		    strstr(*line, tree->scope.release))
			g_hash_table_add(tree->own, g_strndup(*line + strlen("CONFIG_"),
							      strcspn(*line, "=") -
								      strlen("CONFIG_")));
	return text != NULL;
}

bool ks_objects_tree_has_own_option(const struct ks_objects_tree *tree,
				    const struct ks_objects_command *command)
{
	for (guint i = 0; i < command->options->len; i++)
		if (g_hash_table_contains(tree->own, command->options->pdata[i]))
			return true;
	return false;
}

bool ks_objects_are_files_same(GVariant *files)
{
	GVariantIter iter;
	const char *path, *digest;

	g_variant_iter_init(&iter, files);
	while (g_variant_iter_next(&iter, "(&s&s)", &path, &digest)) {
		g_autofree char *now = ks_objects_digest_input(path);

		if (g_strcmp0(now, digest) != 0)
			return false;
	}
	return true;
}

int ks_objects_print(GVariant *variant)
{
	const char *data = g_variant_get_data(variant);
	gsize size = g_variant_get_size(variant);

	return fwrite(data, 1, size, stdout) == size && fflush(stdout) == 0 ? 0 : 1;
}

GVariant *ks_objects_read(const char *type)
{
	size_t size;
	char *data = ks_input_read(STDIN_FILENO, MAX_INPUT_BYTES, "objects", &size, NULL);
	g_autoptr(GVariant) variant = NULL;

	if (!data)
		return NULL;
	variant = g_variant_ref_sink(g_variant_new_from_data(G_VARIANT_TYPE(type), data,
							     size, FALSE, g_free, data));
	return g_variant_is_normal_form(variant) ? g_steal_pointer(&variant) : NULL;
}

char *ks_objects_command_path(const char *object)
{
	g_autofree char *dir = g_path_get_dirname(object);
	g_autofree char *name = g_path_get_basename(object);

	return strcmp(dir, ".") == 0 ? g_strdup_printf(".%s.cmd", name)
				     : g_strdup_printf("%s/.%s.cmd", dir, name);
}

bool ks_objects_tree_init(struct ks_objects_tree *tree, const char *release,
			  const char *compiler, const char *const *dirs)
{
	tree->path = g_get_current_dir();
	tree->names = g_ptr_array_new_with_free_func(g_free);
	tree->commands = g_ptr_array_new_with_free_func(g_free);
	tree->own = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	tree->scope = (struct ks_objects_scope){
		.release = release,
		.compiler = compiler,
		.tree = tree->path,
		.dirs = dirs,
	};
	walk(tree, ".", 0);
	return read_own_options(tree);
}
