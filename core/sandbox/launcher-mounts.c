/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tree as the command sees it: everything read-only but the writable
 * directories; a /tmp, /dev and /proc of its own.
 *
 * Runs as root in a new mount namespace, before any third-party code, so paths
 * are the engine's and need no protection against races. The new mount API
 * (open_tree, move_mount, mount_setattr: Linux 5.12) has no wrappers in the
 * libc of the floor.
 */
#include "core/sandbox/launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* sys/mount.h and linux/mount.h exclude each other in the libc of the floor. */
int mount(const char *source, const char *target, const char *type, unsigned long flags,
	  const void *data);

/* A directory, or FIFO, that must be seen at its place although something covers it. */
struct kept {
	const char *path;
	int fd; /* a detached copy of an existing mount */
	bool writable;
};

struct device {
	const char *name;
	unsigned int major, minor;
};

static const struct device devices[] = {
	{"null", 1, 3},	  {"zero", 1, 5},    {"full", 1, 7},
	{"random", 1, 8}, {"urandom", 1, 9},
};
#define N_DEVICES (sizeof(devices) / sizeof(devices[0]))

static const struct {
	const char *target, *path;
} device_links[] = {
	{"/proc/self/fd", "/dev/fd"},
	{"/proc/self/fd/0", "/dev/stdin"},
	{"/proc/self/fd/1", "/dev/stdout"},
	{"/proc/self/fd/2", "/dev/stderr"},
};

/*
 * Covered by a file system of the sandbox's own. /run because of the sockets in
 * it: one can be connected to on a read-only mount, too, and what listens there
 * (a message bus, the log, container daemons) is not ours to expose.
 */
static const struct {
	const char *path, *options;
} covered[] = {
	{"/tmp", "mode=1777"},
	{"/run", "mode=0755,size=1m"},
};
#define N_COVERED (sizeof(covered) / sizeof(covered[0]))

struct mounts {
	struct launch *launch;
	bool is_covered[N_COVERED];
	struct kept *kept;
	size_t n_kept;
	int device_fds[N_DEVICES]; /* from the caller's /dev; -1 = not available */
};

static bool may_be_covered(const char *path)
{
	for (size_t i = 0; i < N_COVERED; i++) {
		if (mounts_is_below(path, covered[i].path))
			return true;
	}
	return false;
}

static bool is_hidden(const struct launch *launch, const char *path)
{
	const struct mounts *m = launch->mounts;

	for (size_t i = 0; i < N_COVERED; i++) {
		if (m->is_covered[i] && mounts_is_below(path, covered[i].path))
			return true;
	}
	return false;
}

static bool is_directory(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/*
 * EINVAL when "/" is no mount point: a chroot into a plain directory. Nothing
 * can be mounted there without the host's mounts seeing it.
 */
static int root_make_private(struct mounts *m)
{
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 ? 0 : errno;
}

/* The caller's device nodes, while they can still be reached. */
static int devices_take(struct mounts *m)
{
	for (size_t i = 0; i < N_DEVICES; i++) {
		struct stat st;
		char path[32];

		snprintf(path, sizeof(path), "/dev/%s", devices[i].name);
		m->device_fds[i] = -1;
		/* A broken chroot may have a regular file there. */
		if (stat(path, &st) == 0 && S_ISCHR(st.st_mode) &&
		    st.st_rdev == makedev(devices[i].major, devices[i].minor))
			m->device_fds[i] = mounts_copy(AT_FDCWD, path, 0);
	}
	return 0;
}

/*
 * The tree's directory as this mount namespace knows it: mounts cannot be made
 * through a descriptor of the caller's. Returns a descriptor or -1 with errno.
 */
static int tree_find(const struct policy *policy)
{
	int fd = open(policy->root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat expected, found;

	if (fd < 0)
		return -1;
	if (fstat(policy->root_fd, &expected) == 0 && fstat(fd, &found) == 0 &&
	    found.st_dev == expected.st_dev && found.st_ino == expected.st_ino)
		return fd;
	close(fd);
	errno = ESTALE;
	return -1;
}

/* Bind the directory onto itself, so that it is a mount point, and go there. */
static int tree_enter(struct mounts *m)
{
	const struct policy *policy = &m->launch->policy;
	int tree_fd, fd;

	if (policy->root_fd < 0)
		return 0;
	tree_fd = tree_find(policy);
	if (tree_fd < 0)
		return errno;
	fd = mounts_copy(tree_fd, "", AT_EMPTY_PATH | AT_RECURSIVE);
	if (fd < 0)
		return errno;
	if (mounts_attach(fd, tree_fd, "", MOVE_MOUNT_T_EMPTY_PATH) != 0 ||
	    fchdir(fd) != 0 || chroot(".") != 0)
		return errno;
	close(fd);
	close(tree_fd);
	return 0;
}

static int binds_make(struct mounts *m)
{
	const struct policy *policy = &m->launch->policy;

	for (size_t i = 0; i < policy->bind_source.n; i++) {
		const char *source = policy->bind_source.v[i];
		const char *target = policy->bind_target.v[i];
		int fd = mounts_copy(AT_FDCWD, source, AT_RECURSIVE);

		if (fd < 0 ||
		    mounts_attach(fd, AT_FDCWD, target, MOVE_MOUNT_T_SYMLINKS) != 0) {
			int err = errno;

			if (launch_is_unavailable(err))
				return err;
			launch_fail(m->launch, err, "cannot show '%s' at '%s'", source,
				    target);
		}
		close(fd);
	}
	return 0;
}

static int keep(struct mounts *m, const char *path, bool writable)
{
	struct kept *kept = &m->kept[m->n_kept];

	kept->path = path;
	kept->writable = writable;
	kept->fd = mounts_copy(AT_FDCWD, path, AT_RECURSIVE);
	if (kept->fd < 0 && launch_is_unavailable(errno))
		return errno;
	if (kept->fd < 0)
		launch_fail(m->launch, errno, "cannot open '%s'", path);
	m->n_kept++;
	return 0;
}

/*
 * Keep the writable directories; and, as far as a private /tmp or /run would
 * hide them, the program's directory (an uninstalled build), the working
 * directory, the FIFO and the sources of binds.
 */
static int directories_keep(struct mounts *m)
{
	const struct policy *policy = &m->launch->policy;
	char *program = policy->argv.n ? strdup(policy->argv.v[0]) : NULL;
	int err = 0;

	m->kept =
		calloc(policy->writable.n + policy->bind_target.n + 3, sizeof(*m->kept));
	if (!m->kept)
		return ENOMEM;
	if (program && may_be_covered(program) && strrchr(program, '/') > program + 4) {
		*strrchr(program, '/') = '\0';
		err = keep(m, program, false);
	}
	if (!err && may_be_covered(policy->cwd) && policy->cwd[4])
		err = keep(m, policy->cwd, false);
	/* One can be written on a read-only mount. */
	if (!err && policy->fifo && may_be_covered(policy->fifo))
		err = keep(m, policy->fifo, false);
	for (size_t i = 0; !err && i < policy->bind_target.n; i++) {
		if (may_be_covered(policy->bind_target.v[i]))
			err = keep(m, policy->bind_target.v[i], false);
	}
	/* Last, so that they lie on top. */
	for (size_t i = 0; !err && i < policy->writable.n; i++)
		err = keep(m, policy->writable.v[i], true);
	return err;
}

static int root_make_read_only(struct mounts *m)
{
	return mounts_set_executable(AT_FDCWD, "/", AT_RECURSIVE, MOUNT_ATTR_RDONLY) == 0
		       ? 0
		       : errno;
}

static int cover(struct mounts *m, size_t i)
{
	int err = is_directory(covered[i].path)
			  ? mounts_cover(covered[i].path, covered[i].options)
			  : ENOENT;

	m->is_covered[i] = !err;
	return err;
}

static int private_make(struct mounts *m)
{
	int err = cover(m, 0);

	if (err)
		launch_missing(m->launch, KS_SANDBOX_TMP, err);
	else
		m->launch->layers |= KS_SANDBOX_TMP;
	err = cover(m, 1);
	if (err && err != ENOENT)
		launch_report(m->launch, "missing run %d", err);
	return 0;
}

static int directories_restore(struct mounts *m)
{
	for (size_t i = 0; i < m->n_kept; i++) {
		struct kept *kept = &m->kept[i];
		bool hidden = is_hidden(m->launch, kept->path);

		if (hidden)
			mounts_place_make(kept->fd, kept->path);
		if (mounts_set_executable(kept->fd, "", AT_EMPTY_PATH | AT_RECURSIVE,
					  kept->writable ? 0 : MOUNT_ATTR_RDONLY) != 0)
			return errno;
		if ((hidden || kept->writable) &&
		    mounts_attach(kept->fd, AT_FDCWD, kept->path,
				  MOVE_MOUNT_T_SYMLINKS) != 0)
			return errno;
		close(kept->fd);
	}
	free(m->kept);
	return 0;
}

static int device_place(const struct mounts *m, size_t i)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/dev/%s", devices[i].name);
	if (m->device_fds[i] < 0)
		return mknod(path, S_IFCHR | 0666,
			     makedev(devices[i].major, devices[i].minor)) == 0 &&
				       chmod(path, 0666) == 0
			       ? 0
			       : errno;
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0666);
	if (fd < 0)
		return errno;
	close(fd);
	return mounts_attach(m->device_fds[i], AT_FDCWD, path, 0) == 0 ? 0 : errno;
}

static int dev_make(struct mounts *m)
{
	int err = 0;

	if (!is_directory("/dev"))
		err = ENOENT;
	else if (mount("tmpfs", "/dev", "tmpfs", MS_NOSUID | MS_NOEXEC,
		       "mode=0755,size=64m") != 0)
		err = errno;
	if (err) {
		launch_missing(m->launch, KS_SANDBOX_DEV, err);
		return 0;
	}
	for (size_t i = 0; i < N_DEVICES; i++) {
		err = device_place(m, i);
		if (err && i == 0) /* nothing builds without /dev/null */
			launch_fail(m->launch, err, "cannot make '/dev/null'");
	}
	for (size_t i = 0; i < sizeof(device_links) / sizeof(device_links[0]); i++) {
		if (symlink(device_links[i].target, device_links[i].path) != 0)
			return errno;
	}
	if (mkdir("/dev/shm", 01777) != 0 || chmod("/dev/shm", 01777) != 0)
		return errno;
	m->launch->layers |= KS_SANDBOX_DEV;
	return 0;
}

/*
 * Only the sandbox's own processes are seen there. Refused in containers whose
 * /proc is masked: then the old one stays, read-only as everything else.
 */
static int proc_make(struct mounts *m)
{
	if (m->launch->layers & KS_SANDBOX_PID && is_directory("/proc") &&
	    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY,
		  NULL) != 0)
		launch_report(m->launch, "missing proc %d", errno);
	return 0;
}

static int covers_hold(struct mounts *m)
{
	covers_take(m->launch);
	return 0;
}

static int covers_set(struct mounts *m)
{
	covers_place(m->launch);
	return 0;
}

/* "off": nothing is read-only, and noexec is no obstacle either. */
static int root_make_executable(struct mounts *m)
{
	(void)mounts_set_executable(AT_FDCWD, "/", AT_RECURSIVE, 0);
	return 0;
}

static int show_take(struct mounts *m)
{
	return shows_take(m->launch);
}

static int show_cover(struct mounts *m)
{
	return shows_cover(m->launch);
}

static int show_restore(struct mounts *m)
{
	return shows_restore(m->launch);
}

int mounts_setup(struct launch *launch)
{
	static int (*const steps[])(struct mounts *) = {
		root_make_private, devices_take, tree_enter,	      covers_hold,
		show_take,	   binds_make,	 directories_keep,    root_make_read_only,
		private_make,	   show_cover,	 directories_restore, show_restore,
		dev_make,	   proc_make,	 covers_set,
	};
	static int (*const steps_off[])(struct mounts *) = {
		root_make_private,    tree_enter, covers_hold,	show_take, binds_make,
		root_make_executable, show_cover, show_restore, proc_make, covers_set,
	};
	const bool off = launch->policy.off;
	const size_t n = off ? sizeof(steps_off) / sizeof(steps_off[0])
			     : sizeof(steps) / sizeof(steps[0]);
	struct mounts mounts = {.launch = launch};

	launch->mounts = &mounts;
	launch->is_hidden = is_hidden;
	for (size_t i = 0; i < n; i++) {
		int err = (off ? steps_off : steps)[i](&mounts);

		if (err && launch_is_unavailable(err))
			return err;
		if (err)
			launch_fail(launch, err, "cannot set up the mounts");
	}
	launch->mounts = NULL;
	/* Everything can be seen and written as usual: nobody may rely on this layer. */
	if (off)
		launch->layers &= ~(unsigned int)KS_SANDBOX_MOUNT;
	return 0;
}
