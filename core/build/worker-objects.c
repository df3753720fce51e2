/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libexec/kmodsmith/objects: runs in the sandbox as the build's user, in its tree.
 *
 *	objects keep RELEASE COMPILER DIR...
 *		after make: its objects, to stdout
 *	objects plant RELEASE COMPILER DIR...
 *		before make: those of stdin, which another kernel's build left; what was
 *		planted, to stdout
 *	objects check RELEASE COMPILER DIR...
 *		after make: what was planted, on stdin; prints how many of how many
 *		objects were used, or fails when anything they were made from has changed
 *		meanwhile
 *
 * DIR are the directories of the kernel's headers. What goes through stdin and stdout is
 * GVariant's serialisation, read as hostile.
 */
#include <stdio.h>
#include <string.h>

#include "core/build/objects-elf.h"
#include "core/build/objects-plant.h"

/* What has fewer is compiled soon enough. */
#define MIN_OBJECTS 4
/* Of all that are kept: debug information makes most of it. */
#define MAX_KEPT_BYTES (128u << 20)

/* --- keep */

/* Their digests, or NULL when one cannot be read or they may not be all. */
static GVariant *digest_files(const struct ks_objects_command *command)
{
	g_autoptr(GVariantBuilder) files = g_variant_builder_new(G_VARIANT_TYPE("a(ss)"));

	for (guint i = 0; i < command->files->len; i++) {
		const char *path = command->files->pdata[i];
		g_autofree char *digest = ks_objects_digest_input(path);

		if (!digest)
			return NULL;
		g_variant_builder_add(files, "(ss)", path, digest);
	}
	return g_variant_builder_end(files);
}

static bool is_older(const struct stat *a, const struct stat *b)
{
	if (a->st_mtim.tv_sec != b->st_mtim.tv_sec)
		return a->st_mtim.tv_sec < b->st_mtim.tv_sec;
	return a->st_mtim.tv_nsec <= b->st_mtim.tv_nsec;
}

/* The command was noted last: an object newer than that was changed by something else. */
static void keep_object(struct ks_objects_tree *tree, const char *path,
			guint64 *kept_bytes, GVariantBuilder *objects)
{
	struct stat command_st, object_st;
	g_autofree char *text =
		ks_objects_read_text(path, KS_OBJECTS_MAX_TEXT, &command_st);
	ks_auto(ks_objects_command) command =
		text ? ks_objects_command_parse(text, &tree->scope) : NULL;
	g_autofree char *data = NULL;
	g_autofree char *own_path = NULL;
	GVariant *files;
	const char *object;
	size_t size;

	if (!command || ks_objects_tree_has_own_option(tree, command) ||
	    !ks_objects_is_below(command->object, tree->path, &object))
		return;
	own_path = ks_objects_command_path(object);
	data = ks_objects_read_file(object, KS_OBJECTS_MAX_FILE, &size, &object_st);
	if (strcmp(own_path, path) != 0 || !data || !is_older(&object_st, &command_st) ||
	    !ks_objects_elf_is_plain((guint8 *)data, size, &tree->scope))
		return;
	*kept_bytes += size;
	files = *kept_bytes <= MAX_KEPT_BYTES ? digest_files(command) : NULL;
	if (files)
		g_variant_builder_add(
			objects, "(ss@a(ss)@ay)", object, text, files,
			g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, data, size, 1));
}

static int keep(struct ks_objects_tree *tree)
{
	g_autoptr(GVariantBuilder) objects =
		g_variant_builder_new(G_VARIANT_TYPE("a" KS_OBJECT_TYPE));
	g_autofree char *names = ks_objects_tree_digest_names(tree);
	g_autoptr(GVariant) kept = NULL;
	g_autoptr(GVariant) list = NULL;
	guint64 kept_bytes = 0;

	for (guint i = 0; i < MIN(tree->commands->len, KS_OBJECTS_MAX); i++)
		keep_object(tree, tree->commands->pdata[i], &kept_bytes, objects);
	kept = g_variant_ref_sink(g_variant_new(
		"(sss^as@a" KS_OBJECT_TYPE ")", KS_OBJECTS_FORMAT, tree->scope.release,
		names, tree->scope.dirs, g_variant_builder_end(objects)));
	g_variant_get_child(kept, 4, "@a" KS_OBJECT_TYPE, &list);
	return g_variant_n_children(list) < MIN_OBJECTS ? KS_OBJECTS_NONE
							: ks_objects_print(kept);
}

/* --- check */

static guint count_compiled(const struct ks_objects_tree *tree)
{
	guint n = 0;

	for (guint i = 0; i < tree->commands->len; i++) {
		struct stat st;
		g_autofree char *text = ks_objects_read_text(tree->commands->pdata[i],
							     KS_OBJECTS_MAX_TEXT, &st);

		n += text && strstr(text, " -c -o ") != NULL;
	}
	return n;
}

static int check(struct ks_objects_tree *tree)
{
	g_autoptr(GVariant) planted = ks_objects_read(KS_OBJECTS_PLANTED_TYPE);
	g_autoptr(GVariant) objects = NULL;
	g_autofree char *now = ks_objects_tree_digest_names(tree);
	const char *names, *path, *digest;
	GVariantIter iter;
	GVariant *files;
	guint n = 0;

	if (!planted)
		return 1;
	g_variant_get(planted, "(&s@a(ssa(ss)))", &names, &objects);
	if (strcmp(names, now) != 0)
		return 1;
	g_variant_iter_init(&iter, objects);
	while (g_variant_iter_next(&iter, "(&s&s@a(ss))", &path, &digest, &files)) {
		g_autofree char *object = ks_objects_digest_file(path);
		bool is_used = g_strcmp0(object, digest) == 0;
		bool is_same = !is_used || ks_objects_are_files_same(files);

		g_variant_unref(files);
		if (!is_same)
			return 1;
		n += is_used;
	}
	printf("%u %u\n", n, count_compiled(tree));
	return fflush(stdout) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	struct ks_objects_tree tree;

	if (argc < 5)
		return 2;
	if (!ks_objects_tree_init(&tree, argv[2], argv[3],
				  (const char *const *)(argv + 4)))
		return 1;
	if (strcmp(argv[1], "keep") == 0)
		return keep(&tree);
	if (strcmp(argv[1], "plant") == 0)
		return ks_objects_plant(&tree);
	return strcmp(argv[1], "check") == 0 ? check(&tree) : 2;
}
