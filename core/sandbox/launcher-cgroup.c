/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A cgroup (v2) for the command: limits of memory and processes that count all
 * of it together, and a way to kill all of it at once. Where cgroups are not
 * ours to make (most containers, v1 hosts) there is none, which is no fault.
 *
 * Documentation/admin-guide/cgroup-v2.rst: a cgroup with processes in it has
 * no controllers to hand down ("no internal processes"), so the new one stands
 * beside our caller's own, below the same slice, and takes that one's limits
 * over where they are lower; only at the root is it below.
 */
#include "core/sandbox/launcher.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_PREFIX "kmodsmith-build."
#define VALUE_MAX   64

/* The mount point of the v2 hierarchy, if any, in text; proc(5), mountinfo. */
static bool mount_find(char *path, size_t size)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	size_t line_size = 0;
	bool found = false;

	while (file && !found && getline(&line, &line_size, file) > 0) {
		char mount_root[2], mount_point[PATH_MAX];

		if (strstr(line, " - cgroup2 ") &&
		    sscanf(line, "%*s %*s %*s %1s %4095s", mount_root, mount_point) ==
			    2 &&
		    strlen(mount_point) < size) {
			strcpy(path, mount_point);
			found = true;
		}
	}
	free(line);
	if (file)
		fclose(file);
	return found;
}

/* Our own cgroup, "/..."; cgroups(7): the line of v2 begins with "0::". */
static bool own_find(char *path, size_t size)
{
	FILE *file = fopen("/proc/self/cgroup", "re");
	char *line = NULL;
	size_t line_size = 0;
	bool found = false;

	while (file && !found && getline(&line, &line_size, file) > 0) {
		line[strcspn(line, "\n")] = '\0';
		/* "/..": outside of our cgroup namespace */
		found = strncmp(line, "0::/", 4) == 0 && !strstr(line, "/..") &&
			strlen(line + 3) < size;
		if (found)
			strcpy(path, line + 3);
	}
	free(line);
	if (file)
		fclose(file);
	return found;
}

/* The directories of our own cgroup and of where a new one belongs. */
static bool places_find(int *own_fd, int *parent_fd)
{
	char mount[PATH_MAX / 2], own[PATH_MAX / 2], path[PATH_MAX];
	char *slash;

	if (!mount_find(mount, sizeof(mount)) || !own_find(own, sizeof(own)))
		return false;
	snprintf(path, sizeof(path), "%s%s", mount, own);
	*own_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	slash = strrchr(own, '/');
	*slash = '\0';
	snprintf(path, sizeof(path), "%s%s", mount, own);
	*parent_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *own_fd >= 0 && *parent_fd >= 0;
}

/* The number in the name is the launcher's; one that has just begun is still empty. */
static bool is_left_over(const char *name)
{
	const size_t n = strlen(NAME_PREFIX);

	return strncmp(name, NAME_PREFIX, n) == 0 && kill(atoi(name + n), 0) != 0 &&
	       errno == ESRCH;
}

/* The cgroups of killed launchers; a populated one is not removed. */
static void sweep(int parent_fd)
{
	int fd = openat(parent_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		if (is_left_over(entry->d_name))
			unlinkat(parent_fd, entry->d_name, AT_REMOVEDIR);
	}
	if (dir)
		closedir(dir);
	else if (fd >= 0)
		close(fd);
}

static bool value_write(int dir_fd, const char *name, const char *value)
{
	int fd = openat(dir_fd, name, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, value, strlen(value)) == (ssize_t)strlen(value);

	if (fd >= 0)
		close(fd);
	return ok;
}

/* A number; "max", and a file that is not there, are no limit: 0. */
static unsigned long long value_read(int dir_fd, const char *name)
{
	char text[VALUE_MAX];
	int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;

	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	return strtoull(text, NULL, 10);
}

static void limit_set(int own_fd, int fd, const char *name, unsigned long long limit)
{
	unsigned long long own = value_read(own_fd, name);
	char text[VALUE_MAX];

	if (own && (!limit || own < limit))
		limit = own;
	if (!limit)
		return;
	snprintf(text, sizeof(text), "%llu", limit);
	/* No such controller here: the other layers have limits of their own. */
	value_write(fd, name, text);
}

void cgroup_make(struct launch *launch)
{
	const struct policy *policy = &launch->policy;
	struct cgroup *cgroup = &launch->cgroup;
	int own_fd = -1;

	*cgroup = (struct cgroup){.parent_fd = -1, .fd = -1};
	snprintf(cgroup->name, sizeof(cgroup->name), NAME_PREFIX "%d", (int)getpid());
	if (policy->drop && places_find(&own_fd, &cgroup->parent_fd)) {
		sweep(cgroup->parent_fd);
		if (mkdirat(cgroup->parent_fd, cgroup->name, 0755) == 0)
			cgroup->fd = openat(cgroup->parent_fd, cgroup->name,
					    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (cgroup->fd >= 0) {
		limit_set(own_fd, cgroup->fd, "memory.max", policy->max_total_bytes);
		limit_set(own_fd, cgroup->fd, "pids.max", policy->max_processes);
		/* Half a build is no use to anybody. */
		value_write(cgroup->fd, "memory.oom.group", "1");
	}
	if (own_fd >= 0)
		close(own_fd);
}

void cgroup_join(struct launch *launch)
{
	if (launch->cgroup.fd >= 0 && value_write(launch->cgroup.fd, "cgroup.procs", "0"))
		launch->layers |= KS_SANDBOX_CGROUP;
}

void cgroup_kill(const struct launch *launch)
{
	if (launch->cgroup.fd >= 0) /* Linux 5.14 */
		value_write(launch->cgroup.fd, "cgroup.kill", "1");
}

/*
 * memory.events: "oom_kill N", processes in it that were killed, for the limit
 * of any cgroup or the machine's memory; "oom N", how often its own limit was
 * the reason.
 */
const char *cgroup_find_out_of_memory(const struct launch *launch)
{
	int fd = launch->cgroup.fd < 0 ? -1
				       : openat(launch->cgroup.fd, "memory.events",
						O_RDONLY | O_CLOEXEC);
	FILE *file = fd >= 0 ? fdopen(fd, "r") : NULL;
	unsigned long long n_limit = 0, n_killed = 0;
	char line[VALUE_MAX];

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "oom %llu", &n_limit) != 1)
			sscanf(line, "oom_kill %llu", &n_killed);
	}
	if (file)
		fclose(file);
	else if (fd >= 0)
		close(fd);
	if (!n_killed)
		return NULL;
	return n_limit ? "own" : "machine";
}

void cgroup_remove(const struct launch *launch)
{
	if (launch->cgroup.fd >= 0)
		unlinkat(launch->cgroup.parent_fd, launch->cgroup.name, AT_REMOVEDIR);
}
