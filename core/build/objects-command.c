/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One .X.o.cmd. */
#include "core/build/objects-command.h"

#include <string.h>

/* They are of this kernel alone: see ks_kernel_headers_digest(). */
static const char *const own_files[] = {
	"include/generated/autoconf.h",	  "include/generated/compile.h",
	"include/generated/package.h",	  "include/generated/utsrelease.h",
	"include/generated/utsversion.h", "include/generated/rustc_cfg",
	"include/config/kernel.release",
};

/* The compiler's own headers. */
static const char *const compiler_dirs[] = {"/usr/lib/gcc", "/usr/lib64/gcc",
					    "/usr/libexec/gcc"};

/* With the path in the same word, or in the next one. */
static const char *const path_options[] = {"-include",	 "-isystem", "-iquote",
					   "-idirafter", "-imacros", "-I"};

/* These read or write more than is listed, or run other programs. */
static const char *const strange_options[] = {
	"-fplugin",
	"-specs",
	"--",
	"-B",
	"-wrapper",
	"-fprofile",
	"-ftest-coverage",
	"-frandomize",
	"-flto",
	"-save-temps",
	"-fdump",
	"-x",
	"-gsplit",
	"-i",
	"-T",
	"-Wl,",
	"-Wa,",
	"-l",
	"-L",
	"-no-integrated-cpp",
	"-E",
	"-S",
	"-M",
};

void ks_objects_command_free(struct ks_objects_command *command)
{
	g_free(command->object);
	g_free(command->source);
	g_ptr_array_unref(command->files);
	g_ptr_array_unref(command->options);
	g_ptr_array_unref(command->debug);
	g_free(command);
}

bool ks_objects_is_below(const char *path, const char *dir, const char **rest)
{
	size_t length = strlen(dir);

	if (!length || strncmp(path, dir, length) != 0 ||
	    (path[length] != '/' && path[length]))
		return false;
	if (rest)
		*rest = path[length] ? path + length + 1 : path + length;
	return true;
}

static bool is_header(const struct ks_objects_scope *scope, const char *path,
		      const char **rest)
{
	for (const char *const *dir = scope->dirs; *dir; dir++)
		if (ks_objects_is_below(path, *dir, rest))
			return true;
	return false;
}

static bool is_compilers(const char *path)
{
	for (size_t i = 0; i < G_N_ELEMENTS(compiler_dirs); i++)
		if (ks_objects_is_below(path, compiler_dirs[i], NULL))
			return true;
	return false;
}

static char *resolve(const struct ks_objects_scope *scope, const char *path)
{
	return g_canonicalize_filename(path, scope->dirs[0]);
}

static bool is_searchable(const struct ks_objects_scope *scope, const char *path)
{
	g_autofree char *full = resolve(scope, path);

	return ks_objects_is_below(full, scope->tree, NULL) ||
	       is_header(scope, full, NULL) || is_compilers(full);
}

/* A macro's text is compiled in, whatever directory it names. */
static bool mentions_kernel(const struct ks_objects_scope *scope, const char *word)
{
	for (const char *const *dir = scope->dirs; *dir; dir++)
		if (strstr(word, *dir))
			return true;
	return strstr(word, scope->release) != NULL;
}

/* The words of one option. Their number, or 0: not to be used. */
static guint check_option(const struct ks_objects_scope *scope, char **words)
{
	const char *word = words[0];

	for (size_t i = 0; i < G_N_ELEMENTS(path_options); i++) {
		const char *option = path_options[i];
		const char *path = word + strlen(option);

		if (!g_str_has_prefix(word, option))
			continue;
		if (*path)
			return is_searchable(scope, path) ? 1 : 0;
		return words[1] && is_searchable(scope, words[1]) ? 2 : 0;
	}
	if (g_str_has_prefix(word, "-Wp,-MMD,") || g_str_has_prefix(word, "-Wp,-MD,"))
		return is_searchable(scope, strrchr(word, ',') + 1) ? 1 : 0;
	if (g_str_has_prefix(word, "-fmacro-prefix-map="))
		return 1;
	if (g_str_has_prefix(word, "--param="))
		return strchr(word, '/') ? 0 : 1;
	if (g_str_has_prefix(word, "-D") || g_str_has_prefix(word, "-U"))
		return mentions_kernel(scope, word) ? 0 : 1;
	for (size_t i = 0; i < G_N_ELEMENTS(strange_options); i++)
		if (g_str_has_prefix(word, strange_options[i]))
			return 0;
	if (g_str_has_prefix(word, "-Wp,") || strchr(word, '/'))
		return 0;
	return 1;
}

/* "; ./tools/objtool/objtool --orc --module X.o", or nothing. */
static bool check_objtool(char **words, const char *object)
{
	if (!words[0])
		return true;
	if (strcmp(words[0], ";") != 0 ||
	    g_strcmp0(words[1], "./tools/objtool/objtool") != 0)
		return false;
	for (words += 2; *words && words[1]; words++)
		if (!g_str_has_prefix(*words, "--") || strchr(*words, '/'))
			return false;
	return *words && strcmp(*words, object) == 0;
}

static bool check_words(struct ks_objects_command *command,
			const struct ks_objects_scope *scope, char **words)
{
	bool has_c = false, has_o = false;

	if (!words[0] || strcmp(words[0], scope->compiler) != 0)
		return false;
	for (words++; *words && words[0][0] == '-';) {
		guint n = 1;

		if (strcmp(*words, "-c") == 0)
			has_c = true;
		else if (strcmp(*words, "-o") == 0) {
			if (g_strcmp0(words[1], command->object) != 0)
				return false;
			has_o = true;
			n = 2;
		} else
			n = check_option(scope, words);
		if (!n)
			return false;
		if (words[0][1] == 'g')
			g_ptr_array_add(command->debug, g_strdup(*words));
		words += n;
	}
	if (!has_c || !has_o || !*words || !g_str_has_suffix(*words, ".c") ||
	    !ks_objects_is_below(*words, scope->tree, NULL))
		return false;
	command->source = g_strdup(*words);
	return check_objtool(words + 1, command->object);
}

/* "cmd_OBJECT := COMMAND" */
static bool parse_command(struct ks_objects_command *command,
			  const struct ks_objects_scope *scope, const char *line)
{
	const char *name = g_str_has_prefix(line, "saved") ? line + 5 : line;
	const char *end = strstr(name, " := ");
	g_auto(GStrv) words = NULL;
	g_autofree char *plain = NULL;

	if (!g_str_has_prefix(name, "cmd_") || !end)
		return false;
	command->object = g_strndup(name + 4, end - name - 4);
	plain = resolve(scope, command->object);
	/* make's own escapes, and what a shell would act upon */
	if (strpbrk(end + 4, "$`\\|&<>#\n") || strcmp(plain, command->object) != 0 ||
	    !ks_objects_is_below(command->object, scope->tree, NULL) ||
	    !g_str_has_suffix(command->object, ".o") ||
	    g_str_has_suffix(command->object, ".mod.o") ||
	    !g_shell_parse_argv(end + 4, NULL, &words, NULL))
		return false;
	return check_words(command, scope, words);
}

static bool add_file(struct ks_objects_command *command,
		     const struct ks_objects_scope *scope, const char *path)
{
	g_autofree char *full = resolve(scope, path);
	const char *rest;

	if (strpbrk(path, "$ \t\\*?#"))
		return false;
	if (is_header(scope, full, &rest)) {
		for (size_t i = 0; i < G_N_ELEMENTS(own_files); i++)
			if (strcmp(rest, own_files[i]) == 0)
				return false;
		return true;
	}
	if (!ks_objects_is_below(full, scope->tree, NULL) && !is_compilers(full))
		return false;
	g_ptr_array_add(command->files, g_steal_pointer(&full));
	return true;
}

/* "$(wildcard include/config/FOO)", or a path */
static bool add_dependency(struct ks_objects_command *command,
			   const struct ks_objects_scope *scope, const char *word)
{
	static const char option[] = "$(wildcard include/config/";
	size_t length = strlen(word);

	if (!g_str_has_prefix(word, option))
		return add_file(command, scope, word);
	if (word[length - 1] != ')' || strchr(word + sizeof(option) - 1, '/') ||
	    strchr(word, '.'))
		return false;
	g_ptr_array_add(command->options,
			g_strndup(word + sizeof(option) - 1, length - sizeof(option)));
	return true;
}

/* The lines "    PATH \" until an empty one; leaves *lines there. */
static bool parse_dependencies(struct ks_objects_command *command,
			       const struct ks_objects_scope *scope, char ***lines)
{
	for (; **lines && ***lines; (*lines)++) {
		char *line = **lines;

		if (g_str_has_suffix(line, " \\"))
			line[strlen(line) - 2] = '\0';
		g_strstrip(line);
		if (!add_dependency(command, scope, line))
			return false;
	}
	return true;
}

static bool is_line(const char *line, const char *before, const char *object,
		    const char *after)
{
	g_autofree char *wanted = g_strconcat(before, object, after, NULL);

	return strcmp(line, wanted) == 0;
}

/* What follows the command, line by line. */
static bool parse_rest(struct ks_objects_command *command,
		       const struct ks_objects_scope *scope, char **lines)
{
	bool has_source = false, has_dependencies = false;

	for (; *lines; lines++) {
		if (!**lines || g_str_has_prefix(*lines, "#SYMVER ") ||
		    is_line(*lines, "", command->object,
			    ": $(wildcard ./tools/objtool/objtool)"))
			continue;
		g_autofree char *list =
			g_strconcat("$(deps_", command->object, ")", NULL);
		g_autofree char *source = g_strconcat(" := ", command->source, NULL);
		if (is_line(*lines, "source_", command->object, source))
			has_source = true;
		else if (is_line(*lines, "deps_", command->object, " := \\")) {
			lines++;
			if (!parse_dependencies(command, scope, &lines) || !*lines)
				return false;
			has_dependencies = true;
		} else if (!is_line(*lines, command->object, ": ", list) &&
			   !is_line(*lines, list, ":", ""))
			return false;
	}
	return has_source && has_dependencies &&
	       add_file(command, scope, command->source);
}

struct ks_objects_command *ks_objects_command_parse(const char *text,
						    const struct ks_objects_scope *scope)
{
	ks_auto(ks_objects_command) command = g_new0(struct ks_objects_command, 1);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	command->files = g_ptr_array_new_with_free_func(g_free);
	command->options = g_ptr_array_new_with_free_func(g_free);
	command->debug = g_ptr_array_new_with_free_func(g_free);
	if (!lines[0] || !parse_command(command, scope, lines[0]) ||
	    !parse_rest(command, scope, lines + 1))
		return NULL;
	return g_steal_pointer(&command);
}

/* Only as a whole path, or the beginning of one. */
static char *replace_dir(const char *text, const char *from, const char *to)
{
	g_autofree char *quoted = g_regex_escape_string(from, -1);
	g_autofree char *pattern = g_strconcat(quoted, "(?=[/= \\n])", NULL);
	g_autoptr(GRegex) regex = g_regex_new(pattern, 0, 0, NULL);

	return g_regex_replace_literal(regex, text, -1, 0, to, 0, NULL);
}

char *ks_objects_command_map(const char *text, const struct ks_objects_scope *from,
			     const struct ks_objects_scope *to)
{
	g_autofree char *mapped = g_strdup(text);

	if (!g_utf8_validate(text, -1, NULL))
		return NULL;
	for (guint i = 0; from->dirs[i]; i++) {
		char *next = replace_dir(mapped, from->dirs[i], to->dirs[i]);

		if (!next)
			return NULL;
		g_free(mapped);
		mapped = next;
	}
	for (guint i = 0; from->dirs[i]; i++)
		if (strstr(mapped, from->dirs[i]) && strcmp(from->dirs[i], to->dirs[i]))
			return NULL;
	return strstr(mapped, from->release) ? NULL : g_steal_pointer(&mapped);
}
