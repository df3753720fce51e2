/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/support/write-all.h"

#include <errno.h>
#include <unistd.h>

bool ks_write_all(int fd, const void *data, size_t size_bytes)
{
	const char *at = data;

	while (size_bytes) {
		ssize_t n = write(fd, at, size_bytes);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		at += n;
		size_bytes -= (size_t)n;
	}
	return true;
}
