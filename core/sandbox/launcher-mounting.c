/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The single mounts and mount points of which the view is made. */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/sandbox/launcher.h"

/* sys/mount.h and linux/mount.h exclude each other in the libc of the floor. */
int mount(const char *source, const char *target, const char *type, unsigned long flags,
	  const void *data);

int mounts_set(int fd, const char *path, unsigned int flags, unsigned long long set,
	       unsigned long long clear)
{
	struct mount_attr attr = {.attr_set = set, .attr_clr = clear};

	return syscall(SYS_mount_setattr, fd, path, flags, &attr, sizeof(attr));
}

/*
 * Make directories executable that this machine has mounted noexec, be it /var,
 * where builds are, /tmp, or the home with the headers and their programs. When
 * the mount belongs to a user namespace above ours, that is refused (EPERM),
 * and it stays as it is.
 */
int mounts_set_executable(int fd, const char *path, unsigned int flags,
			  unsigned long long set)
{
	if (mounts_set(fd, path, flags, set, MOUNT_ATTR_NOEXEC) == 0)
		return 0;
	return mounts_set(fd, path, flags, set, 0);
}

int mounts_copy(int dirfd, const char *path, unsigned int flags)
{
	return syscall(SYS_open_tree, dirfd, path,
		       OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | flags);
}

int mounts_attach(int fd, int dirfd, const char *path, unsigned int flags)
{
	return syscall(SYS_move_mount, fd, "", dirfd, path,
		       MOVE_MOUNT_F_EMPTY_PATH | flags);
}

int mounts_set_read_only(int fd)
{
	return mounts_set_executable(fd, "", AT_EMPTY_PATH | AT_RECURSIVE,
				     MOUNT_ATTR_RDONLY);
}

bool mounts_is_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return strncmp(path, dir, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

void mounts_mkdir_parents(const char *path)
{
	char *copy = strdup(path);

	for (char *p = copy ? copy + 1 : NULL; p; p = strchr(p + 1, '/')) {
		char c = *p;

		if (c != '/')
			continue;
		*p = '\0';
		mkdir(copy, 0755);
		*p = c;
	}
	free(copy);
	mkdir(path, 0755);
}

int mounts_cover(const char *path, const char *options)
{
	return mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, options) == 0 ? 0
										 : errno;
}

/* Something to mount it on: a directory for a directory, else a file. */
void mounts_place_make(int fd, const char *path)
{
	char *copy = strdup(path);
	char *slash = copy ? strrchr(copy, '/') : NULL;
	struct stat st;

	if (fstat(fd, &st) != 0 || S_ISDIR(st.st_mode)) {
		mounts_mkdir_parents(path);
	} else if (slash) {
		*slash = '\0';
		mounts_mkdir_parents(copy);
		mknod(path, S_IFREG | 0600, 0);
	}
	free(copy);
}
