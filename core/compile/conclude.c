/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The end of a build, good or bad: from the build tree to a staged artifact,
 * or to the remains at T/M/V/build. It runs in a copy of the engine
 * (core/support/fork.h), as it copies and waits for the inspector, the signer
 * and the compressor; it holds a token of the jobserver for that. Its results
 * come back as an answer, the manifest as the file that it wrote.
 */
#include <errno.h>
#include <string.h>

#include "core/compile/compile-private.h"
#include "core/support/error.h"

/* ok, reason, step, message, missing output, first error, both logs' paths, outside error, warnings */
#define ANSWER_TYPE "(bumaymaymaymaymaymaym" KS_ERROR_VARIANT "a" KS_ERROR_VARIANT ")"

static struct ks_build_result *make_result(struct ks_build *build)
{
	struct ks_build_result *result = g_new0(struct ks_build_result, 1);

	result->duration_ms = build->used_us / 1000;
	result->reused = build->reused != NULL;
	result->layers = build->layers;
	result->exit_status = build->exit_status;
	result->hint = g_strdup(ks_error_get_hint(build->failure));
	return result;
}

/*
 * After the last step only these codes mean that the build's output is bad. Any
 * other error is the machine's: no free disk space, process or memory, or a
 * file of the kernel that is gone.
 */
static bool is_about_what_was_built(const GError *error)
{
	return g_error_matches(error, KS_ERROR, KS_ERROR_INVALID) ||
	       g_error_matches(error, KS_ERROR, KS_ERROR_BUILD_FAILED) ||
	       g_error_matches(error, KS_ERROR, KS_ERROR_VERIFY_FAILED);
}

/*
 * Any module would have failed here: the sandbox is not available, the disk is
 * full. If it were remembered as this one's failure, the module would not be
 * tried again afterwards.
 */
static GError *get_outside_error(const struct ks_build *build,
				 const struct ks_build_result *result,
				 const GError *error)
{
	GError *full = NULL;

	if (build->is_outside || g_error_matches(error, KS_ERROR, KS_ERROR_NO_SPACE) ||
	    (build->step >= build->steps->len && !is_about_what_was_built(error)))
		return g_error_copy(error);
	/*
	 * "No space left" in the log may be about the build's private /tmp or
	 * be part of another message: believe it only if the disk is full
	 */
	if (!result->first_error || !strstr(result->first_error, g_strerror(ENOSPC)) ||
	    !ks_build_is_disk_full(build))
		return NULL;
	ks_error_set(&full, KS_ERROR_NO_SPACE, "%s: %s", result->step,
		     result->first_error);
	return full;
}

static struct ks_build_result *conclude_failure(struct ks_build *build,
						enum ks_reason reason,
						const GError *error)
{
	struct ks_build_result *result = make_result(build);

	result->reason = reason;
	result->step = g_strdup(ks_build_step(build));
	result->message = g_strdup(error->message);
	result->missing_output = g_strdup(build->missing_output);
	/* The failure of a step: afterwards nothing runs that writes to the log. */
	if (build->step < build->steps->len)
		result->first_error = ks_build_log_first_error(build);
	else
		ks_build_log_line(build, "\n%s: %s", build->phase, error->message);
	result->outside = get_outside_error(build, result, error);
	/*
	 * nobody would look for a fault in the tree; and it would stop the next
	 * build, too
	 */
	result->log_path = ks_build_keep(build, !result->outside && !build->was_stopped);
	if (!result->outside)
		result->failure_log_path = ks_build_keep_log(build);
	ks_build_clean_up(build);
	return result;
}

static struct ks_build_result *conclude_success(struct ks_build *build,
						struct ks_manifest *manifest)
{
	struct ks_build_result *result = make_result(build);

	result->ok = true;
	result->manifest = manifest;
	result->warnings = g_steal_pointer(&build->warnings);
	/* It is the caller's now: nothing here cleans it up. */
	result->staged_dir = g_steal_pointer(&build->staged_dir);
	result->log_path = g_build_filename(result->staged_dir, "log", "make.log", NULL);
	ks_build_forget_kept(build);
	ks_build_clean_up(build);
	return result;
}

/* Results of other headers than those of the fingerprint must not be kept. */
static void check_kernel(struct ks_build *build)
{
	g_autoptr(GError) error = NULL;

	if (build->reused || build->is_outside || ks_build_check_kernel(build, &error))
		return;
	build->is_outside = true;
	g_clear_error(&build->failure);
	build->failure = g_steal_pointer(&error);
}

static struct ks_build_result *conclude(struct ks_build *build)
{
	enum ks_reason reason = KS_REASON_BUILD_FAILED;
	struct ks_manifest *manifest = NULL;
	g_autoptr(GError) error = NULL;

	check_kernel(build);
	if (build->failure)
		return conclude_failure(build, reason, build->failure);
	build->phase = "collect";
	if (build->reused || ks_build_collect(build, &error)) {
		build->phase = "verify";
		ks_build_store_begin(build);
		manifest = ks_build_verify(build, &reason, &error);
		ks_build_store_end(build, manifest != NULL);
	}
	if (build->reused && !manifest && reason == KS_REASON_VERIFY_FAILED)
		ks_ignore(
			ks_store_remove(build->system, build->reused->fingerprint, NULL));
	return manifest ? conclude_success(build, manifest)
			: conclude_failure(build, reason, error);
}

/* --- in the copy, and back */

static GVariant *warnings_to_variant(const GPtrArray *warnings)
{
	GVariantBuilder builder;

	g_variant_builder_init(&builder, G_VARIANT_TYPE("a" KS_ERROR_VARIANT));
	for (guint i = 0; warnings && i < warnings->len; i++)
		g_variant_builder_add_value(&builder,
					    ks_error_to_variant(warnings->pdata[i]));
	return g_variant_builder_end(&builder);
}

static GVariant *conclude_in_copy(void *data)
{
	const struct ks_build_result *result = conclude(data);

	return g_variant_new("(bum^aym^aym^aym^aym^aym^aym@" KS_ERROR_VARIANT
			     "@a" KS_ERROR_VARIANT ")",
			     result->ok, result->reason, result->step, result->message,
			     result->missing_output, result->first_error,
			     result->log_path, result->failure_log_path,
			     result->outside ? ks_error_to_variant(result->outside)
					     : NULL,
			     warnings_to_variant(result->warnings));
}

static void take_answer(GVariant *answer, struct ks_build_result *result)
{
	g_autoptr(GVariant) outside = NULL;
	g_autoptr(GVariant) warnings = NULL;
	gboolean ok;
	guint32 reason;

	g_variant_get(answer,
		      "(bum^aym^aym^aym^aym^aym^aym@" KS_ERROR_VARIANT
		      "@a" KS_ERROR_VARIANT ")",
		      &ok, &reason, &result->step, &result->message,
		      &result->missing_output, &result->first_error, &result->log_path,
		      &result->failure_log_path, &outside, &warnings);
	result->ok = ok;
	result->reason = reason;
	if (outside)
		result->outside = ks_error_from_variant(outside);
	result->warnings = g_ptr_array_new_with_free_func((GDestroyNotify)g_error_free);
	for (gsize i = 0; i < g_variant_n_children(warnings); i++) {
		g_autoptr(GVariant) warning = g_variant_get_child_value(warnings, i);

		g_ptr_array_add(result->warnings, ks_error_from_variant(warning));
	}
}

static struct ks_manifest *load_manifest(const struct ks_build *build, GError **error)
{
	g_autofree char *path = g_build_filename(build->staged_dir, "manifest", NULL);

	return ks_manifest_load(build->system, path, error);
}

bool ks_build_conclude(struct ks_build *build, struct ks_build_result **result)
{
	build->conclusion = ks_fork_start(conclude_in_copy, build, NULL);
	if (build->conclusion)
		return false;
	/* no process available: this process does it and waits */
	*result = conclude(build);
	return true;
}

struct ks_build_result *ks_build_take_conclusion(struct ks_build *build)
{
	ks_auto(ks_build_result) result = NULL;
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) answer = ks_fork_finish(g_steal_pointer(&build->conclusion),
						    G_VARIANT_TYPE(ANSWER_TYPE), &error);

	if (answer) {
		result = make_result(build);
		take_answer(answer, result);
		if (!result->ok)
			return g_steal_pointer(&result);
		result->manifest = load_manifest(build, &error);
	}
	if (!answer || !result->manifest) {
		/* killed, or out of memory: not the module's doing */
		build->is_outside = true;
		return conclude_failure(build, KS_REASON_BUILD_FAILED, error);
	}
	result->staged_dir = g_steal_pointer(&build->staged_dir);
	return g_steal_pointer(&result);
}

void ks_build_cancel_conclusion(struct ks_build *build)
{
	ks_fork_kill(g_steal_pointer(&build->conclusion));
	ks_build_store_cancel(build);
}
