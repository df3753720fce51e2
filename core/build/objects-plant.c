/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Those whose every input is the same are written into the tree. */
#include "core/build/objects-plant.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "core/build/objects-elf.h"

struct planting {
	struct ks_objects_tree *tree;
	struct ks_objects_scope from;
	char *dir;	       /* where the compiler is asked */
	GPtrArray *candidates; /* struct candidate */
};

struct candidate {
	GVariant *object;
	struct ks_objects_command *command; /* as it would be now */
	char *text;
	char *assembly; /* what the compiler writes there */
};

static void candidate_free(gpointer data)
{
	struct candidate *candidate = data;

	g_variant_unref(candidate->object);
	ks_objects_command_free(candidate->command);
	g_free(candidate->text);
	g_free(candidate->assembly);
	g_free(candidate);
}

static bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

/* Everything but the compiler's say. */
static void add_candidate(struct planting *planting, GVariant *object)
{
	const struct ks_objects_tree *tree = planting->tree;
	const char *path, *text;
	g_autoptr(GVariant) files = NULL;
	g_autofree char *mapped = NULL;
	g_autofree char *full = NULL;
	g_autofree char *noted = NULL;
	ks_auto(ks_objects_command) before = NULL;
	ks_auto(ks_objects_command) now = NULL;
	struct candidate *candidate;

	g_variant_get(object, "(&s&s@a(ss)@ay)", &path, &text, &files, NULL);
	full = g_canonicalize_filename(path, tree->path);
	noted = ks_objects_command_path(path);
	before = ks_objects_command_parse(text, &planting->from);
	mapped = before ? ks_objects_command_map(text, &planting->from, &tree->scope)
			: NULL;
	now = mapped ? ks_objects_command_parse(mapped, &tree->scope) : NULL;
	if (!now || strcmp(now->object, full) != 0 ||
	    ks_objects_tree_has_own_option(tree, now) || exists(path) || exists(noted) ||
	    g_variant_n_children(files) != now->files->len ||
	    !ks_objects_are_files_same(files))
		return;
	candidate = g_new0(struct candidate, 1);
	candidate->object = g_variant_ref(object);
	candidate->command = g_steal_pointer(&now);
	candidate->text = g_steal_pointer(&mapped);
	g_ptr_array_add(planting->candidates, candidate);
}

static bool has_same_debug(const struct candidate *a, const struct candidate *b)
{
	const GPtrArray *x = a->command->debug, *y = b->command->debug;

	for (guint i = 0; x->len == y->len && i < x->len; i++)
		if (strcmp(x->pdata[i], y->pdata[i]) != 0)
			return false;
	return x->len == y->len;
}

/* All that have the same options for debug information as the first of them. */
static bool run_compiler(const struct planting *planting, guint first)
{
	const struct candidate *candidate = planting->candidates->pdata[first];
	g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);
	int status;

	g_ptr_array_add(argv, g_strdup(planting->tree->scope.compiler));
	for (guint i = 0; i < candidate->command->debug->len; i++)
		g_ptr_array_add(argv, g_strdup(candidate->command->debug->pdata[i]));
	g_ptr_array_add(argv, g_strdup("-S"));
	for (guint i = first; i < planting->candidates->len; i++)
		if (has_same_debug(candidate, planting->candidates->pdata[i]))
			g_ptr_array_add(argv, g_strdup_printf("%u.i", i));
	g_ptr_array_add(argv, NULL);
	return g_spawn_sync(planting->dir, (char **)argv->pdata, NULL,
			    G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL |
				    G_SPAWN_STDERR_TO_DEV_NULL,
			    NULL, NULL, NULL, NULL, &status, NULL) &&
	       status == 0;
}

/* Nearly nothing, under the object's own name: two strings of debug information. */
static bool write_question(const struct planting *planting, guint i)
{
	const struct candidate *candidate = planting->candidates->pdata[i];
	g_autofree char *path = g_strdup_printf("%s/%u.i", planting->dir, i);
	g_autofree char *text = g_strdup_printf("# 0 \"%s\"\n# 1 \"%s//\"\nint a;\n",
						candidate->command->source,
						planting->tree->scope.dirs[0]);

	return !strchr(text, '\\') &&
	       g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_NONE, 0600,
					NULL);
}

static char *read_answer(const struct planting *planting, guint i)
{
	g_autofree char *path = g_strdup_printf("%s/%u.s", planting->dir, i);
	struct stat st;

	return ks_objects_read_text(path, KS_OBJECTS_MAX_TEXT, &st);
}

static bool ask_compiler(const struct planting *planting)
{
	for (guint i = 0; i < planting->candidates->len; i++)
		if (!write_question(planting, i))
			return false;
	for (guint i = 0; i < planting->candidates->len; i++) {
		struct candidate *candidate = planting->candidates->pdata[i];

		candidate->assembly = read_answer(planting, i);
		if (candidate->assembly)
			continue;
		if (!run_compiler(planting, i))
			return false;
		candidate->assembly = read_answer(planting, i);
	}
	return true;
}

static bool write_file(const char *path, const void *data, size_t size)
{
	return g_file_set_contents_full(path, data, (gssize)size,
					G_FILE_SET_CONTENTS_CONSISTENT, 0644, NULL);
}

static void plant_object(const struct planting *planting,
			 const struct candidate *candidate, GVariantBuilder *planted)
{
	const struct ks_objects_scope *scope = &planting->tree->scope;
	g_autoptr(GVariant) files = NULL;
	g_autoptr(GVariant) bytes = NULL;
	g_autofree guint8 *data = NULL;
	g_autofree char *noted = NULL;
	g_autofree char *digest = NULL;
	bool source_first = false;
	gconstpointer kept;
	const char *path;
	gsize size;

	g_variant_get(candidate->object, "(&s&s@a(ss)@ay)", &path, NULL, &files, &bytes);
	kept = g_variant_get_fixed_array(bytes, &size, 1);
	data = g_memdup2(kept, size);
	noted = ks_objects_command_path(path);
	if (!candidate->assembly ||
	    !ks_objects_elf_is_plain(data, size, &planting->from) ||
	    !ks_objects_elf_read_order(candidate->assembly, scope->dirs[0],
				       candidate->command->source, &source_first) ||
	    !ks_objects_elf_map(data, size, candidate->command->source, source_first,
				&planting->from, scope) ||
	    !write_file(path, data, size))
		return;
	if (!write_file(noted, candidate->text, strlen(candidate->text))) {
		unlink(path);
		return;
	}
	digest = g_compute_checksum_for_data(G_CHECKSUM_SHA256, data, size);
	g_variant_builder_add(planted, "(ss@a(ss))", path, digest, files);
}

static void remove_dir(const char *dir)
{
	g_autoptr(GDir) listing = g_dir_open(dir, 0, NULL);
	const char *name;

	while (listing && (name = g_dir_read_name(listing))) {
		g_autofree char *path = g_build_filename(dir, name, NULL);

		unlink(path);
	}
	rmdir(dir);
}

static int plant_all(struct planting *planting, const char *names, GVariant *objects)
{
	g_autoptr(GVariantBuilder) list =
		g_variant_builder_new(G_VARIANT_TYPE("a(ssa(ss))"));
	g_autoptr(GVariant) planted = NULL;
	g_autoptr(GVariant) made = NULL;
	GVariantIter iter;
	GVariant *object;

	g_variant_iter_init(&iter, objects);
	while ((object = g_variant_iter_next_value(&iter))) {
		if (planting->candidates->len < KS_OBJECTS_MAX)
			add_candidate(planting, object);
		g_variant_unref(object);
	}
	if (ask_compiler(planting))
		for (guint i = 0; i < planting->candidates->len; i++)
			plant_object(planting, planting->candidates->pdata[i], list);
	planted = g_variant_ref_sink(
		g_variant_new("(s@a(ssa(ss)))", names, g_variant_builder_end(list)));
	g_variant_get_child(planted, 1, "@a(ssa(ss))", &made);
	return g_variant_n_children(made) ? ks_objects_print(planted) : KS_OBJECTS_NONE;
}

int ks_objects_plant(struct ks_objects_tree *tree)
{
	g_autoptr(GVariant) kept = ks_objects_read(KS_OBJECTS_TYPE);
	g_autoptr(GVariant) objects = NULL;
	g_autofree const char **dirs = NULL;
	const char *format, *release, *names;
	struct planting planting = {.tree = tree, .from = tree->scope};
	int status = 1;

	if (!kept)
		return 1;
	g_variant_get(kept, "(&s&s&s^a&s@a" KS_OBJECT_TYPE ")", &format, &release, &names,
		      &dirs, &objects);
	planting.from.release = release;
	planting.from.dirs = dirs;
	if (strcmp(format, KS_OBJECTS_FORMAT) != 0 || !*release || !dirs[0] ||
	    g_strv_length((char **)dirs) != g_strv_length((char **)tree->scope.dirs))
		return 1;
	planting.dir = g_dir_make_tmp("objects-XXXXXX", NULL);
	planting.candidates = g_ptr_array_new_with_free_func(candidate_free);
	if (planting.dir)
		status = plant_all(&planting, names, objects);
	g_ptr_array_unref(planting.candidates);
	if (planting.dir)
		remove_dir(planting.dir);
	g_free(planting.dir);
	return status;
}
