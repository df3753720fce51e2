/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The states of one target's build (enum ks_build_state), and the steps between them. */
#include "core/compile/build.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/compile/compile-private.h"
#include "core/support/error.h"
#include "core/support/process.h"

/* Numbers for the builds that run at the same time: slots that are taken. */
static bool slots[KS_BUILD_SLOTS];

static unsigned int take_slot(void)
{
	unsigned int slot = 0;

	while (slot + 1 < KS_BUILD_SLOTS && slots[slot])
		slot++;
	slots[slot] = true;
	return slot;
}

void ks_build_free(struct ks_build *build)
{
	if (!build)
		return;
	if (build->state != KS_BUILD_OVER)
		ks_build_cancel(build);
	slots[build->slot] = false;
	if (build->tree_fd >= 0)
		close(build->tree_fd);
	if (build->log_fd >= 0)
		close(build->log_fd);
	ks_store_entry_free(build->reused);
	ks_store_entry_free(build->to_store);
	g_free(build->work_dir);
	g_free(build->tree_path);
	g_free(build->build_path);
	g_free(build->log_path);
	g_free(build->staged_dir);
	for (size_t i = 0; i < KS_BUILD_UNAME_FILES; i++)
		g_free(build->uname_files[i]);
	g_free(build->entry_path);
	g_free(build->artifact_path);
	g_free(build->place_path);
	g_free(build->home_path);
	g_array_unref(build->shown);
	ks_toolchain_clear(&build->toolchain);
	g_free(build->memo);
	g_clear_error(&build->stopped);
	g_clear_error(&build->failure);
	if (build->steps)
		g_ptr_array_unref(build->steps);
	g_free(build->missing_output);
	g_ptr_array_unref(build->built_digests);
	if (build->warnings)
		g_ptr_array_unref(build->warnings);
	g_free(build);
}

static const struct ks_build_step *get_step(const struct ks_build *build)
{
	return build->steps->pdata[build->step];
}

bool ks_build_step_is_executable(const struct ks_build *build)
{
	const struct ks_build_step *step =
		build->step < build->steps->len ? get_step(build) : NULL;
	struct stat st;

	return !step || !step->script ||
	       (ks_root_stat(build->system->root, step->script, &st) &&
		st.st_mode & 0111);
}

int ks_build_poll_fd(const struct ks_build *build)
{
	switch (build->state) {
	case KS_BUILD_STEP:
		return build->sandbox.pidfd;
	case KS_BUILD_CONCLUDING:
		return ks_fork_fd(build->conclusion);
	case KS_BUILD_WAITING:
	case KS_BUILD_OVER:
		break;
	}
	return ks_jobserver_poll_fd(build->jobserver);
}

/*
 * The time that the earlier steps did not use; at least a second, so that it is
 * a limit.
 */
static unsigned int remaining_s(const struct ks_build *build)
{
	gint64 limit_s = build->settings->build_timeout_s;

	if (!limit_s)
		return 0;
	return MAX(limit_s - build->used_us / G_USEC_PER_SEC, 1);
}

/* What confines a step, and where it runs; one struct, since the policy has pointers to
 * the other fields. */
struct confinement {
	struct ks_sandbox_bind binds[2];
	struct ks_sandbox_cover covers[KS_BUILD_UNAME_COVERS];
	const char *writable[4];
	int pass_fds[2];
	struct ks_sandbox_policy policy;
};

static void confine(const struct ks_build *build, struct confinement *confinement)
{
	const enum ks_sandbox_setting setting =
		ks_settings_get_sandbox(build->settings, build->request->module);

	confinement->binds[0] =
		(struct ks_sandbox_bind){build->place_path, build->entry_path};
	confinement->binds[1] =
		(struct ks_sandbox_bind){build->tree_path, build->build_path};
	ks_build_place_writable(build, confinement->writable);
	confinement->policy = (struct ks_sandbox_policy){
		.cwd = build->build_path,
		.writable = confinement->writable,
		.covers = confinement->covers,
		.n_covers = ks_build_cover_uname(build, confinement->covers),
		.binds = confinement->binds,
		.n_binds = build->request->private_build ? 2 : 0,
		.shown = (const struct ks_sandbox_bind *)build->shown->data,
		.n_shown = build->shown->len,
		.uid = build->uid,
		.gid = build->gid,
		.require = setting == KS_SANDBOX_REQUIRE,
		.off = setting == KS_SANDBOX_OFF,
		.max_file_bytes = KS_BUILD_FILE_MAX,
		.max_total_bytes = ks_build_get_memory_limit(build->settings),
		.max_processes = KS_BUILD_PROCESSES_MAX,
		.timeout_s = remaining_s(build),
		.stdin_fd = -1,
		.stdout_fd = build->log_fd,
		.stderr_fd = build->log_fd,
		.pass_fds = confinement->pass_fds,
		.n_pass_fds = ks_jobserver_fds(build->jobserver, confinement->pass_fds),
		.fifo = ks_jobserver_fifo(build->jobserver),
	};
}

static bool start_step(struct ks_build *build, GError **error)
{
	const struct ks_build_step *step = get_step(build);
	g_auto(GStrv) env = ks_build_make_env(build);
	struct confinement confinement;

	confine(build, &confinement);
	confinement.policy.argv = (const char *const *)step->argv;
	confinement.policy.env = (const char *const *)env;
	ks_build_log_step(build, step);
	build->step_started_us = g_get_monotonic_time();
	if (!ks_sandbox_start(build->system, &confinement.policy, &build->sandbox, error))
		return false;
	build->state = KS_BUILD_STEP;
	return true;
}

static void give_token_back(struct ks_build *build)
{
	if (build->has_token)
		ks_jobserver_give(build->jobserver);
	build->has_token = false;
}

/*
 * As late as possible: builds that waited for the token may have recorded it meanwhile.
 */
static void find_memo(struct ks_build *build)
{
	if (!build->is_memo_sought && build->request->find_memo)
		build->memo = build->request->find_memo(build->request->find_memo_data);
	build->is_memo_sought = true;
}

static bool take_token(struct ks_build *build)
{
	if (!build->has_token)
		build->has_token = ks_jobserver_try_take(build->jobserver);
	return build->has_token;
}

/* Start the next step, unless it waits for a token. False with an error. */
static bool start_next(struct ks_build *build, GError **error)
{
	if (get_step(build)->needs_token) {
		if (!take_token(build))
			return true;
		find_memo(build);
	}
	if (start_step(build, error))
		return true;
	build->is_outside = true;
	give_token_back(build);
	return false;
}

static char *describe_status(const struct ks_build *build, int status)
{
	if (build->sandbox.is_timed_out)
		return g_strdup_printf("killed after %u seconds",
				       build->settings->build_timeout_s);
	if (build->sandbox.out_of_memory == KS_SANDBOX_OOM_MACHINE)
		return g_strdup("killed: the machine's memory is used up");
	if (build->sandbox.out_of_memory == KS_SANDBOX_OOM_OWN)
		return g_strdup_printf(
			"killed for want of memory; a build may use %llu MiB",
			ks_build_get_memory_limit(build->settings) >> 20);
	return ks_process_describe(status);
}

/* Write it to the log, too, where people look for the cause. */
static void hint_obstacle(struct ks_build *build, GError **error)
{
	g_autofree char *hint = ks_build_log_obstacle(build);

	if (!hint)
		hint = ks_build_log_remedy(build);
	if (!hint)
		return;
	ks_build_log_line(build, "\nkmodsmith: %s", hint);
	ks_error_hint(error, "%s", hint);
}

/* The running step has ended. False with an error when it failed. */
static bool end_step(struct ks_build *build, GError **error)
{
	unsigned int layers = 0;
	gint64 elapsed_us;
	int status = 0;
	bool ok = ks_sandbox_finish(&build->sandbox, &status, &layers, error);

	build->state = KS_BUILD_WAITING;
	build->was_stopped = build->stopped != NULL;
	elapsed_us = g_get_monotonic_time() - build->step_started_us;
	build->used_us += elapsed_us;
	if (!ok) {
		/* After a successful step, that step itself may be the cause. */
		build->is_outside = !build->has_layers || !build->sandbox.is_unusable;
		ks_build_log_line(build, "%s", error && *error ? (*error)->message : "");
		return false;
	}
	/* The layers that every step had protected the whole build. */
	build->layers = build->has_layers ? build->layers & layers : layers;
	build->has_layers = true;
	ks_build_log_end(build, status, elapsed_us);
	build->exit_status =
		WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	if (build->stopped) {
		ks_build_log_line(build, "%s", build->stopped->message);
		g_propagate_prefixed_error(error, g_steal_pointer(&build->stopped),
					   "%s: ", get_step(build)->name);
		return false;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	g_autofree char *text = describe_status(build, status);
	build->is_outside = build->sandbox.out_of_memory == KS_SANDBOX_OOM_MACHINE;
	ks_error_set(error, build->is_outside ? KS_ERROR_FAILED : KS_ERROR_BUILD_FAILED,
		     "%s: %s", get_step(build)->name, text);
	if (build->sandbox.out_of_memory)
		ks_build_log_line(build, "%s", text);
	if (build->sandbox.out_of_memory == KS_SANDBOX_OOM_OWN)
		ks_error_hint(error,
			      "if it needs more, set 'build-memory' in kmodsmith.conf");
	else if (!build->is_outside && !build->sandbox.is_timed_out)
		hint_obstacle(build, error);
	return false;
}

/* True when that took place here, and *result is the caller's. */
static bool start_conclusion(struct ks_build *build, struct ks_build_result **result)
{
	if (ks_build_conclude(build, result)) {
		build->state = KS_BUILD_OVER;
		give_token_back(build);
		return true;
	}
	build->state = KS_BUILD_CONCLUDING;
	return false;
}

/* Go on with the next step, or, after the last one and after a failure, with the end. */
static bool go_on(struct ks_build *build, struct ks_build_result **result)
{
	if (!build->failure && build->step < build->steps->len &&
	    start_next(build, &build->failure))
		return false;
	/* a failure has its result at once */
	return (build->failure || take_token(build)) && start_conclusion(build, result);
}

bool ks_build_advance(struct ks_build *build, struct ks_build_result **result)
{
	switch (build->state) {
	case KS_BUILD_WAITING:
		break;
	case KS_BUILD_STEP:
		build->step += end_step(build, &build->failure);
		give_token_back(build);
		break;
	case KS_BUILD_CONCLUDING:
		*result = ks_build_take_conclusion(build);
		build->state = KS_BUILD_OVER;
		give_token_back(build);
		return true;
	case KS_BUILD_OVER:
		return false;
	}
	return go_on(build, result);
}

static void find_toolchain(struct ks_build *build)
{
	const struct ks_build_request *request = build->request;
	g_autofree char *path = ks_kernel_tool_path(
		build->system, (const char *const *)request->conf->environment);

	ks_toolchain_find(build->system, request->kernel, path, &build->toolchain);
}

struct ks_build *ks_build_start(const struct ks_system *system,
				const struct ks_settings *settings,
				struct ks_jobserver *jobserver,
				const struct ks_build_request *request, GError **error)
{
	ks_auto(ks_build) build = g_new0(struct ks_build, 1);

	build->system = system;
	build->settings = settings;
	build->jobserver = jobserver;
	build->request = request;
	build->tree_fd = build->log_fd = -1;
	build->phase = "finish";
	build->built_digests = g_ptr_array_new_with_free_func(g_free);
	build->slot = take_slot();
	build->is_root =
		ks_sandbox_identity_of(system, build->slot, &build->uid, &build->gid);
	build->warnings = g_ptr_array_new_with_free_func((GDestroyNotify)g_error_free);
	build->shown = g_array_new(FALSE, FALSE, sizeof(struct ks_sandbox_bind));
	g_array_set_clear_func(build->shown, ks_build_shown_clear);
	ks_build_set_paths(build);
	find_toolchain(build);
	if (ks_build_reuse(build)) {
		build->steps = g_ptr_array_new();
		return g_steal_pointer(&build);
	}
	if (!ks_build_prepare(build, error))
		return NULL;
	build->steps = ks_build_make_steps(build);
	if (!start_next(build, error))
		return NULL;
	return g_steal_pointer(&build);
}

void ks_build_cancel(struct ks_build *build)
{
	int status;

	if (build->state == KS_BUILD_STEP) {
		ks_sandbox_kill(&build->sandbox);
		ks_ignore(ks_sandbox_finish(&build->sandbox, &status, NULL, NULL));
	} else if (build->state == KS_BUILD_CONCLUDING) {
		ks_build_cancel_conclusion(build);
	}
	build->state = KS_BUILD_OVER;
	give_token_back(build);
	/* Its own tree; the real T/M/V/build itself stays. */
	if (!build->request->private_build && build->build_path)
		ks_build_forget_kept(build);
	ks_build_clean_up(build);
}
