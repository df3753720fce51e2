/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What helps against a failure that the system is the reason for: a program or a library
 * that is not installed, or a kernel's headers that are not whole. The package managers
 * can tell of files that are there; of what is not, this table does.
 */
#include <string.h>

#include "core/compile/build.h"
#include "core/kernel/toolchain.h"

enum family { FAMILY_DEB, FAMILY_RPM, FAMILY_ALPM, N_FAMILIES };

/* By the database that is there. */
static const struct {
	const char *database, *install, *reinstall;
	enum family family;
} families[] = {
	{"/var/lib/dpkg/status", "apt install", "apt install --reinstall", FAMILY_DEB},
	{"/usr/lib/sysimage/rpm", "dnf install", "dnf reinstall", FAMILY_RPM},
	{"/var/lib/rpm", "dnf install", "dnf reinstall", FAMILY_RPM},
	{"/var/lib/pacman/local", "pacman -S", "pacman -S", FAMILY_ALPM},
};

/* NULL: of the same name as what is missing. */
static const struct {
	const char *missing;
	const char *packages[N_FAMILIES];
} programs[] = {
	{"aclocal", {"automake", "automake", "automake"}},
	{"autoconf", {NULL, NULL, NULL}},
	{"automake", {NULL, NULL, NULL}},
	{"autoreconf", {"autoconf", "autoconf", "autoconf"}},
	{"awk", {"gawk", "gawk", "gawk"}},
	{"bc", {NULL, NULL, NULL}},
	{"bison", {NULL, NULL, NULL}},
	{"cmake", {NULL, NULL, NULL}},
	{"cpio", {NULL, NULL, NULL}},
	{"dtc", {"device-tree-compiler", "dtc", "dtc"}},
	{"file", {NULL, NULL, NULL}},
	{"flex", {NULL, NULL, NULL}},
	{"g++", {"g++", "gcc-c++", "gcc"}},
	{"gawk", {NULL, NULL, NULL}},
	{"git", {NULL, NULL, NULL}},
	{"libtool", {NULL, NULL, NULL}},
	{"libtoolize", {"libtool", "libtool", "libtool"}},
	{"lex", {"flex", "flex", "flex"}},
	{"lz4", {NULL, NULL, NULL}},
	{"m4", {NULL, NULL, NULL}},
	{"openssl", {NULL, NULL, NULL}},
	{"pahole", {"pahole", "dwarves", "pahole"}},
	{"patch", {NULL, NULL, NULL}},
	{"perl", {NULL, NULL, NULL}},
	{"pkg-config", {"pkg-config", "pkgconf-pkg-config", "pkgconf"}},
	{"python3", {"python3", "python3", "python"}},
	{"rsync", {NULL, NULL, NULL}},
	{"unzip", {NULL, NULL, NULL}},
	{"which", {"debianutils", "which", "which"}},
	{"xxd", {"xxd", "vim-common", "tinyxxd"}},
	{"xz", {"xz-utils", "xz", "xz"}},
	{"yacc", {"bison", "bison", "bison"}},
	{"zstd", {NULL, NULL, NULL}},
};

/* What programs that the kernel's or a module's makefile compiles include. */
static const struct {
	const char *missing;
	const char *packages[N_FAMILIES];
} headers[] = {
	{"gelf.h", {"libelf-dev", "elfutils-libelf-devel", "libelf"}},
	{"libelf.h", {"libelf-dev", "elfutils-libelf-devel", "libelf"}},
	{"elfutils/", {"libdw-dev", "elfutils-devel", "libelf"}},
	{"openssl/", {"libssl-dev", "openssl-devel", "openssl"}},
	{"ncurses.h", {"libncurses-dev", "ncurses-devel", "ncurses"}},
	{"curses.h", {"libncurses-dev", "ncurses-devel", "ncurses"}},
	{"zlib.h", {"zlib1g-dev", "zlib-devel", "zlib"}},
	{"sys/capability.h", {"libcap-dev", "libcap-devel", "libcap"}},
	{"stdio.h", {"libc6-dev", "glibc-devel", "glibc"}},
	{"stdlib.h", {"libc6-dev", "glibc-devel", "glibc"}},
	{"string.h", {"libc6-dev", "glibc-devel", "glibc"}},
};

struct looking {
	const struct ks_system *system;
	const char *const *header_dirs;
	const char *release;
	int family; /* index of families; -1: none of them */
};

static int find_family(const struct ks_system *system)
{
	for (size_t i = 0; i < G_N_ELEMENTS(families); i++)
		if (ks_root_exists(system->root, families[i].database))
			return (int)i;
	return -1;
}

static char *install(const struct looking *looking, const char *what,
		     const char *const *packages, const char *name)
{
	const char *package =
		looking->family < 0 ? NULL : packages[families[looking->family].family];

	if (looking->family < 0)
		return g_strdup_printf("%s is not installed", what);
	return g_strdup_printf("%s is not installed: '%s %s'", what,
			       families[looking->family].install,
			       package ? package : name);
}

static char *remedy_program(const struct looking *looking, const char *name)
{
	g_autofree char *path = ks_kernel_tool_path(looking->system, NULL);
	g_autofree char *there = ks_kernel_find_program(looking->system, path, name);
	g_autofree char *what = g_strdup_printf("the program '%s'", name);

	for (size_t i = 0; !there && i < G_N_ELEMENTS(programs); i++)
		if (g_str_equal(programs[i].missing, name))
			return install(looking, what, programs[i].packages, name);
	return NULL;
}

static char *remedy_library(const struct looking *looking, const char *header)
{
	g_autofree char *what = g_strdup_printf("what has <%s>", header);

	for (size_t i = 0; i < G_N_ELEMENTS(headers); i++)
		if (g_str_equal(headers[i].missing, header) ||
		    (g_str_has_suffix(headers[i].missing, "/") &&
		     g_str_has_prefix(header, headers[i].missing)))
			return install(looking, what, headers[i].packages, header);
	return NULL;
}

static bool is_in_headers(const struct looking *looking, const char *path)
{
	for (const char *const *dir = looking->header_dirs; dir && *dir; dir++)
		if (g_str_has_prefix(path, *dir) && path[strlen(*dir)] == '/')
			return true;
	return g_str_has_prefix(path, "/usr/src/linux-headers-") ||
	       g_str_has_prefix(path, "/usr/src/kernels/");
}

/* Debian's directories below /usr/src are called as their packages. */
static char *name_headers_package(const struct looking *looking, const char *path)
{
	const char *name = path + strlen("/usr/src/");

	switch (families[looking->family].family) {
	case FAMILY_DEB:
		return g_str_has_prefix(path, "/usr/src/linux-headers-")
			       ? g_strndup(name, strcspn(name, "/"))
			       : g_strconcat("linux-headers-", looking->release, NULL);
	case FAMILY_RPM:
		return g_strconcat("kernel-devel-", looking->release, NULL);
	default:
		return g_strdup("linux-headers");
	}
}

static char *remedy_headers(const struct looking *looking, const char *in,
			    const char *missing)
{
	g_autofree char *package = NULL;

	if (looking->family < 0)
		return g_strdup_printf("the kernel's headers are not whole: '%s' is "
				       "missing; install them again",
				       missing);
	package = name_headers_package(looking, in);
	return g_strdup_printf("the kernel's headers are not whole: '%s' is missing; '%s "
			       "%s' brings it back",
			       missing, families[looking->family].reinstall, package);
}

/* What a line of a shell, of make, env or a compiler says is not there. */
static const struct {
	const char *pattern;
	bool header;
} patterns[] = {
	{"(?:^|[\\s:])([A-Za-z0-9_.+-]+): (?:command )?not found$", false},
	{"^make(?:\\[\\d+\\])?: ([A-Za-z0-9_.+-]+): No such file or directory$", false},
	{"env: ['\xe2\x80\x98]?([A-Za-z0-9_.+-]+)['\xe2\x80\x99]?: No such file", false},
	{"^(?:(/[^:]+):\\d+:(?:\\d+:)? |[a-z0-9+]+: )fatal error: ([^:]+): No such file",
	 true},
	{"^()[^:]*:\\d+:(?:\\d+:)? fatal error: ([^:]+): No such file", true},
	{"No rule to make target ['`](/[^']+)(')", true},
};

static char *remedy_line(const struct looking *looking, const char *line)
{
	for (size_t i = 0; i < G_N_ELEMENTS(patterns); i++) {
		g_autoptr(GRegex) regex = g_regex_new(patterns[i].pattern, 0, 0, NULL);
		g_autoptr(GMatchInfo) match = NULL;
		g_autofree char *first = NULL, *second = NULL;
		char *remedy = NULL;

		if (!g_regex_match(regex, line, 0, &match))
			continue;
		first = g_match_info_fetch(match, 1);
		second = g_match_info_fetch(match, 2);
		if (!patterns[i].header)
			remedy = remedy_program(looking, first);
		else if (second && g_str_equal(second, "'"))
			remedy = is_in_headers(looking, first)
					 ? remedy_headers(looking, first, first)
					 : NULL;
		else if (is_in_headers(looking, second))
			remedy = remedy_headers(looking, second, second);
		else if (first && is_in_headers(looking, first))
			remedy = remedy_headers(looking, first, second);
		else
			remedy = remedy_library(looking, second);
		if (remedy)
			return remedy;
	}
	return NULL;
}

char *ks_build_find_remedy(const struct ks_system *system, const char *const *header_dirs,
			   const char *release, const char *log_text, size_t size_bytes)
{
	const struct looking looking = {system, header_dirs, release,
					find_family(system)};
	const char *end = log_text + size_bytes;

	for (const char *line = log_text, *next; line && line < end; line = next) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		const char *stop = newline ? newline : end;
		g_autofree char *text = NULL;
		char *remedy;

		next = newline ? newline + 1 : end;
		if (stop - line > 4096 || !memmem(line, (size_t)(stop - line), "No ", 3))
			if (!memmem(line, (size_t)(stop - line), "not found", 9))
				continue;
		text = g_utf8_make_valid(line, stop - line);
		remedy = *line == '#' ? NULL : remedy_line(&looking, text);
		if (remedy)
			return remedy;
	}
	return NULL;
}
