/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that the command sees in the place of others. Nothing depends on them: one that
 * cannot be placed is left out.
 */
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/sandbox/launcher.h"

#define COVERS_MAX 16

static int fds[COVERS_MAX]; /* detached copies; -1: none */

static int take(const char *path)
{
	/* It has to be executable, even if /var is mounted noexec. */
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID,
				  .attr_clr = MOUNT_ATTR_NOEXEC};
	int fd = syscall(SYS_open_tree, AT_FDCWD, path,
			 OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (fd < 0 ||
	    syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* A link may lead to one program that has many names: the others stay what they are. */
static bool has_its_name(const char *path)
{
	const char *name = strrchr(path, '/');
	char real[PATH_MAX];
	const char *real_name;

	if (!realpath(path, real))
		return false;
	real_name = strrchr(real, '/');
	return name && real_name && strcmp(name, real_name) == 0;
}

void covers_take(const struct launch *launch)
{
	const struct policy *policy = &launch->policy;

	for (size_t i = 0; i < policy->cover_source.n && i < COVERS_MAX; i++)
		fds[i] = take(policy->cover_source.v[i]);
}

void covers_place(const struct launch *launch)
{
	const struct policy *policy = &launch->policy;

	for (size_t i = 0; i < policy->cover_source.n && i < COVERS_MAX; i++) {
		const char *target = policy->cover_target.v[i];

		if (fds[i] < 0)
			continue;
		if (has_its_name(target))
			syscall(SYS_move_mount, fds[i], "", AT_FDCWD, target,
				MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS);
		close(fds[i]);
	}
}
