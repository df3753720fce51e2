/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside the launcher program: single-threaded, libc only.
 *
 * Three processes. The supervisor (main) waits, enforces the time limit and
 * kills; the warden is pid 1 of the new pid namespace, or an ordinary child
 * without one, sets the mounts up and reaps; the command applies the layers
 * that bind one process to itself and executes.
 *
 * A layer function returns 0, or an errno value. launch_missing() decides what
 * a layer that is not available means.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "core/sandbox/layer.h"
#include "core/sandbox/launcher-protocol.h"

struct strings {
	char **v; /* NULL-terminated */
	size_t n;
};

struct policy {
	pid_t parent;
	int root_fd; /* -1 = stay in "/" */
	const char *root_path;
	const char *cwd;
	const char *fifo; /* or NULL */
	struct strings argv, env, writable, bind_source, bind_target, cover_source,
		cover_target, show_source, show_target;
	bool drop; /* uid and gid are given */
	uid_t uid;
	gid_t gid;
	bool require, network;
	bool off; /* no layer but uid, rlimits, pid and cgroup; mounts only for binds */
	unsigned int timeout_s;
	unsigned long long max_file_bytes, max_memory_bytes;
	unsigned long long max_total_bytes, max_processes;
	int filter_fd;
	int pass_fds[KS_SANDBOX_FDS_MAX];
	size_t n_pass_fds;
};

/* The command's own; fd is -1 when none is available. */
struct cgroup {
	int parent_fd, fd;
	char name[48];
};

struct mounts;

struct launch {
	struct policy policy;
	struct cgroup cgroup;
	int report_fd;
	unsigned int layers; /* what is active so far */
	bool shares_ipc;     /* there is no IPC namespace of its own */
	bool no_mount;	     /* tried: mounts are not available here */
	/* While the mounts are set up; else NULL. */
	struct mounts *mounts;
	/* Does a file system of the sandbox's own lie over path? */
	bool (*is_hidden)(const struct launch *launch, const char *path);
};

/* Read the policy from fd. Returns NULL, or what is wrong with it. */
const char *policy_read(struct policy *policy, int fd);

/* Write one line of the report. */
void launch_report(const struct launch *launch, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* "error ...", and end this process. */
_Noreturn void launch_fail(const struct launch *launch, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The same with "unusable ...", where err comes from the file system. */
_Noreturn void launch_fail_command(const struct launch *launch, int err, const char *what,
				   const char *path);
/* A layer is not available: report it, or refuse and end this process. */
void launch_missing(const struct launch *launch, unsigned int layer, int err);

/* Is it an errno value with which a kernel, container or chroot refuses a feature? */
bool launch_is_unavailable(int err);

/*
 * In a new mount namespace: enter the tree, make it read-only except the
 * writable directories, give it a /tmp, /dev and /proc of its own. Fatal
 * errors end the process; an errno value means that mounts are not available
 * here and the caller has to leave the namespace unused.
 */
int mounts_setup(struct launch *launch);

/*
 * launcher-covers.c, while the mount namespace is being made: hold the files
 * while they can be reached, and put them in their places when everything else
 * is there.
 */
void covers_take(const struct launch *launch);
void covers_place(const struct launch *launch);

/* launcher-mounts.c: parts of that. Those that return an int fail with -1 and errno,
 * except mounts_cover(), which returns an errno value. */
int mounts_copy(int dirfd, const char *path, unsigned int flags);
int mounts_attach(int fd, int dirfd, const char *path, unsigned int flags);
int mounts_set(int fd, const char *path, unsigned int flags, unsigned long long set,
	       unsigned long long clear);
int mounts_set_executable(int fd, const char *path, unsigned int flags,
			  unsigned long long set);
int mounts_set_read_only(int fd);
int mounts_cover(const char *path, const char *options);
void mounts_mkdir_parents(const char *path);
/* Make an empty file or directory that one of fd's kind can be mounted on. */
void mounts_place_make(int fd, const char *path);
bool mounts_is_below(const char *path, const char *dir);

/*
 * launcher-show.c: what policy.show_* name. Taken before anything is mounted, and put in
 * place last; between the two, cover what the command's user may not enter.
 */
int shows_take(const struct launch *launch);
int shows_cover(const struct launch *launch);
int shows_restore(const struct launch *launch);

/* The supervisor: make the cgroup (launch->cgroup), kill and remove it. */
void cgroup_make(struct launch *launch);
void cgroup_kill(const struct launch *launch);
void cgroup_remove(const struct launch *launch);
/*
 * Has the kernel killed a process in it because memory was used up? Whose
 * memory ("own", "machine"); or NULL.
 */
const char *cgroup_find_out_of_memory(const struct launch *launch);
/* The warden: go into it, if there is one. */
void cgroup_join(struct launch *launch);

/* Layers of the command's own process, in the order in which they must be applied. */
int rlimits_apply(const struct launch *launch);
int bounding_set_drop(const struct launch *launch);
int uid_apply(const struct launch *launch);
int capabilities_drop(const struct launch *launch);
int no_new_privs_apply(const struct launch *launch);
int landlock_apply(const struct launch *launch);
int seccomp_apply(const struct launch *launch);
int memory_limit_apply(const struct launch *launch);

/* Kill and reap every descendant that was reparented to this process. */
void descendants_kill(void);
