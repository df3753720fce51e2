/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * make.log as dkms writes it (3.4.3): two head lines, then for each step an
 * empty line, what it is, "# command: ", the output, an empty line, "# exit
 * code: ", "# elapsed time: " and 64 dashes.
 *
 * The file is outside the build tree, below a directory of root's, and open for
 * appending in the build: it can be spoilt from there, but not be made to lead
 * elsewhere. Failing to write to it does not fail the build.
 */
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/compile/compile-private.h"
#include "core/support/error.h"
#include "core/support/write-all.h"

/* This much of one step's output is searched for its first error. */
#define SEARCH_MAX (16u << 20)

/* The log that is kept: a sparse or endless one must not fill root's disk. */
#define HEAD_MAX (48u << 20)
#define TAIL_MAX (1u << 20)

void ks_build_log_line(struct ks_build *build, const char *format, ...)
{
	g_autofree char *text = NULL;
	g_autofree char *line = NULL;
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	line = g_strconcat(text, "\n", NULL);
	/* a full disk is the next step's to report */
	ks_ignore(ks_write_all(build->log_fd, line, strlen(line)));
}

/* The date as date(1) prints it without a locale: "Sat Nov 21 14:52:32 UTC 2026". */
static char *format_date(GDateTime *now)
{
	static const char *const days[] = {"Mon", "Tue", "Wed", "Thu",
					   "Fri", "Sat", "Sun"};
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	g_autofree char *time = g_date_time_format(now, "%H:%M:%S UTC %Y");

	return g_strdup_printf("%s %s %2d %s", days[g_date_time_get_day_of_week(now) - 1],
			       months[g_date_time_get_month(now) - 1],
			       g_date_time_get_day_of_month(now), time);
}

bool ks_build_log_open(struct ks_build *build, GError **error)
{
	const struct ks_build_request *request = build->request;
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	g_autofree char *date = format_date(now);

	build->log_fd = ks_root_openat(build->system->root, build->log_path,
				       O_RDWR | O_APPEND | O_CREAT | O_EXCL, 0644, error);
	if (build->log_fd < 0)
		return false;
	/* Makefiles open /dev/stderr, which opens the file again. */
	if (build->is_root && fchown(build->log_fd, build->uid, build->gid) != 0) {
		ks_error_set_errno(error, errno, "cannot give '%s' to the build user",
				   build->log_path);
		return false;
	}
	ks_build_log_line(build,
			  "DKMS (kmodsmith-%s) make.log for %s/%s for kernel %s (%s)",
			  PACKAGE_VERSION, request->module, request->version,
			  request->kernel->release, request->kernel->arch);
	ks_build_log_line(build, "%s", date);
	return true;
}

void ks_build_log_step(struct ks_build *build, const struct ks_build_step *step)
{
	struct stat st;

	ks_build_log_line(build, "\n%s", step->description);
	ks_build_log_line(build, "# command: %s", step->command);
	build->step_offset = fstat(build->log_fd, &st) == 0 ? st.st_size : 0;
}

void ks_build_log_end(struct ks_build *build, int wait_status, gint64 elapsed_us)
{
	gint64 s = (elapsed_us + G_USEC_PER_SEC / 2) / G_USEC_PER_SEC;
	int code = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status)
					  : 128 + WTERMSIG(wait_status);

	ks_build_log_line(build, "\n# exit code: %d", code);
	ks_build_log_line(build, "# elapsed time: %02d:%02d:%02d", (int)(s / 3600),
			  (int)(s / 60 % 60), (int)(s % 60));
	ks_build_log_line(
		build,
		"----------------------------------------------------------------");
}

/* The log of the last step, as much of it as is searched; NULL when it is empty. */
static char *read_step(const struct ks_build *build, size_t *result_size)
{
	struct stat st;
	g_autofree char *text = NULL;
	size_t size = 0, want;

	if (build->log_fd < 0 || fstat(build->log_fd, &st) != 0 ||
	    st.st_size <= build->step_offset)
		return NULL;
	want = MIN(st.st_size - build->step_offset, SEARCH_MAX);
	text = g_malloc(want);
	while (size < want) {
		ssize_t n = pread(build->log_fd, text + size, want - size,
				  build->step_offset + size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		size += n;
	}
	*result_size = size;
	return g_steal_pointer(&text);
}

char *ks_build_log_first_error(const struct ks_build *build)
{
	size_t size = 0;
	g_autofree char *text = read_step(build, &size);

	return text ? ks_build_first_error(text, size) : NULL;
}

char *ks_build_log_obstacle(const struct ks_build *build)
{
	size_t size = 0;
	g_autofree char *text = read_step(build, &size);

	return text ? ks_build_find_obstacle(build, text, size) : NULL;
}

char *ks_build_log_remedy(const struct ks_build *build)
{
	const struct ks_kernel *kernel = build->request->kernel;
	const struct ks_root *root = build->system->root;
	g_autofree char *source = g_build_filename(kernel->modules_dir, "source", NULL);
	g_autofree char *real = ks_root_realpath(root, kernel->headers_dir);
	g_autofree char *real_source = ks_root_realpath(root, source);
	const char *const dirs[] = {kernel->headers_dir, real ? real : source,
				    real_source ? real_source : source, NULL};
	size_t size = 0;
	g_autofree char *text = read_step(build, &size);

	return text ? ks_build_find_remedy(build->system, dirs, kernel->release, text,
					   size)
		    : NULL;
}

bool ks_build_log_rewind(struct ks_build *build)
{
	static const char mark[] = "\n[a part of this log is left out]\n";
	g_autofree char *tail = NULL;
	struct stat st;
	ssize_t n;

	if (fstat(build->log_fd, &st) != 0)
		return false;
	if (st.st_size > HEAD_MAX + TAIL_MAX) {
		tail = g_malloc(TAIL_MAX);
		n = pread(build->log_fd, tail, TAIL_MAX, st.st_size - TAIL_MAX);
		if (n < 0 || ftruncate(build->log_fd, HEAD_MAX) != 0 ||
		    lseek(build->log_fd, 0, SEEK_END) < 0 ||
		    !ks_write_all(build->log_fd, mark, strlen(mark)) ||
		    !ks_write_all(build->log_fd, tail, (size_t)n))
			return false;
	}
	return lseek(build->log_fd, 0, SEEK_SET) == 0;
}
