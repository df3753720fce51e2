/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loading the filter that the engine has compiled (filter.h). */
#include "core/sandbox/launcher.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * System V's shared memory, semaphores and message queues, and POSIX's message queues,
 * stay when their maker is gone. Where they do not go with a namespace there are none.
 * No look at the architecture: the filter that follows refuses others'.
 */
static int seccomp_deny_ipc(void)
{
#define DENY(nr)                                                                         \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),                                   \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)
	static struct sock_filter instructions[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
#ifdef SYS_shmget
		DENY(SYS_shmget),
		DENY(SYS_semget),
		DENY(SYS_msgget),
#endif
#ifdef SYS_ipc /* all of them in one, on older architectures */
		DENY(SYS_ipc),
#endif
		DENY(SYS_mq_open),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
#undef DENY
	const struct sock_fprog program = {
		.len = sizeof(instructions) / sizeof(instructions[0]),
		.filter = instructions,
	};

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0 ? 0 : errno;
}

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
	if (launch->shares_ipc) {
		int err = seccomp_deny_ipc();

		if (err)
			return err;
	}
	program.len = st.st_size / sizeof(instructions[0]);
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0 ? 0 : errno;
}
