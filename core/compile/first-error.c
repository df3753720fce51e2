/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The line of a log that people want to see first. A compiler's own error
 * says more than make's "*** [...] Error 1" about it, wherever it stands.
 */
#include <string.h>

#include "core/compile/build.h"

#define LINE_MAX_CHARS 300

/* Better ranks first. */
enum rank { RANK_COMPILER, RANK_OTHER, RANK_SYSTEM, RANK_MAKE, RANK_NONE };

static bool contains(const char *line, size_t size, const char *text)
{
	return memmem(line, size, text, strlen(text)) != NULL;
}

/* What follows a place, or a program's name, in a line of gcc, clang and gas. */
static bool says_error(const char *text, size_t size)
{
	static const char *const words[] = {
		": error:", ": fatal error:", ": Error:", ": internal compiler error:",
		": sorry, unimplemented:"};

	for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
		if (contains(text, size, words[i]))
			return true;
	return false;
}

/* "FILE:LINE: error:", "FILE:LINE:COL: fatal error:" */
static bool is_compiler_error(const char *line, size_t size)
{
	const char *end = line + size;
	const char *colon = memchr(line, ':', size);

	for (; colon; colon = memchr(colon + 1, ':', end - colon - 1)) {
		const char *p = colon + 1;

		while (p < end && g_ascii_isdigit(*p))
			p++;
		if (p == colon + 1 || p == end || *p != ':')
			continue;
		return says_error(p, end - p);
	}
	return false;
}

/*
 * The programs of a toolchain have errors without a place in a file: of an option, of an
 * emulation, of a library, of a signal. Those of binutils do not say which lines are.
 */
static const struct {
	const char *name;
	bool is_terse;
} tools[] = {
	{"gcc", false},	      {"g++", false},	 {"cc", false},
	{"c++", false},	      {"cpp", false},	 {"cc1", false},
	{"cc1plus", false},   {"clang", false},	 {"lto1", false},
	{"clang++", false},   {"rustc", false},	 {"bindgen", false},
	{"as", true},	      {"ld", true},	 {"ld.bfd", true},
	{"ld.gold", true},    {"ld.lld", true},	 {"objcopy", true},
	{"objdump", true},    {"strip", true},	 {"nm", true},
	{"ar", true},	      {"ranlib", true},	 {"llvm-objcopy", true},
	{"llvm-strip", true}, {"llvm-ar", true}, {"llvm-nm", true},
};

/* "/usr/bin/arm-linux-gnueabihf-gcc-12.2" -> "gcc" */
static char *strip_program(const char *name, size_t size)
{
	g_autofree char *whole = g_strndup(name, size);
	g_autofree char *base = g_path_get_basename(whole);
	size_t length = strlen(base);
	char *prefix;

	while (length && (g_ascii_isdigit(base[length - 1]) || base[length - 1] == '.'))
		length--;
	if (length && base[length - 1] == '-')
		base[length - 1] = '\0';
	prefix = strstr(base, "llvm-") ? NULL : strrchr(base, '-');
	return g_strdup(prefix ? prefix + 1 : base);
}

static bool is_remark(const char *line, size_t size)
{
	static const char *const words[] = {
		"warning:",   "note:",	  "in function",
		"no symbols", "creating", "supported targets"};

	for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
		if (contains(line, size, words[i]))
			return true;
	return false;
}

static bool is_tool_error(const char *line, size_t size)
{
	const char *colon = memchr(line, ':', size);
	const size_t length = colon ? (size_t)(colon - line) : 0;
	g_autofree char *program = NULL;

	if (!length || memchr(line, ' ', length) || length + 2 > size || colon[1] != ' ')
		return false;
	program = strip_program(line, length);
	for (size_t i = 0; i < G_N_ELEMENTS(tools); i++) {
		if (!g_str_equal(tools[i].name, program))
			continue;
		return tools[i].is_terse ? !is_remark(line, size)
					 : says_error(colon, size - length);
	}
	return false;
}

static const struct {
	const char *text, *and; /* both in the line */
	enum rank rank;
} patterns[] = {
	{"ERROR: modpost:", NULL, RANK_COMPILER},
	{"FATAL: modpost:", NULL, RANK_COMPILER},
	{"FATAL: parse error in symbol dump file", NULL, RANK_COMPILER},
	/* modpost until Linux 5.3 */
	{"ERROR: \"", "undefined!", RANK_COMPILER},
	{"error: objtool:", NULL, RANK_COMPILER},
	{"undefined reference to", NULL, RANK_COMPILER},
	{"multiple definition of", NULL, RANK_COMPILER},
	{"relocation truncated to fit", NULL, RANK_COMPILER},
	/* rustc names the place in the next line */
	{"error[E", "]: ", RANK_COMPILER},
	{"Hunk #", "FAILED", RANK_COMPILER},
	{"can't find file to patch", NULL, RANK_COMPILER},
	{"FAILED: load BTF from", NULL, RANK_COMPILER},
	{"collect2: fatal error:", NULL, RANK_COMPILER},
	{"configure: error:", NULL, RANK_COMPILER},
	{"patch: ****", NULL, RANK_OTHER},
	/* of what was to be fetched: curl, wget, git, apt */
	{"Could not resolve host", NULL, RANK_OTHER},
	{"unable to resolve host", NULL, RANK_OTHER},
	{"Temporary failure resolving", NULL, RANK_OTHER},
	{"Temporary failure in name resolution", NULL, RANK_OTHER},
	{"fatal error:", NULL, RANK_OTHER},
	{"error:", NULL, RANK_OTHER},
	{"Error:", NULL, RANK_OTHER},
	{"ERROR:", NULL, RANK_OTHER},
	{"pahole: ", NULL, RANK_OTHER},
	{"Failed to generate BTF", NULL, RANK_OTHER},
	{"command not found", NULL, RANK_OTHER},
	{"No space left on device", NULL, RANK_OTHER},
	/* why make's line says Error 126, 127 or 1 */
	{": not found", NULL, RANK_SYSTEM},
	{": Permission denied", NULL, RANK_SYSTEM},
	{": cannot execute", NULL, RANK_SYSTEM},
	{": No such file or directory", NULL, RANK_SYSTEM},
	{"*** ", NULL, RANK_MAKE},
};

static enum rank get_rank(const char *line, size_t size)
{
	if (is_compiler_error(line, size) || is_tool_error(line, size))
		return RANK_COMPILER;
	for (size_t i = 0; i < G_N_ELEMENTS(patterns); i++) {
		if (contains(line, size, patterns[i].text) &&
		    (!patterns[i].and || contains(line, size, patterns[i].and)))
			return patterns[i].rank;
	}
	return RANK_NONE;
}

/* Make it one short line of valid UTF-8: it is shown on terminals and stored. */
static char *clean(const char *line, size_t size)
{
	g_autofree char *valid = g_utf8_make_valid(line, MIN(size, LINE_MAX_CHARS * 4));
	GString *text = g_string_new(NULL);
	glong n = 0;

	for (const char *p = valid; *p && n < LINE_MAX_CHARS; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);

		/* The colours of gcc and clang: ESC [ ... letter */
		if (c == 0x1b && p[1] == '[') {
			p += 2;
			while (*p && (g_ascii_isdigit(*p) || *p == ';'))
				p++;
			if (!*p)
				break;
			continue;
		}
		if (g_unichar_iscntrl(c) && c != '\t')
			continue;
		if (g_unichar_type(c) ==
		    G_UNICODE_FORMAT) /* changes the direction of text */
			continue;
		g_string_append_unichar(text, c == '\t' ? ' ' : c);
		n++;
	}
	return g_strstrip(g_string_free(text, FALSE));
}

char *ks_build_first_error(const char *log_text, size_t size_bytes)
{
	const char *end, *best = NULL;
	size_t best_size = 0;
	enum rank best_rank = RANK_NONE;

	if (!size_bytes) /* log_text may be NULL then */
		return NULL;
	end = log_text + size_bytes;
	for (const char *line = log_text, *next; line < end; line = next) {
		const char *newline = memchr(line, '\n', end - line);
		size_t size = (newline ? newline : end) - line;
		enum rank rank;

		next = newline ? newline + 1 : end;
		/* Lines of our own: the command may hold anything. */
		if (size >= 11 && memcmp(line, "# command: ", 11) == 0)
			continue;
		rank = get_rank(line, MIN(size, 65536));
		if (rank < best_rank) {
			best_rank = rank;
			best = line;
			best_size = size;
		}
		if (rank == RANK_COMPILER)
			break;
	}
	return best ? clean(best, best_size) : NULL;
}
