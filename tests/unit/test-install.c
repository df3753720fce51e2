/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Placement in a scratch tree. The faults: the n-th effect fails, or the
 * process dies there, for n = 1, 2, 3 ... until it comes through; each time
 * every path must hold the old file or the new one, whole.
 */
#include "core/install/install.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>

#include "core/install/apply.h"
#include "core/install/fault.h"
#include "core/support/error.h"
#include "tests/unit/faketree.h"

#define K	   "6.1.0-1-play"
#define BASE	   "/lib/modules/" K
#define OURS	   BASE "/updates/dkms"
#define N_BYTES	   132000 /* more than one window of the copy */
#define MAX_FAULTS 200
#define DIED	   42

struct fixture {
	struct faketree tree;
	struct ks_kernel kernel;
	struct ks_manifest *old, *new; /* two versions of one module */
};

/* The path for this process. */
static char *path_in(struct fixture *f, const char *path)
{
	return g_build_filename(f->tree.dir, path, NULL);
}

static bool has(struct fixture *f, const char *path)
{
	g_autofree char *full = path_in(f, path);
	struct stat st;

	return lstat(full, &st) == 0;
}

/* The bytes of a made-up module: many windows of the copy, distinguished by text. */
static char *content_of(const char *text)
{
	char *content = g_malloc(N_BYTES + 1);

	for (size_t i = 0; i < N_BYTES; i++)
		content[i] = text[i % strlen(text)];
	content[N_BYTES] = '\0';
	return content;
}

static char *artifact_dir(const char *module, const char *version)
{
	return g_strdup_printf("/var/lib/dkms/%s/%s/" K "/x86_64", module, version);
}

/* Put a file of an artifact there, and into its manifest. */
static void add_file(struct fixture *f, struct ks_manifest *manifest, const char *name,
		     const char *dest_dir, const char *text)
{
	struct ks_manifest_file *file = g_new0(struct ks_manifest_file, 1);
	g_autofree char *dir = artifact_dir(manifest->module, manifest->version);
	g_autofree char *path = g_build_filename(dir, "module", name, NULL);
	g_autofree char *content = content_of(text);

	faketree_write(&f->tree, path, content);
	file->name = g_strdup(name);
	file->dest_dir = g_strdup(dest_dir);
	file->sha256 = g_compute_checksum_for_string(G_CHECKSUM_SHA256, content, N_BYTES);
	file->built_sha256 = g_strdup(file->sha256);
	file->size_bytes = N_BYTES;
	file->aliases = g_new0(char *, 1);
	file->exports = g_new0(char *, 1);
	g_ptr_array_add(manifest->files, file);
}

static struct ks_manifest *old_manifest(struct fixture *f)
{
	struct ks_manifest *manifest = ks_manifest_new("play", "1.0", K, "x86_64");

	add_file(f, manifest, "changes.ko", OURS, "the old one ");
	add_file(f, manifest, "stays.ko", OURS, "the same ");
	add_file(f, manifest, "goes.ko", BASE "/extra", "goes away ");
	return manifest;
}

/* Give it a link into the tree instead of a copy. */
static void make_link(struct ks_manifest *manifest, guint index)
{
	struct ks_manifest_file *file = g_ptr_array_index(manifest->files, index);
	g_autofree char *dir = artifact_dir(manifest->module, manifest->version);

	file->link = g_build_filename(dir, "module", file->name, NULL);
}

static struct ks_manifest *new_manifest(struct fixture *f)
{
	struct ks_manifest *manifest = ks_manifest_new("play", "2.0", K, "x86_64");

	add_file(f, manifest, "changes.ko", OURS, "the new one ");
	add_file(f, manifest, "stays.ko", OURS, "the same ");
	add_file(f, manifest, "comes.ko", BASE "/updates/play/deep", "comes ");
	return manifest;
}

static void set_up(struct fixture *f, gconstpointer data)
{
	faketree_set_up(&f->tree, NULL);
	faketree_mkdir(&f->tree, BASE "/kernel");
	f->kernel = (struct ks_kernel){
		.release = (char *)K,
		.arch = (char *)"x86_64",
		.modules_dir = (char *)BASE,
		.alive = true,
	};
	f->old = old_manifest(f);
	f->new = new_manifest(f);
	if (data) {
		make_link(f->old, 2);
		make_link(f->new, 0);
		make_link(f->new, 2);
	}
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	ks_manifest_free(f->old);
	ks_manifest_free(f->new);
	faketree_tear_down(&f->tree, NULL);
}

static bool place(struct fixture *f, const struct ks_manifest *manifest,
		  const struct ks_manifest *old, GError **error)
{
	g_autofree char *dir = artifact_dir(manifest->module, manifest->version);

	return ks_install_place(f->tree.system, dir, manifest, old, error);
}

static void assert_placed(struct fixture *f, const struct ks_manifest *manifest,
			  const struct ks_manifest *old)
{
	g_autoptr(GError) error = NULL;

	place(f, manifest, old, &error);
	g_assert_no_error(error);
}

static bool holds(struct fixture *f, const char *path, const char *text)
{
	g_autofree char *full = path_in(f, path);
	g_autofree char *expected = text ? content_of(text) : NULL;
	g_autofree char *content = NULL;
	g_autofree char *link = NULL;
	struct stat st;

	if (!text)
		return !has(f, path);
	link = g_file_read_link(full, NULL);
	if (link) {
		g_free(full);
		full = path_in(f, link);
	}
	if (!g_file_get_contents(full, &content, NULL, NULL) || stat(full, &st) < 0)
		return false;
	return !strcmp(content, expected) && (st.st_mode & 07777) == 0644;
}

static bool is_old(struct fixture *f)
{
	return holds(f, OURS "/changes.ko", "the old one ") &&
	       holds(f, OURS "/stays.ko", "the same ") &&
	       holds(f, BASE "/extra/goes.ko", "goes away ") &&
	       holds(f, BASE "/updates/play", NULL);
}

static bool is_new(struct fixture *f)
{
	return holds(f, OURS "/changes.ko", "the new one ") &&
	       holds(f, OURS "/stays.ko", "the same ") && holds(f, BASE "/extra", NULL) &&
	       holds(f, BASE "/updates/play/deep/comes.ko", "comes ");
}

/* At any instant each path has the old file or the new one, whole. */
static void assert_whole(struct fixture *f)
{
	g_assert_true(holds(f, OURS "/changes.ko", "the old one ") ||
		      holds(f, OURS "/changes.ko", "the new one "));
	g_assert_true(holds(f, OURS "/stays.ko", "the same "));
	g_assert_true(holds(f, BASE "/extra/goes.ko", "goes away ") ||
		      holds(f, BASE "/extra/goes.ko", NULL));
	g_assert_true(holds(f, BASE "/updates/play/deep/comes.ko", "comes ") ||
		      holds(f, BASE "/updates/play/deep/comes.ko", NULL));
}

static unsigned int n_leftovers;

static int count_leftover(const char *path, const struct stat *st, int type,
			  struct FTW *ftw)
{
	const char *name = path + ftw->base;

	if (strstr(name, KS_APPLY_STAGED_SUFFIX) || strstr(name, ".kmodsmith-tmp") ||
	    !strcmp(name, "journal"))
		n_leftovers++;
	return 0;
}

static void assert_no_leftovers(struct fixture *f)
{
	n_leftovers = 0;
	g_assert_cmpint(nftw(f->tree.dir, count_leftover, 16, FTW_PHYS), ==, 0);
	g_assert_cmpuint(n_leftovers, ==, 0);
}

static unsigned int fault_countdown;

static int die_at(const char *effect)
{
	if (--fault_countdown == 0)
		_exit(DIED);
	return 0;
}

static int fail_at(const char *effect)
{
	return --fault_countdown == 0 ? EIO : 0;
}

/* Run func in a child that dies at the n-th effect. True when it did die. */
static bool dies(struct fixture *f, bool (*func)(struct fixture *), unsigned int n)
{
	pid_t pid = fork();
	int status;

	g_assert_cmpint(pid, >=, 0);
	if (pid == 0) {
		fault_countdown = n;
		ks_install_fault = die_at;
		_exit(func(f) ? 0 : 1);
	}
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	g_assert_true(WIFEXITED(status));
	g_assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == DIED);
	return WEXITSTATUS(status) == DIED;
}

static bool place_new(struct fixture *f)
{
	const struct ks_manifest *old = f->old;
	const struct ks_manifest *new = f->new;

	return place(f, new, old, NULL);
}

static bool place_old(struct fixture *f)
{
	const struct ks_manifest *old = f->old;
	const struct ks_manifest *new = f->new;

	return place(f, old, new, NULL);
}

static bool unplace_old(struct fixture *f)
{
	const struct ks_manifest *old = f->old;

	return ks_install_unplace(f->tree.system, old, NULL);
}

static bool recover(struct fixture *f)
{
	return ks_install_recover(f->tree.system, NULL, NULL);
}

static void test_place(struct fixture *f, gconstpointer data)
{
	const struct ks_manifest *old = f->old;
	const struct ks_manifest *new = f->new;
	g_autofree char *stays = path_in(f, OURS "/stays.ko");
	struct stat before, after;

	assert_placed(f, old, NULL);
	g_assert_true(is_old(f));
	g_assert_cmpint(stat(stays, &before), ==, 0);
	assert_placed(f, new, old);
	g_assert_true(is_new(f));
	g_assert_cmpint(stat(stays, &after), ==, 0);
	g_assert_cmpuint(before.st_ino, ==, after.st_ino);
	assert_no_leftovers(f);
	assert_placed(f, new, new);
	g_assert_true(is_new(f));
}

static bool is_link(struct fixture *f, const char *path)
{
	g_autofree char *full = path_in(f, path);
	struct stat st;

	return lstat(full, &st) == 0 && S_ISLNK(st.st_mode);
}

static void test_links(struct fixture *f, gconstpointer data)
{
	const struct ks_manifest *old = f->old;
	const struct ks_manifest *new = f->new;
	g_autoptr(GError) error = NULL;

	test_place(f, data);
	g_assert_true(is_link(f, OURS "/changes.ko"));
	g_assert_false(is_link(f, OURS "/stays.ko"));
	g_assert_true(is_link(f, BASE "/updates/play/deep/comes.ko"));
	/* and a copy instead of a link again */
	assert_placed(f, old, new);
	g_assert_true(is_old(f));
	g_assert_false(is_link(f, OURS "/changes.ko"));
	g_assert_true(is_link(f, BASE "/extra/goes.ko"));
	g_assert_true(ks_install_unplace(f->tree.system, old, &error));
	g_assert_false(has(f, BASE "/updates"));
	g_assert_false(has(f, BASE "/extra"));
	assert_no_leftovers(f);
}

/* It was built again for copies, and the run died before they were made. */
static void test_link_not_in_manifest(struct fixture *f, gconstpointer data)
{
	const struct ks_manifest *old = f->old;
	struct ks_manifest_file *file = g_ptr_array_index(old->files, 2);
	g_autoptr(GError) error = NULL;

	assert_placed(f, old, NULL);
	g_clear_pointer(&file->link, g_free);
	g_assert_true(ks_install_unplace(f->tree.system, old, &error));
	g_assert_false(has(f, BASE "/extra"));
}

static void test_link_of_others(struct fixture *f, gconstpointer data)
{
	const struct ks_manifest *old = f->old;
	g_autoptr(GError) error = NULL;

	faketree_write(&f->tree, "/opt/goes.ko", "another one");
	faketree_link(&f->tree, "/opt/goes.ko", BASE "/extra/goes.ko");
	g_assert_false(place(f, old, NULL, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_DENIED);
	g_assert_true(ks_install_unplace(f->tree.system, old, NULL));
	g_assert_true(is_link(f, BASE "/extra/goes.ko"));
}

/* The target of the link is what is installed. */
static void test_link_to_altered(struct fixture *f, gconstpointer data)
{
	const struct ks_manifest *old = f->old;
	struct ks_manifest_file *file = g_ptr_array_index(old->files, 2);
	g_autoptr(GError) error = NULL;

	faketree_write(&f->tree, file->link, "altered");
	g_assert_false(place(f, old, NULL, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_INVALID);
	g_assert_false(has(f, BASE "/updates"));
}

static void test_unplace(struct fixture *f, gconstpointer data)
{
	const struct ks_manifest *old = f->old;
	g_autoptr(GError) error = NULL;

	assert_placed(f, old, NULL);
	faketree_write(&f->tree, OURS "/changes.ko", "altered by somebody");
	g_assert_true(ks_install_unplace(f->tree.system, old, &error));
	g_assert_true(has(f, OURS "/changes.ko"));
	g_assert_false(has(f, OURS "/stays.ko"));
	g_assert_false(has(f, BASE "/extra"));
	g_assert_true(has(f, BASE "/kernel"));
	assert_no_leftovers(f);
	g_assert_true(ks_install_unplace(f->tree.system, old, &error));
}

static void test_unplace_kernel_gone(struct fixture *f, gconstpointer data)
{
	const struct ks_manifest *old = f->old;
	g_autofree char *base = path_in(f, BASE);
	g_autofree char *kernel = path_in(f, BASE "/kernel");
	g_autoptr(GError) error = NULL;

	g_assert_cmpint(rmdir(kernel), ==, 0);
	g_assert_cmpint(rmdir(base), ==, 0);
	g_assert_true(ks_install_unplace(f->tree.system, old, &error));
	g_assert_false(place(f, old, NULL, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_NOT_FOUND);
	g_assert_false(has(f, BASE));
}

static void assert_refused(struct fixture *f, const struct ks_manifest *manifest,
			   enum ks_error code, const char *message)
{
	g_autoptr(GError) error = NULL;

	g_assert_false(place(f, manifest, NULL, &error));
	g_assert_error(error, KS_ERROR, (gint)code);
	g_assert_cmpstr(error->message, ==, message);
	assert_no_leftovers(f);
}

static void test_foreign(struct fixture *f, gconstpointer data)
{
	const struct ks_manifest *old = f->old;
	g_autofree char *same = content_of("goes away ");

	faketree_write(&f->tree, BASE "/extra/goes.ko", "a package's");
	assert_refused(f, old, KS_ERROR_DENIED,
		       "cannot install play/1.0 on " K ": '" BASE
		       "/extra/goes.ko' is there already and belongs to somebody else");
	g_assert_false(has(f, OURS "/stays.ko"));

	faketree_write(&f->tree, BASE "/extra/goes.ko", same);
	faketree_write(&f->tree, OURS "/stays.ko", "left by a killed dkms");
	assert_placed(f, old, NULL);
	g_assert_true(is_old(f));
}

static void test_claimed(struct fixture *f, gconstpointer data)
{
	const struct ks_manifest *old = f->old;
	ks_auto(ks_manifest) other = ks_manifest_new("other", "3.0", K, "x86_64");
	g_autoptr(GError) error = NULL;

	add_file(f, other, "changes.ko", OURS, "another module's ");
	assert_placed(f, other, NULL);
	g_assert_true(ks_tree_add(f->tree.system, "other", "3.0", "/usr/src/other-3.0",
				  &error));
	g_assert_no_error(error);
	g_assert_true(ks_manifest_store(f->tree.system, other,
					"/var/lib/dkms/other/3.0/" K "/x86_64/manifest",
					&error));
	g_assert_no_error(error);
	g_assert_true(
		ks_tree_activate(f->tree.system, "other", "3.0", K, "x86_64", &error));
	g_assert_no_error(error);
	assert_refused(f, old, KS_ERROR_DENIED,
		       "cannot install play/1.0 on " K ": '" OURS
		       "/changes.ko' is there already and belongs to other/3.0");
	g_assert_true(holds(f, OURS "/changes.ko", "another module's "));
}

static void test_altered_artifact(struct fixture *f, gconstpointer data)
{
	const struct ks_manifest *old = f->old;
	const struct ks_manifest *new = f->new;
	g_autoptr(GError) error = NULL;

	assert_placed(f, old, NULL);
	faketree_write(&f->tree, "/var/lib/dkms/play/2.0/" K "/x86_64/module/comes.ko",
		       "not what was built");
	g_assert_false(place(f, new, old, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_INVALID);
	g_assert_true(is_old(f));
	assert_no_leftovers(f);
}

static void test_outside(struct fixture *f, gconstpointer data)
{
	static const char *const dirs[] = {"/etc", BASE "/../x",
					   "/lib/modules/other/updates",
					   BASE "/updates/./dkms", "relative"};

	for (size_t i = 0; i < G_N_ELEMENTS(dirs); i++) {
		ks_auto(ks_manifest) manifest =
			ks_manifest_new("play", "1.0", K, "x86_64");
		g_autoptr(GError) error = NULL;

		add_file(f, manifest, "a.ko", dirs[i], "a");
		g_assert_false(place(f, manifest, NULL, &error));
		g_assert_error(error, KS_ERROR, KS_ERROR_INVALID);
		g_clear_error(&error);
	}
	assert_no_leftovers(f);
}

static void test_no_space(struct fixture *f, gconstpointer data)
{
	const struct ks_manifest *old = f->old;
	g_autofree char *path =
		path_in(f, "/var/lib/dkms/play/1.0/" K "/x86_64/module/goes.ko");
	g_autoptr(GError) error = NULL;

	/* a hole of more than any disk has */
	if (truncate(path, 1LL << 43) < 0) {
		g_test_skip("the file system makes no file of 8 TiB");
		return;
	}
	g_assert_false(place(f, old, NULL, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_NO_SPACE);
	g_assert_false(has(f, BASE "/updates"));
	assert_no_leftovers(f);
}

static void test_link_in_the_way(struct fixture *f, gconstpointer data)
{
	const struct ks_manifest *old = f->old;

	faketree_write(&f->tree, "/etc/precious", "precious");
	faketree_link(&f->tree, "/etc/precious", OURS "/stays.ko");
	faketree_link(&f->tree, "/etc/precious",
		      OURS "/.changes.ko" KS_APPLY_STAGED_SUFFIX);
	assert_placed(f, old, NULL);
	g_assert_true(is_old(f));
	g_assert_true(has(f, "/etc/precious"));
	assert_no_leftovers(f);
}

static void test_killed(struct fixture *f, gconstpointer data)
{
	unsigned int n;

	g_assert_true(place_old(f));
	for (n = 1; dies(f, place_new, n) && n < MAX_FAULTS; n++) {
		assert_whole(f);
		g_assert_true(recover(f));
		g_assert_true(is_old(f) || is_new(f));
		assert_no_leftovers(f);
		g_assert_true(place_old(f));
		g_assert_true(is_old(f));
	}
	g_test_message("%u effects", n - 1);
	g_assert_cmpuint(n, >, data ? 14 : 20); /* a link is nothing to be copied */
	g_assert_cmpuint(n, <, MAX_FAULTS);
	g_assert_true(is_new(f));
}

static void test_killed_in_recovery(struct fixture *f, gconstpointer data)
{
	unsigned int n;

	g_assert_true(place_old(f));
	for (n = 1; dies(f, place_new, n) && n < MAX_FAULTS; n++) {
		for (unsigned int m = 1; dies(f, recover, m) && m < MAX_FAULTS; m++)
			assert_whole(f);
		g_assert_true(is_old(f) || is_new(f));
		assert_no_leftovers(f);
		g_assert_true(place_old(f));
	}
	g_assert_true(is_new(f));
}

static void test_killed_unplacing(struct fixture *f, gconstpointer data)
{
	unsigned int n;

	g_assert_true(place_old(f));
	for (n = 1; dies(f, unplace_old, n) && n < MAX_FAULTS; n++) {
		g_assert_true(recover(f));
		assert_no_leftovers(f);
		g_assert_true(is_old(f) || holds(f, BASE "/updates", NULL));
		g_assert_true(place_old(f));
	}
	g_assert_cmpuint(n, >, 4);
	g_assert_true(holds(f, BASE "/updates", NULL));
	g_assert_true(holds(f, BASE "/extra", NULL));
}

static void test_failing(struct fixture *f, gconstpointer data)
{
	bool ok = false;
	unsigned int n;

	g_assert_true(place_old(f));
	for (n = 1; n < MAX_FAULTS; n++) {
		fault_countdown = n;
		ks_install_fault = fail_at;
		ok = place_new(f);
		ks_install_fault = NULL;
		if (ok)
			break;
		assert_whole(f);
		/* nothing renamed yet: undone at once, without waiting for the
		 * next run */
		if (!has(f, "/var/lib/kmodsmith/journal"))
			g_assert_true(is_old(f));
		g_assert_true(recover(f));
		g_assert_true(is_old(f) || is_new(f));
		assert_no_leftovers(f);
		g_assert_true(place_old(f));
	}
	g_assert_true(ok);
	g_assert_cmpuint(n, >, data ? 14 : 20); /* a link is nothing to be copied */
	g_assert_true(is_new(f));
}

static void test_damaged_staged(struct fixture *f, gconstpointer data)
{
	g_autofree char *staged = path_in(f, OURS "/.changes.ko" KS_APPLY_STAGED_SUFFIX);
	unsigned int n = 1;

	/* die with the journal staged and the first file not yet renamed ... */
	g_assert_true(place_old(f));
	for (;; n++) {
		g_autofree char *journal = path_in(f, "/var/lib/kmodsmith/journal");
		g_autofree char *text = NULL;

		g_assert_true(dies(f, place_new, n));
		if (g_file_get_contents(journal, &text, NULL, NULL) &&
		    strstr(text, "state staged"))
			break;
		g_assert_true(recover(f));
		g_assert_true(is_old(f));
	}
	/* ... and find the staged file cut short by a disk that lied */
	g_assert_cmpint(truncate(staged, 1000), ==, 0);
	g_assert_true(recover(f));
	g_assert_true(holds(f, OURS "/changes.ko", "the old one "));
	assert_no_leftovers(f);
}

static void test_broken_journal(struct fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	unsigned int n = 0;

	faketree_write(&f->tree, "/var/lib/kmodsmith/journal", "rubbish");
	g_assert_true(ks_install_recover(f->tree.system, &n, &error));
	g_assert_cmpuint(n, ==, 1);
	g_assert_true(has(f, "/var/lib/kmodsmith/journal.broken"));
	g_assert_true(ks_install_recover(f->tree.system, &n, &error));
	g_assert_cmpuint(n, ==, 0);

	faketree_write(&f->tree, "/etc/passwd", "root");
	faketree_write(&f->tree, "/var/lib/kmodsmith/journal",
		       "kmodsmith-journal 1\nstate staged\nbase /etc\nremove - "
		       "/etc/passwd\nend\n");
	g_assert_true(ks_install_recover(f->tree.system, &n, &error));
	g_assert_true(has(f, "/etc/passwd"));
}

#define ADD_WITH(name, data, func)                                                       \
	g_test_add("/install/" name, struct fixture, data, set_up, func, tear_down)
#define ADD(name, func)	      ADD_WITH(name, NULL, func)
#define ADD_LINKS(name, func) ADD_WITH("links/" name, "links", func)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("new-files-replace-old-ones-and-equal-ones-stay", test_place);
	ADD("unplacing-leaves-what-somebody-altered", test_unplace);
	ADD("a-kernel-that-is-gone-is-not-made-again", test_unplace_kernel_gone);
	ADD("files-of-others-are-not-overwritten", test_foreign);
	ADD("files-of-another-module-are-not-overwritten", test_claimed);
	ADD("an-artifact-that-is-not-as-its-manifest-says-is-refused",
	    test_altered_artifact);
	ADD("no-manifest-leads-out-of-its-kernel", test_outside);
	ADD("a-full-disk-is-noticed-before-anything-changes", test_no_space);
	ADD("links-in-the-way-are-replaced-not-followed", test_link_in_the_way);
	ADD("killed-anywhere-each-path-is-old-or-new", test_killed);
	ADD("killed-in-the-recovery-as-well", test_killed_in_recovery);
	ADD("killed-while-unplacing-it-is-finished", test_killed_unplacing);
	ADD("failing-anywhere-the-old-stays-or-the-new-comes", test_failing);
	ADD("a-damaged-staged-file-never-gets-the-name", test_damaged_staged);
	ADD("a-journal-that-is-none-is-put-aside", test_broken_journal);
	ADD_LINKS("they-replace-files-and-files-replace-them", test_links);
	ADD_LINKS("one-that-the-manifest-does-not-know-goes-too",
		  test_link_not_in_manifest);
	ADD_LINKS("those-of-others-stay", test_link_of_others);
	ADD_LINKS("what-they-lead-to-is-checked", test_link_to_altered);
	ADD_LINKS("killed-anywhere-each-path-is-old-or-new", test_killed);
	ADD_LINKS("killed-in-the-recovery-as-well", test_killed_in_recovery);
	ADD_LINKS("killed-while-unplacing-it-is-finished", test_killed_unplacing);
	ADD_LINKS("failing-anywhere-the-old-stays-or-the-new-comes", test_failing);
	return g_test_run();
}
