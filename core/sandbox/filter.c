/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * seccomp: system calls that no build needs and that are either a way out or a
 * large piece of kernel to attack. A deny list, because builds run programs
 * nobody has listed; but calls newer than the list get ENOSYS, as on an older
 * kernel, and so do programs of a foreign architecture. The other half of the
 * machine's own is none: a 32-bit system on a 64-bit kernel has programs of both.
 */
#include "core/sandbox/filter.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/support/cleanup.h"
#include "core/support/error.h"

/*
 * Beyond any architecture's numbers, of which those of MIPS begin at 4000 and 5000; x32
 * programs, which are refused, are above. 32-bit ARM has a few more, set_tls among them,
 * without which no program begins: Linux, arch/arm/include/uapi/asm/unistd.h.
 */
#define SYSCALL_MAX	  8192
#define ARM_PRIVATE_FIRST 0x0f0000
#define ARM_PRIVATE_END	  0x0f0800

/* By name: the oldest supported libseccomp's headers do not have all of them. */
static const struct {
	const char *name;
	int err;
} denied[] = {
	/* the tree and its mounts */
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
	/* would open sockets unseen by the filter */
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

/* They make a socket, or lead one elsewhere; socketcall(2) is all of them in one. */
static const char *const socket_calls[] = {
	"socket", "socketcall", "connect", "bind", "listen", "accept", "accept4",
};

#define SOCKET_TYPES 16 /* a type is the low four bits, flags are above */

/*
 * Unix sockets, too: one on a read-only mount can be connected to all the same. A pair
 * of stream sockets is a pipe by another name; those that keep the bounds of messages
 * can be sent to any other socket by its name.
 */
static int fill_sockets(scmp_filter_ctx filter)
{
	const uint32_t refuse = SCMP_ACT_ERRNO(EACCES);
	int r = 0;

	for (size_t i = 0; !r && i < sizeof(socket_calls) / sizeof(socket_calls[0]);
	     i++) {
		int number = seccomp_syscall_resolve_name(socket_calls[i]);

		/* below zero: a call that only the other half has */
		if (number != __NR_SCMP_ERROR)
			r = seccomp_rule_add(filter, refuse, number, 0);
	}
	if (!r)
		r = seccomp_rule_add(filter, refuse, SCMP_SYS(socketpair), 1,
				     SCMP_A0(SCMP_CMP_NE, AF_UNIX));
	for (unsigned int type = 0; !r && type < SOCKET_TYPES; type++)
		if (type != SOCK_STREAM)
			r = seccomp_rule_add(
				filter, refuse, SCMP_SYS(socketpair), 1,
				SCMP_A1(SCMP_CMP_MASKED_EQ, SOCKET_TYPES - 1, type));
	/* with an address */
	if (!r)
		r = seccomp_rule_add(filter, refuse, SCMP_SYS(sendto), 1,
				     SCMP_A4(SCMP_CMP_NE, 0));
	return -r;
}

static int filter_fill(scmp_filter_ctx filter, bool network)
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
	if (!r && !network)
		r = -fill_sockets(filter);
	return -r;
}

unsigned int ks_sandbox_filter_last_known(unsigned int arch)
{
	unsigned int last = 0;

	for (unsigned int number = 0; number < SYSCALL_MAX; number++) {
		char *name = seccomp_syscall_resolve_num_arch(arch, (int)number);

		if (name)
			last = number;
		free(name);
	}
	return last;
}

/*
 * Before libseccomp's own program, which cannot compare numbers: any call above
 * last_known is answered without a look at the architecture. Jumps are
 * relative, so that the rest stays as it is.
 */
static bool write_unknown(int fd, unsigned int last_known)
{
	const struct sock_filter program[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, last_known, 0, 3),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, ARM_PRIVATE_FIRST, 0, 1),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, ARM_PRIVATE_END, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
	};

	return write(fd, program, sizeof(program)) == (ssize_t)sizeof(program);
}

/* Numbers are translated from one to the other by libseccomp. */
static const uint32_t halves[][2] = {
	{SCMP_ARCH_X86_64, SCMP_ARCH_X86},
	{SCMP_ARCH_AARCH64, SCMP_ARCH_ARM},
	{SCMP_ARCH_PPC64, SCMP_ARCH_PPC},
	{SCMP_ARCH_S390X, SCMP_ARCH_S390},
};

static int add_other_half(scmp_filter_ctx filter)
{
	const uint32_t native = seccomp_arch_native();

	for (size_t i = 0; i < sizeof(halves) / sizeof(halves[0]); i++)
		for (int j = 0; j < 2; j++)
			if (halves[i][j] == native)
				return seccomp_arch_add(filter, halves[i][!j]);
	return 0;
}

static int filter_write(int fd, scmp_filter_ctx filter, bool network)
{
	int r = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS));

	if (!r)
		r = add_other_half(filter);
	if (!r)
		r = -filter_fill(filter, network);
	if (!r && !write_unknown(fd, ks_sandbox_filter_last_known(SCMP_ARCH_NATIVE)))
		r = -errno;
	if (!r)
		r = seccomp_export_bpf(filter, fd);
	return -r;
}

int ks_sandbox_filter(bool network, GError **error)
{
	static int filters[2] = {-1, -1};
	int *result = &filters[network];
	scmp_filter_ctx filter;
	int err;

	if (*result >= 0)
		return *result;
	ks_autofd int fd = memfd_create("kmodsmith-seccomp", MFD_CLOEXEC);
	if (fd < 0) {
		ks_error_set_errno(error, errno, "sandbox: cannot write the filter");
		return -1;
	}
	filter = seccomp_init(SCMP_ACT_ALLOW);
	err = filter ? filter_write(fd, filter, network) : ENOMEM;
	if (filter)
		seccomp_release(filter);
	if (err) {
		ks_error_set_errno(error, err, "sandbox: cannot make the filter");
		return -1;
	}
	*result = ks_steal_fd(&fd);
	return *result;
}
