/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names, file lists and the lock of the pacman recorder. */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/support/durable.h"
#include "core/support/error.h"
#include "core/support/treeop.h"
#include "plugins/alpm/entry.h"
#include "plugins/alpm/alpm-lock.h"
#include "plugins/alpm/mtree.h"
#include "plugins/alpm/owners.h"
#include "plugins/alpm/pacname.h"
#include "plugins/alpm/alpm-store.h"

/* --- names */

static void test_names(void)
{
	static const struct {
		const char *given, *name;
	} cases[] = {
		{"kmod-foo-6.1.2-arch1-1", "kmod-foo-6.1.2-arch1-1"},
		{"kmod-tp_smapi-6.1.0", "kmod-tp_smapi-6.1.0"},
		{"kmod-Foo-6.9.0-rc1", "kmod-Foo-6.9.0-rc1"},
		{"kmod-a b:c/d-6", "kmod-a-b-c-d-6"},
		{"kmod-a~b-6", "kmod-a.b-6"},
		{"kmod-\xc3\xa9-6", "kmod----6"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *name = ks_alpm_package_name(cases[i].given);

		g_assert_cmpstr(name, ==, cases[i].name);
	}
}

static void test_versions(void)
{
	static const struct {
		const char *given, *version;
	} cases[] = {
		{"1.2", "1.2-1"},     {"1.2-rc1", "1.2_rc1-1"},
		{"1:2/3", "1.2.3-1"}, {"a b", "a.b-1"},
		{"", "0-1"},	      {"-", "_-1"},
		{"2~3", "2~3-1"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *version = ks_alpm_package_version(cases[i].given);

		g_assert_cmpstr(version, ==, cases[i].version);
	}
}

static void test_split(void)
{
	static const char *const refused[] = {"",     "a",    "a-1", "-1-1",
					      "a--1", "a-1-", "-"};
	g_autofree char *name = NULL;
	g_autofree char *version = NULL;

	g_assert_true(
		ks_alpm_split_entry("kmod-foo-6.1.2-arch1-1-1.0-1", &name, &version));
	g_assert_cmpstr(name, ==, "kmod-foo-6.1.2-arch1-1");
	g_assert_cmpstr(version, ==, "1.0-1");
	for (size_t i = 0; i < G_N_ELEMENTS(refused); i++) {
		g_clear_pointer(&name, g_free);
		g_clear_pointer(&version, g_free);
		g_assert_false(ks_alpm_split_entry(refused[i], &name, &version));
		g_assert_null(name);
	}
}

/* --- mtree */

static GPtrArray *items_of(const char *content, const char *sha256)
{
	GPtrArray *items = g_ptr_array_new_with_free_func(ks_mtree_item_free);
	struct stat st = {.st_mode = S_IFDIR | 0755, .st_mtim.tv_sec = 1000};
	struct ks_mtree_item *item = ks_mtree_item_new("usr", &st);
	int fd = memfd_create("content", MFD_CLOEXEC);

	g_ptr_array_add(items, item);
	g_assert_cmpint(write(fd, content, strlen(content)), ==, strlen(content));
	st.st_mode = S_IFREG | 0644;
	st.st_size = (off_t)strlen(content);
	item = ks_mtree_item_new("usr/a b", &st);
	item->fd = fd;
	item->sha256 = g_strdup(sha256);
	g_ptr_array_add(items, item);
	return items;
}

static char *unpack(GByteArray *packed)
{
	g_autofree char *name = NULL;
	char *argv[] = {(char *)"gzip", (char *)"-dc", NULL, NULL};
	int fd = g_file_open_tmp("XXXXXX.gz", &name, NULL);
	char *out = NULL;

	g_assert_cmpint(write(fd, packed->data, packed->len), ==, packed->len);
	close(fd);
	argv[2] = name;
	g_assert_true(g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
				   &out, NULL, NULL, NULL));
	g_unlink(name);
	return out;
}

#define HELLO_SHA256 "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

static void test_mtree(void)
{
	g_autoptr(GPtrArray) items = items_of("hello", HELLO_SHA256);
	g_autoptr(GPtrArray) again = items_of("hello", NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(GByteArray) first = ks_mtree_format(items, &error);
	g_autoptr(GByteArray) second = ks_mtree_format(again, &error);
	g_autofree char *text = NULL;

	g_assert_no_error(error);
	g_assert_cmpmem(first->data, first->len, second->data, second->len);
	text = unpack(first);
	g_assert_nonnull(strstr(text, "./usr/a\\040b"));
	g_assert_nonnull(strstr(text, "sha256digest=" HELLO_SHA256));
	g_assert_nonnull(strstr(text, "md5digest=5d41402abc4b2a76b9719d911017c592"));
	g_assert_nonnull(strstr(text, "size=5"));
	g_assert_nonnull(strstr(text, "mode=755"));
}

static void test_mtree_refuses(void)
{
	g_autoptr(GPtrArray) other = items_of("world", HELLO_SHA256);
	g_autoptr(GPtrArray) longer = items_of("hello", NULL);
	g_autoptr(GError) error = NULL;

	g_assert_null(ks_mtree_format(other, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_INVALID);
	g_assert_nonnull(strstr(error->message, "'/usr/a b'"));
	g_clear_error(&error);
	((struct ks_mtree_item *)g_ptr_array_index(longer, 1))->st.st_size = 4;
	g_assert_null(ks_mtree_format(longer, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_INVALID);
}

/* --- on a scratch database */

struct fixture {
	char *dir;
	struct ks_system *system;
	struct ks_alpm *alpm;
};

static void put(struct fixture *f, const char *path, const char *content)
{
	g_assert_true(ks_durable_write(f->system->root, path, content, strlen(content),
				       0644, NULL));
}

static bool is_there(struct fixture *f, const char *path)
{
	return ks_root_exists(f->system->root, path);
}

static void set_up(struct fixture *f, gconstpointer data)
{
	f->dir = g_dir_make_tmp("kmodsmith-alpm-XXXXXX", NULL);
	f->system = ks_system_new(f->dir, NULL);
	put(f, "/var/lib/pacman/local/ALPM_DB_VERSION", "9\n");
	f->alpm = ks_alpm_open(f->system, NULL);
	g_assert_nonnull(f->alpm);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	g_autoptr(GPtrArray) names = ks_root_list(f->system->root, "/", NULL);

	for (guint i = 0; i < names->len; i++) {
		g_autofree char *path =
			g_strconcat("/", (char *)g_ptr_array_index(names, i), NULL);

		g_assert_true(ks_treeop_remove(f->system->root, path, NULL));
	}
	ks_alpm_close(f->alpm);
	ks_system_free(f->system);
	g_rmdir(f->dir);
	g_free(f->dir);
}

static void test_version(struct fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	g_assert_true(ks_alpm_check_version(f->alpm, &error));
	put(f, "/var/lib/pacman/local/ALPM_DB_VERSION", "10\n");
	g_assert_false(ks_alpm_check_version(f->alpm, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_INVALID);
	g_assert_nonnull(strstr(error->message, "ALPM_DB_VERSION"));
	g_clear_error(&error);
	g_assert_true(ks_durable_unlink(f->system->root,
					"/var/lib/pacman/local/ALPM_DB_VERSION", NULL));
	g_assert_false(ks_alpm_check_version(f->alpm, &error));
	g_assert_nonnull(error);
}

static void test_configured_path(struct fixture *f, gconstpointer data)
{
	struct ks_alpm *alpm;

	put(f, "/srv/db/local/ALPM_DB_VERSION", "9\n");
	put(f, "/etc/pacman.conf",
	    "#DBPath = /a\nDBPath = /b\n[core]\nDBPath = /c\n[options]\n# DBPath = /d\n"
	    "DBPathX = /e\n  DBPath\t=  /srv/db/ \nDBPath = /f\n");
	alpm = ks_alpm_open(f->system, NULL);
	g_assert_nonnull(alpm);
	g_assert_cmpstr(alpm->path, ==, "/srv/db");
	g_assert_false(alpm->is_locked_above);
	ks_alpm_close(alpm);
}

static void test_lock(struct fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	struct ks_alpm_lock *lock = ks_alpm_lock_take(f->alpm, &error);
	struct stat st;

	g_assert_no_error(error);
	g_assert_true(ks_root_stat(f->system->root, "/var/lib/pacman/db.lck", &st));
	g_assert_cmpint(st.st_size, ==, 0);
	g_assert_cmpint(st.st_mode & 07777, ==, 0);
	/* as any other pacman would find it */
	g_assert_null(ks_alpm_lock_take(f->alpm, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_PENDING);
	g_clear_error(&error);
	/* healing does not take the lock from a living process */
	g_assert_true(ks_alpm_lock_heal(f->alpm, NULL));
	g_assert_true(is_there(f, "/var/lib/pacman/db.lck"));
	ks_alpm_lock_release(lock);
	g_assert_false(is_there(f, "/var/lib/pacman/db.lck"));
	g_assert_false(is_there(f, "/var/lib/pacman/.kmodsmith.lck"));
}

static void test_foreign_lock(struct fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	put(f, "/var/lib/pacman/db.lck", "");
	g_assert_false(ks_alpm_lock_check(f->alpm, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_PENDING);
	g_assert_nonnull(strstr(error->message, "db.lck"));
	g_assert_null(ks_alpm_lock_take(f->alpm, NULL));
	g_assert_true(ks_alpm_lock_heal(f->alpm, NULL));
	g_assert_true(is_there(f, "/var/lib/pacman/db.lck"));
	g_assert_false(is_there(f, "/var/lib/pacman/.kmodsmith.lck"));
}

static void test_left_lock(struct fixture *f, gconstpointer data)
{
	struct ks_alpm_lock *lock;
	pid_t pid;

	if (geteuid() != 0) {
		g_test_skip("needs root: the lock has mode 0");
		return;
	}
	pid = fork();
	if (pid == 0)
		_exit(ks_alpm_lock_take(f->alpm, NULL) ? 0 : 1);
	g_assert_cmpint(waitpid(pid, NULL, 0), ==, pid);
	g_assert_true(is_there(f, "/var/lib/pacman/db.lck"));
	g_assert_true(ks_alpm_lock_heal(f->alpm, NULL));
	g_assert_false(is_there(f, "/var/lib/pacman/db.lck"));
	lock = ks_alpm_lock_take(f->alpm, NULL);
	g_assert_nonnull(lock);
	ks_alpm_lock_release(lock);
}

static int child_sees_lock(struct fixture *f)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct ks_alpm *alpm = ks_alpm_open(f->system, NULL);

		_exit(!alpm ? 2 : alpm->is_locked_above);
	}
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	return WEXITSTATUS(status);
}

static void test_lock_above(struct fixture *f, gconstpointer data)
{
	g_autofree char *path = g_build_filename(f->dir, "var/lib/pacman/db.lck", NULL);
	g_autofree char *other = g_build_filename(f->dir, "db.lck", NULL);
	int fd = open(other, O_CREAT | O_EXCL | O_CLOEXEC | O_WRONLY, 0);

	/* the right name, and another file */
	put(f, "/var/lib/pacman/db.lck", "");
	g_assert_cmpint(child_sees_lock(f), ==, 0);
	close(fd);
	g_unlink(path);
	fd = open(path, O_CREAT | O_EXCL | O_CLOEXEC | O_WRONLY, 0);
	g_assert_cmpint(child_sees_lock(f), ==, 1);
	/* by device and inode, whatever it is called now */
	close(fd);
	g_assert_cmpint(child_sees_lock(f), ==, 0);
}

static void test_hostile_entries(struct fixture *f, gconstpointer data)
{
	g_autofree char *big = g_strnfill(100 * 1024, 'x');
	g_autofree char *fifo = g_build_filename(
		f->dir, "var/lib/pacman/local/kmod-fifo-1-1/changelog", NULL);
	g_autoptr(GPtrArray) entries = NULL;
	g_autoptr(GPtrArray) files = NULL;

	put(f, "/var/lib/pacman/local/kmod-big-1-1/changelog", big);
	put(f, "/var/lib/pacman/local/kmod-cut-1-1/changelog",
	    "protocol=1\nrecords=1\n\nrecord=kmod-cut\nmodule=cut\n");
	put(f, "/var/lib/pacman/local/kmod-other-1-1/changelog",
	    "protocol=1\nrecords=1\n\nrecord=kmod-else\nmodule=a\nversion=1\nkernel=6\n"
	    "digest=x\ncomplete=yes\nours=yes\n\n");
	put(f, "/var/lib/pacman/local/kmod-fifo-1-1/desc", "");
	g_assert_cmpint(mkfifo(fifo, 0644), ==, 0);
	put(f, "/var/lib/pacman/local/kmod-/desc", "");
	put(f, "/var/lib/pacman/local/kmod-file", "no directory");
	put(f, "/var/lib/pacman/local/kmod-29-1/desc", "kmod itself");
	entries = ks_alpm_entries(f->alpm, NULL);
	g_assert_nonnull(entries);
	g_assert_cmpuint(entries->len, ==, 4);
	for (guint i = 0; i < entries->len; i++) {
		const struct ks_alpm_entry *entry = g_ptr_array_index(entries, i);

		g_assert_null(entry->said);
		g_assert_false(entry->complete);
	}
	put(f, "/var/lib/pacman/local/kmod-big-1-1/files",
	    "%FILES%\nusr/\n/etc/passwd\nusr/../etc/passwd\n../x\nusr//x\nusr/a\n./b\n\n"
	    "%BACKUP%\nusr/b\n");
	files = ks_alpm_entry_files(f->alpm, "kmod-big-1-1", NULL);
	g_assert_cmpuint(files->len, ==, 2);
	g_assert_cmpstr(g_ptr_array_index(files, 0), ==, "usr/");
	g_assert_cmpstr(g_ptr_array_index(files, 1), ==, "usr/a");
}

static void test_owners(struct fixture *f, gconstpointer data)
{
	g_autoptr(GPtrArray) paths = g_ptr_array_new();
	g_autoptr(GHashTable) not_of = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GHashTable) owners = NULL;

	put(f, "/var/lib/pacman/local/linux-6-1/desc",
	    "%NAME%\nlinux\n\n%VERSION%\n6-1\n\n");
	put(f, "/var/lib/pacman/local/linux-6-1/files",
	    "%FILES%\nusr/\nusr/lib/\nusr/lib/x.ko\n\n");
	put(f, "/var/lib/pacman/local/mine-1-1/desc",
	    "%NAME%\nmine\n\n%VERSION%\n1-1\n\n");
	put(f, "/var/lib/pacman/local/mine-1-1/files", "%FILES%\nusr/lib/y.ko\n\n");
	g_ptr_array_add(paths, (char *)"usr/lib/x.ko");
	g_ptr_array_add(paths, (char *)"usr/lib/y.ko");
	g_ptr_array_add(paths, (char *)"usr/lib/z.ko");
	g_hash_table_add(not_of, (char *)"mine");
	owners = ks_alpm_owners(f->alpm, paths, not_of, NULL);
	g_assert_cmpuint(g_hash_table_size(owners), ==, 1);
	g_assert_cmpstr(g_hash_table_lookup(owners, "usr/lib/x.ko"), ==, "linux");
	g_test_message("answered by %s",
		       ks_alpm_library() ? ks_alpm_library() : "reading");
}

static void test_sweep(struct fixture *f, gconstpointer data)
{
	put(f, "/var/lib/pacman/.kmodsmith.0123/desc", "half");
	put(f, "/var/lib/pacman/.other/desc", "not ours");
	g_assert_true(ks_alpm_store_sweep(f->alpm, NULL));
	g_assert_false(is_there(f, "/var/lib/pacman/.kmodsmith.0123"));
	g_assert_true(is_there(f, "/var/lib/pacman/.other/desc"));
	g_assert_true(is_there(f, "/var/lib/pacman/local/ALPM_DB_VERSION"));
}

static void add(const char *path, void (*test)(struct fixture *f, gconstpointer data))
{
	g_test_add(path, struct fixture, NULL, set_up, test, tear_down);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	g_test_add_func("/alpm/names keep what pacman allows", test_names);
	g_test_add_func("/alpm/versions have no hyphen but the release's", test_versions);
	g_test_add_func("/alpm/entries are split as libalpm does", test_split);
	g_test_add_func("/alpm/mtree has both digests, the same bytes each time",
			test_mtree);
	g_test_add_func("/alpm/mtree refuses another file", test_mtree_refuses);
	add("/alpm/an unknown format is refused", test_version);
	add("/alpm/DBPath comes from pacman.conf", test_configured_path);
	add("/alpm/the lock is libalpm's", test_lock);
	add("/alpm/a foreign lock is left alone", test_foreign_lock);
	add("/alpm/our lock does not outlive a kill", test_left_lock);
	add("/alpm/an ancestor's lock is known by its inode", test_lock_above);
	add("/alpm/hostile entries are nobody's", test_hostile_entries);
	add("/alpm/owners are found", test_owners);
	add("/alpm/what a kill left is swept", test_sweep);
	return g_test_run();
}
