/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/store/store.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

#include "core/support/error.h"
#include "tests/unit/faketree.h"

#define STORE  "/var/lib/kmodsmith/store/"
#define STAGED "/staged"
#define TO     "/to"

static char *fingerprint(char c)
{
	return g_strnfill(64, c);
}

static struct ks_store_entry *make_entry(char c)
{
	struct ks_store_entry *entry = g_new0(struct ks_store_entry, 1);

	entry->fingerprint = fingerprint(c);
	entry->module = g_strdup("foo");
	entry->version = g_strdup("1.0");
	entry->release = g_strdup("6.1.0-56-amd64");
	entry->arch = g_strdup("x86_64");
	entry->sandbox_layers = g_strdup("uid");
	entry->duration_ms = 1234;
	return entry;
}

/* Stored with a content of its own, last used used_s seconds after 1970. */
static void put(struct faketree *tree, char c, const char *content, gint64 used_s)
{
	ks_auto(ks_store_entry) entry = make_entry(c);
	g_autofree char *index = g_strdup_printf(STORE "%s/index", entry->fingerprint);
	g_autofree char *path = faketree_path(tree, index);
	const struct timespec times[2] = {{.tv_sec = used_s}, {.tv_sec = used_s}};
	g_autoptr(GError) error = NULL;

	faketree_write(tree, STAGED "/module/foo.ko", content);
	faketree_write(tree, STAGED "/module/Module.symvers", "");
	faketree_write(tree, STAGED "/log/make.log", "log");
	g_assert_true(ks_store_prepare(tree->system, entry, STAGED, &error));
	g_assert_no_error(error);
	g_assert_true(ks_store_commit(tree->system, entry, &error));
	g_assert_no_error(error);
	g_assert_cmpint(utimensat(AT_FDCWD, path, times, 0), ==, 0);
}

static struct ks_store_entry *fetch(struct faketree *tree, char c, GError **error)
{
	g_autofree char *name = fingerprint(c);

	return ks_store_fetch(tree->system, name, tree->system, TO, error);
}

static guint count(struct faketree *tree)
{
	return faketree_count(tree, STORE);
}

static void test_round(struct faketree *tree, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(fetch(tree, 'a', &error));
	g_assert_no_error(error);
	put(tree, 'a', "built", 1);
	ks_auto(ks_store_entry) entry = fetch(tree, 'a', &error);
	g_assert_no_error(error);
	g_assert_nonnull(entry);
	g_assert_cmpstr(entry->module, ==, "foo");
	g_assert_cmpint(entry->duration_ms, ==, 1234);
	g_assert_cmpuint(entry->files->len, ==, 3);
	g_assert_cmpuint(entry->size_bytes, ==, strlen("built") + strlen("log"));
	g_autofree char *module = faketree_read(tree, TO "/module/foo.ko");
	g_autofree char *log = faketree_read(tree, TO "/log/make.log");
	g_assert_cmpstr(module, ==, "built");
	g_assert_cmpstr(log, ==, "log");
	/* another fingerprint is another thing */
	g_assert_null(fetch(tree, 'b', &error));
	g_assert_no_error(error);
}

static void test_damaged(struct faketree *tree, gconstpointer data)
{
	static const char *const files[] = {"module/foo.ko", "index", "log/make.log"};
	g_autofree char *name = fingerprint('a');

	for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autofree char *file = g_strdup_printf(STORE "%s/%s", name, files[i]);
		g_autoptr(GError) error = NULL;

		put(tree, 'a', "built", 1);
		faketree_write(tree, file, "bulit");
		g_autoptr(GPtrArray) entries = ks_store_list(tree->system, NULL);
		g_assert_cmpuint(entries->len, ==, 1);
		ks_store_check(tree->system, entries->pdata[0]);
		g_assert_nonnull(((struct ks_store_entry *)entries->pdata[0])->problem);
		g_assert_null(fetch(tree, 'a', &error));
		g_assert_error(error, KS_ERROR, KS_ERROR_INVALID);
		/* nothing of it remains, here or there */
		g_assert_cmpuint(count(tree), ==, 0);
		g_assert_cmpuint(faketree_count(tree, TO), ==, 0);
	}
}

/* Paths that lead out of the entry, or to where others write. */
static void test_hostile(struct faketree *tree, gconstpointer data)
{
	g_autofree char *name = fingerprint('a');
	g_autofree char *module = g_strdup_printf(STORE "%s/module/foo.ko", name);
	g_autofree char *index = g_strdup_printf(STORE "%s/index", name);
	g_autofree char *module_path = faketree_path(tree, module);
	g_autofree char *index_path = faketree_path(tree, index);
	g_autoptr(GError) link_error = NULL;
	g_autoptr(GError) path_error = NULL;
	g_autoptr(GError) mode_error = NULL;

	put(tree, 'a', "built", 1);
	g_assert_cmpint(g_unlink(module_path), ==, 0);
	faketree_write(tree, "/elsewhere", "built");
	faketree_link(tree, "/elsewhere", module);
	g_assert_null(fetch(tree, 'a', &link_error));
	g_assert_error(link_error, KS_ERROR, KS_ERROR_INVALID);
	g_assert_cmpuint(count(tree), ==, 0);

	put(tree, 'a', "built", 1);
	g_autofree char *text = faketree_read(tree, index);
	g_auto(GStrv) parts = g_strsplit(text, "path=module/foo.ko", -1);
	g_assert_cmpuint(g_strv_length(parts), ==, 2);
	g_autofree char *outside = g_strjoinv("path=module/../../a.ko", parts);
	faketree_write(tree, index, outside);
	g_assert_null(fetch(tree, 'a', &path_error));
	g_assert_error(path_error, KS_ERROR, KS_ERROR_INVALID);

	put(tree, 'a', "built", 1);
	g_assert_cmpint(g_chmod(index_path, 0666), ==, 0);
	g_assert_null(fetch(tree, 'a', &mode_error));
	g_assert_error(mode_error, KS_ERROR, KS_ERROR_INVALID);
}

static void test_trim(struct faketree *tree, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	guint n_removed = 0;

	put(tree, 'a', "aaaaaaa", 300);
	put(tree, 'b', "bbbbbbb", 100);
	put(tree, 'c', "ccccccc", 200);
	faketree_write(tree, STORE ".kmodsmith-tmp-x/index", "left by a killed run");
	g_assert_true(ks_store_trim(tree->system, 1000, &n_removed, &error));
	g_assert_cmpuint(n_removed, ==, 0);
	g_assert_cmpuint(count(tree), ==, 3);
	/* each is ten bytes; b was not used for longest */
	g_assert_true(ks_store_trim(tree->system, 20, &n_removed, &error));
	g_assert_cmpuint(n_removed, ==, 1);
	g_assert_null(fetch(tree, 'b', NULL));
	/* used now: c stays, a goes */
	ks_auto(ks_store_entry) used = fetch(tree, 'c', NULL);
	g_assert_nonnull(used);
	g_assert_true(ks_store_trim(tree->system, 10, &n_removed, &error));
	g_assert_null(fetch(tree, 'a', NULL));
	g_assert_true(ks_store_trim(tree->system, 0, &n_removed, &error));
	g_assert_cmpuint(n_removed, ==, 1);
	g_assert_cmpuint(count(tree), ==, 0);
}

/* Another root's store is read, and never changed. */
static void test_other_tree(struct faketree *tree, gconstpointer data)
{
	struct faketree other;
	g_autofree char *name = fingerprint('a');
	g_autofree char *file = g_strdup_printf(STORE "%s/module/foo.ko", name);
	g_autoptr(GError) error = NULL;

	faketree_set_up(&other, NULL);
	put(tree, 'a', "built", 1);
	ks_auto(ks_store_entry) entry =
		ks_store_fetch(tree->system, name, other.system, TO, &error);
	g_assert_no_error(error);
	g_autofree char *module = faketree_read(&other, TO "/module/foo.ko");
	g_assert_cmpstr(module, ==, "built");
	faketree_write(tree, file, "bulit");
	g_assert_null(ks_store_fetch(tree->system, name, other.system, TO, &error));
	g_assert_nonnull(error);
	g_assert_cmpuint(count(tree), ==, 1);
	faketree_tear_down(&other, NULL);
}

static void limit(int resource, rlim_t value)
{
	struct rlimit limit;

	g_assert_cmpint(getrlimit(resource, &limit), ==, 0);
	limit.rlim_cur = MIN(value, limit.rlim_max);
	g_assert_cmpint(setrlimit(resource, &limit), ==, 0);
}

/* A place that nothing more can be written to. */
static void test_full(struct faketree *tree, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	put(tree, 'a', "more than can be written", 1);
	signal(SIGXFSZ, SIG_IGN);
	limit(RLIMIT_FSIZE, 8);
	g_assert_null(fetch(tree, 'a', &error));
	limit(RLIMIT_FSIZE, RLIM_INFINITY);
	g_assert_nonnull(error);
	g_assert_cmpuint(count(tree), ==, 1);
	g_assert_cmpuint(faketree_count(tree, TO), ==, 0);
	ks_auto(ks_store_entry) entry = fetch(tree, 'a', NULL);
	g_assert_nonnull(entry);
}

/* An earlier version kept objects there, too: nothing uses them any more. */
static void test_another_kind(struct faketree *tree, gconstpointer data)
{
	g_autofree char *name = fingerprint('b');
	g_autofree char *index = g_strdup_printf(STORE "%s/index", name);
	g_autofree char *file = g_strdup_printf(STORE "%s/objects/objects", name);
	g_autofree char *text = g_strdup_printf(
		"[entry]\nschema=1\nfingerprint=%s\nmodule=foo\nversion=1.0\n"
		"release=6.1.0-56-amd64\narch=x86_64\nsandbox-layers=uid\n"
		"objects-key=key\nn-files=1\n[file 0]\npath=objects/objects\n"
		"sha256=%s\nsize=7\n",
		name, name);
	g_autoptr(GError) error = NULL;

	put(tree, 'a', "module", 1);
	faketree_write(tree, index, text);
	faketree_write(tree, file, "objects");
	g_assert_cmpuint(count(tree), ==, 2);
	g_assert_true(ks_store_trim(tree->system, 1 << 20, NULL, &error));
	g_assert_no_error(error);
	g_assert_cmpuint(count(tree), ==, 1);
	ks_auto(ks_store_entry) entry = fetch(tree, 'a', NULL);
	g_assert_nonnull(entry);
}

#define ADD(name, func)                                                                  \
	g_test_add("/store/" name, struct faketree, NULL, faketree_set_up, func,         \
		   faketree_tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("what was put in comes out", test_round);
	ADD("what is damaged is found, and goes", test_damaged);
	ADD("what leads elsewhere is refused", test_hostile);
	ADD("what was not used for longest goes first", test_trim);
	ADD("another tree's is read only", test_other_tree);
	ADD("what finds no room to be copied to stays", test_full);
	ADD("what an earlier version kept for other builds goes", test_another_kind);
	return g_test_run();
}
