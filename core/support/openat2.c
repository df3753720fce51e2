/* SPDX-License-Identifier: GPL-2.0-or-later */
/* openat2(2) with the retries its man page asks for. */
#include "core/support/openat2.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

int ks_openat2(int dir_fd, const char *path, int flags, mode_t mode, guint64 resolve)
{
	struct open_how how = {
		.flags = (guint32)flags | O_CLOEXEC,
		.mode = flags & O_CREAT ? mode & 07777 : 0,
		.resolve = resolve,
	};
	int tries = 100;
	long fd;

	do
		fd = syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));
	while (fd < 0 && (errno == EINTR || (errno == EAGAIN && --tries > 0)));
	return (int)fd;
}
