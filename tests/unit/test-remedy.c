/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Logs of builds that the system was not ready for, and what is said to help. */
#include <string.h>

#include "core/compile/build.h"
#include "tests/unit/faketree.h"

#define K "6.1.0-50-amd64"

static const struct remedy_case {
	const char *name, *database, *log, *expected;
} cases[] = {
	{"a program that dash misses", "/var/lib/dpkg/status",
	 "/bin/sh: 1: bc: not found\n",
	 "the program 'bc' is not installed: 'apt install bc'"},
	{"a program that bash misses", "/var/lib/dpkg/status",
	 "x\n./build.sh: line 3: pahole: command not found\n",
	 "the program 'pahole' is not installed: 'apt install pahole'"},
	{"a program that make misses", "/var/lib/rpm/x",
	 "make[1]: pahole: No such file or directory\n",
	 "the program 'pahole' is not installed: 'dnf install dwarves'"},
	{"a program that env misses", "/var/lib/pacman/local/x",
	 "/usr/bin/env: 'python3': No such file or directory\n",
	 "the program 'python3' is not installed: 'pacman -S python'"},
	{"a program on no known system", "/x", "sh: flex: not found\n",
	 "the program 'flex' is not installed"},
	{"a program that is there", "/var/lib/dpkg/status", "sh: 1: xxd: not found\n",
	 NULL},
	{"a program that nobody knows", "/var/lib/dpkg/status", "sh: 1: qqq: not found\n",
	 NULL},
	{"a symbol", "/var/lib/dpkg/status", "symbol bc: not found in table\n", NULL},
	{"the command itself", "/var/lib/dpkg/status", "# command: bc: not found\n",
	 NULL},
	{"a library's header", "/var/lib/dpkg/status",
	 "main.c:3:10: fatal error: gelf.h: No such file or directory\n",
	 "what has <gelf.h> is not installed: 'apt install libelf-dev'"},
	{"a library's directory", "/usr/lib/sysimage/rpm/x",
	 "/usr/src/x/sign-file.c:3:10: fatal error: openssl/bio.h: No such file or "
	 "directory\n",
	 "what has <openssl/bio.h> is not installed: 'dnf install openssl-devel'"},
	{"a header of the module's own", "/var/lib/dpkg/status",
	 "/b/x.c:3:10: fatal error: own.h: No such file or directory\n", NULL},
	{"a header that a new kernel has no more", "/var/lib/dpkg/status",
	 "/b/x.c:3:10: fatal error: linux/gone.h: No such file or directory\n", NULL},
	{"a header that the compiler was given", "/var/lib/dpkg/status",
	 "cc1: fatal error: "
	 "/usr/src/linux-headers-6.1.0-50-common/include/linux/kconfig.h: "
	 "No such file or directory\n",
	 "the kernel's headers are not whole: "
	 "'/usr/src/linux-headers-6.1.0-50-common/include/linux/kconfig.h' is missing; "
	 "'apt "
	 "install --reinstall linux-headers-6.1.0-50-common' brings it back"},
	{"a header that a header includes", "/var/lib/rpm/x",
	 "/usr/src/kernels/" K "/include/linux/a.h:3:10: fatal error: generated/b.h: No "
	 "such file or directory\n",
	 "the kernel's headers are not whole: 'generated/b.h' is missing; 'dnf reinstall "
	 "kernel-devel-" K "' brings it back"},
	{"a file that make needs", "/var/lib/pacman/local/x",
	 "make[1]: *** No rule to make target '/lib/modules/" K
	 "/build/scripts/x', needed "
	 "by 'y'.  Stop.\n",
	 "the kernel's headers are not whole: '/lib/modules/" K "/build/scripts/x' is "
	 "missing; 'pacman -S linux-headers' brings it back"},
};

static void test_case(struct faketree *tree, gconstpointer data)
{
	static const char *const dirs[] = {"/lib/modules/" K "/build", NULL};
	const struct remedy_case *c = data;
	g_autofree char *path = faketree_path(tree, "/usr/bin/xxd");
	g_autofree char *found = NULL;

	faketree_write(tree, c->database, "");
	faketree_write(tree, "/usr/bin/xxd", "");
	g_assert_cmpint(g_chmod(path, 0755), ==, 0);
	found = ks_build_find_remedy(tree->system, dirs, K, c->log, strlen(c->log));
	g_assert_cmpstr(found, ==, c->expected);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *path = g_strconcat("/remedy/", cases[i].name, NULL);

		g_test_add(path, struct faketree, &cases[i], faketree_set_up, test_case,
			   faketree_tear_down);
	}
	return g_test_run();
}
