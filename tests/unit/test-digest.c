/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Digests of files and trees, and the cache of them. */
#include "core/platform/digest.h"

#include "tests/unit/faketree.h"

#define SHA_OF_ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define SHA_FAKE   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static char *tree_digest(struct faketree *t, const char *path)
{
	ks_auto(ks_digest_cache) cache = ks_digest_cache_open(t->system);
	g_autoptr(GError) error = NULL;
	char *digest = ks_digest_tree(cache, path, &error);

	g_assert_no_error(error);
	return digest;
}

static void known_digests(struct faketree *t, gconstpointer data)
{
	ks_auto(ks_digest_cache) cache = ks_digest_cache_open(t->system);
	g_autofree char *of_data = ks_digest_data("abc", 3);
	g_autofree char *of_file = NULL;
	g_autofree char *of_link = NULL;
	g_autoptr(GError) error = NULL;

	faketree_write(t, "/abc", "abc");
	faketree_link(t, "/abc", "/d/link");
	of_file = ks_digest_file(cache, "/abc", &error);
	g_assert_no_error(error);
	of_link = ks_digest_file(cache, "/d/link", &error);
	g_assert_no_error(error);
	g_assert_cmpstr(of_data, ==, SHA_OF_ABC);
	g_assert_cmpstr(of_file, ==, SHA_OF_ABC);
	g_assert_cmpstr(of_link, ==, SHA_OF_ABC);
}

static void what_is_not_a_file_is_an_error(struct faketree *t, gconstpointer data)
{
	ks_auto(ks_digest_cache) cache = ks_digest_cache_open(t->system);
	g_autoptr(GError) error = NULL;

	faketree_fifo(t, "/tree/sub/fifo");
	g_assert_null(ks_digest_file(cache, "/tree/sub/fifo", &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_INVALID);
	g_clear_error(&error);
	g_assert_null(ks_digest_tree(cache, "/tree", &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_INVALID);
	g_assert_nonnull(strstr(error->message, "/tree/sub/fifo'"));
	g_clear_error(&error);
	g_assert_null(ks_digest_file(cache, "/none", &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_NOT_FOUND);
}

static void tree_digest_sees_every_change(struct faketree *t, gconstpointer data)
{
	g_autofree char *file = faketree_path(t, "/t/a/f");
	g_autofree char *link = faketree_path(t, "/t/l");
	char *digests[7];

	faketree_write(t, "/t/a/f", "one");
	digests[0] = tree_digest(t, "/t");
	faketree_write(t, "/t/a/f", "two");
	digests[1] = tree_digest(t, "/t");
	g_assert_cmpint(chmod(file, 0755), ==, 0);
	digests[2] = tree_digest(t, "/t");
	faketree_write(t, "/t/a/g", "");
	digests[3] = tree_digest(t, "/t");
	faketree_link(t, "a/f", "/t/l");
	digests[4] = tree_digest(t, "/t");
	g_assert_cmpint(unlink(link), ==, 0);
	faketree_link(t, "a/g", "/t/l");
	digests[5] = tree_digest(t, "/t");
	faketree_mkdir(t, "/t/z");
	digests[6] = tree_digest(t, "/t");
	for (guint i = 0; i < G_N_ELEMENTS(digests); i++)
		for (guint j = 0; j < i; j++)
			g_assert_cmpstr(digests[i], !=, digests[j]);
	for (guint i = 0; i < G_N_ELEMENTS(digests); i++)
		g_clear_pointer(&digests[i], g_free);
}

static void tree_digest_is_of_content_only(struct faketree *t, gconstpointer data)
{
	g_autofree char *file = faketree_path(t, "/one/a/f");
	const struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 2}};
	g_autofree char *one = NULL;
	g_autofree char *other = NULL;

	/* made in another order, at another time, reached through a link */
	faketree_write(t, "/one/b", "b");
	faketree_write(t, "/one/a/f", "f");
	g_assert_cmpint(utimensat(AT_FDCWD, file, times, 0), ==, 0);
	faketree_write(t, "/other/a/f", "f");
	faketree_write(t, "/other/b", "b");
	faketree_link(t, "/other", "/link");
	one = tree_digest(t, "/one");
	other = tree_digest(t, "/link");
	g_assert_cmpstr(one, ==, other);
}

/* Files of the machine, because those of a test are too young to be remembered. */
static struct ks_system *host_with_state_in(struct faketree *t)
{
	g_autoptr(GError) error = NULL;
	struct ks_system *host = ks_system_new("/", &error);

	g_assert_no_error(error);
	g_free(host->state_dir);
	host->state_dir = faketree_path(t, "/state");
	faketree_mkdir(t, "/state");
	return host;
}

/* Write another digest into the cache: if that comes back, nothing was hashed. */
static void falsify(struct faketree *t, const char *digest)
{
	g_autofree char *text = faketree_read(t, "/state/cache/digests");
	g_auto(GStrv) parts = NULL;
	g_autofree char *changed = NULL;

	g_assert_nonnull(text);
	parts = g_strsplit(text, digest, -1);
	g_assert_cmpuint(g_strv_length(parts), ==, 2);
	changed = g_strjoinv(SHA_FAKE, parts);
	faketree_write(t, "/state/cache/digests", changed);
}

static void unchanged_is_not_read_again(struct faketree *t, gconstpointer data)
{
	static const char *const paths[] = {"/etc/passwd", "/usr/include/linux"};
	ks_auto(ks_system) host = host_with_state_in(t);

	for (guint i = 0; i < G_N_ELEMENTS(paths); i++) {
		char *(*ask)(struct ks_digest_cache *, const char *, GError **) =
			i ? ks_digest_tree : ks_digest_file;
		g_autofree char *first = NULL;
		g_autofree char *second = NULL;
		g_autoptr(GError) error = NULL;

		{
			ks_auto(ks_digest_cache) cache = ks_digest_cache_open(host);

			first = ask(cache, paths[i], &error);
			g_assert_no_error(error);
		}
		falsify(t, first);
		{
			ks_auto(ks_digest_cache) cache = ks_digest_cache_open(host);

			second = ask(cache, paths[i], &error);
			g_assert_no_error(error);
			g_assert_cmpstr(second, ==, SHA_FAKE);
		}
	}
}

static void what_is_new_is_not_remembered(struct faketree *t, gconstpointer data)
{
	faketree_mkdir(t, "/var/lib/kmodsmith");
	faketree_write(t, "/t/f", "x");
	g_free(tree_digest(t, "/t"));
	g_assert_false(ks_root_exists(t->root, "/var/lib/kmodsmith/cache"));
}

static void broken_cache_is_no_error(struct faketree *t, gconstpointer data)
{
	static const char *const texts[] = {
		"",
		"kmodsmith digests 99\nf x y\n",
		"kmodsmith digests 1\n\n \nf\nf a b\nt " SHA_FAKE " " SHA_FAKE
		"\nt " SHA_FAKE " " SHA_FAKE " %zz\nx " SHA_FAKE " " SHA_FAKE
		"\nf " SHA_FAKE " " SHA_FAKE " more",
	};
	ks_auto(ks_system) host = host_with_state_in(t);

	for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
		ks_auto(ks_digest_cache) cache = ks_digest_cache_open(host);
		g_autoptr(GError) error = NULL;
		g_autofree char *digest = NULL;

		faketree_write(t, "/state/cache/digests", texts[i]);
		digest = ks_digest_file(cache, "/etc/passwd", &error);
		g_assert_no_error(error);
		g_assert_cmpstr(digest, !=, SHA_FAKE);
	}
	{
		g_autofree char *text = faketree_read(t, "/state/cache/digests");

		g_assert_true(g_str_has_prefix(text, "kmodsmith digests 1\nf "));
	}
}

static void cache_that_cannot_be_written_is_no_error(struct faketree *t,
						     gconstpointer data)
{
	ks_auto(ks_system) host = host_with_state_in(t);
	g_autoptr(GError) error = NULL;

	/* a file where its directory should be stops root too */
	faketree_write(t, "/state/cache", "");
	{
		ks_auto(ks_digest_cache) cache = ks_digest_cache_open(host);
		g_autofree char *digest = ks_digest_file(cache, "/etc/passwd", &error);

		g_assert_no_error(error);
		g_assert_nonnull(digest);
	}
	g_assert_cmpuint(faketree_count(t, "/state"), ==, 1);
}

#define ADD(name)                                                                        \
	g_test_add("/digest/" #name, struct faketree, NULL, faketree_set_up, name,       \
		   faketree_tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD(known_digests);
	ADD(what_is_not_a_file_is_an_error);
	ADD(tree_digest_sees_every_change);
	ADD(tree_digest_is_of_content_only);
	ADD(unchanged_is_not_read_again);
	ADD(what_is_new_is_not_remembered);
	ADD(broken_cache_is_no_error);
	ADD(cache_that_cannot_be_written_is_no_error);
	return g_test_run();
}
