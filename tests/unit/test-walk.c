/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The walk that stands for openat2(2) opens what that opens, and refuses what it refuses. */
#include "core/support/walk.h"

#include <errno.h>
#include <linux/openat2.h>
#include <sys/syscall.h>

#include "tests/unit/faketree.h"

static const char *const paths[] = {
	"/",
	".",
	"..",
	"",
	"file",
	"/file",
	"file/",
	"file/.",
	"file/..",
	"dir",
	"dir/",
	"dir/.",
	"dir/..",
	"dir/../..",
	"/../../etc/passwd",
	"dir/sub/../../file",
	"dir//sub/./leaf",
	"none",
	"none/leaf",
	"dir/none",
	"to-file",
	"to-file/",
	"to-dir",
	"to-dir/",
	"to-dir/sub/leaf",
	"to-dir/../file",
	"absolute",
	"absolute/sub",
	"up",
	"up/file",
	"far-up",
	"far-up/etc/passwd",
	"loop",
	"loop/x",
	"dangling",
	"dangling/x",
	"to-slash",
	"to-slash/sub",
	"dir/back",
	"dir/back/dir/back/file",
	"/new",
};

static const int flags[] = {
	O_RDONLY,
	O_PATH,
	O_PATH | O_NOFOLLOW,
	O_RDONLY | O_NOFOLLOW,
	O_RDONLY | O_DIRECTORY,
	O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
	O_RDONLY | O_CREAT | O_EXCL,
};

static const guint64 resolves[] = {
	RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	RESOLVE_BENEATH,
	RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	RESOLVE_BENEATH | RESOLVE_NO_XDEV,
	RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
};

static void make_tree(struct faketree *t)
{
	faketree_write(t, "/file", "x");
	faketree_write(t, "/dir/sub/leaf", "x");
	faketree_link(t, "file", "/to-file");
	faketree_link(t, "dir", "/to-dir");
	faketree_link(t, "/dir", "/absolute");
	faketree_link(t, "..", "/up");
	faketree_link(t, "../../../../../../../..", "/far-up");
	faketree_link(t, "loop", "/loop");
	faketree_link(t, "nothing", "/dangling");
	faketree_link(t, "dir/", "/to-slash");
	faketree_link(t, "../dir/..", "/dir/back");
}

/* "errno N", or which file it is. */
static char *describe(int fd, int err)
{
	struct stat st;

	if (fd < 0)
		return g_strdup_printf("errno %d (%s)", err, g_strerror(err));
	g_assert_cmpint(fstat(fd, &st), ==, 0);
	close(fd);
	return g_strdup_printf("inode %ju, mode %o", (uintmax_t)st.st_ino, st.st_mode);
}

/* What O_CREAT made is the same each time, and gone before the next. */
static char *open_both(int dir, const char *path, int flag, guint64 resolve, bool by_walk)
{
	struct open_how how = {.flags = (guint32)flag | O_CLOEXEC,
			       .mode = flag & O_CREAT ? 0600 : 0,
			       .resolve = resolve};
	int fd = by_walk ? ks_walk_openat(dir, path, flag, 0600, resolve)
			 : (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
	char *text = describe(fd, errno);

	if (fd >= 0 && flag & O_CREAT) {
		g_free(text);
		text = g_strdup("created");
		unlinkat(dir, "none", 0);
		unlinkat(dir, "dir/none", 0);
		unlinkat(dir, "new", 0);
	}
	return text;
}

static bool is_there(int dir)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC};
	ks_autofd int fd = (int)syscall(SYS_openat2, dir, ".", &how, sizeof(how));

	return fd >= 0;
}

static void walk_is_as_the_call(struct faketree *t, gconstpointer data)
{
	ks_autofd int dir = open(t->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	guint n = 0;

	if (dir >= 0 && !is_there(dir)) {
		g_test_skip("no openat2 here to compare with");
		return;
	}
	make_tree(t);
	for (guint p = 0; p < G_N_ELEMENTS(paths); p++)
		for (guint f = 0; f < G_N_ELEMENTS(flags); f++)
			for (guint r = 0; r < G_N_ELEMENTS(resolves); r++) {
				g_autofree char *call = open_both(dir, paths[p], flags[f],
								  resolves[r], false);
				g_autofree char *walk = open_both(dir, paths[p], flags[f],
								  resolves[r], true);

				if (strcmp(call, walk) != 0) {
					g_test_message("'%s' %o %jx: %s, by the walk %s",
						       paths[p], flags[f],
						       (uintmax_t)resolves[r], call,
						       walk);
					n++;
				}
			}
	g_assert_cmpuint(n, ==, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add("/walk/what openat2 opens and refuses the walk does", struct faketree,
		   NULL, faketree_set_up, walk_is_as_the_call, faketree_tear_down);
	return g_test_run();
}
