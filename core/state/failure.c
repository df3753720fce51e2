/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Known failures, one small key file each. */
#include "core/state/failure.h"

#include <string.h>

#include "core/support/durable.h"
#include "core/support/error.h"
#include "core/support/treeop.h"

#define GROUP	     "failure"
#define MAX_BYTES    (64 * 1024)
#define MAX_LINE_LEN 2048

/*
 * All tries of one failure together: so little goes unnoticed in a package transaction.
 */
#define CHEAP_MS     (60 * 1000)
#define SPACING	     100
#define MAX_DOUBLING 20
#define MAX_SPENT_MS (G_GINT64_CONSTANT(1000) * 86400 * 365)

void ks_failure_free(struct ks_failure *failure)
{
	if (!failure)
		return;
	g_free(failure->fingerprint);
	g_free(failure->step);
	g_free(failure->first_error);
	g_free(failure->log_path);
	g_free(failure->hint);
	g_free(failure->surroundings);
	g_free(failure);
}

bool ks_failure_may_retry(const struct ks_failure *failure, gint64 now_us)
{
	const guint doubling = MIN(failure->n_retries, MAX_DOUBLING);
	gint64 wait_ms;

	if (failure->n_retries == 0 || failure->spent_ms < CHEAP_MS)
		return true;
	wait_ms = failure->spent_ms / (failure->n_retries + 1) * SPACING;
	return (now_us - failure->first_failed_at_us) / 1000 >= wait_ms << doubling;
}

void ks_failure_continue(struct ks_failure *failure, const struct ks_failure *former,
			 gint64 duration_ms)
{
	failure->spent_ms = duration_ms;
	failure->first_failed_at_us = failure->failed_at_us;
	if (!former || !former->surroundings ||
	    g_strcmp0(former->fingerprint, failure->fingerprint) != 0)
		return;
	failure->n_retries = former->n_retries + 1;
	failure->spent_ms += former->spent_ms;
	failure->first_failed_at_us = former->first_failed_at_us;
}

static char *target_path(const struct ks_system *system, const char *module,
			 const char *version, const char *release, const char *arch)
{
	return g_build_filename(system->state_dir, "failed", module, version, release,
				arch, NULL);
}

char *ks_failure_log_path(const struct ks_system *system, const char *module,
			  const char *version, const char *release, const char *arch)
{
	g_autofree char *path = target_path(system, module, version, release, arch);

	return g_strconcat(path, ".log", NULL);
}

/* A compiler's error line is hostile text: it ends up on terminals and in this file. */
static char *clean_line(const char *text)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1);
	GString *clean = g_string_new(NULL);

	for (const char *p = valid; *p && clean->len < MAX_LINE_LEN;
	     p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);

		g_string_append_unichar(clean, g_unichar_iscntrl(c) ? ' ' : c);
	}
	return g_string_free(clean, FALSE);
}

static char *get_clean(GKeyFile *keys, const char *key)
{
	g_autofree char *text = g_key_file_get_string(keys, GROUP, key, NULL);

	return text ? clean_line(text) : NULL;
}

static struct ks_failure *parse(const char *text, size_t size_bytes)
{
	g_autoptr(GKeyFile) keys = g_key_file_new();
	ks_auto(ks_failure) failure = g_new0(struct ks_failure, 1);
	g_autofree char *reason = NULL;

	if (!g_key_file_load_from_data(keys, text, size_bytes, G_KEY_FILE_NONE, NULL))
		return NULL;
	failure->fingerprint = get_clean(keys, "fingerprint");
	reason = g_key_file_get_string(keys, GROUP, "reason", NULL);
	if (!reason || !ks_reason_from_id(reason, &failure->reason))
		return NULL;
	if (failure->reason != KS_REASON_BUILD_FAILED &&
	    failure->reason != KS_REASON_VERIFY_FAILED)
		return NULL;
	failure->step = get_clean(keys, "step");
	failure->first_error = get_clean(keys, "first-error");
	failure->log_path = get_clean(keys, "log-path");
	failure->failed_at_us = g_key_file_get_int64(keys, GROUP, "failed-at-us", NULL);
	failure->hint = get_clean(keys, "hint");
	failure->without_sandbox =
		g_key_file_get_boolean(keys, GROUP, "without-sandbox", NULL);
	failure->surroundings = get_clean(keys, "surroundings");
	failure->n_retries = (guint)CLAMP(
		g_key_file_get_integer(keys, GROUP, "retries", NULL), 0, G_MAXINT);
	failure->spent_ms = CLAMP(g_key_file_get_int64(keys, GROUP, "spent-ms", NULL), 0,
				  MAX_SPENT_MS);
	failure->first_failed_at_us =
		g_key_file_get_int64(keys, GROUP, "first-failed-at-us", NULL);
	return g_steal_pointer(&failure);
}

struct ks_failure *ks_failure_load(const struct ks_system *system, const char *module,
				   const char *version, const char *release,
				   const char *arch)
{
	g_autofree char *path = target_path(system, module, version, release, arch);
	g_autofree char *text = NULL;
	size_t size_bytes = 0;

	text = ks_root_read_file(system->root, path, MAX_BYTES, &size_bytes, NULL);
	if (!text || size_bytes == 0)
		return NULL;
	return parse(text, size_bytes);
}

static void set_clean(GKeyFile *keys, const char *key, const char *text)
{
	g_autofree char *clean = NULL;

	if (!text)
		return;
	clean = clean_line(text);
	g_key_file_set_string(keys, GROUP, key, clean);
}

bool ks_failure_store(const struct ks_system *system, const struct ks_failure *failure,
		      const char *module, const char *version, const char *release,
		      const char *arch, GError **error)
{
	g_autofree char *path = target_path(system, module, version, release, arch);
	g_autoptr(GKeyFile) keys = g_key_file_new();
	g_autofree char *text = NULL;
	size_t size_bytes = 0;

	set_clean(keys, "fingerprint", failure->fingerprint);
	set_clean(keys, "reason", ks_reason_id(failure->reason));
	set_clean(keys, "step", failure->step);
	set_clean(keys, "first-error", failure->first_error);
	set_clean(keys, "log-path", failure->log_path);
	g_key_file_set_int64(keys, GROUP, "failed-at-us", failure->failed_at_us);
	set_clean(keys, "hint", failure->hint);
	g_key_file_set_boolean(keys, GROUP, "without-sandbox", failure->without_sandbox);
	set_clean(keys, "surroundings", failure->surroundings);
	g_key_file_set_integer(keys, GROUP, "retries", (int)failure->n_retries);
	g_key_file_set_int64(keys, GROUP, "spent-ms", failure->spent_ms);
	g_key_file_set_int64(keys, GROUP, "first-failed-at-us",
			     failure->first_failed_at_us);
	text = g_key_file_to_data(keys, &size_bytes, NULL);
	return ks_durable_write(system->root, path, text, size_bytes, 0644, error);
}

bool ks_failure_clear(const struct ks_system *system, const char *module,
		      const char *version, const char *release, const char *arch,
		      GError **error)
{
	g_autofree char *top = g_build_filename(system->state_dir, "failed", NULL);
	g_autofree char *all = g_build_filename(top, module, version, NULL);
	g_autofree char *one = NULL;
	g_autofree char *log = NULL;
	g_autofree char *parent = NULL;

	if (!release) {
		if (!ks_treeop_remove(system->root, all, error))
			return false;
		parent = g_build_filename(top, module, NULL);
	} else {
		one = target_path(system, module, version, release, arch);
		log = ks_failure_log_path(system, module, version, release, arch);
		if (!ks_durable_unlink(system->root, one, error) ||
		    !ks_durable_unlink(system->root, log, error))
			return false;
		parent = g_path_get_dirname(one);
	}
	if (!ks_root_exists(system->root, parent))
		return true;
	return ks_treeop_prune_empty(system->root, parent, top, error);
}
