/* SPDX-License-Identifier: GPL-2.0-or-later */
/* openat2(2) with the retries its man page asks for, or what stands for it. */
#include "core/support/openat2.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/support/walk.h"

static bool is_missing; /* found out once: a refused call costs as much as a walk */

int ks_openat2(int dir_fd, const char *path, int flags, mode_t mode, guint64 resolve)
{
	struct open_how how = {
		.flags = (guint32)flags | O_CLOEXEC,
		.mode = flags & O_CREAT ? mode & 07777 : 0,
		.resolve = resolve,
	};
	int tries = 100;
	long fd;

	if (is_missing)
		return ks_walk_openat(dir_fd, path, flags, mode, resolve);
	do
		fd = syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));
	while (fd < 0 && (errno == EINTR || (errno == EAGAIN && --tries > 0)));
	is_missing = fd < 0 && ks_walk_is_needed(errno);
	return is_missing ? ks_walk_openat(dir_fd, path, flags, mode, resolve) : (int)fd;
}
