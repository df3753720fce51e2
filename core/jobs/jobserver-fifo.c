/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/jobs/jobserver-fifo.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/sandbox/sandbox.h"

#define MAKE	   "/usr/bin/make"
#define TIMEOUT_S  10
#define ANSWER_MAX 4096

static char *jobs_dir(const struct ks_system *system)
{
	return g_build_filename(system->state_dir, "jobs", NULL);
}

/* --- what make knows */

/* All that it says, up to ANSWER_MAX bytes; its end is waited for. */
static char *ask(const struct ks_system *system)
{
	/* Without a target it ends with an error, after it has answered. */
	static const char *const argv[] = {MAKE, "-f", "/dev/null",
					   "--eval=$(info $(.FEATURES))", NULL};
	static const char *const env[] = {"LC_ALL=C", NULL};
	struct ks_sandbox_policy policy = {
		.cwd = "/",
		.argv = argv,
		.env = env,
		.timeout_s = TIMEOUT_S,
		.stdin_fd = -1,
		.stderr_fd = -1,
	};
	g_autofree char *text = g_malloc0(ANSWER_MAX + 1);
	struct ks_sandbox sandbox;
	int fds[2], status;
	size_t size = 0;
	ssize_t n;
	bool ok;

	if (pipe2(fds, O_CLOEXEC) != 0)
		return NULL;
	ks_sandbox_identity(system, &policy.uid, &policy.gid);
	policy.stdout_fd = fds[1];
	ok = ks_sandbox_start(system, &policy, &sandbox, NULL);
	close(fds[1]);
	while (ok && size < ANSWER_MAX) {
		n = read(fds[0], text + size, ANSWER_MAX - size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		size += (size_t)n;
	}
	close(fds[0]);
	ok = ok && ks_sandbox_finish(&sandbox, &status, NULL, NULL);
	return ok ? g_steal_pointer(&text) : NULL;
}

static bool has_word(const char *text, const char *word)
{
	g_auto(GStrv) words = text ? g_strsplit_set(text, " \n", -1) : NULL;

	return words && g_strv_contains((const char *const *)words, word);
}

bool ks_jobserver_fifo_is_known(const struct ks_system *system)
{
	static struct stat asked;
	static bool answer;
	struct stat st;

	if (!ks_root_stat(system->root, MAKE, &st) || !S_ISREG(st.st_mode))
		return false;
	if (st.st_dev != asked.st_dev || st.st_ino != asked.st_ino ||
	    st.st_ctim.tv_sec != asked.st_ctim.tv_sec ||
	    st.st_ctim.tv_nsec != asked.st_ctim.tv_nsec) {
		g_autofree char *text = ask(system);

		answer = has_word(text, "jobserver-fifo");
		asked = st;
	}
	return answer;
}

/* --- the file */

/* make ends the value at the first blank; a shell may interpret the rest. */
static bool is_plain_path(const char *path)
{
	for (const char *p = path; *p; p++)
		if (!g_ascii_isalnum(*p) && !strchr("/._+-:@~,=", *p))
			return false;
	return *path == '/';
}

static int open_dir(const struct ks_system *system, const char *dir)
{
	return ks_root_openat(system->root, dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0,
			      NULL);
}

/* The group is the same for all builds, also where each has a uid of its own. */
static bool give_to_builds(const struct ks_system *system, int dir_fd, const char *name)
{
	uid_t uid;
	gid_t gid;

	if (!ks_sandbox_identity(system, &uid, &gid))
		return fchmodat(dir_fd, name, 0600, 0) == 0;
	return fchownat(dir_fd, name, (uid_t)-1, gid, AT_SYMLINK_NOFOLLOW) == 0 &&
	       fchmodat(dir_fd, name, 0660, 0) == 0;
}

static bool open_ends(int dir_fd, const char *name, int fds[2])
{
	fds[0] = openat(dir_fd, name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	fds[1] = fds[0] < 0 ? -1
			    : openat(dir_fd, name,
				     O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	if (fds[1] >= 0)
		return true;
	if (fds[0] >= 0)
		close(fds[0]);
	return false;
}

char *ks_jobserver_fifo_make(const struct ks_system *system, int fds[2])
{
	g_autofree char *dir = jobs_dir(system);
	/* only root can list the directory, and nobody can guess the name */
	g_autofree char *name = g_uuid_string_random();
	g_autofree char *path = g_build_filename(dir, name, NULL);
	int ends[2];

	if (!is_plain_path(path) ||
	    !ks_root_mkdir_p(system->root, system->state_dir, 0755, NULL) ||
	    !ks_root_mkdir_p(system->root, dir, 0711, NULL))
		return NULL;
	ks_autofd int dir_fd = open_dir(system, dir);
	if (dir_fd < 0 || mkfifoat(dir_fd, name, 0600) != 0)
		return NULL;
	if (!give_to_builds(system, dir_fd, name) || !open_ends(dir_fd, name, ends)) {
		unlinkat(dir_fd, name, 0);
		return NULL;
	}
	fds[0] = ends[0];
	fds[1] = ends[1];
	return g_steal_pointer(&path);
}

void ks_jobserver_fifo_remove(const struct ks_system *system, const char *path)
{
	g_autofree char *dir = jobs_dir(system);
	g_autofree char *name = g_path_get_basename(path);
	ks_autofd int dir_fd = open_dir(system, dir);

	if (dir_fd >= 0)
		unlinkat(dir_fd, name, 0);
}

void ks_jobserver_fifo_sweep(const struct ks_system *system)
{
	g_autofree char *dir = jobs_dir(system);
	g_autoptr(GPtrArray) names = ks_root_list(system->root, dir, NULL);
	ks_autofd int dir_fd = names && names->len ? open_dir(system, dir) : -1;

	for (guint i = 0; dir_fd >= 0 && i < names->len; i++) {
		ks_autofd int fd = openat(dir_fd, names->pdata[i],
					  O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);

		if (fd < 0 && errno == ENXIO)
			unlinkat(dir_fd, names->pdata[i], 0);
	}
}
