/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which of Kbuild's notes are taken, and as what. */
#include <string.h>

#include "core/build/objects-command.h"
#include "core/build/objects-elf.h"

#define TREE "/t/m/1/build"
#define HEAD                                                                             \
	"cmd_" TREE "/a.o := gcc-12 -Wp,-MMD," TREE                                      \
	"/.a.o.d -nostdinc -I/usr/src/h-1-c/include -I./include -include "               \
	"/usr/src/h-1-c/include/k.h "
#define MID	"-g -fmacro-prefix-map=/usr/src/h-1-c/= "
#define TAIL	"-c -o " TREE "/a.o " TREE "/a.c"
#define OBJTOOL "   ; ./tools/objtool/objtool --orc   --module " TREE "/a.o"
#define REST                                                                             \
	"\n\nsource_" TREE "/a.o := " TREE "/a.c\n\ndeps_" TREE "/a.o := \\\n"           \
	"    $(wildcard include/config/SMP) \\\n  /usr/src/h-1-c/include/k.h \\\n"       \
	"  include/generated/bounds.h \\\n  " TREE "/a.h \\\n\n" TREE                    \
	"/a.o: $(deps_" TREE "/a.o)\n\n$(deps_" TREE "/a.o):\n"

static const char *const dirs_1[] = {"/usr/src/h-1-a", "/usr/src/h-1-c", NULL};
static const char *const dirs_2[] = {"/usr/src/h-2-a", "/usr/src/h-2-c", NULL};
static const struct ks_objects_scope scope_1 = {"6.1-1-a", "gcc-12", TREE, dirs_1};
static const struct ks_objects_scope scope_2 = {"6.1-2-a", "gcc-12", TREE, dirs_2};

static const struct {
	const char *name, *text;
	bool is_taken;
} cases[] = {
	{"a compilation", HEAD MID TAIL REST, true},
	{"with objtool behind it", HEAD MID TAIL OBJTOOL REST, true},
	{"with versions of symbols", HEAD MID TAIL REST "#SYMVER f 0x12345678\n", true},
	{"a macro", HEAD "-DX='\"y\"' " TAIL REST, true},
	{"a macro that names the headers", HEAD "-DX=/usr/src/h-1-c " TAIL REST, false},
	{"a macro that names the kernel", HEAD "-DX=6.1-1-a " TAIL REST, false},
	{"another directory is searched", HEAD "-I/usr/include " TAIL REST, false},
	{"a way out of the tree", HEAD "-I" TREE "/../../x " TAIL REST, false},
	{"a plugin", HEAD "-fplugin=x " TAIL REST, false},
	{"options from a file", HEAD "@" TREE "/x " TAIL REST, false},
	{"another program behind it", HEAD TAIL " ; objcopy " TREE "/a.o" REST, false},
	{"a pipe", HEAD TAIL " | cat" REST, false},
	{"what make would expand", HEAD "-DX=$(Y) " TAIL REST, false},
	{"not a C file", HEAD "-c -o " TREE "/a.o " TREE "/a.S" REST, false},
	{"an object elsewhere", HEAD "-c -o /t/b.o " TREE "/a.c" REST, false},
	{"a header that names the kernel",
	 HEAD TAIL "\n\nsource_" TREE "/a.o := " TREE "/a.c\n\ndeps_" TREE
		   "/a.o := \\\n  include/generated/utsrelease.h \\\n\n",
	 false},
	{"a dependency elsewhere",
	 HEAD TAIL "\n\nsource_" TREE "/a.o := " TREE "/a.c\n\ndeps_" TREE
		   "/a.o := \\\n  /usr/include/stdio.h \\\n\n",
	 false},
	{"a rule of its own", HEAD TAIL REST "\nall: ; touch x\n", false},
	{"no dependencies", HEAD TAIL "\n", false},
	{"cut off", HEAD, false},
	{"nothing", "", false},
};

static void test_parse(gconstpointer data)
{
	size_t i = GPOINTER_TO_SIZE(data);
	struct ks_objects_command *command =
		ks_objects_command_parse(cases[i].text, &scope_1);

	g_assert_cmpint(command != NULL, ==, cases[i].is_taken);
	if (command)
		ks_objects_command_free(command);
}

static void test_facts(void)
{
	struct ks_objects_command *command =
		ks_objects_command_parse(HEAD MID TAIL REST, &scope_1);

	g_assert_nonnull(command);
	g_assert_cmpstr(command->object, ==, TREE "/a.o");
	g_assert_cmpstr(command->source, ==, TREE "/a.c");
	g_assert_cmpuint(command->files->len, ==, 2);
	g_assert_cmpstr(command->files->pdata[0], ==, TREE "/a.h");
	g_assert_cmpstr(command->files->pdata[1], ==, TREE "/a.c");
	g_assert_cmpuint(command->options->len, ==, 1);
	g_assert_cmpstr(command->options->pdata[0], ==, "SMP");
	g_assert_cmpuint(command->debug->len, ==, 1);
	ks_objects_command_free(command);
}

static void test_map(void)
{
	g_autofree char *mapped =
		ks_objects_command_map(HEAD MID TAIL REST, &scope_1, &scope_2);

	g_assert_nonnull(mapped);
	g_assert_null(strstr(mapped, "h-1-"));
	g_assert_nonnull(strstr(mapped, "-fmacro-prefix-map=/usr/src/h-2-c/= "));
	g_assert_null(ks_objects_command_map("-DX=6.1-1-a", &scope_1, &scope_2));
	g_assert_null(ks_objects_command_map("x/usr/src/h-1-cx", &scope_1, &scope_2));
}

static void test_order(void)
{
	static const char text[] = "\t.section\t.debug_line_str,\"MS\",@progbits,1\n"
				   ".LASF1:\n\t.string\t\"/d\"\n"
				   ".LASF0:\n\t.string\t\"/s.c\"\n";
	bool source_first = true;

	g_assert_true(ks_objects_elf_read_order(text, "/d", "/s.c", &source_first));
	g_assert_false(source_first);
	g_assert_false(ks_objects_elf_read_order(text, "/d", "/t.c", &source_first));
	g_assert_false(ks_objects_elf_read_order("", "/d", "/s.c", &source_first));
}

/* Whatever is cut off or changed in it: refused, or taken, but nothing is read outside.
 */
static void test_hostile(void)
{
	g_autofree char *path = g_test_build_filename(G_TEST_BUILT, "tests", "unit",
						      "modules", "play-good.ko", NULL);
	g_autofree char *data = NULL;
	gsize size;

	g_assert_true(g_file_get_contents(path, &data, &size, NULL));
	for (gsize cut = 0; cut < size; cut += 1 + cut / 16) {
		g_autofree guint8 *copy = g_memdup2(data, cut ? cut : 1);

		ks_objects_elf_map(copy, cut, "/s.c", true, &scope_1, &scope_2);
	}
	for (gsize i = 0; i < 4096; i++) {
		g_autofree guint8 *copy = g_memdup2(data, size);

		copy[i % 64 + (i / 64 % 2 ? size - 64 * (1 + i % 32) : 0)] ^=
			(guint8)(1 + i % 255);
		ks_objects_elf_map(copy, size, "/s.c", true, &scope_1, &scope_2);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *name =
			g_strdup_printf("/objects/command/%s", cases[i].name);

		g_test_add_data_func(name, GSIZE_TO_POINTER(i), test_parse);
	}
	g_test_add_func("/objects/what a command tells", test_facts);
	g_test_add_func("/objects/one kernel in the place of another", test_map);
	g_test_add_func("/objects/the compiler's order of two strings", test_order);
	g_test_add_func("/objects/hostile objects", test_hostile);
	return g_test_run();
}
