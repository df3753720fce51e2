/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Limits, identity and capabilities of the command. */
#include "core/sandbox/launcher.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The limit of a uid when the policy has none. */
#define PROCESSES_MAX 4096

static int limit_lower(int resource, rlim_t value)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) != 0)
		return errno;
	if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < value)
		value = limit.rlim_max;
	limit.rlim_cur = limit.rlim_max = value;
	return setrlimit(resource, &limit) == 0 ? 0 : errno;
}

int rlimits_apply(const struct launch *launch)
{
	const struct policy *policy = &launch->policy;
	int err = limit_lower(RLIMIT_CORE, 0);

	if (!err)
		err = limit_lower(RLIMIT_NOFILE, 4096);
	if (!err && policy->max_file_bytes)
		err = limit_lower(RLIMIT_FSIZE, policy->max_file_bytes);
	/* Counted per uid: with the caller's own uid it would count the caller's. */
	if (!err && policy->drop)
		err = limit_lower(RLIMIT_NPROC, policy->max_processes
							? policy->max_processes
							: PROCESSES_MAX);
	return err;
}

/* Apart from the other limits and last: the layers before it still allocate. */
int memory_limit_apply(const struct launch *launch)
{
	const struct policy *policy = &launch->policy;

	return policy->max_memory_bytes ? limit_lower(RLIMIT_AS, policy->max_memory_bytes)
					: 0;
}

int bounding_set_drop(const struct launch *launch)
{
	for (int cap = 0; cap < 64; cap++) {
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0)
			continue;
		if (errno == EINVAL)
			break; /* the last capability of this kernel was the one before */
		/*
		 * Without CAP_SETPCAP (an ordinary user, some containers) the set
		 * stays; no_new_privs makes it ineffective all the same.
		 */
		return errno == EPERM ? 0 : errno;
	}
	return 0;
}

int uid_apply(const struct launch *launch)
{
	const struct policy *policy = &launch->policy;

	if (!policy->drop)
		return EPERM;
	if (setgroups(0, NULL) != 0 ||
	    setresgid(policy->gid, policy->gid, policy->gid) != 0 ||
	    setresuid(policy->uid, policy->uid, policy->uid) != 0)
		return errno;
	return 0;
}

int capabilities_drop(const struct launch *launch)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {{0}};

	/* Fails before Linux 4.3, where there is no ambient set to clear. */
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return syscall(SYS_capset, &header, data) == 0 ? 0 : errno;
}

int no_new_privs_apply(const struct launch *launch)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? 0 : errno;
}
