/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a tarball: nothing appears outside of the directory, and no link in it
 * leads out of it. */
#include "core/package/unpack.h"

#include <fcntl.h>
#include <ftw.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"

static char *inside;

static int check_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	g_autofree char *real = NULL;

	g_assert_true(S_ISREG(st->st_mode) || S_ISDIR(st->st_mode) ||
		      S_ISLNK(st->st_mode));
	real = S_ISLNK(st->st_mode) ? realpath(path, NULL) : NULL;
	g_assert_true(!real || g_str_has_prefix(real, inside));
	return 0;
}

static int remove_entry(const char *path, const struct stat *st, int type,
			struct FTW *ftw)
{
	return remove(path);
}

/* In memory where that is possible: each input makes and removes some files. */
static char *make_dir(void)
{
	g_autofree char *dir = g_strdup("/dev/shm/ks-fuzz-XXXXXX");

	return g_mkdtemp(dir) ? g_steal_pointer(&dir)
			      : g_dir_make_tmp("ks-fuzz-XXXXXX", NULL);
}

static int open_bytes(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	g_assert_cmpint(write(fd, data, size), ==, size);
	lseek(fd, 0, SEEK_SET);
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct ks_unpack_limits limits = {1 << 20, 100, 300};
	g_autofree char *dir = make_dir();
	g_autofree char *real = realpath(dir, NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(GDir) list = NULL;
	int archive_fd = open_bytes(data, size);
	int dir_fd;
	bool ok;

	inside = g_build_filename(real, "in", NULL);
	g_mkdir(inside, 0700);
	dir_fd = open(inside, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ok = ks_unpack(archive_fd, "fuzz", dir_fd, &limits, &error);
	g_assert_true(ok == (error == NULL));
	close(dir_fd);
	close(archive_fd);
	nftw(inside, check_entry, 16, FTW_PHYS);
	list = g_dir_open(dir, 0, NULL);
	g_assert_cmpstr(g_dir_read_name(list), ==, "in");
	g_assert_null(g_dir_read_name(list));
	nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	g_clear_pointer(&inside, g_free);
	return 0;
}
