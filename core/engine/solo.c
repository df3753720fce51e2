/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See solo.h. */
#include "core/engine/solo.h"

#include <errno.h>
#include <poll.h>

#include "core/jobs/memory.h"
#include "core/jobs/wrapper.h"
#include "core/support/error.h"

#define TICK_MS 1000

static struct ks_build_result *drive(struct ks_build *build,
				     struct ks_jobserver *jobserver,
				     const volatile sig_atomic_t *cancelled,
				     GError **error)
{
	struct ks_build_result *result = NULL;

	for (;;) {
		struct pollfd pollfd = {.fd = ks_build_poll_fd(build), .events = POLLIN};
		int n = poll(&pollfd, 1, TICK_MS);

		if (cancelled && *cancelled) {
			ks_build_cancel(build);
			ks_error_set(error, KS_ERROR_CANCELLED, "interrupted");
			return NULL;
		}
		if (n < 0 && errno != EINTR) {
			ks_error_set_errno(error, errno, "cannot wait for the build");
			return NULL;
		}
		ks_build_check_limits(build);
		ks_jobserver_balance(jobserver);
		if (n > 0 && ks_build_advance(build, &result))
			return result;
	}
}

struct ks_build_result *ks_solo_build(const struct ks_system *system,
				      const struct ks_settings *settings,
				      const struct ks_build_request *request,
				      const volatile sig_atomic_t *cancelled,
				      GError **error)
{
	unsigned int n_jobs =
		settings->n_jobs ? settings->n_jobs : g_get_num_processors();
	ks_auto(ks_jobserver) jobserver = ks_jobserver_open(
		system, ks_memory_limit_jobs(n_jobs, settings->memory_per_job_mib),
		g_getenv("MAKEFLAGS"), error);
	struct ks_build_result *result = NULL;
	ks_auto(ks_build) build = NULL;

	if (!jobserver || !ks_wrapper_place(system, error))
		return NULL;
	build = ks_build_start(system, settings, jobserver, request, error);
	if (build)
		result = drive(build, jobserver, cancelled, error);
	ks_build_drop_views(system);
	return result;
}
