/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Landlock: the whole tree can be read and executed, only the writable
 * directories written; no TCP; no abstract sockets and signals out of the
 * sandbox. What the kernel can restrict is asked from it (ABI version);
 * Documentation/userspace-api/landlock.rst.
 */
#include "core/sandbox/launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Newer than the oldest headers we build with. */
#define ACCESS_REFER	 (1ULL << 13)
#define ACCESS_TRUNCATE	 (1ULL << 14)
#define ACCESS_IOCTL_DEV (1ULL << 15)
#define NET_BIND_CONNECT 3ULL
#define SCOPE_ALL	 3ULL /* abstract unix sockets, signals */

struct ruleset_attr {
	uint64_t fs;
	uint64_t net;
	uint64_t scoped;
};

/* What each ABI adds: rights, and the size of the attribute that it knows. */
static const struct abi {
	uint64_t fs, net, scoped;
	size_t attr_size;
} abis[] = {
	{.fs = ACCESS_REFER - 1, .attr_size = 8},
	{.fs = ACCESS_REFER, .attr_size = 8},
	{.fs = ACCESS_TRUNCATE, .attr_size = 8},
	{.net = NET_BIND_CONNECT, .attr_size = 16},
	{.fs = ACCESS_IOCTL_DEV, .attr_size = 16},
	{.scoped = SCOPE_ALL, .attr_size = 24},
};

static const uint64_t read_rights = LANDLOCK_ACCESS_FS_EXECUTE |
				    LANDLOCK_ACCESS_FS_READ_FILE |
				    LANDLOCK_ACCESS_FS_READ_DIR;
/* No build needs to make a device; ioctl on one only where it is listed. */
static const uint64_t never_rights =
	LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK | ACCESS_IOCTL_DEV;
static const uint64_t device_rights = LANDLOCK_ACCESS_FS_READ_FILE |
				      LANDLOCK_ACCESS_FS_WRITE_FILE | ACCESS_TRUNCATE |
				      ACCESS_IOCTL_DEV;

static const uint64_t fifo_rights =
	LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE;

static const char *const devices[] = {
	"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom",
};

static int rule_add_fd(int ruleset, int fd, uint64_t rights)
{
	struct landlock_path_beneath_attr attr = {.allowed_access = rights,
						  .parent_fd = fd};

	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &attr,
		    0) != 0)
		return errno;
	return 0;
}

static int rule_add(int ruleset, const char *path, uint64_t rights)
{
	int fd = open(path, O_PATH | O_CLOEXEC);
	int err;

	if (fd < 0)
		return errno;
	err = rule_add_fd(ruleset, fd, rights);
	close(fd);
	return err;
}

static int rules_add(const struct launch *launch, int ruleset, uint64_t handled)
{
	const struct policy *policy = &launch->policy;
	uint64_t write_rights = handled & ~never_rights;
	int err = rule_add(ruleset, "/", read_rights);

	for (size_t i = 0; !err && i < policy->writable.n; i++)
		err = rule_add(ruleset, policy->writable.v[i], write_rights);
	if (!err && launch->layers & KS_SANDBOX_TMP)
		err = rule_add(ruleset, "/tmp", write_rights);
	if (!err && launch->layers & KS_SANDBOX_DEV)
		err = rule_add(ruleset, "/dev/shm", write_rights);
	if (!err && policy->fifo)
		err = rule_add(ruleset, policy->fifo, fifo_rights & handled);
	/*
	 * The command's own output, also when it opens it again as /dev/stderr.
	 * One that has no path (a pipe) needs no rule, as does an absent device.
	 */
	for (int fd = 0; !err && fd <= 2; fd++)
		rule_add_fd(ruleset, fd, device_rights & handled);
	for (size_t i = 0; !err && i < sizeof(devices) / sizeof(devices[0]); i++)
		rule_add(ruleset, devices[i], device_rights & handled);
	return err;
}

int landlock_apply(const struct launch *launch)
{
	struct ruleset_attr attr = {0};
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0,
			       LANDLOCK_CREATE_RULESET_VERSION);
	size_t size = 0;
	int ruleset, err;

	if (version < 1)
		return version < 0 ? errno : ENOSYS;
	for (long i = 0; i < version && i < (long)(sizeof(abis) / sizeof(abis[0])); i++) {
		attr.fs |= abis[i].fs;
		attr.net |= launch->policy.network ? 0 : abis[i].net;
		attr.scoped |= abis[i].scoped;
		size = abis[i].attr_size;
	}
	ruleset = syscall(SYS_landlock_create_ruleset, &attr, size, 0);
	if (ruleset < 0)
		return errno;
	err = rules_add(launch, ruleset, attr.fs);
	if (!err && syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
		err = errno;
	close(ruleset);
	return err;
}
