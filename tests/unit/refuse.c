/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * refuse ERROR CALL... -- PROGRAM [ARGUMENT...]: run PROGRAM where the system answers
 * these system calls with ERROR ("ENOSYS", "EPERM"), as qemu-user does and the profiles
 * of containers that are older than a call. A name that is none is an error: no test
 * passes because of a misspelt one.
 */
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int refuse(scmp_filter_ctx filter, int err, const char *name)
{
	const int number = seccomp_syscall_resolve_name(name);

	if (number == __NR_SCMP_ERROR) {
		fprintf(stderr, "refuse: no system call '%s'\n", name);
		return -1;
	}
	return seccomp_rule_add(filter, SCMP_ACT_ERRNO((unsigned int)err), number, 0);
}

int main(int argc, char **argv)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int err, i;

	if (argc < 5 || !filter)
		return 2;
	err = strcmp(argv[1], "EPERM") == 0 ? EPERM : ENOSYS;
	/* the program below must be able to keep its privileges */
	seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, geteuid() != 0);
	for (i = 2; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (refuse(filter, err, argv[i]) != 0)
			return 2;
	if (i + 1 >= argc || seccomp_load(filter) != 0)
		return 2;
	execvp(argv[i + 1], argv + i + 1);
	perror(argv[i + 1]);
	return 127;
}
