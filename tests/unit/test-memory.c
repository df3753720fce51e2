/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/jobs/memory.h"

#include "tests/unit/faketree.h"

#define GIB (1024ULL * 1024 * 1024)

static void assert_available(struct faketree *tree, guint64 expected)
{
	g_assert_cmpuint(ks_memory_available(tree->dir), ==, expected);
}

static void test_machine(struct faketree *tree, gconstpointer data)
{
	assert_available(tree, G_MAXUINT64);
	faketree_write(tree, "/proc/meminfo",
		       "MemTotal:       8388608 kB\nMemFree:         100 kB\n"
		       "MemAvailable:    4194304 kB\n");
	assert_available(tree, 4 * GIB);
	faketree_write(tree, "/proc/meminfo", "MemAvailable: much\n");
	assert_available(tree, G_MAXUINT64);
}

static void test_cgroup(struct faketree *tree, gconstpointer data)
{
	faketree_write(tree, "/proc/meminfo", "MemAvailable:    4194304 kB\n");
	faketree_write(tree, "/proc/self/cgroup",
		       "1:cpu:/x\n0::/system.slice/a.service\n");
	faketree_write(tree, "/sys/fs/cgroup/system.slice/a.service/memory.max", "max\n");
	faketree_write(tree, "/sys/fs/cgroup/system.slice/a.service/memory.current",
		       "12345\n");
	assert_available(tree, 4 * GIB);
	/* above us */
	faketree_write(tree, "/sys/fs/cgroup/system.slice/memory.max", "3221225472\n");
	faketree_write(tree, "/sys/fs/cgroup/system.slice/memory.current",
		       "2147483648\n");
	assert_available(tree, 1 * GIB);
	/* page cache that can go counts as free */
	faketree_write(tree, "/sys/fs/cgroup/system.slice/memory.stat",
		       "anon 1\nfile 2147483648\ninactive_file 1073741824\n");
	assert_available(tree, 2 * GIB);
	/* over the limit already */
	faketree_write(tree, "/sys/fs/cgroup/system.slice/memory.max", "1024\n");
	assert_available(tree, 0);
}

static void test_jobs(void)
{
	g_assert_cmpuint(ks_memory_limit_jobs(4, 0), ==, 4);
	g_assert_cmpuint(ks_memory_limit_jobs(4, 1), ==, 4);
	/* no machine has that much */
	g_assert_cmpuint(ks_memory_limit_jobs(4, G_MAXUINT32), ==, 1);
	g_assert_cmpuint(ks_memory_limit_jobs(0, 1), ==, 1);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add("/memory/what the machine has available", struct faketree, NULL,
		   faketree_set_up, test_machine, faketree_tear_down);
	g_test_add("/memory/a cgroup above us may allow less", struct faketree, NULL,
		   faketree_set_up, test_cgroup, faketree_tear_down);
	g_test_add_func("/memory/there is always one job", test_jobs);
	return g_test_run();
}
