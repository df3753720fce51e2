/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * seccomp: system calls that no build needs and that are either a way out or
 * a large piece of kernel to attack. A deny list, because builds run programs
 * nobody has listed. Programs of a foreign architecture get ENOSYS.
 */
#include "core/sandbox/launcher.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* By name: libseccomp's headers of the floor do not know all of them. */
static const struct {
	const char *name;
	int err;
} denied[] = {
	/* the tree and what is mounted on it */
	{"mount", EPERM},
	{"umount", EPERM},
	{"umount2", EPERM},
	{"pivot_root", EPERM},
	{"chroot", EPERM},
	{"move_mount", EPERM},
	{"open_tree", EPERM},
	{"open_tree_attr", EPERM},
	{"fsopen", EPERM},
	{"fsconfig", EPERM},
	{"fsmount", EPERM},
	{"fspick", EPERM},
	{"mount_setattr", EPERM},
	{"quotactl", EPERM},
	{"quotactl_fd", EPERM},
	{"open_by_handle_at", EPERM},
	{"fanotify_init", EPERM},
	/* new namespaces: user namespaces give capabilities over much kernel code */
	{"unshare", EPERM},
	{"setns", EPERM},
	/* its flags are behind a pointer; libc falls back to clone(2) */
	{"clone3", ENOSYS},
	/* the kernel itself */
	{"init_module", EPERM},
	{"finit_module", EPERM},
	{"delete_module", EPERM},
	{"kexec_load", EPERM},
	{"kexec_file_load", EPERM},
	{"reboot", EPERM},
	{"bpf", EPERM},
	{"perf_event_open", EPERM},
	{"userfaultfd", EPERM},
	{"syslog", EPERM},
	{"acct", EPERM},
	{"swapon", EPERM},
	{"swapoff", EPERM},
	{"iopl", EPERM},
	{"ioperm", EPERM},
	{"settimeofday", EPERM},
	{"clock_settime", EPERM},
	{"clock_settime64", EPERM},
	{"sethostname", EPERM},
	{"setdomainname", EPERM},
	/* would open sockets behind the filter's back */
	{"io_uring_setup", ENOSYS},
	{"io_uring_enter", ENOSYS},
	{"io_uring_register", ENOSYS},
	/* other processes, and keys of the caller's session */
	{"ptrace", EPERM},
	{"process_vm_readv", EPERM},
	{"process_vm_writev", EPERM},
	{"pidfd_getfd", EPERM},
	{"kcmp", EPERM},
	{"keyctl", EPERM},
	{"add_key", EPERM},
	{"request_key", EPERM},
};

static const unsigned long namespace_flags[] = {
	CLONE_NEWNS,  CLONE_NEWUTS, CLONE_NEWIPC,    CLONE_NEWUSER,
	CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWCGROUP,
};

/* The flags are the second argument there; clone(2). */
#if defined(__s390__)
#define CLONE_FLAGS_ARG 1
#else
#define CLONE_FLAGS_ARG 0
#endif

/* Put text into the input of a terminal (CVE-2017-5226 in other sandboxes). */
static const unsigned long terminal_ioctls[] = {TIOCSTI, TIOCLINUX};

static int filter_fill(scmp_filter_ctx filter, const struct policy *policy)
{
	int r = 0;

	for (size_t i = 0; !r && i < sizeof(denied) / sizeof(denied[0]); i++) {
		int number = seccomp_syscall_resolve_name(denied[i].name);

		if (number != __NR_SCMP_ERROR)
			r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(denied[i].err),
					     number, 0);
	}
	for (size_t i = 0; !r && i < sizeof(namespace_flags) / sizeof(namespace_flags[0]);
	     i++) {
		const unsigned long flag = namespace_flags[i];

		r = seccomp_rule_add(
			filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
			SCMP_CMP(CLONE_FLAGS_ARG, SCMP_CMP_MASKED_EQ, flag, flag));
	}
	for (size_t i = 0; !r && i < sizeof(terminal_ioctls) / sizeof(terminal_ioctls[0]);
	     i++)
		r = seccomp_rule_add(
			filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1,
			SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffff, terminal_ioctls[i]));
	if (!r && !policy->network)
		r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(socket), 1,
				     SCMP_A0(SCMP_CMP_NE, AF_UNIX));
	if (!r && !policy->network)
		r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(socketpair),
				     1, SCMP_A0(SCMP_CMP_NE, AF_UNIX));
	return -r;
}

int seccomp_apply(const struct launch *launch)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int err;

	if (!filter)
		return ENOMEM;
	/* no_new_privs is set by its own layer, and is fatal when it fails. */
	err = -seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0);
	if (!err)
		err = -seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH,
					SCMP_ACT_ERRNO(ENOSYS));
	if (!err)
		err = filter_fill(filter, &launch->policy);
	if (!err)
		err = -seccomp_load(filter);
	seccomp_release(filter);
	/* libseccomp 2.5 says so when the kernel has no filters; ECANCELED hides an
	 * errno. */
	return err == ECANCELED ? ENOSYS : err;
}
