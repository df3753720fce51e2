/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libexec/kmodsmith/objects: runs in the sandbox as the build's user, in its tree.
 *
 *	objects keep RELEASE COMPILER DIR...	after make: its objects, to stdout
 *	objects plant RELEASE COMPILER DIR...	before make: those of stdin that another
 *						kernel's build left; what was planted, to
 *						stdout
 *	objects check RELEASE COMPILER DIR...	after make: what was planted, on stdin;
 *						prints how many of how many objects were
 *						used, or fails when anything they were
 *made from has changed meanwhile
 *
 * DIR are the directories of the kernel's headers. What goes through stdin and
 * stdout is GVariant's serialisation, read as hostile.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/build/objects-command.h"
#include "core/build/objects-elf.h"
#include "core/support/input.h"

#define MAX_INPUT_BYTES	 (768u << 20)
#define MAX_OBJECT_BYTES (64u << 20)
#define MAX_TEXT_BYTES	 (1u << 20)
#define MAX_OBJECTS	 4000
/* What has fewer is compiled soon enough. */
#define MIN_OBJECTS 4
/* Of all that are kept: debug information makes most of it. */
#define MAX_KEPT_BYTES (128u << 20)
#define MAX_DEPTH      64

/* format, release, names, directories, objects: path, command, files, bytes */
#define KEPT_TYPE   "(sssasa(ssa(ss)ay))"
#define KEPT_FORMAT "objects 1"
#define OBJECT_TYPE "(ssa(ss)ay)"
/* names, objects: path, digest, files */
#define PLANTED_TYPE "(sa(ssa(ss)))"

struct tree {
	struct ks_objects_scope scope;
	char *path;	     /* the working directory */
	GPtrArray *names;    /* char *: what may be included */
	GPtrArray *commands; /* char *: relative paths of ".X.o.cmd" */
	guint64 kept_bytes;
	GHashTable *own; /* options whose value names the release */
};

/* --- the tree */

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

static void add_name(struct tree *tree, const char *path, const struct stat *st)
{
	g_autofree char *link =
		S_ISLNK(st->st_mode) ? g_file_read_link(path, NULL) : NULL;

	g_ptr_array_add(tree->names,
			g_strdup_printf("%s %o %s", path, st->st_mode & S_IFMT,
					link ? link : ""));
}

static void walk(struct tree *tree, const char *dir, guint depth)
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

static char *digest_names(struct tree *tree)
{
	g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);

	g_ptr_array_sort(tree->names, compare);
	for (guint i = 0; i < tree->names->len; i++)
		g_checksum_update(checksum, tree->names->pdata[i],
				  (gssize)strlen(tree->names->pdata[i]) + 1);
	return g_strdup(g_checksum_get_string(checksum));
}

/* Regular, of bounded size; NULL otherwise. */
static char *read_file(const char *path, size_t max_bytes, size_t *size, struct stat *st)
{
	g_autofree char *data = NULL;

	if (stat(path, st) != 0 || !S_ISREG(st->st_mode) ||
	    (guint64)st->st_size > max_bytes ||
	    !g_file_get_contents(path, &data, size, NULL))
		return NULL;
	return g_steal_pointer(&data);
}

static char *read_text(const char *path, size_t max_bytes, struct stat *st)
{
	size_t size;
	g_autofree char *data = read_file(path, max_bytes, &size, st);

	return data && g_utf8_validate(data, (gssize)size, NULL) ? g_steal_pointer(&data)
								 : NULL;
}

static char *digest_file(const char *path)
{
	struct stat st;
	size_t size;
	g_autofree char *data = read_file(path, MAX_OBJECT_BYTES, &size, &st);

	return data ? g_compute_checksum_for_data(G_CHECKSUM_SHA256, (guint8 *)data, size)
		    : NULL;
}

/* Options like CONFIG_BUILD_SALT: their value differs though the kernels are the same. */
static bool read_own_options(struct tree *tree)
{
	g_autofree char *path =
		g_build_filename(tree->scope.dirs[0], "include/config/auto.conf", NULL);
	struct stat st;
	g_autofree char *text = read_text(path, MAX_OBJECT_BYTES, &st);
	g_auto(GStrv) lines = text ? g_strsplit(text, "\n", -1) : NULL;

	for (char **line = lines; line && *line; line++)
		if (g_str_has_prefix(*line, "CONFIG_") && strchr(*line, '=') &&
		    strstr(*line, tree->scope.release))
			g_hash_table_add(tree->own, g_strndup(*line + strlen("CONFIG_"),
							      strcspn(*line, "=") -
								      strlen("CONFIG_")));
	return text != NULL;
}

static bool has_own_option(const struct tree *tree,
			   const struct ks_objects_command *command)
{
	for (guint i = 0; i < command->options->len; i++)
		if (g_hash_table_contains(tree->own, command->options->pdata[i]))
			return true;
	return false;
}

/* Their digests, or NULL when one cannot be read. */
static GVariant *digest_files(const struct ks_objects_command *command)
{
	g_autoptr(GVariantBuilder) files = g_variant_builder_new(G_VARIANT_TYPE("a(ss)"));

	for (guint i = 0; i < command->files->len; i++) {
		const char *path = command->files->pdata[i];
		g_autofree char *digest = digest_file(path);

		if (!digest)
			return NULL;
		g_variant_builder_add(files, "(ss)", path, digest);
	}
	return g_variant_builder_end(files);
}

static bool are_files_same(GVariant *files)
{
	GVariantIter iter;
	const char *path, *digest;

	g_variant_iter_init(&iter, files);
	while (g_variant_iter_next(&iter, "(&s&s)", &path, &digest)) {
		g_autofree char *now = digest_file(path);

		if (g_strcmp0(now, digest) != 0)
			return false;
	}
	return true;
}

static int print_variant(GVariant *variant)
{
	const char *data = g_variant_get_data(variant);
	gsize size = g_variant_get_size(variant);

	return fwrite(data, 1, size, stdout) == size && fflush(stdout) == 0 ? 0 : 1;
}

static GVariant *read_variant(const char *type)
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

/* --- keep */

static char *command_path(const char *object)
{
	g_autofree char *dir = g_path_get_dirname(object);
	g_autofree char *name = g_path_get_basename(object);

	return strcmp(dir, ".") == 0 ? g_strdup_printf(".%s.cmd", name)
				     : g_strdup_printf("%s/.%s.cmd", dir, name);
}

static bool is_older(const struct stat *a, const struct stat *b)
{
	if (a->st_mtim.tv_sec != b->st_mtim.tv_sec)
		return a->st_mtim.tv_sec < b->st_mtim.tv_sec;
	return a->st_mtim.tv_nsec <= b->st_mtim.tv_nsec;
}

/* The command was noted last: an object newer than that was changed by something else. */
static void keep_object(struct tree *tree, const char *path, GVariantBuilder *objects)
{
	struct stat command_st, object_st;
	g_autofree char *text = read_text(path, MAX_TEXT_BYTES, &command_st);
	ks_auto(ks_objects_command) command =
		text ? ks_objects_command_parse(text, &tree->scope) : NULL;
	g_autofree char *data = NULL;
	g_autofree char *own_path = NULL;
	GVariant *files;
	const char *object;
	size_t size;

	if (!command || has_own_option(tree, command) ||
	    !ks_objects_is_below(command->object, tree->path, &object))
		return;
	own_path = command_path(object);
	data = read_file(object, MAX_OBJECT_BYTES, &size, &object_st);
	if (strcmp(own_path, path) != 0 || !data || !is_older(&object_st, &command_st) ||
	    !ks_objects_elf_is_plain((guint8 *)data, size, &tree->scope))
		return;
	tree->kept_bytes += size;
	files = tree->kept_bytes <= MAX_KEPT_BYTES ? digest_files(command) : NULL;
	if (files)
		g_variant_builder_add(
			objects, "(ss@a(ss)@ay)", object, text, files,
			g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, data, size, 1));
}

static int keep(struct tree *tree)
{
	g_autoptr(GVariantBuilder) objects =
		g_variant_builder_new(G_VARIANT_TYPE("a" OBJECT_TYPE));
	g_autofree char *names = digest_names(tree);
	g_autoptr(GVariant) kept = NULL;
	g_autoptr(GVariant) list = NULL;

	for (guint i = 0; i < MIN(tree->commands->len, MAX_OBJECTS); i++)
		keep_object(tree, tree->commands->pdata[i], objects);
	kept = g_variant_ref_sink(g_variant_new(
		"(sss^as@a" OBJECT_TYPE ")", KEPT_FORMAT, tree->scope.release, names,
		tree->scope.dirs, g_variant_builder_end(objects)));
	g_variant_get_child(kept, 4, "@a" OBJECT_TYPE, &list);
	return g_variant_n_children(list) < MIN_OBJECTS ? KS_OBJECTS_NONE
							: print_variant(kept);
}

/* --- plant */

struct planting {
	struct tree *tree;
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
	const struct tree *tree = planting->tree;
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
	noted = command_path(path);
	before = ks_objects_command_parse(text, &planting->from);
	mapped = before ? ks_objects_command_map(text, &planting->from, &tree->scope)
			: NULL;
	now = mapped ? ks_objects_command_parse(mapped, &tree->scope) : NULL;
	if (!now || strcmp(now->object, full) != 0 || has_own_option(tree, now) ||
	    exists(path) || exists(noted) ||
	    g_variant_n_children(files) != now->files->len || !are_files_same(files))
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

	return read_text(path, MAX_TEXT_BYTES, &st);
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
	noted = command_path(path);
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
		if (planting->candidates->len < MAX_OBJECTS)
			add_candidate(planting, object);
		g_variant_unref(object);
	}
	if (ask_compiler(planting))
		for (guint i = 0; i < planting->candidates->len; i++)
			plant_object(planting, planting->candidates->pdata[i], list);
	planted = g_variant_ref_sink(
		g_variant_new("(s@a(ssa(ss)))", names, g_variant_builder_end(list)));
	g_variant_get_child(planted, 1, "@a(ssa(ss))", &made);
	return g_variant_n_children(made) ? print_variant(planted) : KS_OBJECTS_NONE;
}

static int plant(struct tree *tree)
{
	g_autoptr(GVariant) kept = read_variant(KEPT_TYPE);
	g_autoptr(GVariant) objects = NULL;
	g_autofree const char **dirs = NULL;
	const char *format, *release, *names;
	struct planting planting = {.tree = tree, .from = tree->scope};
	int status = 1;

	if (!kept)
		return 1;
	g_variant_get(kept, "(&s&s&s^a&s@a" OBJECT_TYPE ")", &format, &release, &names,
		      &dirs, &objects);
	planting.from.release = release;
	planting.from.dirs = dirs;
	if (strcmp(format, KEPT_FORMAT) != 0 || !*release || !dirs[0] ||
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

/* --- check */

static guint count_compiled(const struct tree *tree)
{
	guint n = 0;

	for (guint i = 0; i < tree->commands->len; i++) {
		struct stat st;
		g_autofree char *text =
			read_text(tree->commands->pdata[i], MAX_TEXT_BYTES, &st);

		n += text && strstr(text, " -c -o ") != NULL;
	}
	return n;
}

static int check(struct tree *tree)
{
	g_autoptr(GVariant) planted = read_variant(PLANTED_TYPE);
	g_autoptr(GVariant) objects = NULL;
	g_autofree char *now = digest_names(tree);
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
		g_autofree char *object = digest_file(path);
		bool is_used = g_strcmp0(object, digest) == 0;
		bool is_same = !is_used || are_files_same(files);

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
	struct tree tree = {0};

	if (argc < 5)
		return 2;
	tree.path = g_get_current_dir();
	tree.names = g_ptr_array_new_with_free_func(g_free);
	tree.commands = g_ptr_array_new_with_free_func(g_free);
	tree.own = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	tree.scope = (struct ks_objects_scope){
		.release = argv[2],
		.compiler = argv[3],
		.tree = tree.path,
		.dirs = (const char *const *)(argv + 4),
	};
	walk(&tree, ".", 0);
	if (!read_own_options(&tree))
		return 1;
	if (strcmp(argv[1], "keep") == 0)
		return keep(&tree);
	if (strcmp(argv[1], "plant") == 0)
		return plant(&tree);
	return strcmp(argv[1], "check") == 0 ? check(&tree) : 2;
}
