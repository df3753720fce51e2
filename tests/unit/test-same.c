/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether two files have the same bytes: read, or remembered. */
#include "core/platform/same.h"

#include <unistd.h>

#include "tests/unit/faketree.h"

#define SHA_FAKE "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
/* Files of the machine, because those of a test are too young to be remembered. */
#define OLD_FILES "/usr/include/linux"

static bool is_same(struct ks_system *system, const char *a, const char *b)
{
	ks_auto(ks_digest_cache) cache = ks_digest_cache_open(system);
	ks_autofd int a_fd = ks_root_openat(system->root, a, O_RDONLY, 0, NULL);
	ks_autofd int b_fd = ks_root_openat(system->root, b, O_RDONLY, 0, NULL);

	g_assert_cmpint(a_fd, >=, 0);
	g_assert_cmpint(b_fd, >=, 0);
	return ks_same_bytes(cache, a_fd, b_fd);
}

static void bytes_decide(struct faketree *t, gconstpointer data)
{
	g_autofree char *long_text = g_strnfill(200000, 'x');
	g_autofree char *from = faketree_path(t, "/long");
	g_autofree char *to = faketree_path(t, "/hard");

	faketree_write(t, "/long", long_text);
	faketree_write(t, "/same", long_text);
	long_text[199999] = 'y';
	faketree_write(t, "/last", long_text);
	long_text[100000] = '\0';
	faketree_write(t, "/short", long_text);
	faketree_write(t, "/none", "");
	faketree_write(t, "/nothing", "");
	g_assert_cmpint(link(from, to), ==, 0);
	g_assert_true(is_same(t->system, "/long", "/same"));
	g_assert_true(is_same(t->system, "/long", "/hard"));
	g_assert_true(is_same(t->system, "/none", "/nothing"));
	g_assert_false(is_same(t->system, "/long", "/last"));
	g_assert_false(is_same(t->system, "/long", "/short"));
	g_assert_false(is_same(t->system, "/long", "/none"));
}

/* Size and mtime can be given back, ctime cannot. */
static void old_times_hide_nothing(struct faketree *t, gconstpointer data)
{
	const struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 2}};
	static const char *const names[] = {"/a", "/b"};

	faketree_write(t, "/a", "one");
	faketree_write(t, "/b", "one");
	g_assert_true(is_same(t->system, "/a", "/b"));
	faketree_write(t, "/b", "two");
	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = faketree_path(t, names[i]);

		g_assert_cmpint(utimensat(AT_FDCWD, path, times, 0), ==, 0);
	}
	g_assert_false(is_same(t->system, "/a", "/b"));
}

/* Find two of one size and of different content. */
static bool find_two(struct ks_system *system, char **a, char **b)
{
	g_autoptr(GHashTable) sizes =
		g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
	g_autoptr(GPtrArray) names =
		ks_root_list_type(system->root, OLD_FILES, S_IFREG, NULL);

	for (guint i = 0; i < names->len; i++) {
		g_autofree char *path =
			g_build_filename(OLD_FILES, names->pdata[i], NULL);
		const char *other;
		struct stat st;
		gint64 size;

		g_assert_true(ks_root_stat(system->root, path, &st));
		size = st.st_size;
		other = g_hash_table_lookup(sizes, &size);
		if (other && !is_same(system, path, other)) {
			*a = g_strdup(other);
			*b = g_steal_pointer(&path);
			return true;
		}
		g_hash_table_replace(sizes, g_memdup2(&size, sizeof(size)),
				     g_steal_pointer(&path));
	}
	return false;
}

static void remember(struct ks_system *system, const char *path)
{
	ks_auto(ks_digest_cache) cache = ks_digest_cache_open(system);
	g_autoptr(GError) error = NULL;

	g_free(ks_digest_file(cache, path, &error));
	g_assert_no_error(error);
}

/* Every digest of the cache becomes the same: who looks at the files is not deceived. */
static void falsify(struct faketree *t)
{
	g_autofree char *text = faketree_read(t, "/state/cache/digests");
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (char **line = lines; *line; line++)
		if (g_str_has_prefix(*line, "f "))
			memcpy(*line + strlen(*line) - strlen(SHA_FAKE), SHA_FAKE,
			       strlen(SHA_FAKE));
	g_free(text);
	text = g_strjoinv("\n", lines);
	faketree_write(t, "/state/cache/digests", text);
}

static void what_is_remembered_of_both_is_not_read(struct faketree *t, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	ks_auto(ks_system) host = ks_system_new("/", &error);
	g_autofree char *a = NULL, *b = NULL;

	g_assert_no_error(error);
	g_free(host->state_dir);
	host->state_dir = faketree_path(t, "/state");
	faketree_mkdir(t, "/state");
	g_assert_true(find_two(host, &a, &b));
	remember(host, a);
	falsify(t);
	g_assert_false(is_same(host, a, b));
	remember(host, b);
	g_assert_false(is_same(host, a, b));
	falsify(t);
	g_assert_true(is_same(host, a, b));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
#define ADD(test)                                                                        \
	g_test_add("/same/" #test, struct faketree, NULL, faketree_set_up, test,         \
		   faketree_tear_down)
	ADD(bytes_decide);
	ADD(old_times_hide_nothing);
	ADD(what_is_remembered_of_both_is_not_read);
	return g_test_run();
}
