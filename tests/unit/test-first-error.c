/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Logs as they are in the field, and the line that people should see. */
#include <string.h>

#include "core/compile/build.h"

static const struct {
	const char *name, *log, *expected;
} cases[] = {
	{"a compiler error wins over make's",
	 "make: Entering directory '/usr/src/linux'\n"
	 "  CC [M]  /b/x.o\n"
	 "make[2]: *** [scripts/Makefile.build:250: /b/x.o] Error 1\n"
	 "/b/x.c:10:5: error: implicit declaration of function 'f'\n"
	 "/b/x.c:99:5: error: another\n",
	 "/b/x.c:10:5: error: implicit declaration of function 'f'"},
	{"a fatal error",
	 "x.c:3:10: fatal error: linux/nothing.h: No such file or directory\n",
	 "x.c:3:10: fatal error: linux/nothing.h: No such file or directory"},
	{"without a column", "x.c:3: error: bad\n", "x.c:3: error: bad"},
	{"a warning is none",
	 "x.c:3:1: warning: error: not this\nmake: *** [all] Error 2\n",
	 "x.c:3:1: warning: error: not this"},
	{"modpost",
	 "WARNING: x\nERROR: modpost: \"f\" [/b/x.ko] undefined!\nmake: *** x\n",
	 "ERROR: modpost: \"f\" [/b/x.ko] undefined!"},
	{"the linker", "ld: error: undefined symbol: f\n",
	 "ld: error: undefined symbol: f"},
	{"a patch", "patching file x.c\nHunk #1 FAILED at 3.\n1 out of 1 hunk FAILED\n",
	 "Hunk #1 FAILED at 3."},
	{"a hunk that applies is none", "Hunk #1 succeeded at 3.\n", NULL},
	{"no rule", "make[1]: *** No rule to make target 'modules'.  Stop.\n",
	 "make[1]: *** No rule to make target 'modules'.  Stop."},
	{"the command line is none", "# command: make X='a: error: b'\nfine\n", NULL},
	{"a program that may not be executed",
	 "/bin/sh: 1: scripts/basic/fixdep: Permission denied\n"
	 "make[1]: *** [scripts/Makefile.build:250: x.o] Error 126\n",
	 "/bin/sh: 1: scripts/basic/fixdep: Permission denied"},
	{"a program that is not there",
	 "make[2]: *** [x.mk:2: y] Error 127\n/bin/sh: 1: bc: not found\n",
	 "/bin/sh: 1: bc: not found"},
	{"a configure",
	 "checking x... no\nx: No such file or directory\nconfigure: error: \n"
	 "make: *** [all] Error 1\n",
	 "configure: error:"},
	{"a compiler without a file",
	 "ERROR: an hour ago\ncc1: error: bad value 'armv7-a' for '-march=' switch\n",
	 "cc1: error: bad value 'armv7-a' for '-march=' switch"},
	{"a cross compiler, by its whole name",
	 "ERROR: an hour ago\n/usr/bin/arm-linux-gnueabihf-gcc-12: error: unrecognized "
	 "command-line option '-m64'\nmake: *** [x] Error 1\n",
	 "/usr/bin/arm-linux-gnueabihf-gcc-12: error: unrecognized command-line option "
	 "'-m64'"},
	{"a versioned clang",
	 "ERROR: x\nclang-19: error: unsupported argument 'armv7-a' to option "
	 "'-march='\n",
	 "clang-19: error: unsupported argument 'armv7-a' to option '-march='"},
	{"a compiler that was killed",
	 "make: x: No such file or directory\ngcc: fatal error: Killed signal terminated "
	 "program cc1\n",
	 "gcc: fatal error: Killed signal terminated program cc1"},
	{"a compiler that is broken",
	 "ERROR: x\ny.c:3:1: internal compiler error: Segmentation fault\n",
	 "y.c:3:1: internal compiler error: Segmentation fault"},
	{"a compiler without the other half",
	 "ERROR: x\ncc1: sorry, unimplemented: 64-bit mode not compiled in\n",
	 "cc1: sorry, unimplemented: 64-bit mode not compiled in"},
	{"a remark of the compiler, and what make says of it",
	 "cc1: warning: x\ncc1: note: y\nmake: *** [x] Error 1\n",
	 "make: *** [x] Error 1"},
	{"the assembler's line",
	 "{standard input}: Assembler messages:\n{standard input}:12: Error: bad "
	 "instruction `isb'\n",
	 "{standard input}:12: Error: bad instruction `isb'"},
	{"the assembler's option", "ERROR: x\nas: unrecognized option '-EL'\n",
	 "as: unrecognized option '-EL'"},
	{"the linker's emulation",
	 "ERROR: x\nld: warning: y\nld: unrecognised emulation mode: "
	 "aarch64linux\nSupported "
	 "emulations: elf_x86_64\n",
	 "ld: unrecognised emulation mode: aarch64linux"},
	{"a library that is not there",
	 "/usr/bin/x86_64-linux-gnu-ld.bfd: cannot find -lelf: No such file or "
	 "directory\n"
	 "collect2: error: ld returned 1 exit status\n",
	 "/usr/bin/x86_64-linux-gnu-ld.bfd: cannot find -lelf: No such file or "
	 "directory"},
	{"a symbol that is not there",
	 "/usr/bin/ld: x.o: in function `main':\nx.c:(.text+0x5): undefined reference to "
	 "`f'\ncollect2: error: ld returned 1 exit status\n",
	 "x.c:(.text+0x5): undefined reference to `f'"},
	{"lld",
	 "ERROR: x\nld.lld-19: error: cannot open y.o: No such file or directory\n",
	 "ld.lld-19: error: cannot open y.o: No such file or directory"},
	{"objtool", "ERROR: x\nerror: objtool: y.o: bad call\n",
	 "error: objtool: y.o: bad call"},
	{"objtool of today", "ERROR: x\ny.o: error: objtool: f+0x3: bad call\n",
	 "y.o: error: objtool: f+0x3: bad call"},
	{"modpost's end",
	 "ERROR: x\nFATAL: modpost: GPL-incompatible module y.ko uses GPL-only symbol "
	 "'z'\n",
	 "FATAL: modpost: GPL-incompatible module y.ko uses GPL-only symbol 'z'"},
	{"modpost of old", "Error: x\nERROR: \"f\" [/x/y.ko] undefined!\n",
	 "ERROR: \"f\" [/x/y.ko] undefined!"},
	{"pahole",
	 "FAILED: load BTF from vmlinux: Invalid argument\nmake: *** [x] Error 255\n",
	 "FAILED: load BTF from vmlinux: Invalid argument"},
	{"rustc",
	 "error: x\nerror[E0432]: unresolved import `kernel::y`\n  --> y.rs:3:5\n"
	 "error: aborting due to 1 previous error\n",
	 "error[E0432]: unresolved import `kernel::y`"},
	{"strip of another machine's",
	 "ERROR: x\nstrip: Unable to recognise the format of the input file `./y.ko'\n",
	 "strip: Unable to recognise the format of the input file `./y.ko'"},
	{"what was to be fetched",
	 "cp: cannot stat 'a'\ncurl: (6) Could not resolve host: example.org\n"
	 "make: *** [x] Error 6\n",
	 "curl: (6) Could not resolve host: example.org"},
	{"an archive is made", "ar: creating x.a\nall is well\n", NULL},
	{"nothing", "all is well\n", NULL},
	{"empty", "", NULL},
	{"no newline at the end", "x.c:1:1: error: last", "x.c:1:1: error: last"},
	{"colours and control characters",
	 "\033[1mx.c:1:1:\033[m \033[01;31merror: \033[0mred\007\r\n",
	 "x.c:1:1: error: red"},
	{"a tab is a blank", "x.c:1:1: error:\tt\n", "x.c:1:1: error: t"},
	{"an escape at the very end", "*** x\033[", "*** x"},
};

static void test_case(gconstpointer data)
{
	const size_t i = GPOINTER_TO_SIZE(data);
	g_autofree char *copy = g_memdup2(cases[i].log, strlen(cases[i].log));
	g_autofree char *found = ks_build_first_error(copy, strlen(cases[i].log));

	g_assert_cmpstr(found, ==, cases[i].expected);
}

static void test_binary(void)
{
	static const char log[] = "\0\0x.c:1:1: error: \xff\xfe\xe2\x80\xae"
				  "evil\n";
	g_autofree char *found = ks_build_first_error(log, sizeof(log) - 1);

	/* the bytes after a NUL are not text, and not shown */
	g_assert_true(!found || g_utf8_validate(found, -1, NULL));
}

static void test_direction_marks(void)
{
	static const char log[] = "x.c:1:1: error: \xe2\x80\xae"
				  "evil \xff\n";
	g_autofree char *found = ks_build_first_error(log, sizeof(log) - 1);

	g_assert_nonnull(found);
	g_assert_true(g_utf8_validate(found, -1, NULL));
	g_assert_null(strstr(found, "\xe2\x80\xae"));
	g_assert_nonnull(strstr(found, "evil"));
}

static void test_long_line(void)
{
	g_autoptr(GString) log = g_string_new("x.c:1:1: error: ");

	for (int i = 0; i < 200000; i++)
		g_string_append(log, "\xc3\xa4");
	g_autofree char *found = ks_build_first_error(log->str, log->len);

	g_assert_nonnull(found);
	g_assert_cmpint(g_utf8_strlen(found, -1), <=, 300);
	g_assert_true(g_utf8_validate(found, -1, NULL));
}

/* The same log shows how far a build has come. */
static void test_files(void)
{
	static const char log[] =
		"make: Entering directory '/x'\n  CC [M]  /b/a.o\n  LD [M]  /b/x.o\n"
		"  MODPOST /b/Module.symvers\n  CC      /b/plain.o\n   CC [M]  "
		"/b/deep.o\n"
		"  CC [M] \n  cc [M]  /b/small.o\nx  CC [M]  /b/a.o\n  LD [M]  /b/x.ko";

	g_assert_cmpuint(ks_build_count_files(log, sizeof(log) - 1), ==, 3);
	g_assert_cmpuint(ks_build_count_files("", 0), ==, 0);
	g_assert_cmpuint(ks_build_count_files("  CC [M", 7), ==, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *path = g_strdup_printf("/first-error/%s", cases[i].name);

		g_test_add_data_func(path, GSIZE_TO_POINTER(i), test_case);
	}
	g_test_add_func("/first-error/binary text gives valid UTF-8 or nothing",
			test_binary);
	g_test_add_func("/first-error/marks that turn text around go",
			test_direction_marks);
	g_test_add_func("/first-error/a long line is cut", test_long_line);
	g_test_add_func("/first-error/files that make tells of are counted", test_files);
	return g_test_run();
}
