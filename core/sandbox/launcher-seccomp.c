/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loading the filter that the engine has compiled (filter.h). */
#include "core/sandbox/launcher.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

int seccomp_apply(const struct launch *launch)
{
	/* Static: nothing is allocated this late. */
	static struct sock_filter instructions[BPF_MAXINSNS];
	struct sock_fprog program = {.filter = instructions};
	const int fd = launch->policy.filter_fd;
	struct stat st;

	if (fstat(fd, &st) != 0)
		return errno;
	if (st.st_size <= 0 || st.st_size > (off_t)sizeof(instructions) ||
	    st.st_size % sizeof(instructions[0]) ||
	    pread(fd, instructions, st.st_size, 0) != st.st_size)
		return EBADMSG;
	program.len = st.st_size / sizeof(instructions[0]);
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0 ? 0 : errno;
}
