/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What one build may take of the machine: memory, by the cgroup of the sandbox;
 * and disk, which nothing in the kernel rations for a user without quotas, so
 * it is watched.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "core/compile/compile-private.h"
#include "core/support/error.h"

#define MIB ((guint64)1024 * 1024)

/* Left to the system on the file system of the builds. */
#define RESERVE_PART	   100
#define RESERVE_MAX	   (256 * MIB)
#define RESERVE_INODES_MAX 4096

/*
 * A process that finds the disk full removes what it could not write
 * completely, so look earlier.
 */
#define NEARLY 2

/*
 * Measuring a tree costs a stat of each of its files. It is done when the free
 * space went down by as much as would matter, or when this time is over:
 * others may have made room meanwhile.
 */
#define MEASURE_STEP	  (256 * MIB)
#define MEASURE_PERIOD_US (30 * G_USEC_PER_SEC)

/* No source tree is deeper; files hidden deeper still count as used space. */
#define DEPTH_MAX 128

unsigned long long ks_build_get_memory_limit(const struct ks_settings *settings)
{
	const long long pages = sysconf(_SC_PHYS_PAGES);
	const long long page_bytes = sysconf(_SC_PAGESIZE);

	if (settings->build_memory_mib)
		return settings->build_memory_mib * MIB;
	return pages > 0 && page_bytes > 0 ? pages / 4 * 3 * page_bytes : 0;
}

/* Disk space of everything below dir_fd, which is closed. Links are not followed. */
static guint64 measure(int dir_fd, unsigned int depth)
{
	DIR *dir = dir_fd >= 0 ? fdopendir(dir_fd) : NULL;
	struct dirent *entry;
	guint64 bytes = 0;

	if (!dir && dir_fd >= 0)
		close(dir_fd);
	while (dir && (entry = readdir(dir))) {
		struct stat st;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		    fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		bytes += (guint64)st.st_blocks * 512;
		if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
			bytes += measure(
				openat(dirfd(dir), entry->d_name,
				       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
				depth + 1);
	}
	if (dir)
		closedir(dir);
	return bytes;
}

/* Its tree, and its place and home where those are private, too. */
static int open_all(const struct ks_build *build)
{
	if (build->request->private_build)
		return ks_root_openat(build->system->root, build->work_dir,
				      O_RDONLY | O_DIRECTORY, 0, NULL);
	return openat(build->tree_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static guint64 measure_home(const struct ks_build *build)
{
	if (build->request->private_build)
		return 0;
	return measure(ks_root_openat(build->system->root, build->home_path,
				      O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, NULL),
		       0);
}

static bool is_too_large(struct ks_build *build, guint64 free_bytes)
{
	const guint64 limit = build->settings->build_size_mib * MIB;
	const gint64 now_us = g_get_monotonic_time();
	guint64 bytes;
	struct stat log;

	if (!limit)
		return false;
	if (build->measured_us && now_us - build->measured_us < MEASURE_PERIOD_US &&
	    free_bytes + MIN(MEASURE_STEP, limit / 4) > build->measured_free)
		return false;
	build->measured_us = now_us;
	build->measured_free = free_bytes;
	bytes = measure(open_all(build), 0) + measure_home(build);
	/* in the work directory, too */
	if (!build->request->private_build && fstat(build->log_fd, &log) == 0)
		bytes += (guint64)log.st_blocks * 512;
	return bytes > limit;
}

static guint64 get_reserve(const struct statvfs *fs)
{
	return MIN((guint64)fs->f_blocks * fs->f_frsize / RESERVE_PART, RESERVE_MAX);
}

static guint64 get_free(const struct statvfs *fs)
{
	return (guint64)fs->f_bavail * fs->f_frsize;
}

/* Files take inodes, however small they are; some file systems do not count them. */
static bool is_short_of_inodes(const struct statvfs *fs)
{
	return fs->f_files &&
	       fs->f_favail < MIN(fs->f_files / RESERVE_PART, RESERVE_INODES_MAX);
}

bool ks_build_is_disk_full(const struct ks_build *build)
{
	struct statvfs fs;

	return build->tree_fd >= 0 && fstatvfs(build->tree_fd, &fs) == 0 &&
	       (get_free(&fs) < get_reserve(&fs) * NEARLY || is_short_of_inodes(&fs));
}

void ks_build_check_limits(struct ks_build *build)
{
	struct statvfs fs;
	guint64 free_bytes;

	if (build->state != KS_BUILD_STEP || build->stopped ||
	    fstatvfs(build->tree_fd, &fs) != 0)
		return;
	free_bytes = get_free(&fs);
	if (free_bytes < get_reserve(&fs)) {
		ks_error_set(&build->stopped, KS_ERROR_NO_SPACE,
			     "stopped with %" G_GUINT64_FORMAT
			     " MiB left on the file system of '%s'",
			     free_bytes / MIB, build->tree_path);
	} else if (is_short_of_inodes(&fs)) {
		ks_error_set(&build->stopped, KS_ERROR_NO_SPACE,
			     "stopped with %" G_GUINT64_FORMAT
			     " inodes left on the file system of '%s'",
			     (guint64)fs.f_favail, build->tree_path);
	} else if (is_too_large(build, free_bytes)) {
		ks_error_set(&build->stopped, KS_ERROR_BUILD_FAILED,
			     "stopped after it had written more than %u MiB",
			     build->settings->build_size_mib);
		ks_error_hint(
			&build->stopped,
			"if it needs that much, set 'build-size' in kmodsmith.conf");
	}
	if (build->stopped)
		ks_sandbox_kill(&build->sandbox);
}
